package build

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"dgd/internal/stage"
)

// linkedModules returns passthru.modules, which is a list in IFD mode and a derivation in
// dynamic mode.
func linkedModules(t *testing.T, mode, expression string) []stage.LinkedModule {
	t.Helper()
	var text []byte
	var err error
	if mode == "dyn" && !strings.Contains(expression, ".lock") {
		r := nixBuild(t, "-E", "("+expression+").modules")
		if r.err != nil {
			t.Fatalf("%v\n%s", r.err, r.log)
		}
		text, err = os.ReadFile(onDisk(r.path))
	} else {
		cmd := exec.Command("nix-instantiate", "--read-write-mode", "--eval", "--strict", "--json", "-E", "("+expression+").modules")
		var log bytes.Buffer
		cmd.Stderr = &log
		if text, err = cmd.Output(); err != nil {
			t.Fatalf("%v\n%s", err, log.Bytes())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	var list []stage.LinkedModule
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// programModules returns the module information of the programs in a directory, by
// module and then by program.
func programModules(t *testing.T, bin string) map[string]map[string]*debug.Module {
	t.Helper()
	entries, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]*debug.Module{}
	for _, e := range entries {
		info, err := buildinfo.ReadFile(filepath.Join(bin, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, dep := range info.Deps {
			if found[dep.Path] == nil {
				found[dep.Path] = map[string]*debug.Module{}
			}
			found[dep.Path][e.Name()] = dep
		}
	}
	return found
}

// asModule converts a module to the type of a program's build information.
func asModule(m stage.LinkedModule) debug.Module {
	d := debug.Module{Path: m.Path, Version: m.Version}
	sum := ""
	if m.Sum != nil {
		sum = *m.Sum
	}
	if m.Replace == nil {
		d.Sum = sum
		return d
	}
	d.Replace = &debug.Module{Path: m.Replace.Path, Version: "(devel)", Sum: sum}
	if m.Replace.Version != nil {
		d.Replace.Version = *m.Replace.Version
	}
	return d
}

// passthru.modules lists the modules in the programs' module information, with the trees
// from which the packages were compiled.
func TestLinkedModules(t *testing.T) {
	t.Parallel()
	const (
		example = `(import %s { useDynDrv = %t; }).examples.%s`
		program = `(import %s { useDynDrv = %t; }).tests.programs.%s`
		nixpkgs = `let args = (import %[1]s/examples/args.nix { pkgs = import <nixpkgs> { }; fetchGoModule = null; }).%[3]s;
			in (import %[1]s { }).buildGoModule { name = "x"; useDynDrv = %[2]t; inherit (args) src vendorHash; }`
	)
	for _, test := range []struct {
		name, expression string
		modules          int
		inSources        []string // modules without a tree
	}{
		{"hello", example, 0, nil},
		{"dep", example, 3, nil},
		{"archives", example, 3, nil},
		{"lock", example, 3, nil},
		{"vendored", example, 2, nil},
		{"replace", example, 1, nil},
		{"workspace", example, 4, []string{"example.com/workspace/greet"}},
		{"shfmt", program, 5, nil},
		{"dep", nixpkgs, 3, nil},
	} {
		for mode := range modes {
			t.Run(test.name+" "+mode, func(t *testing.T) {
				expression := fmt.Sprintf(test.expression, repo(t), mode == "dyn", test.name)
				r := nixBuild(t, "-E", expression)
				if r.err != nil {
					t.Fatalf("%v\n%s", r.err, r.log)
				}
				want := programModules(t, onDisk(filepath.Join(r.path, "bin")))
				got := linkedModules(t, mode, expression)
				if len(got) != test.modules || len(want) != len(got) {
					t.Errorf("%d modules are listed, the programs say %d; want %d", len(got), len(want), test.modules)
				}
				for _, m := range got {
					if len(m.Programs) != len(want[m.Path]) {
						t.Errorf("%s: it is in the programs %q, and in %d by what they say", m.Path, m.Programs, len(want[m.Path]))
					}
					for _, name := range m.Programs {
						if w := want[m.Path][name]; w == nil || !reflect.DeepEqual(asModule(m), *w) {
							t.Errorf("%s: %+v; the program %s says %+v", m.Path, m, name, w)
						}
					}
					if slices.Contains(test.inSources, m.Path) {
						if m.Hash != nil || m.Store != nil {
							t.Errorf("%s is a directory of the sources: %+v", m.Path, m)
						}
						continue
					}
					checkTree(t, m)
				}
			})
		}
	}
}

// checkTree compares the hash and the licences of a module with its tree.
func checkTree(t *testing.T, m stage.LinkedModule) {
	t.Helper()
	if m.Hash == nil || m.Store == nil {
		t.Errorf("%s has no tree", m.Path)
		return
	}
	hash, err := exec.Command("nix", "hash", "path", "--sri", "--type", "sha256", onDisk(*m.Store)).Output()
	if err != nil {
		t.Fatalf("%s: %v", m.Path, err)
	}
	if got := strings.TrimSpace(string(hash)); got != *m.Hash {
		t.Errorf("%s: its tree has the hash %s, not %s", m.Path, got, *m.Hash)
	}
	if len(m.Licenses) == 0 && !strings.HasPrefix(m.Path, "example.com/") {
		t.Errorf("%s has no licence", m.Path)
	}
	for _, name := range m.Licenses {
		if info, err := os.Stat(filepath.Join(onDisk(*m.Store), name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: the licence %s: %v", m.Path, name, err)
		}
	}
}
