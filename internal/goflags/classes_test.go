package goflags

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The class of a flag decides whether the go command gets it.
func TestFlags(t *testing.T) {
	table := load(t)
	for _, test := range []struct {
		flags string
		want  string // the flags that are passed on
		whole string // the flag that the go command has to carry out itself
		err   string
	}{
		{"", "", "", ""},
		{"-race -tags=a,b --mod=mod", "-race -tags=a,b --mod=mod", "", ""},
		{"-v -p=3 -x -work -buildvcs=true", "", "", ""},           // dropped
		{"-count=1 -nonsense", "-count=1 -nonsense", "", ""},      // of go test, and unknown
		{`'-gcflags=all=-N -l' -v`, "-gcflags=all=-N -l", "", ""}, // one word
		{"-msan -race", "-msan -race", "-msan", ""},               // all flags are returned
		{"-msan=false -race", "-msan=false -race", "", ""},        // switched off
		{"-buildmode=plugin", "-buildmode=plugin", "-buildmode=plugin", ""},
		{"-buildmode=pie", "-buildmode=pie", "", ""},
		{"-overlay=/o.json", "-overlay=/o.json", "-overlay=/o.json", ""}, // a file outside of the sources
		{"-overlay=o.json -pgo=auto", "-overlay=o.json -pgo=auto", "", ""},
		{"-pgo=/p.pgo", "-pgo=/p.pgo", "-pgo=/p.pgo", ""},
		{"-o=x", "", "", "GOFLAGS has -o=x: programs are in bin/"},
		{"-C=dir", "", "", "use `modRoot`"},
		{"-compiler=gccgo", "", "", "dgd builds with gc"},
		{"-compiler=gc", "", "", ""},
		{`"-tags=a`, "", "", "a quote has no end"},
	} {
		kept, err := table.Flags(test.flags)
		var whole *WholeError
		switch {
		case test.err != "":
			if err == nil || errors.As(err, &whole) || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: the error is %v", test.flags, err)
			}
		case test.whole != "":
			if !errors.As(err, &whole) || whole.Flag != test.whole || err.Error() != test.whole+" is not built package by package" {
				t.Errorf("%s: the error is %v", test.flags, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.flags, err)
		}
		if got := strings.Join(kept, " "); got != test.want {
			t.Errorf("%s: kept %q, want %q", test.flags, got, test.want)
		}
	}
}

func TestVariables(t *testing.T) {
	env := map[string]string{
		"GOOS": "linux", "CGO_ENABLED": "1", "CC": "cc", // carried out
		"GOPROXY": "off", "GOCACHE": "/c", "GOTOOLCHAIN": "local", // dropped
		"HOME": "/h", "PKG_CONFIG_PATH": "/p", // no variables of Go
	}
	want := maps.Clone(env)
	for _, name := range []string{"GOPROXY", "GOCACHE", "GOTOOLCHAIN"} {
		delete(want, name)
	}
	if got := load(t).Variables(env); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Flags that only go test itself can carry out are those of these classes.
func TestNeedsGoTest(t *testing.T) {
	table := load(t)
	var got []string
	for _, name := range []string{"run", "count", "v", "timeout", "race", "tags", "c", "json", "exec", "cover", "fuzz", "o", "C", "msan", "n", "x", "work", "trimpath", "nonsense"} {
		if table.NeedsGoTest(name) {
			got = append(got, name)
		}
	}
	want := []string{"c", "json", "exec", "cover", "fuzz", "o", "C", "msan", "n", "x", "work", "trimpath"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
