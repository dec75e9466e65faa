// Package nix runs Nix on stores of the bench's own, and watches it at work.
package nix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Store is a Nix store in a directory. Its paths are /nix/store/… to Nix and
// to what runs in a sandbox; on disk they are below Root.
type Store struct {
	Root    string
	Cache   string // what Nix keeps for a user goes there
	MaxJobs int    // 0: as Nix is configured
	Bin     string // where Nix's programs are; empty: in PATH
	Daemon  bool   // whether builds go through a daemon
}

// Path is where a store path is on disk.
func (s *Store) Path(storePath string) string { return s.Root + storePath }

// Clone makes a store with the same contents. Files of the store are hard
// links, since Nix never changes one that is there; the rest, above all the
// database, is copied.
func (s *Store) Clone(ctx context.Context, root string) (*Store, error) {
	clone := *s
	clone.Root = root
	files := filepath.Join("nix", "store")
	if err := mirror(ctx, filepath.Join(s.Root, files), filepath.Join(root, files), os.Link); err != nil {
		return nil, fmt.Errorf("cloning the store: %w", err)
	}
	state := filepath.Join("nix", "var")
	if err := mirror(ctx, filepath.Join(s.Root, state), filepath.Join(root, state), copyFile); err != nil {
		return nil, fmt.Errorf("cloning the store: %w", err)
	}
	return &clone, nil
}

// Remove deletes a tree although much of it is not writable.
func Remove(root string) error {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // RemoveAll says what is the matter
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(root))
}

// mirror makes a copy of a tree, in which file says how a file is made.
func mirror(ctx context.Context, from, to string, file func(from, to string) error) error {
	var dirs []string
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir():
			dirs = append(dirs, rel)
			return os.MkdirAll(target, 0o755)
		case entry.Type() == fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case entry.Type().IsRegular():
			return file(path, target)
		}
		return nil // a socket of an earlier Nix
	})
	if err != nil {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		info, err := os.Stat(filepath.Join(from, dirs[i]))
		if err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(to, dirs[i]), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// linkOrCopy makes a link, or a copy where links are not to be had: from another
// file system, or of another user's files.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(from, to)
}

// copyFile copies a file with its permissions.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
