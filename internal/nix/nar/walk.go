package nar

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A visitor is told of a tree's nodes in the order of a NAR: parents before
// children, children sorted by name, byte by byte.
type visitor interface {
	// file must read size bytes from r, which is valid until it returns.
	file(rel string, r io.Reader, size int64, executable bool) error
	symlink(rel, target string) error
	// enter and leave surround the nodes of a directory. rel is "" for the root.
	enter(rel string) error
	leave(rel string) error
}

// walk visits the tree's nodes.
func (t Tree) walk(v visitor) error {
	w := walker{root: t.Root, visitor: v}
	if len(t.Exclude) > 0 {
		w.exclude = make(map[string]bool, len(t.Exclude))
		for _, name := range t.Exclude {
			if err := checkRel(name); err != nil {
				return fmt.Errorf("tree %s: exclude: %w", t.Name, err)
			}
			w.exclude[name] = true
		}
	}
	var err error
	if t.Files == nil {
		err = w.dir("")
	} else {
		for _, name := range t.Files {
			if err := checkRel(name); err != nil {
				return fmt.Errorf("tree %s: %w", t.Name, err)
			}
		}
		files := t.Files
		if !slices.IsSortedFunc(files, comparePaths) {
			files = slices.SortedFunc(slices.Values(files), comparePaths)
		}
		err = w.list("", files)
	}
	if err != nil {
		return fmt.Errorf("tree %s: %w", t.Name, err)
	}
	return nil
}

// comparePaths orders paths as a NAR does: element by element, so that a
// directory's files come before those of a sibling whose name is longer.
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		}
		return int(a[i]) - int(b[i])
	}
	return len(a) - len(b)
}

type walker struct {
	visitor
	root    string
	exclude map[string]bool
}

func (w *walker) path(rel string) string {
	if rel == "" {
		return w.root
	}
	return w.root + string(filepath.Separator) + filepath.FromSlash(rel)
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// list visits the directory rel, of which the tree has the files in the list:
// sorted, all of them below rel, and relative to the root.
func (w *walker) list(rel string, files []string) error {
	info, err := os.Lstat(w.path(rel))
	if err == nil && rel == "" && info.Mode()&fs.ModeSymlink != 0 {
		info, err = os.Stat(w.path(rel))
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "read", Path: w.path(rel), Err: errors.New("not a directory, although the tree has files below it")}
	}
	if err := w.enter(rel); err != nil {
		return err
	}
	skip := 0
	if rel != "" {
		skip = len(rel) + 1
	}
	for len(files) > 0 {
		name, _, below := strings.Cut(files[0][skip:], "/")
		child := files[0][:skip+len(name)]
		n := 1
		for n < len(files) && (files[n] == child || strings.HasPrefix(files[n], child) && files[n][len(child)] == '/') {
			n++
		}
		switch {
		case w.exclude[child]:
		case below:
			err = w.list(child, files[:n])
		default:
			// The shortest sorts first: if the child itself is in the
			// list, it covers what else the list has below it.
			err = w.node(child)
		}
		if err != nil {
			return err
		}
		files = files[n:]
	}
	return w.leave(rel)
}

// dir visits a directory with all that is below it.
func (w *walker) dir(rel string) error {
	entries, err := os.ReadDir(w.path(rel))
	if err != nil {
		return err
	}
	if err := w.enter(rel); err != nil {
		return err
	}
	for _, entry := range entries {
		child := join(rel, entry.Name())
		if w.exclude[child] {
			continue
		}
		if entry.IsDir() {
			err = w.dir(child)
		} else {
			err = w.node(child)
		}
		if err != nil {
			return err
		}
	}
	return w.leave(rel)
}

// node visits a file, a symlink, or a directory with all below it. Most
// are files: what it is turns out when it is opened.
func (w *walker) node(rel string) error {
	path := w.path(rel)
	fd, err := open(path)
	if err == syscall.ELOOP {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		return w.symlink(rel, target)
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		return w.file(rel, fileReader{fd, path}, st.Size, st.Mode&syscall.S_IXUSR != 0)
	case syscall.S_IFDIR:
		return w.dir(rel)
	}
	return &fs.PathError{Op: "read", Path: path, Err: errors.New("is neither a file, nor a directory, nor a symlink")}
}

// open opens what is not a symlink for reading; of a symlink, the
// error is ELOOP. There is no os.File, as that takes as many system calls
// again, and files are many and small.
func open(path string) (int, error) {
	for {
		// Without O_NONBLOCK it would wait for the writer of a named pipe.
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

type fileReader struct {
	fd   int
	path string
}

func (r fileReader) Read(b []byte) (int, error) {
	for {
		n, err := syscall.Read(r.fd, b)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, &fs.PathError{Op: "read", Path: r.path, Err: err}
		case n == 0 && len(b) > 0:
			return 0, &fs.PathError{Op: "read", Path: r.path, Err: errShrunk}
		}
		return n, nil
	}
}

var errShrunk = errors.New("file became shorter while it was read")

// CopyTo makes the tree anew in dir, which is created, with the directories
// above it, unless it is there. Files get mode 0644, or 0755 if executable.
func (t Tree) CopyTo(dir string) error {
	return t.walk(copier{dir})
}

type copier struct{ dir string }

func (c copier) path(rel string) string {
	return filepath.Join(c.dir, filepath.FromSlash(rel))
}

func (c copier) enter(rel string) error { return os.MkdirAll(c.path(rel), 0o755) }

func (c copier) leave(string) error { return nil }

func (c copier) symlink(rel, target string) error { return os.Symlink(target, c.path(rel)) }

func (c copier) file(rel string, r io.Reader, size int64, executable bool) (err error) {
	perm := fs.FileMode(0o644)
	if executable {
		perm = 0o755
	}
	out, err := os.OpenFile(c.path(rel), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}()
	_, err = io.CopyN(out, r, size)
	return err
}
