package stage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/bind"
)

// SourcesConfig is the configuration of WriteSources.
type SourcesConfig struct {
	Src      string `json:"src"`
	StoreDir string `json:"storeDir"`
}

// WriteSources copies sources to the new directory out, together with the targets of
// symlinks into the store, which later stages may not have. The symlinks stay symlinks, and
// lead to the copies. These are in a module of their own, so that no pattern of packages or
// of embedded files matches them. An absolute symlink within the sources becomes a relative
// one. Dangling and all other symlinks do not change.
func WriteSources(cfg *SourcesConfig, out string) error {
	src, err := filepath.EvalSymlinks(cfg.Src)
	if err != nil {
		return err
	}
	name := "_linked"
	for {
		if _, err := os.Lstat(filepath.Join(src, name)); err != nil {
			break
		}
		name += "_"
	}
	c := linkCopy{src: src, store: cfg.StoreDir, out: out, linked: filepath.Join(out, name)}
	if err := c.copy(src, out); err != nil {
		return fmt.Errorf("copying the sources: %w", err)
	}
	if len(c.targets) == 0 {
		return nil
	}
	if err := os.Mkdir(c.linked, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.linked, "go.mod"), []byte("module linked\n"), 0o666); err != nil {
		return err
	}
	slices.Sort(c.targets)
	for _, target := range slices.Compact(c.targets) {
		to := c.place(target)
		if _, err := os.Lstat(to); err == nil {
			continue // it is below an earlier target
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := c.follow(target, to, nil); err != nil {
			return fmt.Errorf("copying the targets of symlinks in the sources: %w", err)
		}
	}
	return nil
}

// A linkCopy copies sources.
type linkCopy struct {
	src, store  string
	out, linked string   // directories of the copy, and of the copied targets in it
	targets     []string // targets of symlinks into the store
}

// place returns the path of the copy of a target.
func (c *linkCopy) place(target string) string {
	return filepath.Join(c.linked, strings.TrimPrefix(target, c.store))
}

// copy copies a file, directory or symlink of the sources.
func (c *linkCopy) copy(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return copyEntry(info, from, to, c.copy)
	}
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	path := target
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), path)
	}
	_, missing := os.Stat(path)
	switch {
	case bind.InDir(path, c.src):
		path = filepath.Join(c.out, strings.TrimPrefix(path, c.src))
	case bind.InDir(path, c.store) && missing == nil:
		c.targets = append(c.targets, path)
		path = c.place(path)
	default:
		return os.Symlink(target, to)
	}
	if target, err = filepath.Rel(filepath.Dir(to), path); err != nil {
		return err
	}
	return os.Symlink(target, to)
}

// follow copies a path of the store with all symlinks in it replaced by their targets. In
// has the directories that it is in, with symlinks resolved, to find circles.
func (c *linkCopy) follow(from, to string, in []string) error {
	real, err := filepath.EvalSymlinks(from)
	if errors.Is(err, fs.ErrNotExist) || slices.Contains(in, real) {
		return nil // it is dangling, or there is a circle
	}
	if err != nil {
		return err
	}
	info, err := os.Lstat(real)
	if err != nil {
		return err
	}
	in = append(slices.Clone(in), real)
	return copyEntry(info, real, to, func(from, to string) error { return c.follow(from, to, in) })
}

// copyEntry copies a file, or makes a directory and calls each for its entries.
func copyEntry(info fs.FileInfo, from, to string, each func(from, to string) error) error {
	if !info.IsDir() {
		return copyFile(from, to, info.Mode().Perm()|0o200)
	}
	if err := os.Mkdir(to, 0o777); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := each(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, mode fs.FileMode) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
