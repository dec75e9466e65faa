package drvdiff

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// compareTrees returns the files that differ between two trees, or one cause
// without a name where the trees are files.
func compareTrees(old, new string) ([]Cause, error) {
	a, err := files(old)
	var b map[string]fs.FileMode
	if err == nil {
		b, err = files(new)
	}
	if errors.Is(err, fs.ErrNotExist) { // collected as garbage: nobody knows any more which file it is
		return []Cause{{Kind: "file", What: "", Change: changed}}, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Cause
	for _, name := range union(a, b) {
		was, hadIt := a[name]
		is, hasIt := b[name]
		c := Cause{Kind: "file", What: name, Change: changed}
		switch {
		case !hadIt:
			c.Change = added
		case !hasIt:
			c.Change = removed
		default:
			same, err := sameFile(filepath.Join(old, name), filepath.Join(new, name), was, is)
			if err != nil {
				return nil, err
			}
			if same {
				continue
			}
		}
		list = append(list, c)
	}
	return list, nil
}

// files returns the modes of all files in a directory, by path.
func files(dir string) (map[string]fs.FileMode, error) {
	list := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		list[rel] = info.Mode()
		return err
	})
	return list, err
}

func sameFile(a, b string, was, is fs.FileMode) (bool, error) {
	if was.Type() != is.Type() || was&0o111 != is&0o111 {
		return false, nil
	}
	read := os.ReadFile
	if was.Type() == fs.ModeSymlink {
		read = func(name string) ([]byte, error) {
			target, err := os.Readlink(name)
			return []byte(target), err
		}
	}
	x, err := read(a)
	if err != nil {
		return false, err
	}
	y, err := read(b)
	return bytes.Equal(x, y), err
}

// environments compares files with the variables of an environment.
func (e *explainer) environments(l *causes, words, old, new string) error {
	read := func(file string) (map[string]string, error) {
		list := map[string]string{}
		if file == "" {
			return list, nil
		}
		text, err := os.ReadFile(e.st.OnDisk(file))
		if errors.Is(err, fs.ErrNotExist) {
			return list, nil
		}
		for v := range strings.SplitSeq(string(text), "\x00") {
			if name, value, ok := strings.Cut(v, "="); ok {
				list[name] = value
			}
		}
		return list, err
	}
	a, err := read(old)
	if err != nil {
		return err
	}
	b, err := read(new)
	if err != nil {
		return err
	}
	var differ []string
	for _, name := range union(a, b) {
		if x, ok := a[name]; !ok || x != b[name] {
			differ = append(differ, name)
		}
	}
	c := Cause{Kind: "environment", What: words, Change: changed}
	if len(differ) > 0 {
		c.What += " (" + strings.Join(differ, ", ") + ")"
	}
	l.add(c)
	return nil
}
