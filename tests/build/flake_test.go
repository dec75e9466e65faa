package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// flake runs a command of nix on flakes, with a registry in which the flake nixpkgs is
// <nixpkgs> and the flake dgd is this project.
func flake(t *testing.T, dir, command string, args ...string) string {
	t.Helper()
	testnix.Require(t)
	out, err := exec.Command("nix-instantiate", "--eval", "-E", "toString <nixpkgs>").Output()
	if err != nil {
		t.Fatal(err)
	}
	nixpkgs := t.TempDir()
	write(t, filepath.Join(nixpkgs, "flake.nix"), fmt.Sprintf(
		`{ outputs = _: { legacyPackages = builtins.mapAttrs (system: _: import (%s + "") { inherit system; }) { x86_64-linux = null; aarch64-linux = null; }; }; }`, strings.TrimSpace(string(out))))
	registry := filepath.Join(t.TempDir(), "registry.json")
	write(t, registry, fmt.Sprintf(`{"version": 2, "flakes": [
		{"from": {"type": "indirect", "id": "nixpkgs"}, "to": {"type": "path", "path": %q}},
		{"from": {"type": "indirect", "id": "dgd"}, "to": {"type": "path", "path": %q}}]}`, nixpkgs, repo(t)))
	words := append(strings.Fields(command), "--extra-experimental-features", "nix-command flakes", "--flake-registry", registry)
	cmd := exec.Command("nix", append(words, args...)...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("nix %s: %v\n%s", command, err, text)
	}
	return string(text)
}

// The program of the flake's template builds and runs.
func TestFlake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flake(t, dir, "flake init", "-t", "dgd")
	flags := "--impure --no-write-lock-file"
	if os.Getenv("DGD_STORE_ROOT") != "" {
		// Debian's Nix, which is started by its own loader, cannot run programs in the
		// store of an ordinary user. A program without cgo does not need the store.
		built := flake(t, dir, "build --no-link --print-out-paths "+flags, "path:"+dir)
		lines := strings.Fields(built)
		out, err := exec.Command(onDisk(lines[len(lines)-1]) + "/bin/hello").Output()
		if err != nil || string(out) != "Hello, world!\n" {
			t.Errorf("the template's program prints\n%s%v", out, err)
		}
		return
	}
	out := flake(t, dir, "run "+flags, "path:"+dir)
	if !strings.HasSuffix(out, "Hello, world!\n") {
		t.Errorf("the template's program prints\n%s", out)
	}
}

// With a plan in a file, the template can be evaluated for systems that this machine
// cannot build for, as evaluation builds nothing.
func TestFlakeWithPlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flake(t, dir, "flake init", "-t", "dgd")
	writePlan(t, dgdCommand(t), dir, "--for", "linux/amd64,linux/arm64")
	flags := "--impure --no-write-lock-file --option allow-import-from-derivation false"
	if out := flake(t, dir, "flake show --json --all-systems "+flags, "path:"+dir); !strings.Contains(out, `"aarch64-linux":{"default":{`) {
		t.Errorf("nix flake show prints\n%s", out)
	}
	flake(t, dir, "flake check --no-build --all-systems "+flags, "path:"+dir)
}

// All outputs of the flake can be evaluated.
func TestFlakeOutputs(t *testing.T) {
	t.Parallel()
	for _, attribute := range []string{
		"packages.x86_64-linux.dgd.drvPath", "packages.x86_64-linux.dgd-plan.drvPath", "packages.x86_64-linux.dgd-exec.drvPath",
		"devShells.x86_64-linux.default.drvPath",
	} {
		if out := flake(t, t.TempDir(), "eval --impure --no-write-lock-file --raw", "dgd#"+attribute); !strings.HasSuffix(out, ".drv") {
			t.Errorf("%s is %s", attribute, out)
		}
	}
	out := flake(t, t.TempDir(), "eval --impure --no-write-lock-file --json", "dgd#overlays.default", "--apply", "overlay: builtins.attrNames ((overlay (import <nixpkgs> { }) { }).dgd)")
	if !strings.Contains(out, `"buildGoModule"`) {
		t.Errorf("the overlay's dgd has %s", out)
	}
}

// The development shell has the programs that the tests need.
func TestShell(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	out, err := exec.Command("nix-shell", "--pure", filepath.Join(repo(t), "shell.nix"), "--run", "go version && git --version && pkg-config --version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "go version go1.") || !strings.Contains(string(out), "git version") {
		t.Errorf("%v\n%s", err, out)
	}
}
