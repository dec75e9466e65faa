package stage

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/graph"
)

// grep returns the lines that match, as nixpkgs finds them.
func grep(t *testing.T, pattern string, lines []string) []string {
	t.Helper()
	cmd := exec.Command("grep", "-e", pattern)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("grep %q: %v", pattern, err) // grep fails if nothing matches
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// The same directories are excluded as by grep.
func TestExclusion(t *testing.T) {
	lines := []string{
		".", "./a", "./b", "./a/b", "./_x", "./a/_x", "./a_x", "./examples", "./myexamples/x", "./Godeps/x", "./testdata", "./x/testdata/y",
		"./tools", "./tools/gen", "./hack/tools", "./a.b", "./axb", "./a+b", "./aab", "./a*b", "./(a)", "./{a}", "./a|b", "./a?b",
		"./x^y", "./x$y", "./[x]", "./a\\b", "./1", "./12", "./é", "./a-b", "./]", "./cmd/foo-bar", "./internal", "./a b", "./*a",
	}
	for _, patterns := range [][]string{
		nil, {"tools"}, {"^./tools"}, {"tools$"}, {"^./tools$"}, {"a.b"}, {"a\\.b"}, {"a+b"}, {"a\\+b"}, {"a*b"}, {"a\\*b"},
		{"(a)"}, {"\\(a\\)"}, {"{a}"}, {"a\\{2\\}"}, {"a|b"}, {"a\\|b"}, {"a?b"}, {"xa\\?b"}, {"x^y"}, {"x$y"}, {"[[]x]"}, {"[]]"},
		{"[^].a-z/]"}, {"[[:digit:]]"}, {"[\\]b"}, {"[0-9]$"}, {"\\bgen\\b"}, {"\\<gen\\>"}, {"\\w\\W\\w"}, {"tools", "cmd/foo"},
		{"tools a+b"}, {"*a"}, {"\\(*a\\)"}, {"^*a"}, {"cmd/.*-bar"}, {"é"}, {"a-b"}, {"\\(^./1\\)$"}, {"\\(^a\\|b$\\)"}, {"x\\^y"}, {"x\\$y"},
	} {
		re, err := exclusion(patterns)
		if err != nil {
			t.Errorf("%q: %v", patterns, err)
			continue
		}
		// Joined as in the shell code of buildGoModule.
		full := `\(/_\|examples\|Godeps\|testdata`
		if len(patterns) > 0 {
			full += `\|` + strings.ReplaceAll(strings.Join(patterns, " "), " ", `\|`)
		}
		full += `\)`
		got := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !re.MatchString(line) })
		if want := grep(t, full, lines); !slices.Equal(got, want) {
			t.Errorf("%q: excluded are %q, grep says %q (the expression is %s)", patterns, got, want, re)
		}
	}
	for pattern, want := range map[string]string{
		`a\`: "ends in a backslash", `\(a\)\1`: "refers back", "[a": "has no end", "[[.a.]]": "collating", "[[:x": "has no end",
		`\(`: "missing closing",
	} {
		if _, err := basicRegexp(pattern); err == nil {
			_, err = exclusion([]string{pattern})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error is %v, want %q", pattern, err, want)
			}
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", pattern, err, want)
		}
	}
}

func TestDirectories(t *testing.T) {
	src := project(t, map[string]string{
		"main.go": "", "go.mod": "", "a/a.go": "", "a/deep/er/x.go": "", "a/text": "", "test/x_test.go": "", ".hidden/x.go": "",
		"vendor/x/y/y.go": "", "a/vendor/y/y.go": "", "_old/x.go": "", "examples/x.go": "", "a/testdata/x.go": "",
		"tools/x.go": "", "hack/tools/x.go": "", "linked/text": "", "go.go/text": "",
	})
	for link, to := range map[string]string{"linked/x.go": "../main.go", "tolink": "a"} {
		if err := os.Symlink(to, filepath.Join(src, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ excluded, want []string }{
		{nil, []string{".", "./.hidden", "./a", "./a/deep/er", "./hack/tools", "./test", "./tools"}},
		{[]string{"tools", "hidden"}, []string{".", "./a", "./a/deep/er", "./test"}},
		{[]string{"^./tools", "a/"}, []string{".", "./.hidden", "./a", "./hack/tools", "./test"}},
	} {
		got, err := directories(src, test.excluded)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q (%v), want %q", test.excluded, got, err, test.want)
		}
		// The script of nixpkgs.
		out, err := exec.Command("sh", "-c", `cd "$0" && find . -type f -name \*.go -exec dirname {} \; | grep -v "/vendor/" | sort --unique | grep -v "$1"`,
			src, strings.Join(append([]string{`\(/_\|examples\|Godeps\|testdata`}, test.excluded...), `\|`)+`\)`).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(string(out))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, nixpkgs has %q", test.excluded, got, want)
		}
	}
	if _, err := directories(src, []string{"."}); err == nil || !strings.Contains(err.Error(), "nothing to build") {
		t.Errorf("without a directory, the error is %v", err)
	}
}

// everything is a module with packages of all kinds: program and libraries are
// built, the rest is left out.
var everything = map[string]string{
	"go.mod":               "module example.com/m/v2\n\ngo 1.24\n",
	"main.go":              "package main\n\nimport \"example.com/m/v2/used\"\n\nfunc main() { println(used.X) }\n",
	"used/x.go":            "package used\n\nconst X = \"used\"\n",
	"unused/x.go":          "package unused\n\nimport _ \"example.com/m/v2/deep\"\n",
	"deep/x.go":            "package deep\n",
	"cmd/tool/main.go":     "package main\n\nfunc main() {}\n",
	"test/x_test.go":       "package test\n",
	"plan9/x_plan9.go":     "package plan9\n",
	"cmd/plan9/main.go":    "package main\n\nimport _ \"example.com/m/v2/plan9\"\n\nfunc main() {}\n",
	"examples/x/broken.go": "package",
}

func TestLibraries(t *testing.T) {
	plan := func(files map[string]string, change func(*Config)) (*Plan, error) {
		cfg := config(t, project(t, files))
		cfg.Package, cfg.Libraries = nil, true
		if change != nil {
			change(cfg)
		}
		return Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	}
	built := func(p *Plan) (packages, programs []string) {
		for _, n := range p.Graph.Nodes {
			switch {
			case n.Kind == graph.Link:
				programs = append(programs, n.Main)
			case !n.Std:
				packages = append(packages, strings.TrimPrefix(n.Name, "example.com/m/v2"))
			}
		}
		slices.Sort(packages)
		slices.Sort(programs)
		return packages, programs
	}
	for _, test := range []struct {
		name               string
		change             func(*Config)
		packages, programs []string
	}{
		{"all", nil, []string{"", "/cmd/tool", "/deep", "/unused", "/used"}, []string{"m", "tool"}},
		{"excluded", func(c *Config) { c.Excluded = []string{"cmd", "unused"} }, []string{"", "/deep", "/used"}, []string{"m"}},
		{"named", func(c *Config) { c.Package = []string{"unused", "plan9"} }, []string{"/deep", "/unused"}, nil},
		{"nothing for this platform", func(c *Config) { c.Package = []string{"plan9", "test"} }, nil, nil},
		{"a package twice", func(c *Config) { c.Package = []string{"cmd/tool", "./cmd/tool", "used", "used"} }, []string{"/cmd/tool", "/used"}, []string{"tool"}},
		{"a pattern without a slash", func(c *Config) { c.Package = []string{"use..."} }, []string{"/used"}, nil},
		{"a pattern", func(c *Config) { c.Package = []string{"cmd/tool/...", "used"} }, []string{"/cmd/tool", "/used"}, []string{"tool"}},
	} {
		p, err := plan(everything, test.change)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		packages, programs := built(p)
		if !slices.Equal(packages, test.packages) || !slices.Equal(programs, test.programs) || !p.Libraries {
			t.Errorf("%s: builds %q and %q, want %q and %q", test.name, packages, programs, test.packages, test.programs)
		}
	}

	with := func(files map[string]string) map[string]string {
		all := map[string]string{}
		for name, text := range everything {
			all[name] = text
		}
		for name, text := range files {
			all[name] = text
		}
		return all
	}
	for _, test := range []struct {
		name   string
		files  map[string]string
		change func(*Config)
		want   []string
	}{
		{"a nested module", map[string]string{"nested/go.mod": "module example.com/m/v2/nested\n", "nested/x.go": "package nested\n"}, nil,
			[]string{"main module (example.com/m/v2) does not contain package example.com/m/v2/nested", "excludedPackages"}},
		{"a name with a space", map[string]string{"with space/x.go": "package x\n"}, nil,
			[]string{`malformed import path "example.com/m/v2/with space"`, "excludedPackages"}},
		{"two programs of a name", map[string]string{"other/tool/main.go": "package main\n\nfunc main() {}\n"}, nil,
			[]string{"example.com/m/v2/cmd/tool and example.com/m/v2/other/tool are both programs of the name tool", "excludedPackages"}},
		{"an import that is not there", map[string]string{"used/y.go": "package used\n\nimport _ \"example.org/none\"\n"}, nil,
			[]string{"used/y.go:3:8", "go mod tidy"}},
		{"a bad expression", nil, func(c *Config) { c.Excluded = []string{`\(`} }, []string{"excludedPackages: "}},
	} {
		_, err := plan(with(test.files), test.change)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error is %v, want %q", test.name, err, want)
			}
		}
	}
}

// Patterns in subPackages match the same directories as in a shell.
func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"cmd/a", "cmd/ab", "cmd/b", "cmd/.hidden", "cmd/[x]", "other/a", "z"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "cmd/file.go"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, patterns := range [][]string{
		{"."}, {"cmd/a", "./z"}, {"cmd/a*"}, {"cmd/?"}, {"*/a"}, {"./*/a"}, {"cmd/[a]*", "z"}, {"cmd/[!a]"}, {"cmd/.h*"}, {"cmd/none*"},
		{"none/*/a"}, {"cmd/a*/"}, {"..."}, {"cmd/..."}, {"cmd/[a-b]"}, {"/none*"}, {"../none*"},
	} {
		got, err := expand(dir, patterns)
		if err != nil {
			t.Errorf("%q: %v", patterns, err)
			continue
		}
		// The list is split into words before patterns are expanded.
		shell := exec.Command("bash", "-c", `set -f
			for package in $patterns; do
				set +f
				for dir in ./$package; do realpath -ms --relative-to=. "$dir"; done
			done`)
		shell.Dir = dir
		shell.Env = append(os.Environ(), "patterns="+strings.Join(patterns, " "), "LC_ALL=C")
		out, err := shell.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(string(out))
		for i, name := range got {
			got[i] = filepath.Clean(strings.TrimPrefix(name, "/"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q stands for %q, the shell says %q", patterns, got, want)
		}
	}
	for pattern, want := range map[string]string{"cmd/*": "the file cmd/file.go", "cmd/[": "syntax error"} {
		if got, err := expand(dir, []string{pattern}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q and the error %v, want %s", pattern, got, err, want)
		}
	}
}

// Symlinks out of the sources are an error where the build needs them.
func TestLinksOut(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "x.go")
	if err := os.WriteFile(outside, []byte("package a\n\nconst X = 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		modRoot string
		link    string
		target  string
		pkg     string
		want    string
	}{
		{"a file", ".", "a/x.go", outside, "a", "a/x.go is a symlink to an absolute path, which is not in src"},
		{"a relative link", ".", "a/x.go", "../../home/x.go", "a", "a/x.go is a symlink to ../../home/x.go"},
		{"of a module below", "a", "a/x.go", outside, ".", "a/x.go is a symlink to an absolute path"},
		{"a directory", ".", "dir", filepath.Dir(outside), "dir", "dir is a symlink to "},
		{"an embedded file", ".", "e/text", outside, "e", "pattern text: cannot embed irregular file text"},
		{"by way of a link", ".", "out", filepath.Dir(outside), "l", "out is a symlink to an absolute path"},
		{"a file of another package", ".", "a/x.go", outside, "e", ""},
		{"within the sources", ".", "e/x.go", "../x/x.go", "e", ""},
	} {
		files := map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.24\n", "a/a.go": "package main\n\nfunc main() {}\n",
			"e/e.go": "package main\n\nimport _ \"embed\"\n\n//go:embed text\nvar text string\n\nfunc main() {}\n", "x/x.go": "package main\n",
			"l/main.go": "package main\n\nfunc main() {}\n",
		}
		if test.link != "e/text" {
			files["e/text"] = "text"
		}
		if test.modRoot != "." {
			files[test.modRoot+"/go.mod"] = files["go.mod"]
		}
		src := project(t, files)
		if err := os.Symlink(test.target, filepath.Join(src, test.link)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../out/x.go", filepath.Join(src, "l/x.go")); err != nil {
			t.Fatal(err)
		}
		cfg := config(t, src)
		cfg.ModRoot, cfg.Package = test.modRoot, []string{test.pkg}
		_, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.want)
		}
	}
}
