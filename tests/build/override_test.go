package build

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// overridden returns the expression of a build with module overrides.
func overridden(t *testing.T, overrides, function, src, args string) string {
	return fmt.Sprintf("(import %s { moduleOverrides = { %s }; }).%s { src = %s; %s }", repo(t), overrides, function, src, args)
}

// vendorHash asks Nix for the hash of a project's modules.
func vendorHash(t *testing.T, src, args string) string {
	t.Helper()
	return gotHash(t, nixBuild(t, "-E", fetch(t, src, args+`vendorHash = "";`)))
}

// gotHash returns the hash in Nix's error for a wrong one.
func gotHash(t *testing.T, r result) string {
	t.Helper()
	_, hash, _ := strings.Cut(r.log, "got:")
	hash, _, _ = strings.Cut(strings.TrimSpace(hash), "\n")
	if !strings.HasPrefix(hash, "sha256-") {
		t.Fatalf("Nix says no hash: %v\n%s", r.err, tail(r.log))
	}
	return hash
}

const patchB = "--- a/b.go\n+++ b/b.go\n@@ -1,4 +1,4 @@\n package b\n \n //SALT\n-func Text() string { return \"b\" }\n+func Text() string { return \"patched b\" }\n"

// A patch changes the module in every program, with each way to get modules, and compiles
// the packages that depend on it.
func TestOverridePatches(t *testing.T) {
	t.Parallel()
	files := withModules(lockedModules, "example.org/b@v1.0.0", map[string]string{
		"go.mod": "module example.org/b\n\ngo 1.24\n",
		"b.go":   "package b\n\n//SALT\nfunc Text() string { return \"b\" }\n",
	})
	for name, mode := range map[string]struct{ function, modules string }{
		"lock ifd":    {"buildWithIFD", "modules = SRC/dgd.lock;"},
		"lock dyn":    {"buildWithDynDrv", "modules = SRC/dgd.lock;"},
		"vendor ifd":  {"buildWithIFD", ""},
		"vendor dyn":  {"buildWithDynDrv", ""},
		"proxy ifd":   {"buildWithIFD", "proxyVendor = true;"},
		"lock module": {"buildGoModule", `modules = SRC/dgd.lock; pname = "x"; version = "1"; preCheck = "go run .";`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, files)
			warmUp(t, layersEnv)
			src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
			dir := t.TempDir()
			b := p.modules["example.org/b@v1.0.0"]["b.go"]
			write(t, filepath.Join(dir, "b.patch"), strings.ReplaceAll(patchB, "//SALT", strings.Split(b, "\n")[2]))
			patch := fmt.Sprintf("patches = [ %s/b.patch ];", dir)
			args := strings.ReplaceAll(mode.modules, "SRC", src)
			if !strings.Contains(args, "modules") {
				args += fmt.Sprintf("vendorHash = %q;", vendorHash(t, src, args+p.env()))
			}
			args += p.env()

			build(t, mode.function, src, args)
			r := nixBuild(t, "-E", overridden(t, `"example.org/b" = { `+patch+` };`, mode.function, src, args))
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			if got := r.run(t, "locked"); got != "a of patched b c one\n" {
				t.Errorf("it prints %q", got)
			}
			if mode.function == "buildGoModule" {
				if !strings.Contains(r.log, "a of patched b c one") {
					t.Errorf("in the phases the module is not patched:\n%s", tail(r.log))
				}
				return
			}
			got := slices.DeleteFunc(r.compiledModules(), func(name string) bool { return name == "patched-modules" })
			equal(t, "with the patch it compiled", got, "example.com-locked", "example.org-Capital-a", "example.org-b", "go-program", "program")

			// Overrides of modules that the program does not use.
			r = nixBuild(t, "-E", overridden(t, `"example.org/z" = { `+patch+` }; "example.org/y" = { version = "v1.0.0"; hash = ""; };`, mode.function, src, args))
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			equal(t, "an override of another module compiled", slices.DeleteFunc(r.compiled(), func(name string) bool { return name == "patched-modules" }))

			r = nixBuild(t, "-E", overridden(t, `"example.org/c" = { `+patch+` };`, mode.function, src, args))
			if want := "dgd: moduleOverrides: the patch "; r.err == nil || !strings.Contains(r.log, want) || !strings.Contains(r.log, "b.patch does not fit example.org/c") {
				t.Errorf("a patch that does not fit: %v\n%s", r.err, tail(r.log))
			}
		})
	}
}

func withModules(modules map[string]map[string]string, name string, files map[string]string) map[string]map[string]string {
	all := maps.Clone(modules)
	all[name] = files
	return all
}

// Another version of a module gives the same build as `go get`.
func TestOverrideVersion(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			p := newProxy(t, lockedModules)
			warmUp(t, layersEnv)
			src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
			args := p.env() + "modules = " + src + "/dgd.lock;"
			before := build(t, function, src, args)
			override := fmt.Sprintf(`"example.org/c" = { version = "v1.1.0"; hash = %q; };`, narHash(t, p.tree(t, "example.org/c@v1.1.0")))
			r := nixBuild(t, "-E", overridden(t, override, function, src, args))
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			equal(t, "it fetched", r.fetched(), "example.org-c-v1.1.0")
			equal(t, "it compiled", r.compiledModules(), "example.com-locked", "example.org-c", "go-program", "program")
			if got := r.run(t, "locked"); got != "a of b c two\n" {
				t.Errorf("it prints %q", got)
			}

			after := filepath.Join(t.TempDir(), "after")
			if out, err := exec.Command("cp", "-r", src, after).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			cmd := exec.Command(toolchain(t), "get", "example.org/c@v1.1.0")
			cmd.Dir = after
			cmd.Env = append(os.Environ(), "GOPROXY="+p.URL, "GOSUMDB=off", "GOWORK=off", "GOFLAGS=-modcacherw", "GOMODCACHE="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			program, err := os.ReadFile(onDisk(filepath.Join(r.path, "bin/locked")))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(program, goBuild(t, p, after)) {
				t.Error("the program is not the one of go build after go get")
			}

			// Without the override, nothing has changed.
			if r := build(t, function, src, args); len(r.compiled()) > 0 || r.path != before.path {
				t.Errorf("without the override it built %q", r.compiled())
			}
		})
	}
}

// An override that cannot be applied is an error.
func TestOverrideErrors(t *testing.T) {
	t.Parallel()
	p := newProxy(t, map[string]map[string]string{
		"example.org/x@v1.0.0": {"go.mod": "module example.org/x\n\ngo 1.24\n\nrequire example.org/y v1.1.0\n", "x.go": "package x\n\nimport _ \"example.org/y\"\n// SALT\n"},
		"example.org/x@v1.1.0": {"go.mod": "module example.org/x\n\ngo 1.24\n\nrequire example.org/y v1.2.0\n", "x.go": "package x\n\nimport _ \"example.org/y\"\n// SALT\n"},
		"example.org/x@v1.2.0": {"go.mod": "module example.org/x\n\ngo 1.24\n\nrequire (\n\texample.org/y v1.1.0\n\texample.org/z v1.0.0\n)\n", "x.go": "package x\n\nimport _ \"example.org/z\"\n// SALT\n"},
		"example.org/y@v1.0.0": {"go.mod": "module example.org/y\n\ngo 1.24\n", "y.go": "package y\n// SALT\n"},
		"example.org/y@v1.1.0": {"go.mod": "module example.org/y\n\ngo 1.24\n", "y.go": "package y\n// SALT\n"},
		"example.org/y@v1.2.0": {"go.mod": "module example.org/y\n\ngo 1.24\n", "y.go": "package y\n// SALT\n"},
	})
	src := p.project(t, "example.com/m", map[string]string{
		"main.go": "package main\n\nimport (\n\t_ \"example.org/x\"\n\t_ \"example.org/y\"\n)\n\nfunc main() {}\n",
	}, "example.org/x@v1.0.0", "example.org/y@v1.1.0")
	version := func(name, v string) string {
		return fmt.Sprintf("%q = { version = %q; hash = %q; };", name, v, narHash(t, p.tree(t, name+"@"+v)))
	}
	vendored := filepath.Join(t.TempDir(), "vendored")
	if out, err := exec.Command("cp", "-r", src, vendored).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command("go", "mod", "vendor")
	cmd.Dir = vendored
	cmd.Env = append(os.Environ(), "GOPROXY="+p.URL, "GOSUMDB=off", "GOWORK=off", "GOFLAGS=-modcacherw", "GOMODCACHE="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lock := "modules = " + src + "/dgd.lock;"
	for _, test := range []struct{ name, overrides, src, args, want string }{
		{"needs a newer one", version("example.org/x", "v1.1.0"), src, lock, "moduleOverrides gives example.org/x the version v1.1.0, which requires example.org/y v1.2.0, but the build has v1.1.0: override example.org/y, too"},
		{"is needed newer", version("example.org/y", "v1.0.0"), src, lock, "moduleOverrides gives example.org/y the version v1.0.0, but example.org/x v1.0.0 requires v1.1.0: choose that or a newer one"},
		{"needs one more", version("example.org/x", "v1.2.0"), src, lock, "dgd: moduleOverrides gives example.org/x the version v1.2.0, which may need modules that dgd.lock does not have"},
		{"vendorHash", version("example.org/y", "v1.2.0"), src, `vendorHash = "";`, "dgd.buildWithIFD: moduleOverrides gives example.org/y the version v1.2.0, and src requires v1.1.0, which vendorHash is the hash of: build with a lock"},
		{"a vendor directory", version("example.org/y", "v1.2.0"), vendored, "", "moduleOverrides concerns example.org/y, which is in the vendor directory of src (v1.1.0)"},
		{"no hash", `"example.org/y" = { version = "v1.2.0"; };`, src, lock, "dgd: `moduleOverrides.\"example.org/y\"` has one of `version` and `hash` without the other"},
		{"unknown", `"example.org/y" = { patch = ./x; };`, src, lock, "dgd: `moduleOverrides.\"example.org/y\"` must have `version` with `hash`, or `patches`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := nixBuild(t, "-E", overridden(t, test.overrides, "buildWithIFD", test.src, test.args+p.env()))
			if r.err == nil || !strings.Contains(r.log, test.want) {
				t.Errorf("%v: the message lacks %q:\n%s", r.err, test.want, tail(r.log))
			}
		})
	}

	// Both overrides together are valid.
	r := nixBuild(t, "-E", overridden(t, version("example.org/x", "v1.1.0")+version("example.org/y", "v1.2.0"), "buildWithIFD", src, lock+p.env()))
	if r.err != nil {
		t.Errorf("%v\n%s", r.err, tail(r.log))
	}
}
