// Package ownstore runs Nix with a store in a directory, separate from the
// machine's own store: for tests and for the bench.
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

// A Store is a Nix store in a directory. Its store paths are /nix/store/…; on disk
// they are below Root.
type Store struct {
	Root   string   // if empty, the store that Nix is configured to use
	Bin    string   // the directory of Nix's programs; if empty, they are in PATH
	Cache  string   // XDG_CACHE_HOME
	Config []string // lines of nix.conf; later ones take precedence
}

// Path returns the path on disk of a store path.
func (s *Store) Path(storePath string) string { return s.Root + storePath }

// Environ returns the environment for commands that use the store.
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

// Command returns a command that uses the store.
func (s *Store) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if s.Bin != "" && strings.HasPrefix(name, "nix") {
		name = filepath.Join(s.Bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.Environ()
	return cmd
}

// Output runs a command and returns its standard output without the final newline.
// An error has the end of its standard error.
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

// Fill copies the closures of paths from another store, as hard links if possible.
// On disk, the files of the other store are below the directory from.
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

// Copy copies trees into a directory with all their attributes. If link is set,
// files become hard links.
func Copy(ctx context.Context, link bool, dir string, from ...string) error {
	args := []string{"--archive"}
	if link {
		args = append(args, "--link")
	}
	_, err := Output(exec.CommandContext(ctx, "cp", append(append(args, from...), dir)...))
	return err
}

// canLink reports whether files below a path can be hard-linked into a directory.
// Between two mounts of the same file system they cannot.
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

// Remove removes a directory with a store, whose directories are read-only.
func Remove(root string) error {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return nil // RemoveAll reports it
	})
	return errors.Join(err, os.RemoveAll(root))
}
