package drvdiff

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"dgd/internal/nix/store"
)

// compareTrees returns the files in which two store paths differ. The cause has no
// name if the store paths are files themselves, or no longer in the store.
func (e *explainer) compareTrees(old, new string) ([]Cause, error) {
	a, err := e.st.Files(e.ctx, old)
	var b map[string]store.File
	if err == nil {
		b, err = e.st.Files(e.ctx, new)
	}
	if errors.Is(err, fs.ErrNotExist) { // removed by the garbage collector
		return []Cause{{Kind: "file", What: "", Change: changed}}, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Cause
	for _, name := range union(a, b) {
		change := changeOf(a, b, name)
		if change == changed && a[name].Mode == b[name].Mode && bytes.Equal(a[name].Text, b[name].Text) {
			continue
		}
		list = append(list, Cause{Kind: "file", What: name, Change: change})
	}
	return list, nil
}

// environments compares two files with environment variables.
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
