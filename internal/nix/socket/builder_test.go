package socket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/wire"

	"dgd/internal/nix/nar"
	"dgd/internal/testrpc"
)

const (
	someGo = "/nix/store/00000000000000000000000000000000-go"
	absent = "/nix/store/11111111111111111111111111111111-no"
)

// openBuilder connects to a server as a derivation without an output path does.
func openBuilder(t *testing.T, s *testrpc.Server) *Builder {
	t.Helper()
	s.Start(t, someGo)
	st, err := Open(t.Context(), Sandbox{Remote: s.Remote(), Name: s.Name, StoreDir: "/nix/store"})
	if err != nil {
		t.Fatal(err)
	}
	return st.(*Builder)
}

// Valid reports for each path whether the store has it and lets the client use it.
func (b *Builder) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	valid := make(map[string]bool, len(paths))
	for _, path := range paths {
		err := b.request(ctx, daemon.OpIsValidPath,
			func(enc *wire.Encoder) error { return enc.WriteString(path) },
			func(dec *wire.Decoder) (err error) {
				valid[path], err = dec.ReadBool()
				return err
			})
		if err != nil {
			return nil, fmt.Errorf("asking the store whether %s is valid: %w", path, err)
		}
	}
	return valid, nil
}

// aDerivation returns a derivation that refers to store paths.
func aDerivation(name string, refs ...string) TextFile {
	sources := ""
	if len(refs) > 0 {
		sources = `"` + strings.Join(refs, `","`) + `"`
	}
	return TextFile{name, []byte(`Derive([("out","","r:sha256","")],[],[` + sources + `],"s","b",[],[])`), refs}
}

// aTree returns a tree of one file.
func aTree(t *testing.T, name string) nar.Hashed {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o666); err != nil {
		t.Fatal(err)
	}
	list, err := nar.HashAll(t.Context(), []nar.Tree{{Name: name, Root: dir, Files: []string{name}}})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// addTrees adds trees, all of them in Use, and returns their store paths.
func addTrees(ctx context.Context, st Client, trees []nar.Hashed) ([]string, error) {
	b := Batch{Trees: trees}
	for _, t := range trees {
		b.Use = append(b.Use, t.StorePath("/nix/store"))
	}
	return b.Use, st.Add(ctx, b)
}

// addDerivations is the same for derivations.
func addDerivations(ctx context.Context, st Client, drvs []TextFile) ([]string, error) {
	b := Batch{Files: drvs}
	for _, d := range drvs {
		b.Use = append(b.Use, d.Path("/nix/store"))
	}
	return b.Use, st.Add(ctx, b)
}

// A graph of derivations is added, and the last one is submitted as the output.
func TestBuilder(t *testing.T) {
	s := &testrpc.Server{Name: "program.drv", Method: "text"}
	st := openBuilder(t, s)
	tree := aTree(t, "src")
	batch := Batch{Trees: []nar.Hashed{tree, tree}}
	last := tree.StorePath("/nix/store")
	want := []string{last}
	for i := range 600 { // more than fit into a request
		d := aDerivation(fmt.Sprintf("d%d.drv", i), last, someGo)
		batch.Files = append(batch.Files, d)
		last = d.Path("/nix/store")
		want = append(want, last)
	}
	batch.Use = []string{last}
	program := aDerivation("program.drv", last)

	ctx := t.Context()
	if err := st.Add(ctx, batch); err != nil {
		t.Fatal(err)
	}
	if err := st.SubmitDerivation(ctx, program); err != nil {
		t.Fatal(err)
	}
	valid, err := st.Valid(ctx, []string{someGo, last, absent})
	if err != nil || len(valid) != 3 || !valid[someGo] || !valid[last] || valid[absent] {
		t.Errorf("Valid: %v, %v", valid, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	path, out, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.Text()
	if err != nil || string(text) != string(program.Text) || path != program.Path("/nix/store") || !slices.Equal(out.Refs, program.Refs) {
		t.Errorf("the output is %s with %s, which refers to %q: %v", path, text, out.Refs, err)
	}
	// 1 tree, 600 derivations and the last one, in requests of at most 250.
	if n := len(s.Objects); n != 602 {
		t.Errorf("%d objects were added", n)
	}
	if want := []uint64{44, 44, 44, 44, 1000, 1, 1, 1}; !slices.Equal(s.Ops, want) {
		t.Errorf("the operations are %d, want %d", s.Ops, want)
	}

	for _, path := range append(want, program.Path("/nix/store")) {
		if _, ok := s.Objects[path]; !ok {
			t.Errorf("%s was not added", path)
		}
	}
}

// A file is scanned for references.
func TestBuilderFile(t *testing.T) {
	s := &testrpc.Server{Name: "modules", Method: "nar"}
	st := openBuilder(t, s)
	paths, err := addTrees(t.Context(), st, []nar.Hashed{aTree(t, "lib"), aTree(t, "other")})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.SubmitFile(t.Context(), []byte("["+paths[0]+"]")); err != nil {
		t.Fatal(err)
	}
	// An output can be submitted only once.
	if err := st.SubmitFile(t.Context(), []byte("again")); err == nil || !strings.Contains(err.Error(), "duplicate output 'out'") {
		t.Errorf("submitted twice: %v", err)
	}
	st.Close()
	_, out, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := out.Text(); err != nil || string(text) != "["+paths[0]+"]" || !slices.Equal(out.Refs, paths[:1]) {
		t.Errorf("the output is %s, which refers to %q: %v", text, out.Refs, err)
	}
}

func TestBuilderErrors(t *testing.T) {
	ctx := t.Context()
	d := aDerivation("x.drv")
	named := func() *testrpc.Server { return &testrpc.Server{Name: "x.drv", Method: "text"} }

	for _, test := range []struct {
		name   string
		server testrpc.Server
		want   string
	}{
		{"magic", testrpc.Server{Magic: 7}, "it answers 0x7, not 0x6478696f"},
		{"old", testrpc.Server{Version: 1<<8 | 37}, "it speaks version 1.37 of the protocol, not 1.38"},
		{"recursive-nix", testrpc.Server{Features: []string{"disable-set-options", "add-to-store-scanning"}}, "it does not offer submit-output: does the derivation require the system feature builder-rpc-v0?"},
	} {
		test.server.Start(t)
		_, err := Open(ctx, Sandbox{Remote: test.server.Remote(), StoreDir: "/nix/store"})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
	for _, remote := range []string{"daemon", "unix:///no/where"} {
		if _, err := Open(ctx, Sandbox{Remote: remote}); err == nil {
			t.Errorf("%s: no error", remote)
		}
	}

	t.Run("missing reference", func(t *testing.T) {
		st := openBuilder(t, named())
		_, err := addDerivations(ctx, st, []TextFile{aDerivation("y.drv", absent)})
		if err == nil || !strings.Contains(err.Error(), "adding y.drv to the store: daemon: path '"+absent+"' is not valid") {
			t.Errorf("the error is %v", err)
		}
		if err := st.SubmitDerivation(ctx, aDerivation("x.drv", absent)); err == nil {
			t.Error("submitted: no error")
		}
		// The connection can still be used.
		if _, err := addDerivations(ctx, st, []TextFile{d}); err != nil {
			t.Error(err)
		}
	})
	// If an object that Nix has refused is sent again, Nix reports no error and does not
	// add it.
	t.Run("once more", func(t *testing.T) {
		s := named()
		st := openBuilder(t, s)
		bad := aDerivation("x.drv", absent)
		path := bad.Path("/nix/store")
		if _, err := addDerivations(ctx, st, []TextFile{bad}); err == nil {
			t.Error("first: no error")
		}
		if valid, err := st.Valid(ctx, []string{path}); err != nil || valid[path] {
			t.Errorf("in between: %v, %v", valid, err)
		}
		if err := st.SubmitDerivation(ctx, bad); err != nil {
			t.Error(err)
		}
		if valid, err := st.Valid(ctx, []string{path}); err != nil || !valid[path] || len(s.Objects) > 0 {
			t.Errorf("afterwards: %v, %v, %d objects", valid, err, len(s.Objects))
		}
		if _, err := addDerivations(ctx, st, []TextFile{aDerivation("y.drv", path)}); err == nil || !strings.Contains(err.Error(), "path '"+path+"' is not valid") {
			t.Errorf("to refer to it: %v", err)
		}
		st.Close()
		if _, _, err := s.Finish(); err == nil || err.Error() != "path '"+path+"' is not valid" {
			t.Errorf("in the end: %v", err)
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		s := named()
		st := openBuilder(t, s)
		batch := Batch{Files: []TextFile{aDerivation("a.drv"), aDerivation("b.drv", absent), aDerivation("c.drv")}}
		if err := st.Add(ctx, batch); err == nil {
			t.Error("no error")
		}
		if _, ok := s.Objects[batch.Files[0].Path("/nix/store")]; !ok || len(s.Objects) != 1 {
			t.Errorf("the objects are %v", s.Objects)
		}
	})
	t.Run("what the builder cannot see", func(t *testing.T) {
		s := &testrpc.Server{Name: "modules", Method: "nar", Others: []string{absent}}
		st := openBuilder(t, s)
		if valid, err := st.Valid(ctx, []string{absent}); err != nil || valid[absent] {
			t.Errorf("Valid: %v, %v", valid, err)
		}
		if _, err := addDerivations(ctx, st, []TextFile{aDerivation("y.drv", absent)}); err != nil {
			t.Error(err)
		}
		if err := st.SubmitFile(ctx, []byte(absent)); err != nil {
			t.Error(err)
		}
		for _, o := range s.Objects {
			if o.Method == "nar" && len(o.Refs) > 0 {
				t.Errorf("in the file %q are found", o.Refs)
			}
		}
	})
	t.Run("no derivation", func(t *testing.T) {
		s := named()
		_, err := addDerivations(ctx, openBuilder(t, s), []TextFile{{Name: "y.drv", Text: []byte("y")}})
		if err == nil || !strings.Contains(err.Error(), "daemon: error parsing derivation '/nix/store/") || len(s.Objects) > 0 {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("refused operation", func(t *testing.T) {
		st := openBuilder(t, named())
		ask := func() error {
			nothing := func(*wire.Encoder) error { return nil }
			return st.request(ctx, 31, nothing, func(*wire.Decoder) error { return nil })
		}
		if err := ask(); err == nil || err.Error() != "daemon: Operation 31 not allowed inside derivation" {
			t.Errorf("the error is %v", err)
		}
		// The server sends the error twice and then closes the connection.
		for range 2 {
			if err := ask(); err == nil {
				t.Error("the connection goes on")
			}
		}
	})
	t.Run("unknown output", func(t *testing.T) {
		s := named()
		st := openBuilder(t, s)
		if err := st.SubmitDerivation(ctx, d); err != nil {
			t.Fatal(err)
		}
		err := st.request(ctx, opSubmitOutput,
			func(enc *wire.Encoder) error {
				return errors.Join(enc.WriteUint64(0), enc.WriteString(d.Path("/nix/store")), enc.WriteString("lib"))
			},
			func(dec *wire.Decoder) error {
				_, err := dec.ReadUint64()
				return err
			})
		if err != nil {
			t.Error(err)
		}
		st.Close()
		if _, _, err := s.Finish(); err == nil || !strings.Contains(err.Error(), "submitted unknown output 'lib'") {
			t.Errorf("in the end: %v", err)
		}
	})
	t.Run("order", func(t *testing.T) {
		st := openBuilder(t, named())
		above := TextFile{Name: "y.drv", Refs: []string{d.Path("/nix/store")}}
		if _, err := addDerivations(ctx, st, []TextFile{above, d}); err == nil || !strings.Contains(err.Error(), "comes before") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("name", func(t *testing.T) {
		err := openBuilder(t, named()).SubmitDerivation(ctx, TextFile{Name: "y.drv"})
		if err == nil || err.Error() != "y.drv is to be the output of x.drv: its name must be the same" {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("nothing submitted", func(t *testing.T) {
		s := named()
		openBuilder(t, s).Close()
		if _, _, err := s.Finish(); err == nil || err.Error() != "builder for 'x.drv' failed to submit output path for 'out'" {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("method", func(t *testing.T) {
		s := named()
		st := openBuilder(t, s)
		if err := st.SubmitFile(ctx, d.Text); err != nil {
			t.Fatal(err)
		}
		st.Close()
		if _, _, err := s.Finish(); err == nil || !strings.Contains(err.Error(), "method 'nar', expected 'text'") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("hang up", func(t *testing.T) {
		s := named()
		s.HangUp = true
		st := openBuilder(t, s)
		if err := st.SubmitFile(ctx, nil); err == nil {
			t.Error("first: no error")
		}
		if err := st.SubmitDerivation(ctx, d); err == nil || !strings.Contains(err.Error(), "failed before") {
			t.Errorf("second: %v", err)
		}
		if _, err := st.Valid(ctx, []string{someGo}); err == nil || !strings.Contains(err.Error(), "failed before") {
			t.Errorf("Valid: %v", err)
		}
	})
	t.Run("canceled", func(t *testing.T) {
		st := openBuilder(t, named())
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := addDerivations(ctx, st, []TextFile{d}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("too late", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(ctx, time.Unix(1, 0))
		defer cancel()
		s := named()
		s.Start(t)
		if _, err := Open(ctx, Sandbox{Remote: s.Remote()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("missing file", func(t *testing.T) {
		tree := nar.Hashed{Tree: nar.Tree{Name: "t", Root: "/no/where"}}
		if _, err := addTrees(ctx, openBuilder(t, named()), []nar.Hashed{tree}); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}

// Open returns the client for the socket that the sandbox offers.
func TestOpen(t *testing.T) {
	if st, err := Open(t.Context(), Sandbox{Out: "/out"}); st != nil || err != nil {
		t.Errorf("without NIX_REMOTE: %v, %v", st, err)
	}
	f := newFakeDaemon(t)
	out := filepath.Join(t.TempDir(), "out")
	f.open = func(remote string) *Recursive {
		st, err := Open(t.Context(), Sandbox{Remote: remote, Out: out, Name: "x.drv", StoreDir: "/nix/store"})
		if err != nil {
			t.Fatal(err)
		}
		return st.(*Recursive)
	}
	st := f.start()
	if err := st.SubmitFile(t.Context(), []byte("file")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "file" {
		t.Errorf("the output is %q, %v", text, err)
	}
	if err := st.SubmitDerivation(t.Context(), TextFile{Name: "x.drv", Text: []byte("Derive")}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "Derive" {
		t.Errorf("the output is %q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := st.SubmitFile(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
