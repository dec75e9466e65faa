package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// A change to the planner, to a test or to a page leaves the executor as it is,
// and with it every inner derivation of every user.
func TestExecutorStays(t *testing.T) {
	testnix.Require(t)
	dir := filepath.Join(t.TempDir(), "dgd")
	for _, name := range []string{"lib", "cmd", "internal/action", "internal/executor", "internal/planner"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(repo(t), name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "README.md"} {
		text, err := os.ReadFile(filepath.Join(repo(t), name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(text))
	}
	path := func(tool string) string {
		t.Helper()
		out, err := exec.Command("nix-instantiate", "--eval", "-E",
			"(import "+dir+"/lib { pkgs = import <nixpkgs> { }; }).internal.tools."+tool+".drvPath").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	executor, planner := path("dgd-exec"), path("dgd-plan")
	for _, name := range []string{"go.mod", "README.md", "internal/planner/planner.go", "internal/executor/executor_test.go", "cmd/dgd-plan/main.go"} {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file, string(text)+"\n// changed\n")
	}
	if got := path("dgd-exec"); got != executor {
		t.Error("the executor has changed")
	}
	if got := path("dgd-plan"); got == planner {
		t.Error("the planner has not changed: the test shows nothing")
	}
	edit(t, filepath.Join(dir, "internal/executor/executor.go"), "package executor", "package executor // changed")
	if got := path("dgd-exec"); got == executor {
		t.Error("the executor's own source does not count")
	}
}

// Another toolchain builds as well: go_1_25 prints its script in another order
// than go_1_26.
func TestOtherToolchain(t *testing.T) {
	src := project(t, layers)
	for _, function := range modes {
		r := build(t, function, src, layersEnv+"go = (import <nixpkgs> { }).go_1_25;")
		if out := r.run(t, "layers"); !strings.Contains(out, "mid ") {
			t.Errorf("%s: prints %q", function, out)
		}
		version, err := exec.Command("go", "version", onDisk(filepath.Join(r.path, "bin/layers"))).Output()
		if err != nil || !strings.Contains(string(version), " go1.25.") {
			t.Errorf("go version: %q, %v", version, err)
		}
	}
}
