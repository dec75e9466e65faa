package nar

import (
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"sync"
)

// The NAR writer of go-nix is not used: it passes every header to a goroutine,
// which leaks after an error, and it refuses names that begin with two dots.

// An encoder writes a NAR: it is the visitor of [Tree.WriteNAR] and [Tree.Hash].
type encoder struct {
	w    io.Writer
	buf  []byte // not yet written; its capacity is fixed
	size int64  // of the NAR so far, including buf
}

// encoders is a pool: there are many small trees, and each encoder has a large
// buffer.
var encoders = sync.Pool{New: func() any { return &encoder{buf: make([]byte, 0, 64<<10)} }}

func (e *encoder) reset(w io.Writer) {
	e.w, e.buf, e.size = w, e.buf[:0], 0
}

// write writes the tree with an encoder.
func (t Tree) write(e *encoder) error {
	defer func() { e.w = nil }() // a pooled encoder must not hold the writer
	if err := e.strings("nix-archive-1"); err != nil {
		return err
	}
	if err := t.walk(e); err != nil {
		return err
	}
	return e.flush()
}

func (e *encoder) flush() error {
	_, err := e.w.Write(e.buf)
	e.buf = e.buf[:0]
	if err != nil {
		return fmt.Errorf("writing NAR: %w", err)
	}
	return nil
}

// FileNAR returns the NAR of a non-executable file with these contents.
func FileNAR(contents []byte) []byte {
	b := make([]byte, 0, 8*16+len(contents))
	for _, s := range []string{"nix-archive-1", "(", "type", "regular", "contents"} {
		b = appendString(b, s)
	}
	b = appendString(b, contents)
	return appendString(b, ")")
}

// appendString appends a NAR string: its length in 8 bytes, little endian, then
// the bytes, padded with zeros to a multiple of 8.
func appendString[S []byte | string](b []byte, s S) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	b = append(b, s...)
	return append(b, make([]byte, -len(s)&7)...)
}

// room returns n more bytes of the buffer, after flushing it if needed. n must not
// be larger than the buffer.
func (e *encoder) room(n int) ([]byte, error) {
	if len(e.buf)+n > cap(e.buf) {
		if err := e.flush(); err != nil {
			return nil, err
		}
	}
	start := len(e.buf)
	e.buf = e.buf[:start+n]
	e.size += int64(n)
	return e.buf[start:], nil
}

// strings writes NAR strings.
func (e *encoder) strings(ss ...string) error {
	for _, s := range ss {
		if 8+len(s)+7 > cap(e.buf) {
			// No file system allows such names or symlink targets.
			return fmt.Errorf("string of %d bytes is too long for a NAR", len(s))
		}
		b, err := e.room(8 + (len(s)+7)&^7)
		if err != nil {
			return err
		}
		appendString(b[:0], s)
	}
	return nil
}

// open begins a node: the root, or an entry of the current directory.
func (e *encoder) open(rel string) error {
	if rel == "" {
		return e.strings("(", "type")
	}
	return e.strings("entry", "(", "name", path.Base(rel), "node", "(", "type")
}

func (e *encoder) close(rel string) error {
	if rel == "" {
		return e.strings(")")
	}
	return e.strings(")", ")")
}

func (e *encoder) enter(rel string) error {
	if err := e.open(rel); err != nil {
		return err
	}
	return e.strings("directory")
}

func (e *encoder) leave(rel string) error { return e.close(rel) }

func (e *encoder) symlink(rel, target string) error {
	if err := e.open(rel); err != nil {
		return err
	}
	if err := e.strings("symlink", "target", target); err != nil {
		return err
	}
	return e.close(rel)
}

func (e *encoder) file(rel string, r io.Reader, size int64, executable bool) error {
	if err := e.open(rel); err != nil {
		return err
	}
	if err := e.strings("regular"); err != nil {
		return err
	}
	if executable {
		if err := e.strings("executable", ""); err != nil {
			return err
		}
	}
	if err := e.strings("contents"); err != nil {
		return err
	}
	if err := e.contents(r, size); err != nil {
		return err
	}
	return e.close(rel)
}

// contents writes the contents of a file, which it reads into the buffer directly.
func (e *encoder) contents(r io.Reader, size int64) error {
	b, err := e.room(8)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(b, uint64(size))
	for left := size; left > 0; {
		if len(e.buf) == cap(e.buf) {
			if err := e.flush(); err != nil {
				return err
			}
		}
		b, err := e.room(int(min(left, int64(cap(e.buf)-len(e.buf)))))
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		left -= int64(len(b))
	}
	pad, err := e.room(int(-size & 7))
	if err != nil {
		return err
	}
	clear(pad)
	return nil
}
