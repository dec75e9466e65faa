package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/lock"
)

// The version of an override is written to each go.mod or go.work that names the
// module.
func TestSetVersion(t *testing.T) {
	const head = "module example.com/m\n\ngo 1.24\n\n"
	raised := LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0"}
	for _, test := range []struct {
		name        string
		files, want map[string]string
	}{
		{
			"required",
			map[string]string{"go.mod": head + "require (\n\texample.org/a v1.0.0 // why\n\texample.org/b v1.0.0\n)\n"},
			map[string]string{"go.mod": head + "require (\n\texample.org/a v1.1.0 // why\n\texample.org/b v1.0.0\n)\n"},
		},
		{
			"required by another module",
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n"},
			map[string]string{"go.mod": head + "require (\n\texample.org/b v1.0.0\n\texample.org/a v1.1.0 // indirect\n)\n"},
		},
		{
			"a replacement, and not of another version",
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n\nreplace example.org/b v1.0.0 => example.org/a v1.0.0\n\nreplace example.org/c => example.org/a v0.9.0\n"},
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n\nreplace example.org/b v1.0.0 => example.org/a v1.1.0\n\nreplace example.org/c => example.org/a v0.9.0\n"},
		},
		{
			"a workspace: all that require it",
			map[string]string{
				"go.work":  "go 1.24\n\nuse ./x\n\nuse ./y\n",
				"x/go.mod": "module x\n\nrequire example.org/b v1.0.0\n", "y/go.mod": "module y\n\nrequire example.org/a v0.9.0\n",
			},
			map[string]string{"x/go.mod": "module x\n\nrequire example.org/b v1.0.0\n", "y/go.mod": "module y\n\nrequire example.org/a v1.1.0\n"},
		},
		{
			"a workspace that replaces",
			map[string]string{"go.work": "go 1.24\n\nuse ./x\n\nreplace example.org/b => example.org/a v1.0.0\n", "x/go.mod": "module x\n"},
			map[string]string{"go.work": "go 1.24\n\nuse ./x\n\nreplace example.org/b => example.org/a v1.1.0\n", "x/go.mod": "module x\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := tree(t, test.files)
			p, err := Locate(src, ".", nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.setVersion(raised, members); err != nil {
				t.Fatal(err)
			}
			for name, want := range test.want {
				got, err := os.ReadFile(filepath.Join(src, name))
				if err != nil || string(got) != want {
					t.Errorf("%s is (%v)\n%s\nwant\n%s", name, err, got, want)
				}
			}
		})
	}
}

// A requirement that the build does not meet is an error only if it is of an
// overridden module, or on one.
func TestCheckRequirements(t *testing.T) {
	dir := t.TempDir()
	at := func(name, mod string) string {
		root := filepath.Join(dir, name)
		if err := os.MkdirAll(root, 0o777); err != nil {
			t.Fatal(err)
		}
		if mod != "" {
			if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.org/x\n\nrequire "+mod+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	l := &lock.Lock{Modules: []lock.Module{{Path: "a", Version: "v1.0.0"}, {Path: "b", Version: "v1.0.0"}}}
	for _, test := range []struct {
		name, of, version, requires, want string
	}{
		{"fits", "a", "v1.1.0", "b v1.0.0", ""},
		{"not in the lock", "a", "v1.1.0", "z v1.9.0", ""},
		{"needs a newer one", "a", "v1.1.0", "b v1.0.1", "moduleOverrides gives a the version v1.1.0, which requires b v1.0.1, but the build has v1.0.0: override b, too"},
		{"is needed newer", "b", "v0.9.0", "b v1.0.0", "moduleOverrides gives b the version v0.9.0, but a v1.0.0 requires v1.0.0: choose that or a newer one"},
		{"without an override", "b", "v1.0.0", "b v1.0.1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := &Locked{Modules: []LockedModule{
				{Path: "a", Version: "v1.0.0", Locked: "v1.0.0", Origin: at("a-"+test.name, test.requires)},
				{Path: "b", Version: "v1.0.0", Locked: "v1.0.0", Origin: at("b-"+test.name, "")},
			}}
			for i := range cfg.Modules {
				if cfg.Modules[i].Path == test.of {
					cfg.Modules[i].Version = test.version
				}
			}
			got := ""
			if err := checkRequirements(cfg, l); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

const (
	sumA   = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	hashA  = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	lockA  = "{\n\"version\": 1, \"main\": [\"example.com/m\"], \"modules\": [{\"path\": \"example.org/a\", \"version\": \"v1.0.0\", \"sum\": \"" + sumA + "\", \"hash\": \"" + hashA + "\"}]}"
	needsA = "module example.com/m\n\ngo 1.24\n\nrequire example.org/a v1.0.0\n"
)

// With a lock that fits the sources, the go command finds the modules in a module
// cache, and the versions and checksums of overrides in go.mod and go.sum.
func TestUseLock(t *testing.T) {
	fetched := tree(t, map[string]string{"go.mod": "module example.org/a\n", "a.go": "package a\n"})
	goMods := tree(t, map[string]string{"example.org/x/@v/v1.0.0.mod": "module example.org/x\n"})
	for _, test := range []struct {
		name, version string
		files         map[string]string // beside go.sum
		sums          string            // the file that has the checksum
		mod           string            // go.mod after that
		added         int               // lines of go.sum
	}{
		{"as locked", "v1.0.0", map[string]string{"go.mod": needsA}, "go.sum", needsA, 0},
		{"raised", "v1.1.0", map[string]string{"go.mod": needsA}, "go.sum", strings.Replace(needsA, "v1.0.0", "v1.1.0", 1), 2},
		{
			"a workspace's checksums", "v1.0.0",
			map[string]string{"go.mod": needsA, "go.work": "go 1.24\n\nuse .\n"}, "go.work.sum", needsA, 0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			line := "example.org/a v1.0.0 " + sumA + "\n"
			test.files[test.sums] = line
			src := tree(t, test.files)
			p, err := Locate(src, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			a := LockedModule{Path: "example.org/a", Version: test.version, Locked: "v1.0.0", Origin: fetched, Tree: fetched}
			if test.version == a.Locked {
				a.Sum = sumA
			}
			cache := filepath.Join(t.TempDir(), "cache")
			if err := p.UseLock(&Locked{Text: lockA, Modules: []LockedModule{a}, GoMods: goMods}, members, cache); err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]string{
				filepath.Join(src, "go.mod"):                                          test.mod,
				filepath.Join(cache, "example.org/a@"+test.version, "a.go"):           "package a\n",
				filepath.Join(cache, "cache/download/example.org/x/@v", "v1.0.0.mod"): "module example.org/x\n",
			} {
				if text, err := os.ReadFile(file); err != nil || string(text) != want {
					t.Errorf("%s is %q (%v), want %q", file, text, err, want)
				}
			}
			if test.added == 0 {
				return
			}
			text, err := os.ReadFile(filepath.Join(src, "go.sum"))
			if err != nil || strings.Count(string(text), "example.org/a "+test.version) != test.added || !strings.HasPrefix(string(text), line) {
				t.Errorf("go.sum is (%v)\n%s", err, text)
			}
			// Later readers of the sources need the list of changed files.
			if want := []string{filepath.Join(src, "go.mod"), filepath.Join(src, "go.sum")}; !slices.Equal(p.Changed, want) {
				t.Errorf("%q have changed, want %q", p.Changed, want)
			}
		})
	}
}

// A lock that cannot be used is an error that says what to do.
func TestUseLockErrors(t *testing.T) {
	for _, test := range []struct{ name, lock, mod, want string }{
		{"damaged", "{", needsA, "dgd.lock:1: the file ends in the middle: `dgd lock` writes it anew"},
		{"stale", lockA, strings.Replace(needsA, "v1.0.0", "v1.2.0", 1), "dgd.lock does not fit src:\n  example.org/a: stale: go.mod requires v1.2.0, dgd.lock has v1.0.0\nrun `dgd lock` in its directory"},
		{"go.sum", lockA, needsA, "src: go.sum:1: a line must be a module, a version and a checksum"},
	} {
		files := map[string]string{"go.mod": test.mod, "go.sum": "example.org/a v1.0.0 " + sumA + "\n"}
		if test.name == "go.sum" {
			files["go.sum"] = "<<<<<<< HEAD of it\n"
		}
		p, err := Locate(tree(t, files), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		members, _, err := p.Members()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.UseLock(&Locked{Text: test.lock}, members, t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
}

// The module cache has the downloaded files but for lock files, and the unpacked
// modules at their places.
func TestLinkModules(t *testing.T) {
	if err := LinkModules(t.TempDir()+"/none", t.TempDir(), nil, t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "reading the unpacked modules: ") {
		t.Errorf("without unpacked modules the error is %v", err)
	}
	unpacked := tree(t, map[string]string{"example.org/!a@v1.0.0/a.go": "package a\n"})
	downloads := tree(t, map[string]string{"example.org/!a/@v/v1.0.0.zip": "zip", "example.org/!a/@v/v1.0.0.lock": ""})
	cache := filepath.Join(t.TempDir(), "cache")
	if err := LinkModules(unpacked, downloads, nil, cache); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{
		"example.org/!a@v1.0.0/a.go": true, "cache/download/example.org/!a/@v/v1.0.0.zip": true, "cache/download/example.org/!a/@v/v1.0.0.lock": false,
	} {
		if Exists(filepath.Join(cache, file)) != want {
			t.Errorf("%s is there: %v", file, !want)
		}
	}
	err := LinkModules(unpacked, downloads, []Override{{Path: "example.org/A", Version: "v1.1.0"}}, t.TempDir())
	if want := "moduleOverrides gives example.org/A the version v1.1.0, and vendorHash is the hash of v1.0.0"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// If files of the project or of a module cannot be read, or the cache cannot be
// written, the error names the file.
func TestUseLockFiles(t *testing.T) {
	fetched := tree(t, map[string]string{"go.mod": "module example.org/a\n"})
	line := "example.org/a v1.0.0 " + sumA + "\n"
	for _, test := range []struct {
		name   string
		files  map[string]string
		module LockedModule
		cache  string // below a directory in which cache/file is a file
		want   string
	}{
		{"go.sum is a directory", map[string]string{"go.sum/x": ""}, LockedModule{}, "", "go.sum: is a directory"},
		{"go.work.sum is a directory", map[string]string{"go.sum": line, "go.work": "go 1.24\n\nuse .\n", "go.work.sum/x": ""}, LockedModule{}, "", "go.work.sum: is a directory"},
		{"a path of no module", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a b", Version: "v1.0.0", Locked: "v1.0.0"}, "", `malformed module path "example.org/a b"`},
		{"a version of none", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1/0", Locked: "v1/0"}, "", `version "v1/0" invalid`},
		{"a tree that is not there", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.0.0", Locked: "v1.0.0", Origin: "/no/where", Tree: "/no/where"}, "", "/no/where"},
		{"a go.mod that is a directory", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.0.0", Locked: "v1.0.0", Sum: sumA, Origin: tree(t, map[string]string{"go.mod/x": ""}), Tree: fetched}, "", "go.mod: is a directory"},
		{"a cache that is a file", map[string]string{"go.sum": line}, LockedModule{}, "file", "file: not a directory"},
		{"an override of a module that is not there", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0", Origin: "/no/where", Tree: "/no/where"}, "", "/no/where"},
		{"an override with a go.mod that is a directory", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0", Origin: tree(t, map[string]string{"go.mod/x": ""}), Tree: fetched}, "", "go.mod: is a directory"},
		{"an override with a damaged go.mod", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0", Origin: tree(t, map[string]string{"go.mod": "module (((\n"}), Tree: fetched}, "", "example.org/a@v1.1.0/go.mod:2: syntax error"},
		{"an override that requires a newer one", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0", Origin: tree(t, map[string]string{"go.mod": "module example.org/a\n\nrequire example.org/a v1.2.0\n"}), Tree: fetched}, "", "choose that or a newer one"},
		{"an override where go.mod has what only a newer Go knows", map[string]string{"go.sum": line, "go.mod": needsA + "\nbetter (\n\tyes\n)\n"}, LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0", Origin: fetched, Tree: fetched}, "", "go.mod:7: unknown block type: better"},
		{"a tree in the cache already", map[string]string{"go.sum": line}, LockedModule{Path: "example.org/a", Version: "v1.0.0", Locked: "v1.0.0", Sum: sumA, Origin: fetched, Tree: fetched}, "full", "example.org/a@v1.0.0: file exists"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.files["go.mod"] == "" {
				test.files["go.mod"] = needsA
			}
			caches := tree(t, map[string]string{"file": "", "full/example.org/a@v1.0.0/x": ""})
			p, err := Locate(tree(t, test.files), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			cfg := &Locked{Text: lockA}
			if test.module.Path != "" {
				cfg.Modules = []LockedModule{test.module}
			}
			if err := p.UseLock(cfg, members, filepath.Join(caches, test.cache)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
}

// The directory of a module has its path and version with upper-case letters
// escaped, as in a module cache.
func TestLockedModuleDir(t *testing.T) {
	m := LockedModule{Path: "example.org/Big/X", Version: "v1.0.0-RC"}
	if dir, err := m.Dir(); err != nil || dir != "example.org/!big/!x@v1.0.0-!r!c" {
		t.Errorf("%s, %v", dir, err)
	}
	m.Path = "no path"
	if _, err := m.Dir(); err == nil {
		t.Error("a path of no module is no error")
	}
}
