// Package testnix has helpers for tests that need a real Nix.
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

// Require skips the test if there is no nix-store in PATH, or fails it if the
// variable CI is set, as a CI machine must have Nix.
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

// A Store is a Nix store for one test.
type Store struct{ ownstore.Store }

// NewStore returns an empty store, which is removed after the test.
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

// Configure adds lines to the nix.conf of commands that use the store.
func (s *Store) Configure(lines ...string) { s.Config = slices.Concat(s.Config, lines) }

// Use makes further commands use another Nix, whose programs are in the directory
// bin that `pkgs/setup/setup.sh --nix` makes.
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

// Fill copies the closures of paths from the machine's own store.
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

// Run runs a command that uses the store and returns its standard output without
// the final newline. If the command fails, the test fails and shows its standard
// error.
func (s *Store) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := ownstore.Output(s.Command(name, args...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
