package workspace

import (
	"io/fs"
	"os"
	"path/filepath"

	"dgd/internal/modules"
)

// LinkModules makes a module cache in which the go command finds all modules of
// a download cache, which are unpacked already.
func LinkModules(unpacked, downloads string, overrides []Override, cache string) error {
	list, err := modules.ReadUnpacked(unpacked)
	if err != nil {
		return err
	}
	if err := CheckOverrides(overrides, list, false); err != nil {
		return err
	}
	for _, m := range list {
		rel, err := filepath.Rel(unpacked, m.Tree.Root)
		if err != nil {
			return err
		}
		if err := link(m.Tree.Root, filepath.Join(cache, rel)); err != nil {
			return err
		}
	}
	return linkFiles(downloads, modules.DownloadDir(cache))
}

// linkFiles links the files below a directory at the same places below another one. The
// directories are made, as go makes lock files where it looks for more; those that from
// has are left out.
func linkFiles(from, to string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(rel string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(rel) == ".lock" {
			return err
		}
		return link(filepath.Join(from, rel), filepath.Join(to, rel))
	})
}

// link makes a symlink, and the directories above it.
func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

// Exists reports whether there is something at the path, be it a symlink to nothing.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
