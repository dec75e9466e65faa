package skeleton

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// An entry is a file, a directory or a symlink of a tree.
type entry struct {
	name string // relative, with slashes
	mode fs.FileMode
	kind kind
	text []byte // the kept part of a file, or the target of a symlink
}

// Outside is the target of every absolute symlink in a skeleton. Such links lead out
// of the sources, where planning must not look. It also keeps the symlink result,
// which nix-build changes after each build, from changing the skeleton.
const Outside = "/nonexistent/out-of-src"

// Write writes the skeleton of the directory src to w: a tar archive with all names,
// sorted within each directory, without times and modes. Its bytes depend on the
// kept parts only. Contents of .git directories are left out, as the go command does
// not look there. Whole lists files, relative to src, that are kept as a whole.
func Write(ctx context.Context, w io.Writer, src string, whole ...string) error {
	return writeKinds(ctx, w, src, kindOf, whole)
}

// WriteTests is Write for a plan of tests, which also depends on the signatures of
// tests and on the output that examples must have.
func WriteTests(ctx context.Context, w io.Writer, src string, whole ...string) error {
	return writeKinds(ctx, w, src, testKindOf, whole)
}

func writeKinds(ctx context.Context, w io.Writer, src string, kindOf func(string) kind, whole []string) error {
	entries, err := list(src, kindOf, whole)
	if err != nil {
		return fmt.Errorf("making the skeleton: %w", err)
	}
	if err := readAll(ctx, src, entries); err != nil {
		return fmt.Errorf("making the skeleton: %w", err)
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	archive := tar.NewWriter(buf)
	for _, e := range entries {
		// GNU's is the only format of tar that can hold any name.
		h := tar.Header{Name: e.name, Mode: 0o644, Format: tar.FormatGNU}
		switch {
		case e.mode.IsDir():
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
			h.Name += "/"
		case e.mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname = tar.TypeSymlink, string(e.text)
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.text))
		}
		if err := archive.WriteHeader(&h); err != nil {
			return fmt.Errorf("making the skeleton: %s: %w", e.name, err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := archive.Write(e.text); err != nil {
				return fmt.Errorf("writing the skeleton: %w", err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("writing the skeleton: %w", err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("writing the skeleton: %w", err)
	}
	return nil
}

// list returns the entries of the directory tree src. Files have no text yet. It is
// an error if there is anything but files, directories and symlinks.
func list(src string, kindOf func(string) kind, whole []string) ([]*entry, error) {
	root, err := filepath.EvalSymlinks(src)
	if err != nil {
		return nil, err
	}
	var entries []*entry
	files := map[string]*entry{}
	var links []*entry
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		e := &entry{name: filepath.ToSlash(p[len(root)+1:]), mode: d.Type()}
		entries = append(entries, e)
		switch {
		case d.IsDir():
			if d.Name() == ".git" {
				return fs.SkipDir
			}
		case e.mode&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			if filepath.IsAbs(target) {
				target = Outside
			}
			e.text = []byte(target)
			links = append(links, e)
		case e.mode.IsRegular():
			e.kind = kindOf(d.Name())
			files[e.name] = e
		default:
			return fmt.Errorf("%s is neither a file, nor a directory, nor a symlink", e.name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// fileAt returns the file that a name leads to, or nil, which the go command reports.
	fileAt := func(name string) *entry {
		target, err := filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil
		}
		rel, _ := strings.CutPrefix(target, root+string(filepath.Separator))
		return files[filepath.ToSlash(rel)]
	}
	// The go command also reads a file by the name of a symlink to it.
	for _, link := range links {
		if k := kindOf(filepath.Base(link.name)); k != byName {
			if e := fileAt(link.name); e != nil && e.kind != k {
				e.kind = verbatim
			}
		}
	}
	for _, name := range whole {
		if e := fileAt(name); e != nil {
			e.kind = verbatim
		}
	}
	return entries, nil
}

// readAll reads the kept parts of files in parallel.
func readAll(ctx context.Context, src string, entries []*entry) error {
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	heads := sync.Pool{New: func() any { return new([headSize]byte) }}
	for _, e := range entries {
		if e.kind == byName {
			continue
		}
		group.Go(func() error {
			if running.Err() != nil {
				return context.Cause(running)
			}
			head := heads.Get().(*[headSize]byte)
			defer heads.Put(head)
			return e.read(src, head[:])
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// headSize is the number of bytes of a file that are read first. Most headers are
// shorter.
const headSize = 8 << 10

// read reads the kept part of a file. buf has headSize bytes.
func (e *entry) read(src string, buf []byte) error {
	f, err := os.Open(filepath.Join(src, filepath.FromSlash(e.name)))
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if kept, ok := reduce(e.kind, buf[:n], err != nil); ok {
		e.text = bytes.Clone(kept) // buf is used again
		return nil
	}
	rest, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	e.text, _ = reduce(e.kind, slices.Concat(buf[:n], rest), true)
	return nil
}

// Unpack unpacks a skeleton to dir, which it makes with all directories above it.
func Unpack(r io.Reader, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	archive := tar.NewReader(bufio.NewReaderSize(r, 1<<16))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking the skeleton: %w", err)
		}
		file := filepath.Join(dir, filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.Mkdir(file, 0o777)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, file)
		default:
			err = unpackFile(archive, file)
		}
		if err != nil {
			return fmt.Errorf("unpacking the skeleton: %w", err)
		}
	}
}

func unpackFile(r io.Reader, file string) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	_, err = io.Copy(f, r)
	return err
}
