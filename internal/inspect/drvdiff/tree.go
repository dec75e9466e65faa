package drvdiff

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"dgd/internal/nix/store"
)

// compareTrees returns the files that differ between two store paths, or one
// cause without a name where these are files.
func (e *explainer) compareTrees(old, new string) ([]Cause, error) {
	a, err := e.st.Files(e.ctx, old)
	var b map[string]store.File
	if err == nil {
		b, err = e.st.Files(e.ctx, new)
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
		case was.Mode == is.Mode && bytes.Equal(was.Text, is.Text):
			continue
		}
		list = append(list, c)
	}
	return list, nil
}

// environments compares files with the variables of an environment.
func (e *explainer) environments(l *causes, words, old, new string) error {
	read := func(file string) (map[string]string, error) {
		list := map[string]string{}
		if file == "" {
			return list, nil
		}
		files, err := e.st.Files(e.ctx, file)
		if errors.Is(err, fs.ErrNotExist) {
			return list, nil
		}
		for v := range strings.SplitSeq(string(files["."].Text), "\x00") {
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
