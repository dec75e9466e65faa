package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// inStore matches a store path, and captures its hash.
var inStore = regexp.MustCompile(`/([0-9abcdfghijklmnpqrsvwxyz]{32})-[^/]+$`)

// Base returns the store path, in any store directory, that a file name is or is
// below, or "".
func Base(name string) string {
	for dir := name; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if inStore.MatchString(dir) {
			return dir
		}
	}
	return ""
}

// StorePath returns the store path that a file name is, is below, or leads to by
// symlinks. The store may be at another place on disk than its paths say. Targets
// of symlinks are paths as programs in a sandbox see them.
func (s *Store) StorePath(ctx context.Context, name string) (string, error) {
	file, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		if p, err := s.named(ctx, real); p != "" || err != nil {
			return p, err
		}
	}
	for range 40 { // as many links as Linux follows
		if p, err := s.named(ctx, file); p != "" || err != nil {
			return p, err
		}
		next, err := followed(file)
		if err != nil {
			return "", err
		}
		if next == file {
			break
		}
		file = next
	}
	if p := Base(file); p != "" {
		return "", fmt.Errorf("%s is not in the store that Nix uses, or was removed from it: %w", p, fs.ErrNotExist)
	}
	return "", fmt.Errorf("%s is not in the Nix store: name a derivation, an output, or a link to one", name)
}

// named returns the store path with the base name of a file or of a directory above
// it, or "" if the store does not have such a path.
func (s *Store) named(ctx context.Context, file string) (string, error) {
	for p := Base(file); p != ""; p = Base(filepath.Dir(p)) {
		hash := inStore.FindStringSubmatch(p)[1]
		found, err := s.client.QueryPathFromHashPart(ctx, hash)
		if err != nil {
			return "", fmt.Errorf("asking the store for %s: %w", p, err)
		}
		if filepath.Base(found) == filepath.Base(p) {
			return found, nil
		}
	}
	return "", nil
}

// followed returns a file name with its first symlink replaced by the target, or
// the same name if there is no symlink in it.
func followed(file string) (string, error) {
	for i := 1; i <= len(file); i++ {
		if i < len(file) && file[i] != '/' {
			continue
		}
		info, err := os.Lstat(file[:i])
		if err != nil {
			return "", err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		target, err := os.Readlink(file[:i])
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(file[:i]), target)
		}
		return filepath.Join(target, file[i:]), nil
	}
	return file, nil
}

// Deriver returns the .drv path for a command-line argument, which may be a .drv
// path, an output, or a symlink to either.
func (s *Store) Deriver(ctx context.Context, arg string) (string, error) {
	arg, _, _ = strings.Cut(arg, "!") // nix-instantiate may name an output there
	p, err := s.StorePath(ctx, arg)
	if err != nil || strings.HasSuffix(p, ".drv") {
		return p, err
	}
	found, err := s.Derivers(ctx, []string{p})
	if err != nil {
		return "", err
	}
	if found[p] == "" {
		return "", fmt.Errorf("the store has no record of the derivation that made %s: give the .drv path that nix-instantiate prints", p)
	}
	return found[p], nil
}
