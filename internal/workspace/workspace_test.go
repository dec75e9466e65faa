package workspace

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"dgd/internal/gocmd"
	"dgd/internal/modules"
	"dgd/internal/nix/nar"
	"dgd/internal/skeleton"
	"dgd/internal/testfiles"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	testfiles.Write(t, dir, files)
	return dir
}

func TestLocate(t *testing.T) {
	src := tree(t, map[string]string{"ws/go.work": "go 1.24\n\nuse ./a\n", "ws/a/go.mod": "module example.com/a\n", "b/go.mod": "module example.com/b\n"})
	for _, test := range []struct {
		modRoot, gowork string
		root, kind, err string
	}{
		{"ws/a", "", "ws", "work", ""},
		{"ws/a", "auto", "ws", "work", ""},
		{"ws/a", "off", "ws/a", "mod", ""},
		{"b", "", "b", "mod", ""},
		{"", "", ".", "mod", ""},
		{"b", "/x/go.work", "", "", "env.GOWORK is /x/go.work"},
		{"b", src + "/ws/go.work", "ws", "work", ""},
		{"b", src + "/b/go.work", "", "", "env.GOWORK is " + src + "/b/go.work"},
		{"b", src + "/ws/a/go.mod", "", "", "env.GOWORK is " + src + "/ws/a/go.mod"},
		{"../b", "", "", "", "modRoot is ../b, which is not below src"},
	} {
		env := map[string]string{"GOWORK": test.gowork}
		p, err := Locate(src, test.modRoot, env)
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%q: the error is %v, want %s", test.modRoot, err, test.err)
			}
			continue
		}
		if err != nil || p.Rel(p.Root) != test.root || p.Kind() != test.kind {
			t.Errorf("%q, GOWORK=%s: %s, a %s; %v", test.modRoot, test.gowork, p.Rel(p.Root), p.Kind(), err)
		}
	}
}

func TestMembers(t *testing.T) {
	const requires = "module example.com/a\n\ngo 1.24\n\nrequire example.com/b v1.0.0\n"
	for _, test := range []struct {
		name, modRoot string
		files         map[string]string
		dirs          string
		needs         bool
		err           string
	}{
		{"needs a module", "", map[string]string{"go.mod": requires}, ".", true, ""},
		{"needs none", "", map[string]string{"go.mod": "module example.com/a\n"}, ".", false, ""},
		{"a directory in its place", "", map[string]string{"go.mod": requires + "\nreplace example.com/b => ./b\n"}, ".", false, ""},
		{"a directory in the place of another version", "", map[string]string{"go.mod": requires + "\nreplace example.com/b v1.1.0 => ./b\n"}, ".", true, ""},
		{"another module in its place", "", map[string]string{"go.mod": requires + "\nreplace example.com/b => example.com/c v1.0.0\n"}, ".", true, ""},
		{"a module of the workspace", "a", map[string]string{"go.work": "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": requires, "b/go.mod": "module example.com/b\n"}, "a b", false, ""},
		{"a workspace that leads out", "a", map[string]string{"go.work": "go 1.24\n\nuse ../x\n", "a/go.mod": requires}, "", false, "src: go.work:3: ../x is not in src"},
		{"a workspace without a module", "a", map[string]string{"go.work": "go 1.24\n\nuse ./b\n", "a/go.mod": requires}, "", false, "src has no b/go.mod, although go.work names the directory"},
		{"no module", "", map[string]string{"main.go": ""}, "", false, "src has no go.mod: dgd builds Go modules"},
		{"a module elsewhere", "", map[string]string{"x/y/go.mod": requires}, "", false, `src has no go.mod, but there is one in x/y: say which module to build, as in modRoot = "x/y";`},
		{"no name", "", map[string]string{"go.mod": "go 1.24\n"}, "", false, "src: go.mod names no module"},
		{"no go.mod", "", map[string]string{"go.mod": "modul x\n"}, "", false, "src: go.mod"},
		{"what only a newer Go knows", "", map[string]string{"go.mod": requires + "\nbetter (\n\tyes\n)\n"}, ".", true, ""},
		{"a damaged go.work", "a", map[string]string{"go.work": "go 1.24\n\nusing ./a\n", "a/go.mod": requires}, "", false, "src: go.work:3: unknown directive: using"},
		{"a directory go.mod", "", map[string]string{"go.mod/x": ""}, "", false, "read "},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Locate(tree(t, test.files), test.modRoot, nil)
			if err != nil {
				t.Fatal(err)
			}
			list, needs, err := p.Members()
			if test.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.err) {
					t.Fatalf("the error is %v, want %s", err, test.err)
				}
				return
			}
			var dirs []string
			for _, m := range list {
				dirs = append(dirs, p.Rel(m.Dir))
			}
			if err != nil || strings.Join(dirs, " ") != test.dirs || needs != test.needs {
				t.Errorf("%q, needs modules: %v, %v", dirs, needs, err)
			}
		})
	}
}

// The file that -modfile names is read as go.mod, and the .sum beside it as go.sum.
func TestModFile(t *testing.T) {
	src := tree(t, map[string]string{
		"go.mod": "module example.com/m\n", "alt/alt.mod": "module example.com/alt\n\nrequire example.org/a v1.0.0\n", "alt/alt.sum": "",
	})
	for flag, want := range map[string]string{"-modfile=alt/alt.mod": "example.com/alt", "-modfile=/elsewhere/go.mod": "example.com/m", "'-unbalanced": "example.com/m"} {
		p, err := Locate(src, "", map[string]string{"GOFLAGS": flag})
		if err != nil {
			t.Fatal(err)
		}
		members, needs, err := p.Members()
		if err != nil || len(members) != 1 || members[0].Mod.Module.Mod.Path != want || needs != (want == "example.com/alt") {
			t.Errorf("%s: %v, needs modules: %v, %v", flag, members, needs, err)
		}
		if got := filepath.Base(p.goSum(src)); got != strings.TrimPrefix(want, "example.com/")+".sum" && want == "example.com/alt" {
			t.Errorf("%s: the checksums are in %s", flag, got)
		}
	}
}

// The message about a missing go.mod names at most ten modules.
func TestManyModules(t *testing.T) {
	files := map[string]string{"vendor/x/go.mod": "", "a/testdata/go.mod": ""}
	for i := range 12 {
		files["m"+string(rune('a'+i))+"/go.mod"] = "module m\n"
	}
	p, err := Locate(tree(t, files), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.Members()
	if want := `src has no go.mod, but there is one in ma, mb, mc, md, me, mf, mg, mh, mi, mj, …: say which module to build, as in modRoot = "ma";`; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestCloseLinks(t *testing.T) {
	src := tree(t, map[string]string{"a/in": "-> ../b", "b": "", "a/out": "-> ../../x", "abs": "-> /etc/passwd"})
	p := Place{Src: src}
	if err := p.CloseLinks(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/in": "../b", "a/out": skeleton.Outside, "abs": skeleton.Outside} {
		if target, err := os.Readlink(filepath.Join(src, name)); err != nil || target != want {
			t.Errorf("%s leads to %s, %v", name, target, err)
		}
		if _, leaves := p.Leaving[name]; leaves != (want == skeleton.Outside) {
			t.Errorf("%s is said to leave the sources: %v", name, leaves)
		}
	}
	p = Place{Src: filepath.Join(src, "none")}
	if err := p.CloseLinks(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without sources the error is %v", err)
	}
}

func TestModulePlaces(t *testing.T) {
	src := tree(t, map[string]string{"vendor/modules.txt": "# example.org/a v1.0.0\n## explicit\nexample.org/a\n# example.org/b/v2 v2.0.0\nexample.org/b/v2\n"})
	p := Place{Src: src, Root: src}
	list, err := p.ModulePlaces("")
	if want := []string{"example.org/a", "example.org/b/v2"}; err != nil || !slices.Equal(list, want) || !p.Vendored() {
		t.Errorf("%q, %v; want %q", list, err, want)
	}
	cache := tree(t, map[string]string{"cache/download/x@v": "", "example.org/a@v1.0.0/a.go": "", "example.org/b@v1.0.0": "-> /tree"})
	list, err = p.ModulePlaces(cache)
	slices.Sort(list)
	if want := []string{"example.org/a@v1.0.0", "example.org/b@v1.0.0"}; err != nil || !slices.Equal(list, want) {
		t.Errorf("%q, %v; want %q", list, err, want)
	}
	p = Place{Src: cache, Root: cache}
	for _, cache := range []string{"", filepath.Join(cache, "none")} {
		if list, err := p.ModulePlaces(cache); err != nil || list != nil {
			t.Errorf("%q: %q, %v", cache, list, err)
		}
	}
	src = tree(t, map[string]string{"vendor/modules.txt/x": ""})
	p = Place{Src: src, Root: src}
	if _, err := p.ModulePlaces(""); err == nil || !strings.HasSuffix(err.Error(), "modules.txt: is a directory") {
		t.Errorf("the error is %v", err)
	}
}

func TestByDirectory(t *testing.T) {
	for text, want := range map[string]string{
		"go 1.24\n\nrequire example.com/b v1.0.0\n\nreplace (\n\texample.com/b => ./b\n\texample.com/c => ./c\n)\n": "example.com/b",
		"go 1.16\n\nrequire example.com/b v1.0.0\n\nreplace (\n\texample.com/b => ./b\n\texample.com/c => ./c\n)\n": "example.com/b example.com/c",
		"go 1.24\n\nrequire example.com/b v1.0.0\n\nreplace example.com/b => example.com/d v1.0.0\n":                "",
	} {
		p, err := Locate(tree(t, map[string]string{"go.mod": "module example.com/a\n\n" + text}), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		members, _, err := p.Members()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.byDirectory(members), " "); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// The go command reads the packages of some modules in place: of other members of
// the workspace, and of directories that replace modules, which have a version.
func TestOthers(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	const replaces = "module example.com/a\n\ngo 1.24\n\nrequire example.com/b v1.0.0\n\nreplace example.com/b => ./b\n"
	for _, test := range []struct {
		name, modRoot string
		locked        bool
		files         map[string]string
		want          map[string]string // by directory
		err           string
	}{
		{"none", "", false, map[string]string{"go.mod": "module example.com/a\n"}, nil, ""},
		{"a directory in the place of a module", "", false, map[string]string{"go.mod": replaces, "b/go.mod": "module example.com/b\n"}, map[string]string{"b": "example.com/b@v1.0.0"}, ""},
		{"the same with a lock", "", true, map[string]string{"go.mod": replaces, "b/go.mod": "module example.com/b\n"}, map[string]string{"b": "example.com/b@v1.0.0"}, ""},
		{"a lock without such a directory", "", true, map[string]string{"go.mod": "module example.com/a\n\ngo 1.24\n\nrequire example.com/b v1.0.0\n"}, nil, ""},
		{"a vendor directory has it", "", false, map[string]string{"go.mod": replaces, "b/go.mod": "module example.com/b\n", "vendor/modules.txt": ""}, nil, ""},
		{"a workspace", "a", false, map[string]string{"go.work": "go 1.24\n\nuse ./a\n\nuse ./b\n", "a/go.mod": "module example.com/a\n", "b/go.mod": "module example.com/b\n"}, map[string]string{"b": "example.com/b"}, ""},
		{"a go.mod that go refuses", "", false, map[string]string{"go.mod": replaces + "\nreplace example.com/b => ./c\n", "b/go.mod": "module example.com/b\n"}, nil, "go list: go: conflicting replacements for example.com/b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := tree(t, test.files)
			p, err := Locate(src, test.modRoot, nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			g, err := gocmd.New(strings.TrimSpace(string(goroot)), "", nil, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			found, err := p.Others(t.Context(), g, test.locked, members)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("the error is %v, want one with %s", err, test.err)
				}
				return
			}
			got := map[string]string{}
			for dir, module := range found {
				got[p.Rel(dir)] = module
			}
			if err != nil || !maps.Equal(got, test.want) {
				t.Errorf("%v, %v; want %v", got, err, test.want)
			}
		})
	}
}

func TestCheckOverrides(t *testing.T) {
	list := []modules.Module{
		{Path: "example.org/a", Version: "v1.0.0", Tree: nar.Tree{Root: "/a"}},
		{Path: "example.org/none", Version: "v1.0.0"}, // no package of it is needed
		{Path: "example.org/b", Version: "v1.0.0", Replace: module.Version{Path: "example.org/c", Version: "v1.2.0"}, Tree: nar.Tree{Root: "/b"}},
	}
	for _, test := range []struct {
		o    Override
		own  bool
		want string
	}{
		{Override{Path: "example.org/a", Version: "v1.0.0"}, true, ""},
		{Override{Path: "example.org/a", Patched: true}, false, ""},
		{Override{Path: "example.org/a", Patched: true}, true, "moduleOverrides concerns example.org/a, which is in the vendor directory of src (v1.0.0)"},
		{Override{Path: "example.org/c", Version: "v1.3.0"}, false, "moduleOverrides gives example.org/c the version v1.3.0, and vendorHash is the hash of v1.2.0"},
		{Override{Path: "example.org/b", Version: "v1.3.0"}, false, ""},
		{Override{Path: "example.org/none", Version: "v1.3.0"}, false, ""},
	} {
		err := CheckOverrides([]Override{test.o}, list, test.own)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v: the error is %v, want %q", test.o, err, test.want)
		}
	}
}

func TestCaches(t *testing.T) {
	fetched := tree(t, map[string]string{"a/go.mod": "module example.org/A\n", "b/x.go": "package b\n"})
	lock := Locked{Modules: []LockedModule{
		{Path: "example.org/A", Version: "v1.0.0", Sum: "h1:x", Origin: fetched + "/a", Tree: fetched + "/a"},
		{Path: "example.org/b", Version: "v1.1.0", Sum: "h1:y", Origin: fetched + "/b", Tree: fetched + "/b"},
	}}
	cache := t.TempDir()
	if err := lock.WriteCache(cache); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"example.org/!a@v1.0.0/go.mod":                    "module example.org/A\n",
		"example.org/b@v1.1.0/x.go":                       "package b\n",
		"cache/download/example.org/!a/@v/v1.0.0.ziphash": "h1:x",
		"cache/download/example.org/!a/@v/v1.0.0.mod":     "module example.org/A\n",
		"cache/download/example.org/b/@v/v1.1.0.mod":      "module example.org/b\n",
	} {
		if text, err := os.ReadFile(filepath.Join(cache, file)); err != nil || string(text) != want {
			t.Errorf("%s is %q, %v; want %q", file, text, err, want)
		}
	}
}
