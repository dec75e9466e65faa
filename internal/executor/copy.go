package executor

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// elsewhere stands for a unit's directory in texts that units hand over: it is
// another one in each build where there is no sandbox.
const elsewhere = "/dgd-unit"

// replacing copies a file with each old text replaced.
func replacing(old, new string) func(from, to string) error {
	return func(from, to string) error {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, bytes.ReplaceAll(text, []byte(old+"/"), []byte(new+"/")), 0o666)
	}
}

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
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666|info.Mode()&0o111)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// copyTree copies a file or a directory with all that is below it; symbolic
// links stay what they are. What it makes is writable.
func copyTree(from, to string) error { return copyTreeBy(copyFile, from, to) }

func copyTreeBy(copied func(from, to string) error, from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o777)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			// Copies of overlapping trees may meet.
			if old, err := os.Readlink(target); err == nil && old == link {
				return nil
			}
			return os.Symlink(link, target)
		}
		return copied(path, target)
	})
}
