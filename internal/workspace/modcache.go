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
	// The directories are its own: go makes a lock where it looks for more.
	return filepath.WalkDir(downloads, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) == ".lock" {
			return err
		}
		rel, err := filepath.Rel(downloads, file)
		if err != nil {
			return err
		}
		return link(file, filepath.Join(cache, "cache", "download", rel))
	})
}

func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
