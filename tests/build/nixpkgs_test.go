package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// someNixpkgs are those programs of tests/nixpkgs-programs.nix that every run builds:
// they have few modules.
const someNixpkgs = `[ "go-md2man" "go-jsonnet" "gron" ]`

func nixpkgsTest(t testing.TB, mode, of, names string) string {
	return fmt.Sprintf("let tests = (import %s { useDynDrv = %t; }).tests.nixpkgs; in tests.%s %s", repo(t), mode == "dyn", of, names)
}

// Programs with the arguments of their definitions in nixpkgs build in both modes and
// pass the tests that nixpkgs runs. They print what they should, and have the bytes of
// `go install`.
func TestNixpkgsPrograms(t *testing.T) {
	t.Parallel()
	names := someNixpkgs
	if *allPrograms {
		names = "tests.all"
	}
	for _, of := range []string{"run", "identity"} {
		dyn := nixBuild(t, "--keep-going", "-E", nixpkgsTest(t, "dyn", of, names))
		if dyn.err != nil {
			t.Fatalf("dyn, %s: %v\n%s", of, dyn.err, tail(dyn.log))
		}
		ifd := nixBuild(t, "--keep-going", "-E", nixpkgsTest(t, "ifd", of, names))
		if ifd.err != nil {
			t.Fatalf("ifd, %s: %v\n%s", of, ifd.err, tail(ifd.log))
		}
		if c := ifd.compiled(); len(c) > 0 {
			t.Errorf("%s: the second mode built %d derivations: %s", of, len(c), strings.Join(c, " "))
		}
	}
}

// An edit inside a function of a package that one of four programs depends on compiles
// that package and links that program.
func TestNixpkgsEdit(t *testing.T) {
	t.Parallel()
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			first := nixBuild(t, "-E", nixpkgsTest(t, mode, "packages.go-jsonnet.overrideAttrs { doCheck = false; }", ""))
			if first.err != nil {
				t.Fatal(tail(first.log))
			}
			source := nixBuild(t, "-E", nixpkgsTest(t, mode, "packages.go-jsonnet.src", ""))
			if source.err != nil {
				t.Fatal(tail(source.log))
			}
			src := filepath.Join(t.TempDir(), "source")
			if out, err := exec.Command("cp", "-r", "--no-preserve=mode", onDisk(source.path), src).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			edit(t, filepath.Join(src, "internal/formatter/enforce_string_style.go"), "Badly formatted string", salted(t, "SALT"))

			second := nixBuild(t, "-E", nixpkgsTest(t, mode, "packages.go-jsonnet.overrideAttrs { doCheck = false; src = "+src+"; }", ""))
			if second.err != nil {
				t.Fatal(tail(second.log))
			}
			want := []string{"github.com-google-go-jsonnet-internal-formatter", "go-jsonnet-0.21.0", "jsonnetfmt", "program"}
			if !slices.Equal(second.compiled(), want) {
				t.Errorf("built %q, want %q", second.compiled(), want)
			}
			for _, name := range []string{"jsonnet", "jsonnet-deps", "jsonnet-lint", "jsonnetfmt"} {
				one, err := os.ReadFile(onDisk(filepath.Join(first.path, "bin", name)))
				if err != nil {
					t.Fatal(err)
				}
				other, err := os.ReadFile(onDisk(filepath.Join(second.path, "bin", name)))
				if err != nil {
					t.Fatal(err)
				}
				if same := string(one) == string(other); same != (name != "jsonnetfmt") {
					t.Errorf("whether %s is the same: %t", name, same)
				}
			}
		})
	}
}
