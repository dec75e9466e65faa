package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Symlinks into the store lead to copies; other files do not change.
func TestWriteSources(t *testing.T) {
	store, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(store, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(store, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(store, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("src/main.go", "main", 0o444)
	write("src/run.sh", "run", 0o555)
	write("lib/a/a.go", "a", 0o444)
	write("lib/b.go", "b", 0o444)
	link("../b.go", "lib/a/beside.go")
	link("main.go", "src/relative.go")
	link(store+"/src/main.go", "src/sub/absolute.go")
	link(store+"/lib/b.go", "src/file.go")
	link(store+"/lib/a", "src/dir")
	link("../../lib/b.go", "src/sub/up.go")
	link(store+"/none", "src/none")
	link("/etc/passwd", "src/outside")
	link("dir", "src/again")
	link(store+"/lib", "lib/a/circle")
	write("src/_linked/x", "x", 0o444)
	out := filepath.Join(t.TempDir(), "out")
	if err := WriteSources(&SourcesConfig{Src: store + "/src", StoreDir: store}, out); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel := strings.TrimPrefix(path, out+"/")
		if d.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			got[rel] = "-> " + target
			return err
		}
		text, err := os.ReadFile(path)
		got[rel] = string(text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"main.go": "main", "run.sh": "run", "relative.go": "-> main.go", "sub/absolute.go": "-> ../main.go", "file.go": "-> _linked_/lib/b.go",
		"dir": "-> _linked_/lib/a", "sub/up.go": "-> ../_linked_/lib/b.go", "again": "-> dir", "_linked/x": "x",
		"_linked_/go.mod": "module linked\n", "_linked_/lib/a/a.go": "a", "_linked_/lib/a/beside.go": "b", "_linked_/lib/b.go": "b", "_linked_/lib/a/circle/b.go": "b", "none": "-> " + store + "/none", "outside": "-> /etc/passwd",
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is %q, want %q", name, got[name], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("there is %v", got)
	}
	if info, err := os.Stat(filepath.Join(out, "run.sh")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("run.sh: %v, %v", info, err)
	}
}
