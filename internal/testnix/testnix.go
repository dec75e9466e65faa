// Package testnix is what tests that need a real Nix have in common.
package testnix

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// A Store is a Nix store of a test's own. Its paths are /nix/store/… to Nix
// and to what runs in a sandbox; on disk they are below Root.
type Store struct {
	Root string
	env  []string
}

// NewStore makes an empty store, which goes away with the test.
func NewStore(t testing.TB) *Store {
	t.Helper()
	root, err := os.MkdirTemp("", "testnix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What is in a store is not writable, not even for its owner.
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				os.Chmod(path, 0o755)
			}
			return nil
		})
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	config := os.Getenv("NIX_CONFIG") + "\nstore = local?root=" + root + "\n"
	return &Store{root, append(os.Environ(), "NIX_CONFIG="+config)}
}

// Path returns where a store path is on disk.
func (s *Store) Path(storePath string) string { return s.Root + storePath }

// Command returns a command that uses the store.
func (s *Store) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = s.env
	return cmd
}

// Run runs a command that uses the store and returns its standard output
// without the final newline. The test fails, showing standard error, if the
// command does.
func (s *Store) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := s.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n")
}
