package nar

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Link is a symlink and what it says.
type Link struct{ Name, Target string }

// Leaves follows a file below root, given by its path relative to root, through
// symlinks. It returns the one that leads out of root, named relative to
// root, or nil. A link with an absolute target leads out wherever it ends: root
// is copied to other places. What is not there leads nowhere.
func Leaves(root, file string) (*Link, error) {
	type element struct {
		name string
		from *Link // that it is a part of, or nil
	}
	var todo []element
	push := func(path string, from *Link) {
		var list []element
		for name := range strings.SplitSeq(filepath.ToSlash(path), "/") {
			list = append(list, element{name, from})
		}
		todo = slices.Concat(list, todo)
	}
	push(file, nil)
	at := "." // where it is, without links
	for links := 0; len(todo) > 0; {
		e := todo[0]
		todo = todo[1:]
		if e.name == ".." && at == "." {
			return e.from, nil
		}
		next := filepath.Join(at, e.name)
		info, err := os.Lstat(filepath.Join(root, next))
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > 255 {
			return nil, nil // a circle: its reader reports that
		}
		target, err := os.Readlink(filepath.Join(root, next))
		if err != nil {
			return nil, err
		}
		link := &Link{next, target}
		if filepath.IsAbs(target) {
			return link, nil
		}
		push(target, link)
	}
	return nil, nil
}
