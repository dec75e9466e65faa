package goflags

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

func TestHideValues(t *testing.T) {
	text, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Ldflags, Hidden string
		Values          []string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		hidden, values := HideValues(c.Ldflags)
		if hidden != c.Hidden || !slices.Equal(values, c.Values) {
			t.Errorf("%q: got %q and %q, want %q and %q", c.Ldflags, hidden, values, c.Hidden, c.Values)
		}
		if again := FillIn(values)(hidden); again != c.Ldflags {
			t.Errorf("%q: filled in it is %q", c.Ldflags, again)
		}
		// The go command splits both into words that differ in the values alone.
		want, err := Split(c.Ldflags)
		if err != nil {
			continue
		}
		got, err := Split(hidden)
		for i := range got {
			got[i] = FillIn(values)(got[i])
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: the words are %q (%v), want %q", c.Ldflags, got, err, want)
		}
	}
}

// FillIn undoes HideValues for any text, and both texts have the same number of words.
func FuzzHideValues(f *testing.F) {
	f.Add("-X main.a=1 -X 'main.b=2 3' all=-X=c.d=\"", "x'y")
	f.Fuzz(func(t *testing.T, ldflags, value string) {
		hidden, values := HideValues(ldflags)
		if got := FillIn(values)(hidden); got != ldflags {
			t.Fatalf("%q is hidden as %q, and that filled in is %q", ldflags, hidden, got)
		}
		words, err := Split(ldflags)
		if err != nil || len(values) == 0 {
			return
		}
		after, err := Split(hidden)
		if err != nil || len(after) != len(words) {
			t.Fatalf("%q has %d words, and %q has %q (%v)", ldflags, len(words), hidden, after, err)
		}
	})
}
