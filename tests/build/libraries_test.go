package build

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// library is a module with a program, and with packages that the program does not need.
var library = map[string]string{
	"go.mod":             "module example.com/library\n\ngo 1.24\n",
	"cmd/tool/main.go":   "package main\n\nimport \"example.com/library/used\"\n\nfunc main() { println(used.Text(), \"SALT\") }\n",
	"used/used.go":       "package used\n\n//go:noinline\nfunc Text() string { return \"used SALT\" }\n",
	"unused/unused.go":   "package unused\n\nimport \"example.com/library/used\"\n\n//go:noinline\nfunc Text() string { return used.Text() + \"unused SALT\" }\n",
	"unused/x_test.go":   "package unused\n\nbroken\n",
	"other/x_windows.go": "package other\n\nbroken\n",
	"hack/x.go":          "package hack\n\nbroken\n",
	"examples/x.go":      "package examples\n\nbroken\n",
}

// everyDirectory returns the expression of a build of every directory with Go files, as
// nixpkgs' buildGoModule does without subPackages.
func everyDirectory(t testing.TB, function, src, more string) string {
	return fmt.Sprintf("((import %s/lib { pkgs = import <nixpkgs> { }; }).internal.withMore { libraries = true; subPackages = null; ldflags = [ \"-buildid=\" ]; %s }).%s { src = %s; %s }",
		repo(t), more, function, src, layersEnv)
}

// program returns the contents of a program.
func program(t testing.TB, r result, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(onDisk(filepath.Join(r.path, "bin", name)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Packages that no program needs are compiled, but are not part of the result.
func TestLibraries(t *testing.T) {
	t.Parallel()
	const excluded = `excludedPackages = [ "hack" ];`
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, layersEnv)
			src := project(t, library)
			first := nixBuild(t, "-E", everyDirectory(t, function, src, excluded))
			if first.err != nil {
				t.Fatal(first.log)
			}
			want := []string{"example.com-library-cmd-tool", "example.com-library-unused", "example.com-library-used", "go-program", "program", "tool"}
			if !slices.Equal(first.compiled(), want) {
				t.Errorf("built %q, want %q", first.compiled(), want)
			}
			if out := first.run(t, "tool"); !strings.HasPrefix(out, "used ") {
				t.Errorf("prints %q", out)
			}
			list, err := os.ReadDir(onDisk(filepath.Join(first.path, "bin")))
			if err != nil || len(list) != 1 {
				t.Errorf("bin has %v (%v)", list, err)
			}
			refs, err := exec.Command("nix-store", "--query", "--requisites", first.path).Output()
			if err != nil || strings.TrimSpace(string(refs)) != first.path {
				t.Errorf("the result needs %s (%v)", refs, err)
			}
			// The program is the same as that of a build of the program alone.
			alone := build(t, function, src, layersEnv+`subPackage = "cmd/tool";`)
			if !bytes.Equal(program(t, first, "tool"), program(t, alone, "tool")) {
				t.Error("the program is not the one that is built alone")
			}

			edit(t, filepath.Join(src, "unused/unused.go"), "\"unused", "\"edited")
			second := nixBuild(t, "-E", everyDirectory(t, function, src, excluded))
			if want := []string{"example.com-library-unused"}; second.err != nil || !slices.Equal(second.compiled(), want) || second.path != first.path {
				t.Errorf("an edit of the unused package built %q, want %q; %v", second.compiled(), want, second.err)
			}

			edit(t, filepath.Join(src, "unused/unused.go"), "used.Text() +", "used.Text() + 1 +")
			third := nixBuild(t, "-E", everyDirectory(t, function, src, excluded))
			if third.err == nil || !strings.Contains(third.log, "unused/unused.go:6:") {
				t.Errorf("an unused package that does not compile gives %v:\n%s", third.err, third.log)
			}
			fourth := nixBuild(t, "-E", everyDirectory(t, function, src, `excludedPackages = [ "hack" "unused" ];`))
			if fourth.err != nil || fourth.run(t, "tool") != first.run(t, "tool") {
				t.Errorf("without the package, the error is %v\n%s", fourth.err, fourth.log)
			}
			only := nixBuild(t, "-E", everyDirectory(t, function, src, `excludedPackages = [ "hack" "unused" "cmd" ];`))
			if only.err != nil {
				t.Fatal(only.log)
			}
			if list, err := os.ReadDir(onDisk(only.path)); err != nil || len(list) != 0 {
				t.Errorf("without a program, the result has %v (%v)", list, err)
			}
		})
	}
}

// Both modes share packages that no program needs.
func TestLibrariesShare(t *testing.T) {
	t.Parallel()
	const excluded = `excludedPackages = [ "hack" ];`
	src := project(t, library)
	first := nixBuild(t, "-E", everyDirectory(t, "buildWithDynDrv", src, excluded))
	if first.err != nil || len(first.compiled()) == 0 {
		t.Fatalf("the first build built %q: %v\n%s", first.compiled(), first.err, first.log)
	}
	second := nixBuild(t, "-E", everyDirectory(t, "buildWithIFD", src, excluded))
	if second.err != nil || len(second.compiled()) > 0 || second.path != first.path {
		t.Errorf("the second mode built %q and %s, not %s: %v", second.compiled(), second.path, first.path, second.err)
	}
}
