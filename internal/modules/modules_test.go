package modules

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"dgd/internal/nix/nar"
	"dgd/internal/testfiles"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []Module
	}{
		{"empty", "", nil},
		{"workspace", "## workspace\n", nil},
		{"versions of a workspace", `## workspace
# example.com/a v1.0.0
## explicit
# example.com/a v1.1.0
example.com/a
# example.com/b v1.0.0 => ../b
## explicit
# example.com/b v1.1.0 => ../b
## explicit; go 1.24
example.com/b
# example.com/c v1.0.0
## explicit
# example.com/c v1.2.0
## explicit
# example.com/d v1.0.0
## explicit
# example.com/b => ../b
# example.com/d v0.9.0 => ../d
`, []Module{
			{Path: "example.com/a", Version: "v1.1.0", Packages: []string{"example.com/a"}},
			{Path: "example.com/b", Version: "v1.1.0", Replace: module.Version{Path: "../b"}, GoVersion: "1.24", Packages: []string{"example.com/b"}},
			{Path: "example.com/c", Version: "v1.2.0"},
			{Path: "example.com/d", Version: "v1.0.0"},
		}},
		{"plain", `# example.com/a v1.0.0
## explicit; go 1.21
example.com/a
example.com/a/b
# example.com/c v0.0.0-20200101000000-abcdefabcdef
## go 1.18
example.com/c/d
# example.com/e/v2 v2.0.0+incompatible
## explicit
# gopkg.in/yaml.v3 v3.0.1
gopkg.in/yaml.v3
`, []Module{
			{Path: "example.com/a", Version: "v1.0.0", GoVersion: "1.21", Packages: []string{"example.com/a", "example.com/a/b"}},
			{Path: "example.com/c", Version: "v0.0.0-20200101000000-abcdefabcdef", GoVersion: "1.18", Packages: []string{"example.com/c/d"}},
			{Path: "example.com/e/v2", Version: "v2.0.0+incompatible"},
			{Path: "gopkg.in/yaml.v3", Version: "v3.0.1", Packages: []string{"gopkg.in/yaml.v3"}},
		}},
		{"carriage returns, no newline at the end", "# example.com/a v1.0.0\r\n## explicit\r\nexample.com/a", []Module{
			{Path: "example.com/a", Version: "v1.0.0", Packages: []string{"example.com/a"}},
		}},
		{"replacements", `# example.com/a v1.0.0 => ../a b
## explicit
example.com/a
# example.com/b v1.0.0 => example.com/fork v1.2.0
example.com/b/x
# example.com/c v1.0.0
example.com/c
# example.com/a => ../a b
# example.com/c v1.1.0 => ./c
# example.com/unused => ./unused
`, []Module{
			{Path: "example.com/a", Version: "v1.0.0", Replace: module.Version{Path: "../a b"}, Packages: []string{"example.com/a"}},
			{Path: "example.com/b", Version: "v1.0.0", Replace: module.Version{Path: "example.com/fork", Version: "v1.2.0"}, Packages: []string{"example.com/b/x"}},
			{Path: "example.com/c", Version: "v1.0.0", Packages: []string{"example.com/c"}},
			{Path: "example.com/unused", Replace: module.Version{Path: "./unused"}},
		}},
		{"unknown annotation", "# example.com/a v1.0.0\n## explicit; new thing; go 1.30rc1\n", []Module{
			{Path: "example.com/a", Version: "v1.0.0", GoVersion: "1.30rc1"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Parse([]byte(test.text)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// Parse ignores the same lines of a modules.txt as the go command.
func TestParseOdd(t *testing.T) {
	const head = "# example.com/a v1.0.0\nexample.com/a\n"
	only := []Module{{Path: "example.com/a", Version: "v1.0.0", Packages: []string{"example.com/a"}}}
	with := func(packages ...string) []Module {
		return []Module{{Path: "example.com/a", Version: "v1.0.0", Packages: append([]string{"example.com/a"}, packages...)}}
	}
	for _, test := range []struct {
		text string
		want []Module
	}{
		{"example.com/a\n", nil},
		{"## explicit\n", nil},
		{head + "#\n", only},
		{head + "#example.com/b v1.0.0\n", only},
		{head + "# \nexample.com/a/b\n", with("example.com/a/b")},
		{head + "# about\nexample.com/a/b\n", with("example.com/a/b")},
		{head + "# about it all\nexample.com/a/b\n", only},
		{head + "# example.com/b 1.0.0\nexample.com/b\n", only},
		{head + "# example.com/b v1.0.0 x\n", append(with(), Module{Path: "example.com/b", Version: "v1.0.0"})},
		{head + "# example.com/b v1.0.0 => \n", append(with(), Module{Path: "example.com/b", Version: "v1.0.0"})},
		{head + "# ../x v1.0.0\nexample.com/x\n", only},
		{head + "example.com/b\n", with("example.com/b")},
		{head + "example.com/a/../b\n", only},
		{head + "<<<<<<< HEAD\n=======\n", only},
		{head + head, with("example.com/a")},
		{head + "# example.com/a v1.1.0 => ../a\n## explicit\nexample.com/a/b\n", []Module{{Path: "example.com/a", Version: "v1.0.0", Packages: []string{"example.com/a", "example.com/a/b"}}}},
		{"## workspace\n" + head + "# example.com/a v1.1.0\nexample.com/a\n", with("example.com/a")},
	} {
		if got := Parse([]byte(test.text)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", test.text, got, test.want)
		}
	}
}

// writeFiles makes files in a new directory. Their text is their name; a name with an
// arrow is a symlink.
func writeFiles(t *testing.T, modulesTxt string, files ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vendor")
	for _, name := range append(files, "modules.txt") {
		name, target, link := strings.Cut(name, " -> ")
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(target, path)
		case name == "modules.txt":
			err = os.WriteFile(path, []byte(modulesTxt), 0o666)
		default:
			err = os.WriteFile(path, []byte(name), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents returns the files of each module's tree, by module path.
func contents(t *testing.T, mods []Module) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, m := range mods {
		if !m.HasTree() {
			continue
		}
		dir := filepath.Join(t.TempDir(), "copy")
		if err := m.Tree.CopyTo(dir); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, name)
			if entry.IsDir() {
				rel += "/"
			}
			found[m.Path] = append(found[m.Path], rel)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

const (
	nestedTxt = `# example.com/a v1.0.0
## explicit; go 1.21
example.com/a
example.com/a/sub
# example.com/a/nested v1.1.0
example.com/a/nested/x
# example.com/a/deep/down/nested/v2 v2.0.0
example.com/a/deep/down/nested/v2
# example.com/a/deep/down/nested/v2/more v0.1.0
example.com/a/deep/down/nested/v2/more
# example.com/a/sub/in v0.2.0
example.com/a/sub/in
# example.com/ab v1.0.0
example.com/ab
# example.com/nothing v1.0.0
## explicit
# example.com/nothing/inside v1.0.0
example.com/nothing/inside
# example.com/unused => ../unused
`
)

var nestedFiles = []string{
	"example.com/a/LICENSE",
	"example.com/a/a.go",
	"example.com/a/sub/sub.go",
	"example.com/a/sub/link -> sub.go",
	"example.com/a/sub/in/in.go",
	"example.com/a/nested/LICENSE",
	"example.com/a/nested/x/x.go",
	"example.com/a/deep/down/nested/v2/v2.go",
	"example.com/a/deep/down/nested/v2/more/more.go",
	"example.com/ab/ab.go",
	"example.com/nothing/inside/in.go",
	"example.com/README",
}

func TestReadVendor(t *testing.T) {
	dir := writeFiles(t, nestedTxt, nestedFiles...)
	mods, err := ReadVendor(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"example.com/a":                          {"./", "LICENSE", "a.go", "sub/", "sub/link", "sub/sub.go"},
		"example.com/a/nested":                   {"./", "LICENSE", "x/", "x/x.go"},
		"example.com/a/deep/down/nested/v2":      {"./", "v2.go"},
		"example.com/a/deep/down/nested/v2/more": {"./", "more.go"},
		"example.com/a/sub/in":                   {"./", "in.go"},
		"example.com/ab":                         {"./", "ab.go"},
		"example.com/nothing/inside":             {"./", "in.go"},
	}
	if got := contents(t, mods); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(mods) != 9 || mods[0].Path != "example.com/a" || mods[8].Path != "example.com/unused" {
		t.Errorf("%d modules: %+v", len(mods), mods)
	}
	a := mods[0].Tree
	if a.Name != "example.com-a-v1.0.0" || a.Root != filepath.Join(dir, "example.com/a") || a.Files != nil {
		t.Errorf("tree %+v", a)
	}
	slices.Sort(a.Exclude)
	if want := []string{"deep", "nested", "sub/in"}; !slices.Equal(a.Exclude, want) {
		t.Errorf("excluded %q, want %q", a.Exclude, want)
	}
}

// TestIndependent checks that a module's store path does not depend on other vendored
// modules.
func TestIndependent(t *testing.T) {
	paths := func(dir string) map[string]string {
		mods, err := ReadVendor(dir)
		if err != nil {
			t.Fatal(err)
		}
		paths := make(map[string]string)
		for _, m := range mods {
			if m.HasTree() {
				h, err := m.Tree.Hash()
				if err != nil {
					t.Fatal(err)
				}
				paths[m.Path] = h.StorePath("/nix/store", m.Tree.Name)
			}
		}
		return paths
	}
	all := paths(writeFiles(t, nestedTxt, nestedFiles...))
	alone := paths(writeFiles(t, "# example.com/a v1.0.0\nexample.com/a\n", nestedFiles[:4]...))
	if all["example.com/a"] != alone["example.com/a"] {
		t.Errorf("with nested modules it is %s, without %s", all["example.com/a"], alone["example.com/a"])
	}
}

func TestReadVendorErrors(t *testing.T) {
	if _, err := ReadVendor("/no/where"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	// Files of a module of which no package is needed may have been removed.
	dir := writeFiles(t, "# example.com/a v1.0.0\nexample.com/a\n# example.com/a/b v1.0.0\nexample.com/a/b\n", "example.com/a/b/b.go")
	mods, err := ReadVendor(dir)
	if err != nil || len(mods) != 2 || mods[0].HasTree() || !mods[1].HasTree() {
		t.Errorf("%+v, %v", mods, err)
	}
}

// TestGoVendor reads a vendor directory that the go command has written.
func TestGoVendor(t *testing.T) {
	dir := t.TempDir()
	testfiles.Write(t, dir, map[string]string{
		"go.mod": `module example.com/main

go 1.24

require (
	example.com/a v1.0.0
	example.com/a/nested v1.0.0
)

replace (
	example.com/a v1.0.0 => ./a
	example.com/a/nested => ./nested
	example.com/unused v1.0.0 => ./unused
)
`,
		"main.go":           "package main\n\nimport (\n\t_ \"example.com/a\"\n\t_ \"example.com/a/nested\"\n)\n\nfunc main() {}\n",
		"a/go.mod":          "module example.com/a\n\ngo 1.21\n",
		"a/a.go":            "package a\n",
		"a/LICENSE":         "free\n",
		"nested/go.mod":     "module example.com/a/nested\n\ngo 1.21\n",
		"nested/nested.go":  "package nested\n",
		"nested/not/not.go": "package not\n",
		"unused/go.mod":     "module example.com/unused\n",
	})
	cmd := exec.Command("go", "mod", "vendor")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOSUMDB=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mods, err := ReadVendor(filepath.Join(dir, "vendor"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"example.com/a":        {"./", "LICENSE", "a.go"},
		"example.com/a/nested": {"./", "nested.go"},
	}
	if got := contents(t, mods); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	m := mods[0]
	if m.Path != "example.com/a" || m.Version != "v1.0.0" || m.Replace.Path != "./a" || m.GoVersion != "1.21" {
		t.Errorf("module %+v", m)
	}
	if m.Tree.Name != nar.Name("example.com/a@v1.0.0") {
		t.Errorf("store name %s", m.Tree.Name)
	}
}
