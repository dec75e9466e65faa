package socket

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dgd/internal/nix/nar"
	"dgd/internal/testrpc"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/wire"
)

// A fakeDaemon is a server of the part of the worker protocol that Recursive needs. It
// behaves as a recursive Nix.
type fakeDaemon struct {
	t       *testing.T
	socket  string
	version uint64
	valid   map[string]bool // paths in the store
	usable  map[string]bool // paths that the client can use
	refused map[string]bool // paths that were refused, which Nix then takes for valid
	adds    int             // number of requests to add objects
	hangUp  bool            // close the connection in place of an answer
	hang    chan struct{}   // if not nil, do not answer until it is closed, at the end of the test
	open    func(remote string) *Recursive
	done    chan error
}

func newFakeDaemon(t *testing.T, valid ...string) *fakeDaemon {
	t.Helper()
	f := &fakeDaemon{
		t:       t,
		socket:  filepath.Join(t.TempDir(), "socket"),
		version: daemon.ProtocolVersion,
		valid:   make(map[string]bool),
		usable:  make(map[string]bool),
		refused: make(map[string]bool),
		done:    make(chan error, 1),
	}
	f.open = func(remote string) *Recursive {
		r, err := OpenRecursive(t.Context(), remote, "/nix/store")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, path := range valid {
		f.valid[path] = true
	}
	return f
}

// start serves one connection and returns its client.
func (f *fakeDaemon) start() *Recursive {
	f.t.Helper()
	l, err := net.Listen("unix", f.socket)
	if err != nil {
		f.t.Fatal(err)
	}
	go func() {
		defer l.Close()
		conn, err := l.Accept()
		if err != nil {
			f.done <- err
			return
		}
		defer conn.Close()
		f.done <- f.serve(bufio.NewReader(conn), conn)
	}()
	r := f.open("unix://" + f.socket)
	f.t.Cleanup(func() {
		r.Close()
		if f.hang != nil {
			close(f.hang)
		}
		if err := <-f.done; err != nil {
			f.t.Error("fake daemon:", err)
		}
	})
	return r
}

func (f *fakeDaemon) serve(r *bufio.Reader, conn io.Writer) error {
	w := bufio.NewWriter(conn)
	enc := wire.NewEncoder(w)
	dec := wire.NewDecoder(r, 1<<30)
	if magic, err := dec.ReadUint64(); err != nil || magic != daemon.ClientMagic {
		return fmt.Errorf("magic %x, %v", magic, err)
	}
	enc.WriteUint64(daemon.ServerMagic)
	enc.WriteUint64(f.version)
	w.Flush()
	version, err := dec.ReadUint64()
	if err != nil {
		return err
	}
	if version >= daemon.ProtoVersionFeatureExchange {
		enc.WriteStrings(nil)
		w.Flush()
		if _, err := dec.ReadStrings(); err != nil {
			return err
		}
	}
	for range 2 {
		if _, err := dec.ReadBool(); err != nil {
			return err
		}
	}
	if version >= daemon.ProtoVersionNixVersion {
		enc.WriteString("2.34.8")
	}
	if version >= daemon.ProtoVersionTrust {
		enc.WriteUint64(2) // not trusted
	}
	enc.WriteUint64(uint64(daemon.LogLast))
	w.Flush()
	for {
		op, err := dec.ReadUint64()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var opErr error
		var answer []string
		switch daemon.Operation(op) {
		case daemon.OpQueryValidPaths:
			paths, err := dec.ReadStrings()
			if err != nil {
				return err
			}
			if _, err := dec.ReadBool(); err != nil {
				return err
			}
			answer = []string{}
			for _, path := range paths {
				if f.usable[path] {
					answer = append(answer, path)
				}
			}
		case daemon.OpAddMultipleToStore:
			f.adds++
			for range 2 {
				if v, err := dec.ReadBool(); err != nil || v {
					return fmt.Errorf("flag %v, %v", v, err)
				}
			}
			framed := daemon.NewFramedReader(r)
			opErr = f.addMultiple(framed)
			if _, err := io.Copy(io.Discard, framed); err != nil {
				return nil // the client gave up
			}
		default:
			return fmt.Errorf("operation %d", op)
		}
		if f.hangUp {
			return nil
		}
		if f.hang != nil {
			<-f.hang
			return nil
		}
		if opErr != nil {
			enc.WriteUint64(uint64(daemon.LogError))
			enc.WriteString("Error")
			enc.WriteUint64(0)
			enc.WriteString("Error")
			enc.WriteString(opErr.Error())
			enc.WriteUint64(0)
			enc.WriteUint64(0)
		} else {
			enc.WriteUint64(uint64(daemon.LogLast))
			if answer != nil {
				enc.WriteStrings(answer)
			}
		}
		w.Flush()
	}
}

func (f *fakeDaemon) addMultiple(r io.Reader) error {
	return testrpc.ReadObjects(r, daemon.ProtocolVersion, func(path string, info *daemon.PathInfo, data []byte) error {
		_, name, _ := strings.Cut(path, "-")
		var want, ca string
		if strings.HasPrefix(info.CA, "text:") {
			_, text, _ := bytes.Cut(data, []byte("contents"))
			size := int(text[0]) + int(text[1])<<8
			text = text[8:][:size]
			want = nar.TextPath("/nix/store", name, text, info.References)
			ca = "text:sha256:" + nar.Hash{SHA256: sha256.Sum256(text)}.Nix32()
		} else {
			h := nar.Hash{SHA256: sha256.Sum256(data), Size: int64(len(data))}
			want = h.StorePath("/nix/store", name)
			ca = "fixed:r:sha256:" + h.Nix32()
		}
		if path != want || info.CA != ca {
			return fmt.Errorf("path %s has content address %s, want %s, %s", path, info.CA, want, ca)
		}
		if !f.valid[path] && !f.refused[path] {
			for _, ref := range slices.Sorted(slices.Values(info.References)) {
				if !f.valid[ref] {
					f.refused[path] = true
					return fmt.Errorf("path '%s' is not valid", ref)
				}
			}
			f.valid[path] = true
		}
		f.usable[path] = true
		return nil
	})
}

func TestRecursiveFake(t *testing.T) {
	const goroot = "/nix/store/00000000000000000000000000000000-go"
	f := newFakeDaemon(t, goroot)
	f.usable[goroot] = true
	r := f.start()
	dir := t.TempDir()
	b := func() Batch {
		var b Batch
		var last string
		for i := range 300 {
			name := fmt.Sprint("f", i)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o666); err != nil {
				t.Fatal(err)
			}
			h, err := nar.Tree{Name: name, Root: dir, Files: []string{name}}.Hash()
			if err != nil {
				t.Fatal(err)
			}
			tree := nar.Hashed{Tree: nar.Tree{Name: name, Root: dir, Files: []string{name}}, Hash: h}
			d := TextFile{Name: name + ".drv", Text: []byte("Derive" + name), Refs: []string{goroot, tree.StorePath("/nix/store")}}
			if last != "" {
				d.Refs = append(d.Refs, last)
			}
			last = d.Path("/nix/store")
			b.Trees = append(b.Trees, tree)
			b.Files = append(b.Files, d)
		}
		b.Use = []string{last}
		return b
	}()
	last := b.Use[0]

	ctx := t.Context()
	if err := r.Add(ctx, b); err != nil {
		t.Fatal(err)
	}
	if n := len(f.valid); n < 601 {
		t.Errorf("%d paths are valid, want 601", n)
	}
	valid, err := r.Valid(ctx, []string{last, goroot, "/nix/store/00000000000000000000000000000000-no"})
	if err != nil || len(valid) != 3 || !valid[last] || !valid[goroot] {
		t.Errorf("Valid: %v, %v", valid, err)
	}

	before := f.adds
	if err := r.Add(ctx, b); err != nil {
		t.Fatal(err)
	}
	if n := f.adds - before; n != 2 || r.Requests() != f.adds {
		t.Errorf("adding again took %d requests", n)
	}

	// An edit of a tree.
	for i := 250; i < 300; i++ {
		d := &b.Files[i]
		if i == 250 {
			d.Text = []byte("edited")
		} else {
			d.Refs[2] = b.Files[i-1].Path("/nix/store")
		}
	}
	b.Use = []string{b.Files[299].Path("/nix/store")}
	if err := r.Add(ctx, b); err != nil {
		t.Fatal(err)
	}
	for _, d := range b.Files {
		if !f.valid[d.Path("/nix/store")] {
			t.Errorf("%s was not added", d.Name)
		}
	}

	// A reference to a path that neither the store nor the batch has is an error, after
	// which the client can still be used.
	const no = "/nix/store/00000000000000000000000000000000-no"
	_, err = addDerivations(ctx, r, []TextFile{{Name: "x.drv", Refs: []string{no}}})
	if err == nil || !strings.Contains(err.Error(), no) || !strings.Contains(err.Error(), "adding x.drv to the store") {
		t.Errorf("missing reference: %v", err)
	}
	paths, err := addTrees(ctx, r, b.Trees[:2])
	if err != nil || !slices.Equal(paths, []string{b.Trees[0].StorePath("/nix/store"), b.Trees[1].StorePath("/nix/store")}) {
		t.Errorf("adding trees: %q, %v", paths, err)
	}
	paths, err = addDerivations(ctx, r, b.Files[:1])
	if err != nil || !slices.Equal(paths, []string{b.Files[0].Path("/nix/store")}) {
		t.Errorf("adding derivations: %q, %v", paths, err)
	}

	// A tree that changed after it was hashed is an error.
	if err := os.WriteFile(filepath.Join(dir, "f7"), []byte("changed, and longer"), 0o666); err != nil {
		t.Fatal(err)
	}
	delete(f.valid, b.Trees[7].StorePath("/nix/store"))
	if _, err := addTrees(ctx, r, b.Trees[7:8]); err == nil {
		t.Error("changed tree: no error")
	}
}

func TestRecursiveErrors(t *testing.T) {
	d := []TextFile{{Name: "x.drv", Text: []byte("x")}}
	t.Run("remote", func(t *testing.T) {
		_, err := OpenRecursive(t.Context(), "", "/nix/store")
		if err == nil || !strings.Contains(err.Error(), "recursive-nix") {
			t.Errorf("no NIX_REMOTE: %v", err)
		}
		_, err = OpenRecursive(t.Context(), "unix:///no/where", "/nix/store")
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("no socket: %v", err)
		}
	})
	t.Run("old", func(t *testing.T) {
		f := newFakeDaemon(t)
		f.version = 1<<8 | 31
		_, err := addDerivations(t.Context(), f.start(), d)
		if err == nil || !strings.Contains(err.Error(), "version 1.31 of the protocol") {
			t.Error(err)
		}
	})
	t.Run("hang up", func(t *testing.T) {
		f := newFakeDaemon(t)
		f.hangUp = true
		r := f.start()
		if _, err := addDerivations(t.Context(), r, d); !errors.Is(err, io.EOF) {
			t.Errorf("first: %v", err)
		}
		if _, err := addDerivations(t.Context(), r, d); err == nil || !strings.Contains(err.Error(), "failed before") {
			t.Errorf("second: %v", err)
		}
		if _, err := r.Valid(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "failed before") {
			t.Errorf("Valid: %v", err)
		}
	})
	t.Run("hang up on Valid", func(t *testing.T) {
		f := newFakeDaemon(t)
		f.hangUp = true
		if _, err := f.start().Valid(t.Context(), nil); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	t.Run("hang up on a probe", func(t *testing.T) {
		f := newFakeDaemon(t)
		f.hangUp = true
		if err := f.start().Add(t.Context(), (&dag{make([][]int, 20), make([]int, 20)}).batch()); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	t.Run("canceled", func(t *testing.T) {
		f := newFakeDaemon(t)
		f.hang = make(chan struct{})
		r := f.start()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := addDerivations(ctx, r, d); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("missing file", func(t *testing.T) {
		f := newFakeDaemon(t)
		r := f.start()
		tree := nar.Hashed{Tree: nar.Tree{Name: "t", Root: "/no/where"}}
		if _, err := addTrees(t.Context(), r, []nar.Hashed{tree}); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}

func TestChunk(t *testing.T) {
	tree := func(size int64) *object {
		return &object{tree: &nar.Hashed{Hash: nar.Hash{Size: size}}}
	}
	for _, test := range []struct {
		sizes []int64
		want  int
	}{
		{[]int64{1}, 1},
		{[]int64{maxBytes + 1}, 1},
		{[]int64{maxBytes + 1, 1}, 1},
		{[]int64{maxBytes / 2, maxBytes / 2, 1}, 2},
		{slices.Repeat([]int64{1}, maxObjects), maxObjects},
		{slices.Repeat([]int64{1}, maxObjects+1), maxObjects},
	} {
		var objects []*object
		for _, size := range test.sizes {
			objects = append(objects, tree(size))
		}
		if got := chunk(objects); got != test.want {
			t.Errorf("of %d objects, %d are in a request, not %d", len(test.sizes), got, test.want)
		}
	}
	drv := &object{file: &TextFile{Text: []byte("x")}}
	if got := chunk([]*object{drv, tree(maxBytes), drv}); got != 1 {
		t.Errorf("a derivation and a tree: %d", got)
	}
}
