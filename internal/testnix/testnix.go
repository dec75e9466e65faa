// Package testnix is what tests that need a real Nix have in common.
package testnix

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Require lets the test go on if nix-store is on PATH. Without it the test is
// skipped, or fails where the environment variable CI is set: there a missing
// Nix is a fault of the set-up, not a choice.
func Require(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("nix-store"); err == nil {
		return
	}
	const msg = "this test needs nix-store on PATH; run it as ./with-nix go test"
	if os.Getenv("CI") != "" {
		t.Fatal(msg)
	}
	t.Skip(msg)
}

// Run runs a command and returns its standard output without the final
// newline. The test fails, showing standard error, when the command does.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n")
}
