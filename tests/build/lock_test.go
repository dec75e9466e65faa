package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// Evaluation finds the same differences between a lock and the sources as internal/lock.
func TestLockCheck(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	text, err := os.ReadFile(filepath.Join(repo(t), "internal/lock/testdata/check.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name           string
		GoMods, GoSums []string
		GoWork         *string
		Lock           json.RawMessage
		Findings       []string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, c := range cases {
		src := filepath.Join(dir, fmt.Sprint(i))
		write(t, filepath.Join(src, "dgd.lock"), strings.TrimSpace(string(c.Lock))+"\n")
		places := []string{"."}
		if c.GoWork != nil {
			write(t, filepath.Join(src, "go.work"), *c.GoWork)
			places = []string{"one", "two"}
		}
		for i, text := range c.GoMods {
			write(t, filepath.Join(src, places[i], "go.mod"), text)
		}
		for i, text := range c.GoSums {
			if i < len(places) {
				write(t, filepath.Join(src, places[i], "go.sum"), text)
			} else {
				write(t, filepath.Join(src, "go.work.sum"), text)
			}
		}
	}
	expression := fmt.Sprintf(`
		let lock = import %[1]s/lib/fetch/lock.nix; mods = import %[1]s/lib/fetch/mod-files.nix;
		in builtins.genList (i:
			let src = "%[2]s/${toString i}";
			in lock.check (mods.project { inherit src; modRoot = "."; env = { }; }) (lock.read throw "${src}/dgd.lock")
		) %[3]d`, repo(t), dir, len(cases))
	out, err := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-E", expression).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var got [][]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if got, want := strings.Join(got[i], "\n"), strings.Join(c.Findings, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.Name, got, want)
		}
	}
}

// The program imports a, which imports b, and c.
var (
	lockedFiles = map[string]string{
		"main.go": "package main\n\nimport (\n\t\"example.org/Capital/a\"\n\t\"example.org/c\"\n)\n\nvar salt = \"SALT\" // in the program, too\n\nfunc main() {\n\tif salt != \"\" {\n\t\tprintln(a.Text(), c.Text())\n\t}\n}\n",
	}
	lockedModules = map[string]map[string]string{
		"example.org/Capital/a@v1.0.0": {
			"go.mod": "module example.org/Capital/a\n\ngo 1.24\n\nrequire example.org/b v1.0.0\n",
			"a.go":   "package a\n\nimport \"example.org/b\"\n\n// SALT\nfunc Text() string { return \"a of \" + b.Text() }\n",
		},
		"example.org/b@v1.0.0": {
			"go.mod": "module example.org/b\n\ngo 1.24\n",
			"b.go":   "package b\n\n// SALT\nfunc Text() string { return \"b\" }\n",
		},
		"example.org/c@v1.0.0": {
			"go.mod": "module example.org/c\n\ngo 1.24\n",
			"c.go":   "package c\n\n// SALT\nfunc Text() string { return \"c one\" }\n",
		},
		"example.org/c@v1.1.0": {
			"go.mod": "module example.org/c\n\ngo 1.24\n",
			"c.go":   "package c\n\n// SALT\nfunc Text() string { return \"c two\" }\n",
		},
	}
	allLocked = []string{"example.org/Capital/a@v1.0.0", "example.org/b@v1.0.0", "example.org/c@v1.0.0"}
)

// fileText returns the text of a file that is not in the store.
func fileText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// toolchain returns the go command of the package set, which may be another version than
// that in PATH.
func toolchain(t *testing.T) string {
	t.Helper()
	return onDisk(filepath.Join(here(t, "(import <nixpkgs> { }).go"), "bin/go"))
}

// goBuild returns the program that `go build` makes in module mode.
func goBuild(t *testing.T, p *proxy, src string) []byte {
	t.Helper()
	file := goProgram(t, src, ".", "-buildid=", "GOPROXY="+p.URL, "GOSUMDB=off", "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-modcacherw", "GOMODCACHE="+t.TempDir())
	return []byte(fileText(t, file))
}

// goProgram runs `go build` on a package below a directory, with further environment
// variables, and returns the program's file name.
func goProgram(t *testing.T, dir, pkg, ldflags string, env ...string) string {
	t.Helper()
	out := t.TempDir() + "/"
	cmd := exec.Command(toolchain(t), "build", "-trimpath", "-buildvcs=false", "-ldflags="+ldflags, "-o", out, "./"+pkg)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOTOOLCHAIN=local"), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	programs, err := filepath.Glob(out + "*")
	if err != nil || len(programs) != 1 {
		t.Fatalf("%q: %v", programs, err)
	}
	return programs[0]
}

// fetched returns the derivations of a build that fetch a module.
func (r result) fetched() []string {
	return slices.DeleteFunc(slices.Clone(r.built), func(name string) bool { return !strings.Contains(name, "-v1.") })
}

func (r result) compiledModules() []string {
	return slices.DeleteFunc(r.compiled(), func(name string) bool { return strings.Contains(name, "-v1.") })
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s %q, want %q", what, got, want)
	}
}

// With a lock each module is fetched by a derivation of its own, and the program is the
// one that `go build` makes in module mode.
func TestLock(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			p := newProxy(t, lockedModules)
			warmUp(t, layersEnv)
			const main = "example.com/locked"
			src := p.project(t, main, lockedFiles, allLocked...)
			withLock := p.env() + "modules = " + src + "/dgd.lock;"
			first := build(t, function, src, withLock)
			equal(t, "the first build fetched", first.fetched(), "example.org-Capital-a-v1.0.0", "example.org-b-v1.0.0", "example.org-c-v1.0.0")
			program := func(r result) []byte {
				text, err := os.ReadFile(onDisk(filepath.Join(r.path, "bin/locked")))
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			if !bytes.Equal(program(first), goBuild(t, p, src)) {
				t.Error("the program is not the one of go build")
			}

			// With proxyVendor, the unpacked modules have the same store paths.
			failed := nixBuild(t, "-E", expression(t, function, src, p.env()+`proxyVendor = true; vendorHash = "";`))
			archives := build(t, function, src, p.env()+fmt.Sprintf("proxyVendor = true; vendorHash = %q;", gotHash(t, failed)))
			equal(t, "with proxyVendor it compiled", slices.DeleteFunc(archives.compiled(), func(name string) bool { return strings.HasSuffix(name, "go-modules") }))
			if archives.path != first.path {
				t.Errorf("with proxyVendor it is %s, not %s", archives.path, first.path)
			}

			// For another project the modules are in the store already.
			other := p.project(t, "example.com/other", map[string]string{
				"main.go": "package main\n\nimport \"example.org/Capital/a\"\n\nfunc main() { println(a.Text(), \"SALT\") }\n",
			}, allLocked[:2]...)
			r := build(t, function, other, p.env()+"modules = "+other+"/dgd.lock;")
			equal(t, "the other project fetched", r.fetched())
			equal(t, "the other project compiled", r.compiled(), "example.com-other", "go-program", "program")

			// A higher version of a module.
			p.require(t, src, main, append(slices.Clone(allLocked[:2]), "example.org/c@v1.1.0")...)
			r = build(t, function, src, withLock)
			equal(t, "after raising c it fetched", r.fetched(), "example.org-c-v1.1.0")
			equal(t, "after raising c it compiled", r.compiledModules(), "example.com-locked", "example.org-c", "go-program", "program")
			if got := r.run(t, "locked"); got != "a of b c two\n" {
				t.Errorf("it prints %q", got)
			}
			if !bytes.Equal(program(r), goBuild(t, p, src)) {
				t.Error("the program is not the one of go build after raising c")
			}
		})
	}
}

// A lock that does not fit the sources, or is invalid, is an error before anything is
// fetched.
func TestLockErrors(t *testing.T) {
	t.Parallel()
	p := newProxy(t, lockedModules)
	const main = "example.com/locked"
	in := func(file, old, new string) func(t *testing.T, src string) {
		return func(t *testing.T, src string) { edit(t, filepath.Join(src, file), old, new) }
	}
	lockText := func(text string) func(t *testing.T, src string) {
		return func(t *testing.T, src string) { write(t, filepath.Join(src, "dgd.lock"), text) }
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, src string)
		args   string
		want   []string
	}{
		{"stale", in("go.mod", "c v1.0.0", "c v1.1.0"), "", []string{
			"example.org/c: stale: go.mod requires v1.1.0, dgd.lock has v1.0.0", "run `dgd lock` in SRC"}},
		{"missing and superfluous", in("go.mod", "example.org/c v1.0.0", "example.org/d v1.0.0"), "", []string{
			"example.org/c: superfluous: go.mod does not require it", "example.org/d: missing: go.mod requires v1.0.0"}},
		{"another sum", in("dgd.lock", `"sum": "h1:`, `"sum": "h1:AAAA`), "", []string{"the sum of module example.org/Capital/a is"}},
		{"go.sum without it", func(t *testing.T, src string) { write(t, filepath.Join(src, "go.sum"), "") }, "", []string{
			"example.org/b: superfluous: go.sum does not have v1.0.0"}},
		{"another format", in("dgd.lock", `"version": 1,`, `"version": 2,`), "", []string{
			"SRC/dgd.lock has format version 2, and this dgd knows 1: use a newer dgd, or run `dgd lock` in SRC"}},
		{"empty", lockText(""), "", []string{"SRC/dgd.lock is damaged: it is not as `dgd lock` writes it; run `dgd lock` in SRC"}},
		{"cut off", func(t *testing.T, src string) {
			text := fileText(t, filepath.Join(src, "dgd.lock"))
			write(t, filepath.Join(src, "dgd.lock"), text[:len(text)/2])
		}, "", []string{"SRC/dgd.lock is damaged", "run `dgd lock` in SRC"}},
		{"a conflict", in("dgd.lock", "  \"modules\"", "<<<<<<< HEAD\n  \"modules\""), "", []string{"SRC/dgd.lock is damaged", "run `dgd lock` in SRC"}},
		{"no modules", lockText("{\"version\": 1, \"main\": [\"example.com/locked\"]}\n"), "", []string{"SRC/dgd.lock is damaged: `modules` is not a list"}},
		{"of another module", in("dgd.lock", main, "example.com/other"), "", []string{"main: stale: go.mod is of example.com/locked, dgd.lock is of example.com/other"}},
		{"no hash", in("dgd.lock", `"hash": "sha256-`, `"hash": "sha512-`), "", []string{"the hash of module example.org/Capital/a is", "not a sha256"}},
		{"twice", in("dgd.lock", `"path": "example.org/c"`, `"path": "example.org/b"`), "", []string{"module example.org/b is listed twice"}},
		{"no file", func(t *testing.T, src string) {
			if err := os.Remove(filepath.Join(src, "dgd.lock")); err != nil {
				t.Fatal(err)
			}
		}, "", []string{"`modules` names SRC/dgd.lock, which does not exist: run `dgd lock`"}},
		{"vendorHash and modules", nil, `vendorHash = "";`, []string{"`modules` and `vendorHash` are both given"}},
		{"proxyVendor and modules", nil, `proxyVendor = true;`, []string{"`modules` and `proxyVendor` are both given"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := p.project(t, main, lockedFiles, allLocked...)
			if test.change != nil {
				test.change(t, src)
			}
			for _, mode := range []string{"buildWithIFD", "buildWithDynDrv", "buildGoModule"} {
				args := p.env() + "modules = " + src + "/dgd.lock;" + test.args
				if mode == "buildGoModule" {
					args += `pname = "x"; version = "1";`
				}
				r := nixBuild(t, "-E", expression(t, mode, src, args))
				if r.err == nil {
					t.Fatalf("%s: it builds", mode)
				}
				equal(t, mode+" built", r.built)
				for _, want := range test.want {
					if want = strings.ReplaceAll(want, "SRC", src); !strings.Contains(r.log, want) {
						t.Errorf("%s: the message lacks %q:\n%s", mode, want, tail(r.log))
					}
				}
			}
		})
	}
}

// A module that differs from go.sum is an error, with each way to fetch modules.
func TestGoSum(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ modules, want string }{
		"lock":   {"modules = SRC/dgd.lock;", "dgd: example.org/b v1.0.0 does not have the checksum of go.sum and dgd.lock"},
		"vendor": {`vendorHash = "";`, "SECURITY ERROR"},
		"proxy":  {`vendorHash = ""; proxyVendor = true;`, "SECURITY ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, lockedModules)
			src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
			sum := p.sum(t, "example.org/b@v1.0.0")
			other := p.sum(t, "example.org/c@v1.1.0")
			edit(t, filepath.Join(src, "go.sum"), sum, other)
			edit(t, filepath.Join(src, "dgd.lock"), sum, other)
			r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, p.env()+strings.ReplaceAll(test.modules, "SRC", src)))
			for _, want := range []string{test.want, "verifying example.org/b@v1.0.0: checksum mismatch", "downloaded: " + sum, other} {
				if r.err == nil || !strings.Contains(r.log, want) {
					t.Errorf("the message lacks %q: %v\n%s", want, r.err, tail(r.log))
				}
			}
		})
	}
}

// For a wrong hash in the lock, Nix reports a hash mismatch that names the module.
func TestLockedHash(t *testing.T) {
	t.Parallel()
	p := newProxy(t, lockedModules)
	src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
	edit(t, filepath.Join(src, "dgd.lock"), narHash(t, p.tree(t, "example.org/b@v1.0.0")), narHash(t, p.tree(t, "example.org/c@v1.1.0")))
	r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, p.env()+"modules = "+src+"/dgd.lock;"))
	if r.err == nil || !regexp.MustCompile(`hash mismatch in fixed-output derivation '[^']*-example.org-b-v1.0.0.drv'`).MatchString(r.log) {
		t.Errorf("%v\n%s", r.err, tail(r.log))
	}
}

// If go.mod cannot be read by evaluation, the planner compares it with the lock.
func TestLockOfBuiltSource(t *testing.T) {
	t.Parallel()
	p := newProxy(t, lockedModules)
	src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
	edit(t, filepath.Join(src, "go.mod"), "c v1.0.0", "c v1.1.0")
	built := fmt.Sprintf(`((import <nixpkgs> { }).stdenvNoCC.mkDerivation { name = "built"; buildCommand = "cp -r ${%s} $out"; })`, src)
	for _, function := range modes {
		r := nixBuild(t, "-E", expression(t, function, built, p.env()+"modules = "+src+"/dgd.lock;"))
		if want := "example.org/c: stale: go.mod requires v1.1.0, dgd.lock has v1.0.0"; r.err == nil || !strings.Contains(r.log, want) {
			t.Errorf("%s: the message lacks %q: %v\n%s", function, want, r.err, tail(r.log))
		}
	}
}

// Builds with locks that `dgd lock` writes, for projects with replacements, workspaces
// and the like.
func TestLockExamples(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	plan := filepath.Join(t.TempDir(), "dgd")
	cmd := exec.Command("go", "build", "-o", plan, "./cmd/dgd")
	cmd.Dir = repo(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	old := map[string]string{
		"go.mod":  "module example.com/old\n\ngo 1.16\n\nrequire rsc.io/quote v1.5.2\n",
		"go.sum":  fileText(t, filepath.Join(repo(t), "examples/archives/go.sum")),
		"main.go": fileText(t, filepath.Join(repo(t), "examples/archives/main.go")),
	}
	for _, test := range []struct{ name, modRoot, program string }{
		{"dep", ".", "."},
		{"replace", ".", "."},
		{"modroot", "server", "."},
		{"workspace", ".", "app"},
		{"old", ".", "."}, // go.mod lacks indirect dependencies
	} {
		t.Run(test.name, func(t *testing.T) {
			src := filepath.Join(t.TempDir(), "src")
			if test.name == "old" {
				src = project(t, old)
			} else if out, err := exec.Command("cp", "-r", filepath.Join(repo(t), "examples", test.name), src).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			dir := filepath.Join(src, test.modRoot)
			if out, err := exec.Command(plan, "lock", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			// With cgo, the C compiler gets the paths of modules.
			for _, cgo := range []string{"0", "1"} {
				r := build(t, "buildWithIFD", src, fmt.Sprintf(`modules = %s/dgd.lock; modRoot = %q; subPackage = %q; env.CGO_ENABLED = %q;`, dir, test.modRoot, test.program, cgo))
				program := goProgram(t, dir, test.program, "-buildid=", "CGO_ENABLED="+cgo, "GOFLAGS=")
				if got := read(t, filepath.Join(r.path, "bin", filepath.Base(program))); got != fileText(t, program) {
					t.Errorf("with CGO_ENABLED=%s the program is not the one of go build", cgo)
				}
			}
		})
	}
}
