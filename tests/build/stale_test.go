package build

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The fetch has a copy of a directory that replaces a module: after an edit of a file that
// the build reads, the stale fetch is an error. Other edits compile nothing.
func TestStaleFetch(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fetchFiles)
	files["near/README.md"] = "text\n"
	files["near/x_test.go"] = "package near\n"
	files["near/x.go"] = salted(t, "package near\n\n// SALT\nconst Text = \"original\"\n")
	hash := fmt.Sprintf("vendorHash = %q; ", narHash(t, goVendor(t, files, nil)))
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			args := hash + `env.CGO_ENABLED = "0";`
			if got := build(t, function, src, args).run(t, "m"); got != "original\n" {
				t.Errorf("it prints %q", got)
			}
			write(t, filepath.Join(src, "near/README.md"), "other text\n")
			write(t, filepath.Join(src, "near/x_test.go"), "package near\n\nfunc helper() {}\n")
			r := build(t, function, src, args)
			if len(r.compiled()) > 0 || slices.Contains(r.built, "plan") {
				t.Errorf("an edit of what no build reads built %q", r.built)
			}
			edit(t, filepath.Join(src, "near/x.go"), "original", "changed")
			r = nixBuild(t, "-E", expression(t, function, src, args))
			if r.err == nil {
				t.Errorf("after the edit it prints %q", r.run(t, "m"))
			}
			for _, want := range []string{"vendorHash is stale: example.com/near is near in src, and near/x.go", `vendorHash = ""`, "modules = ./dgd.lock", "go.work"} {
				if !strings.Contains(r.log, want) {
					t.Errorf("the log does not say %s:\n%s", want, tail(r.log))
				}
			}
		})
	}
}

// Patches of buildGoModule change such a directory both in the sources and in the fetch.
func TestStaleFetchOfGoModule(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fetchFiles)
	files["near/salt.go"] = salted(t, "package near\n\n// SALT\n")
	patched := goVendor(t, files, func(dir string) { edit(t, filepath.Join(dir, "near/x.go"), "original", "changed") })
	args := fmt.Sprintf(`pname = "m"; version = "1"; env.CGO_ENABLED = 0; doCheck = false; subPackages = [ "." ]; patches = [ "${SRC}/fix.patch" ]; vendorHash = %q;`, narHash(t, patched))
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			expression := func() string { return goModule(t, mode, src, strings.ReplaceAll(args, "SRC", src), "") }
			r := nixBuild(t, "-E", expression())
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			if got := r.run(t, "m"); got != "changed\n" {
				t.Errorf("it prints %q", got)
			}
			edit(t, filepath.Join(src, "near/salt.go"), "// ", "// edited ")
			if r = nixBuild(t, "-E", expression()); r.err == nil || !strings.Contains(r.log, "vendorHash is stale: example.com/near is near in src, and near/salt.go") {
				t.Errorf("an edit in the directory: %v\n%s", r.err, tail(r.log))
			}
			// A hook may have other variables in the fetch.
			r = nixBuild(t, "-E", goModule(t, mode, src, strings.ReplaceAll(args, "SRC", src)+` postPatch = "echo $version";`, ""))
			if r.err != nil || !strings.Contains(r.log, "dgd-plan: warning: hooks change the fetch or the sources") {
				t.Errorf("with a hook: %v\n%s", r.err, tail(r.log))
			}
		})
	}
}
