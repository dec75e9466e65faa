// Package ownstore has Nix work on a store in a directory, apart from the
// machine's own: for tests and for the bench.
package ownstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Store is a Nix store in a directory. Its paths are /nix/store/… to Nix and
// to what runs in a sandbox; on disk they are below Root.
type Store struct {
	Root   string   // empty: the store that Nix is configured to use
	Bin    string   // where Nix's programs are; empty: in PATH
	Cache  string   // what Nix keeps for a user goes there
	Config []string // lines of nix.conf; later ones win
}

// Path is where a store path is on disk.
func (s *Store) Path(storePath string) string { return s.Root + storePath }

// Environ is the environment of a command that uses the store.
func (s *Store) Environ() []string {
	env := append(os.Environ(), "XDG_CACHE_HOME="+s.Cache)
	if s.Bin != "" {
		env = append(env, "PATH="+s.Bin+":"+os.Getenv("PATH"), "NIX_BIN_DIR="+s.Bin)
	}
	config := append([]string{os.Getenv("NIX_CONFIG")}, s.Config...)
	if s.Root != "" {
		config = slices.Insert(config, 1, "store = local?root="+s.Root)
	}
	return append(env, "NIX_CONFIG="+strings.Join(config, "\n")+"\n")
}

// Command is a command that uses the store.
func (s *Store) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if s.Bin != "" && strings.HasPrefix(name, "nix") {
		name = filepath.Join(s.Bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.Environ()
	return cmd
}

// Output runs a command and returns its standard output without the final
// newline. An error has the end of what the command said.
func Output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		said := bytes.TrimSpace(stderr.Bytes())
		return "", fmt.Errorf("%.500s: %w\n%s", strings.Join(cmd.Args, " "), err, said[max(0, len(said)-4000):])
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// Fill brings in paths of another store, with all that they refer to: as links,
// where the file system allows that. The other store's files are below the
// directory from.
func (s *Store) Fill(ctx context.Context, other *Store, from string, paths ...string) error {
	query := func(args ...string) (string, error) { return Output(other.Command(ctx, "nix-store", args...)) }
	closure, err := query(append([]string{"--query", "--requisites"}, paths...)...)
	if err != nil {
		return err
	}
	var missing, files []string
	for path := range strings.FieldsSeq(closure) {
		if _, err := os.Lstat(s.Path(path)); err != nil {
			missing, files = append(missing, path), append(files, from+path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	dir := s.Path(filepath.Dir(missing[0]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := Copy(ctx, canLink(files[0], dir), dir, files...); err != nil {
		return err
	}
	entries, err := query(append([]string{"--dump-db"}, missing...)...)
	if err != nil {
		return err
	}
	load := s.Command(ctx, "nix-store", "--load-db")
	load.Stdin = io.MultiReader(strings.NewReader(entries), strings.NewReader("\n"))
	_, err = Output(load)
	return err
}

// Copy copies trees as they are into a directory, files as hard links if link is
// set.
func Copy(ctx context.Context, link bool, dir string, from ...string) error {
	args := []string{"--archive"}
	if link {
		args = append(args, "--link")
	}
	_, err := Output(exec.CommandContext(ctx, "cp", append(append(args, from...), dir)...))
	return err
}

// canLink reports whether files below a path can be hard links in a directory. On
// one file system they cannot, if it is mounted twice.
func canLink(path, dir string) bool {
	linked := errors.New("linked")
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		to := filepath.Join(dir, ".link")
		if err := os.Link(file, to); err != nil {
			return err
		}
		return errors.Join(linked, os.Remove(to))
	})
	return errors.Is(err, linked)
}

// Remove removes a tree. What is in a store is not writable, not even for its
// owner.
func Remove(root string) error {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return nil // RemoveAll reports it
	})
	return errors.Join(err, os.RemoveAll(root))
}
