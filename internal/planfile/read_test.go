package planfile

import (
	"slices"
	"strings"
	"testing"
)

// readList reads a field as lib/stages/plan-file.nix does (listOf).
func readList(field string) []string {
	if field == "-" {
		return nil
	}
	elements := strings.Split(field, ",")
	for i, e := range elements {
		elements[i] = unescape(e)
	}
	return elements
}

// A list of any names is one field, from which the same list can be read.
func FuzzList(f *testing.F) {
	for _, seed := range []string{"", "a.go", "-", "-\n-", "a b\nc,d", "x=y;z>!%", "%20", "%2D", "\t\r", "ä"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var elements []string
		if text != "" {
			elements = strings.Split(text, "\n") // some may be empty
		}
		field := list(elements)
		if strings.ContainsAny(field, " \n\r\t=;>!") {
			t.Errorf("%q is written as %q, which is no field", elements, field)
		}
		if got := readList(field); !slices.Equal(got, elements) {
			t.Errorf("%q is written as %q, and read as %q", elements, field, got)
		}
	})
}

// Reading any text gives an error that names the file, or the facts of lines in Format's
// form.
func FuzzRead(f *testing.F) {
	whole := text("set packages null", "set digest 1", `set tests {"packages":["./..."]}`, "set testdigest 2",
		"package m: t a - d=11111111 n=4 s=.", "testpackage ^m: t a - d=3 s=.", "test m t m.test d=3 s=.", "@linux/arm64,linux/amd64 package m:x t b -")
	f.Add(whole)
	f.Add(strings.Replace(whole, "#", "", 1))
	f.Add(text("set", "set packages", "package", "test", "@", "@ ", "set packages {"))
	f.Add("")
	f.Fuzz(func(t *testing.T, file string) {
		// Most inputs have wrong sums: their lines get the right ones.
		for _, file := range []string{file, text(strings.Split(file, "\n")...)} {
			lines, err := Lines("x.plan", []byte(file))
			if err != nil {
				if !strings.HasPrefix(err.Error(), "x.plan") || !strings.Contains(err.Error(), "run `dgd plan`") {
					t.Errorf("the error is %v", err)
				}
				continue
			}
			Variants(lines)
			Differences(lines, nil)
			for _, read := range []func(string, []string, string) (*Facts, error){Read, ReadTests} {
				facts, err := read("x.plan", lines, "linux/amd64")
				if err != nil {
					if !strings.HasPrefix(err.Error(), "x.plan: the setting ") || !strings.Contains(err.Error(), "run `dgd plan") {
						t.Errorf("the error is %v", err)
					}
					continue
				}
				native := make([]string, len(facts.Native))
				for i, n := range facts.Native {
					native[i] = n.Digest
				}
				if stale := facts.Compare(facts.Digests, facts.Rest, native); len(stale) != len(facts.Unfit) {
					t.Errorf("beside itself %q is stale", stale)
				}
			}
		}
	})
}

// The facts of tests are from lines of their own kinds.
func TestReadTests(t *testing.T) {
	lines := []string{
		"set packages null", "set digest 1", "set testdigest 2", `set tests {"checkFlags":["-v"],"data":{"*":["a"]},"modules":"cache","packages":["./page"]}`,
		"package m: t a - d=11 s=.", "testpackage ^m:p t a - N=p d=22 n=33 s=p", "test m/q t q.test d=44 s=q%20r t=+q,x",
		"testpackage ^m:p.test t - ^m:p m=_test.TestA",
	}
	f, err := ReadTests("x", lines, "linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"p", "q r"}; !slices.Equal(f.Directories(), want) || f.Rest != "2" || f.Matches {
		t.Errorf("the directories are %q, want %q; %+v", f.Directories(), want, f)
	}
	if want := []Native{{Package: "p", Dir: "p", Digest: "33"}}; !slices.Equal(f.Native, want) {
		t.Errorf("native are %v, want %v", f.Native, want)
	}
	const edit = "its files, their imports, embedded files or constraints have changed, or which tests there are"
	stale := f.Compare(map[string]string{"p": "22"}, "3", []string{"33"})
	if want := []string{"go.mod, go.sum or the like has changed", "q r: " + edit}; !slices.Equal(stale, want) {
		t.Errorf("stale are %q, want %q", stale, want)
	}
	f.Matches = true
	stale = f.Compare(f.Digests, "3", []string{"33"})
	if want := []string{"go.mod, go.sum or the like has changed, or which directories have tests"}; !slices.Equal(stale, want) {
		t.Errorf("stale are %q, want %q", stale, want)
	}
	lines[3] = "set other 1"
	if _, err := ReadTests("x", lines, "linux/amd64"); err == nil || !strings.HasPrefix(err.Error(), "x: the setting tests: ") || !strings.HasSuffix(err.Error(), ": run `dgd plan --tests`") {
		t.Errorf("without the setting the error is %v", err)
	}
	lines[0] = `set packages "."`
	if _, err := Read("x", lines, "linux/amd64"); err == nil || !strings.HasPrefix(err.Error(), "x: the setting packages: ") || !strings.HasSuffix(err.Error(), ": run `dgd plan`") {
		t.Errorf("with a wrong setting the error is %v", err)
	}
}

// The directories that have Go files matter if there are patterns, or if no packages are
// named.
func TestMatches(t *testing.T) {
	for _, test := range []struct {
		packages []string
		want     bool
	}{
		{nil, true}, {[]string{}, false}, {[]string{"."}, false}, {[]string{"./cmd/a", "./..."}, true}, {[]string{"cmd/*"}, true}, {[]string{"a", "b?"}, true}, {[]string{"[a]"}, true},
	} {
		if got := Matches(test.packages); got != test.want {
			t.Errorf("of %q: %v", test.packages, got)
		}
	}
}

// Several plans for one target have names of their own.
func TestVariants(t *testing.T) {
	plan := func(name string) *File {
		f := &File{Settings: []string{`set target "linux/amd64"`}}
		f.SetVariant(name)
		return f
	}
	lines, err := Lines("x", Format(map[string]*File{"a": plan("a"), "b": plan("b")}))
	if got := Variants(lines); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the plans are %q (%v)", got, err)
	}
	if got, want := For(lines, "b"), []string{`set target "linux/amd64"`, `set variant "b"`}; !slices.Equal(got, want) {
		t.Errorf("the lines of b are %q, want %q", got, want)
	}
}
