package nar

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Link is a symlink.
type Link struct{ Name, Target string }

// Leaves follows the symlinks on the path of a file, which is relative to root. It
// returns the symlink that leads out of root, with its name relative to root, or
// nil. A symlink with an absolute target always leads out, as root is copied to
// other places. If the file does not exist, Leaves returns nil.
func Leaves(root, file string) (*Link, error) {
	type element struct {
		name string
		from *Link // the symlink whose target it is a part of, or nil
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
	at := "." // the directory reached so far, free of symlinks
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
			return nil, nil // a circle, which is an error for those that read the file
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
