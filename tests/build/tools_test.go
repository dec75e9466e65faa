package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// A change to the planner, a test or a page does not change the executor, on which every
// inner derivation depends. A change to the command line does not change the planner, on
// which every plan depends.
func TestToolsApart(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dir := filepath.Join(t.TempDir(), "dgd")
	for _, name := range []string{"lib", "cmd", "internal"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(repo(t), name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "README.md"} {
		write(t, filepath.Join(dir, name), fileText(t, filepath.Join(repo(t), name)))
	}
	paths := func() (list [3]string) {
		t.Helper()
		for i, tool := range []string{"dgd-exec", "dgd-plan", "dgd"} {
			out, err := exec.Command("nix-instantiate", "--eval", "-E",
				"(import "+dir+"/lib { pkgs = import <nixpkgs> { }; }).internal.tools."+tool+".drvPath").Output()
			if err != nil {
				t.Fatal(err)
			}
			list[i] = strings.TrimSpace(string(out))
		}
		return list
	}
	was := paths()
	for _, change := range []struct {
		file, old, new string
		changed        [3]bool // the executor, the planner, the command line
	}{
		{"README.md", "", "changed\n", [3]bool{}},
		{"internal/executor/executor_test.go", "", "\n// changed\n", [3]bool{}},
		{"internal/testrpc/testrpc.go", "", "\n// changed\n", [3]bool{}},
		{"internal/lock/making/locker.go", "", "\n// changed\n", [3]bool{false, false, true}},
		{"internal/inspect/sbom/sbom.go", "", "\n// changed\n", [3]bool{false, false, true}},
		{"cmd/dgd/main.go", "", "\n// changed\n", [3]bool{false, false, true}},
		{"go.mod", "github.com/spf13/cobra v1.", "github.com/spf13/cobra v2.", [3]bool{false, false, true}},
		{"internal/stage/plan.go", "", "\n// changed\n", [3]bool{false, true, true}},
		{"cmd/dgd-plan/main.go", "", "\n// changed\n", [3]bool{false, true, false}},
		{"go.mod", "golang.org/x/mod v0.", "golang.org/x/mod v1.", [3]bool{false, true, true}},
		{"internal/executor/executor.go", "", "\n// changed\n", [3]bool{true, false, false}},
		{"cmd/dgd-exec/main.go", "", "\n// changed\n", [3]bool{true, false, false}},
		{"internal/action/action.go", "", "\n// changed\n", [3]bool{true, true, true}},
		{"internal/testrun/testrun.go", "", "\n// changed\n", [3]bool{true, true, true}},
	} {
		file := filepath.Join(dir, change.file)
		text := fileText(t, file)
		if !strings.Contains(text, change.old) {
			t.Fatalf("%s has no %q", change.file, change.old)
		}
		if change.old == "" {
			write(t, file, text+change.new)
		} else {
			write(t, file, strings.Replace(text, change.old, change.new, 1))
		}
		now := paths()
		for i, tool := range []string{"executor", "planner", "command line"} {
			if (now[i] != was[i]) != change.changed[i] {
				t.Errorf("after a change in %s the %s is another one: %v, want %v", change.file, tool, now[i] != was[i], change.changed[i])
			}
		}
		was = now
	}
}

// Builds work with another toolchain: Go 1.25 prints its script in another order than
// 1.26.
func TestOtherToolchain(t *testing.T) {
	t.Parallel()
	src := project(t, layers)
	for _, function := range modes {
		r := build(t, function, src, layersEnv+"go = "+anotherGo+";")
		if out := r.run(t, "layers"); !strings.Contains(out, "mid ") {
			t.Errorf("%s: prints %q", function, out)
		}
		version, err := exec.Command("go", "version", onDisk(filepath.Join(r.path, "bin/layers"))).Output()
		if err != nil || !strings.Contains(string(version), " go1.25.") && !strings.Contains(string(version), " go1.27.") {
			t.Errorf("go version: %q, %v", version, err)
		}
	}
}
