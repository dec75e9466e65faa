package modules

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

// archive writes a module's archive, and its hash beside it.
func archive(t *testing.T, cache, name string, files ...string) string {
	t.Helper()
	file := filepath.Join(cache, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, name := range files {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	sum, err := dirhash.HashZip(file, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+"hash", []byte(sum+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUnpack(t *testing.T) {
	cache, dir := t.TempDir(), filepath.Join(t.TempDir(), "unpacked")
	archive(t, cache, "example.org/!upper/@v/v1.0.0-!r!c1.zip", "example.org/Upper@v1.0.0-RC1/go.mod", "example.org/Upper@v1.0.0-RC1/sub/x.go")
	archive(t, cache, "example.org/!upper/sub/v2/@v/v2.1.0.zip", "example.org/Upper/sub/v2@v2.1.0/y.go")
	archive(t, cache, "not/a/module.zip", "not")
	if err := Unpack(t.Context(), cache, dir); err != nil {
		t.Fatal(err)
	}
	mods, err := ReadUnpacked(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(mods) != 2 {
		t.Fatalf("the modules are %+v", mods)
	}
	// Both are in one directory, as in GOMODCACHE.
	for i, want := range []struct{ path, version, name, root, file string }{
		{"example.org/Upper/sub/v2", "v2.1.0", "example.org-Upper-sub-v2-v2.1.0", "example.org/!upper/sub/v2@v2.1.0", "y.go"},
		{"example.org/Upper", "v1.0.0-RC1", "example.org-Upper-v1.0.0-RC1", "example.org/!upper@v1.0.0-!r!c1", "sub/x.go"},
	} {
		m := mods[i]
		if m.Path != want.path || m.Version != want.version || m.Tree.Name != want.name || m.Tree.Root != filepath.Join(dir, want.root) || !m.HasTree() {
			t.Errorf("module %d is %+v, want %+v", i, m, want)
		}
		if _, err := os.Stat(filepath.Join(m.Tree.Root, want.file)); err != nil {
			t.Error(err)
		}
	}
}

func TestUnpackErrors(t *testing.T) {
	for _, test := range []struct {
		name, file string
		files      []string
		change     func(file string) error
		want       string
	}{
		{"another hash", "a.b/c/@v/v1.0.0.zip", []string{"a.b/c@v1.0.0/x"}, func(file string) error { return os.WriteFile(file+"hash", []byte("h1:x"), 0o666) }, "v1.0.0.ziphash has h1:x"},
		{"no hash", "a.b/c/@v/v1.0.0.zip", []string{"a.b/c@v1.0.0/x"}, func(file string) error { return os.Remove(file + "hash") }, "v1.0.0.ziphash: no such file"},
		{"no archive", "a.b/c/@v/v1.0.0.zip", []string{"a.b/c@v1.0.0/x"}, func(file string) error { return os.Truncate(file, 3) }, "not a valid zip file"},
		{"of another module", "a.b/c/@v/v1.0.0.zip", []string{"a.b/d@v1.0.0/x"}, nil, "a.b/d@v1.0.0/x"},
		{"leaves its directory", "a.b/c/@v/v1.0.0.zip", []string{"a.b/c@v1.0.0/../x"}, nil, "a.b/c@v1.0.0/../x"},
		{"no version", "a.b/c/@v/1.0.zip", []string{"x"}, nil, "1.0.zip"},
		{"no path", "a.b/C/@v/v1.0.0.zip", []string{"x"}, nil, `invalid escaped module path "a.b/C"`},
	} {
		cache := t.TempDir()
		file := archive(t, cache, test.file, test.files...)
		if test.change != nil {
			if err := test.change(file); err != nil {
				t.Fatal(err)
			}
		}
		err := Unpack(t.Context(), cache, filepath.Join(t.TempDir(), "unpacked"))
		if err == nil || !strings.HasPrefix(err.Error(), "unpacking "+file) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.want)
		}
	}
	if err := Unpack(t.Context(), "/nowhere", t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no cache: %v", err)
	}
	if _, err := ReadUnpacked("/nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing unpacked: %v", err)
	}
	cache := t.TempDir()
	archive(t, cache, "a.b/c/@v/v1.0.0.zip", "a.b/c@v1.0.0/x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Unpack(ctx, cache, filepath.Join(t.TempDir(), "unpacked")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
