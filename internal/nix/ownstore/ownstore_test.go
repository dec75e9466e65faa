package ownstore_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/nix/ownstore"
	"dgd/internal/testnix"
)

func TestFill(t *testing.T) {
	testnix.Require(t)
	from, to := testnix.NewStore(t), testnix.NewStore(t)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tree/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tree/bin/a"), []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	tree := from.Run(t, "nix-store", "--add", filepath.Join(dir, "tree"))
	refers := strings.Trim(from.Run(t, "nix-instantiate", "--eval", "--read-write-mode",
		"--expr", `builtins.toFile "refers" "${builtins.storePath "`+tree+`"}"`), `"`)
	for range 2 { // the second time there is nothing to copy
		if err := to.Store.Fill(t.Context(), &from.Store, from.Root, refers); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Fields(to.Run(t, "nix-store", "--query", "--requisites", refers)); !slices.Equal(got, []string{tree, refers}) {
		t.Errorf("the store has %q", got)
	}
	to.Run(t, "nix-store", "--verify-path", tree, refers)
	if err := to.Store.Fill(t.Context(), &from.Store, from.Root, tree+"x"); err == nil || !strings.Contains(err.Error(), "nix-store") {
		t.Errorf("a path that is not there: %v", err)
	}
}

// The environment names the store in NIX_CONFIG, after the lines of the surrounding
// configuration, and Nix's programs only if Bin is set.
func TestEnviron(t *testing.T) {
	t.Setenv("NIX_CONFIG", "cores = 1")
	s := &ownstore.Store{Root: "/own", Cache: "/cache", Config: []string{"max-jobs = 3"}}
	if env := s.Environ(); !slices.Contains(env, "NIX_CONFIG=cores = 1\nstore = local?root=/own\nmax-jobs = 3\n") || !slices.Contains(env, "XDG_CACHE_HOME=/cache") {
		t.Errorf("the environment is %q", env)
	}
	if cmd := s.Command(t.Context(), "nix-store", "--version"); cmd.Args[0] != "nix-store" {
		t.Errorf("%q is called", cmd.Args)
	}
	s = &ownstore.Store{Bin: "/nix-of-old"}
	if env := s.Environ(); !slices.Contains(env, "NIX_CONFIG=cores = 1\n") || !slices.Contains(env, "NIX_BIN_DIR=/nix-of-old") {
		t.Errorf("the environment is %q", env)
	}
	if cmd := s.Command(t.Context(), "nix-store"); cmd.Path != "/nix-of-old/nix-store" {
		t.Errorf("%s is called", cmd.Path)
	}
	if cmd := s.Command(t.Context(), "sh"); cmd.Args[0] != "sh" {
		t.Errorf("%q is called", cmd.Args)
	}
}

func TestOutput(t *testing.T) {
	s := &ownstore.Store{}
	if got, err := ownstore.Output(s.Command(t.Context(), "sh", "-c", "echo a; echo")); err != nil || got != "a\n" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := ownstore.Output(s.Command(t.Context(), "sh", "-c", "echo what is wrong >&2; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3\nwhat is wrong") {
		t.Errorf("%v", err)
	}
}
