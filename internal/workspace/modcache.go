package workspace

import (
	"io/fs"
	"os"
	"path/filepath"

	"dgd/internal/modules"
)

// LinkModules makes a module cache in the directory cache. Its modules are those
// that modules.Unpack has unpacked from the download cache downloads. It returns an
// error for overrides that cannot be met.
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

// linkFiles makes a symlink below to for each file below from, at the same relative
// path, but for lock files: the go command makes its own, for which the directories
// are made and not linked.
func linkFiles(from, to string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(rel string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(rel) == ".lock" {
			return err
		}
		return link(filepath.Join(from, rel), filepath.Join(to, rel))
	})
}

// link makes the symlink name, and the directories above it.
func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

// Exists reports whether a file, a directory or a symlink is at the path. A dangling
// symlink counts.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
