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

// A visitor is called for each node of a tree in the order of a NAR: parents before
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

// comparePaths compares paths in the order of a NAR: element by element, so that
// the files of directory a come before those of a directory a-b.
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

// A walker visits the nodes of a tree.
type walker struct {
	visitor
	root    string
	exclude map[string]bool
}

// path returns the path on disk of a path relative to the root.
func (w *walker) path(rel string) string {
	if rel == "" {
		return w.root
	}
	return w.root + string(filepath.Separator) + filepath.FromSlash(rel)
}

// join joins slash-separated relative paths. dir may be "".
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// list visits the directory rel and those of its files that the tree has. files
// are sorted, below rel, and relative to the root.
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
			// The shortest path sorts first: if the child itself is in the
			// list, it includes all that the list has below it.
			err = w.node(child)
		}
		if err != nil {
			return err
		}
		files = files[n:]
	}
	return w.leave(rel)
}

// dir visits a directory and everything below it.
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

// node visits a file, a symlink, or a directory with everything below it. It opens
// the node to find out which, because most nodes are files.
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

// open opens a file or a directory for reading. For a symlink the error is ELOOP.
// It does not use os.File, which needs twice as many system calls: trees have many
// small files.
func open(path string) (int, error) {
	for {
		// Without O_NONBLOCK, opening a named pipe waits for a writer.
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

// A fileReader reads a file, which must not become shorter.
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

// CopyTo copies the tree to dir, which it creates with its parents if needed. Files
// get mode 0644, or 0755 if they are executable.
func (t Tree) CopyTo(dir string) error {
	return t.walk(copier{dir})
}

// A copier is the visitor of CopyTo.
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
