// Package testnix is what tests that need a real Nix have in common.
package testnix

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"dgd/internal/nix/ownstore"
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

// A Store is a Nix store of a test's own.
type Store struct{ ownstore.Store }

// NewStore makes an empty store, which goes away with the test.
func NewStore(t testing.TB) *Store {
	t.Helper()
	root, err := os.MkdirTemp("", "testnix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ownstore.Remove(root); err != nil {
			t.Error(err)
		}
	})
	return &Store{ownstore.Store{Root: root, Cache: filepath.Join(root, "cache")}}
}

// Configure sets what Nix's configuration says, line by line, for commands
// that use the store from now on.
func (s *Store) Configure(lines ...string) { s.Config = slices.Concat(s.Config, lines) }

// Use lets commands that use the store from now on be those of another Nix,
// which are in the directory bin as pkgs/setup/setup.sh --nix makes it.
func (s *Store) Use(bin string) {
	s.Bin = bin
	s.Configure(
		"experimental-features = nix-command",
		"build-hook = "+bin+"/build-remote",
		"build-users-group =",
		"substituters =",
		"sandbox = true",
		"sandbox-fallback = false",
		"sandbox-paths = /bin/sh="+filepath.Join(bin, "../root/usr/bin/bash-static"))
}

// Fill brings in paths of the machine's own store, with all that they refer to.
func (s *Store) Fill(t testing.TB, paths ...string) {
	t.Helper()
	machine := &ownstore.Store{Cache: s.Cache}
	if err := s.Store.Fill(context.Background(), machine, os.Getenv("DGD_STORE_ROOT"), paths...); err != nil {
		t.Fatal(err)
	}
}

// Command returns a command that uses the store.
func (s *Store) Command(name string, args ...string) *exec.Cmd {
	return s.Store.Command(context.Background(), name, args...)
}

// Run runs a command that uses the store and returns its standard output
// without the final newline. The test fails, showing standard error, if the
// command does.
func (s *Store) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := ownstore.Output(s.Command(name, args...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
