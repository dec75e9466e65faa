package nar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dgd/internal/testnix"

	"github.com/nix-community/go-nix/pkg/derivation"
	"github.com/nix-community/go-nix/pkg/nar"
)

func TestName(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, test := range []struct{ in, want string }{
		{"golang.org/x/text@v0.3.0", "golang.org-x-text-v0.3.0"},
		{"github.com/a/b@v1.0.0+incompatible", "github.com-a-b-v1.0.0+incompatible"},
		{"gopkg.in/yaml.v3", "gopkg.in-yaml.v3"},
		{"a b\x00ü", "a-b---"},
		{"A_?=+z", "A_?=+z"},
		{"", "_"},
		{".hidden", "_hidden"},
		{"..", "_."},
		{"/abs", "_abs"},
		{long, long[:200]},
		{long + "/.y", long[:197] + "-.y"},
		{"." + long[:199], "_" + long[:199]},
	} {
		if got := Name(test.in); got != test.want {
			t.Errorf("Name(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestComparePaths(t *testing.T) {
	sorted := []string{"a", "a/", "a/b", "a/b/c", "a!", "a-b", "a-b/c", "a.go", "aa", "b", "é"}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := comparePaths(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("comparePaths(%q, %q) = %d", a, b, got)
			}
		}
	}
}

// writeTree writes files to a new directory. A name that ends in a slash is an empty
// directory, contents "-> x" make a symlink, and contents that begin with "#!" an
// executable file.
func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		switch target, link := strings.CutPrefix(text, "-> "); {
		case err != nil:
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o777)
		case link:
			err = os.Symlink(target, path)
		case strings.HasPrefix(text, "#!"):
			err = os.WriteFile(path, []byte(text), 0o744)
		default:
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var odd = map[string]string{
	"main.go":        "package main\n",
	"run.sh":         "#!/bin/sh\n",
	"link":           "-> sub/x.go",
	"sub/x.go":       "package sub\n",
	"sub/dangling":   "-> /no/where",
	"sub-dir/y.go":   strings.Repeat("y", 200_000),
	"sub.go":         "",
	"..data":         "two dots",
	"...":            "three",
	"a b'c\"$(d).go": "odd",
	"\n":             "newline",
	"ünï":            "not ASCII",
	"\xff\xfe":       "not UTF-8",
	"x/empty/":       "",
	"x/y/z/deep":     "12345678",
}

// nodes returns the nodes of a NAR as lines.
func nodes(t testing.TB, r io.Reader) []string {
	t.Helper()
	nr, err := nar.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	defer nr.Close()
	var list []string
	for {
		h, err := nr.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s", h.Path, h.Type)
		if h.Executable {
			line += " executable"
		}
		if h.LinkTarget != "" {
			line += " -> " + h.LinkTarget
		}
		list = append(list, line)
	}
}

func TestTreeNodes(t *testing.T) {
	root := writeTree(t, odd)
	for _, test := range []struct {
		name    string
		files   []string
		exclude []string
		want    string
	}{
		{name: "files", files: []string{"sub/x.go", "run.sh", "link", "sub.go", "sub-dir/y.go", "x/y/z/deep", "sub/x.go"}, want: `
/ directory
/link symlink -> sub/x.go
/run.sh regular executable
/sub directory
/sub/x.go regular
/sub-dir directory
/sub-dir/y.go regular
/sub.go regular
/x directory
/x/y directory
/x/y/z directory
/x/y/z/deep regular`},
		{name: "a directory in the list", files: []string{"x", "x/y", "sub/x.go"}, want: `
/ directory
/sub directory
/sub/x.go regular
/x directory
/x/empty directory
/x/y directory
/x/y/z directory
/x/y/z/deep regular`},
		{name: "no files", files: []string{}, want: "\n/ directory"},
		{name: "exclude", exclude: []string{"sub", "x/y/z", "...", "..data", "\n", "\xff\xfe", "a b'c\"$(d).go", "not/there"}, want: `
/ directory
/link symlink -> sub/x.go
/main.go regular
/run.sh regular executable
/sub-dir directory
/sub-dir/y.go regular
/sub.go regular
/x directory
/x/empty directory
/x/y directory
/ünï regular`},
		{name: "files and exclude", files: []string{"x", "sub/x.go", "main.go"}, exclude: []string{"x/y", "sub"}, want: `
/ directory
/main.go regular
/x directory
/x/empty directory`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var buf bytes.Buffer
			tree := Tree{Name: "t", Root: root, Files: test.files, Exclude: test.exclude}
			if err := tree.WriteNAR(&buf); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(nodes(t, &buf), "\n")
			if want := test.want[1:]; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestTreeErrors(t *testing.T) {
	root := writeTree(t, map[string]string{"file": "", "d/f": "", "link": "-> d"})
	for _, test := range []struct {
		files, exclude []string
		root           string
		want           string
		is             error
	}{
		{files: []string{"/abs"}, want: `"/abs" is not a clean relative path`},
		{files: []string{"a/../b"}, want: `"a/../b" is not a clean relative path`},
		{files: []string{"a//b"}, want: `"a//b" is not a clean relative path`},
		{files: []string{"a/"}, want: `"a/" is not a clean relative path`},
		{files: []string{"."}, want: `"." is not a clean relative path`},
		{files: []string{"a\x00b"}, want: `"a\x00b" is not a clean relative path`},
		{files: []string{""}, want: "empty path"},
		{exclude: []string{"../x"}, want: `exclude: "../x" is not a clean relative path`},
		{files: []string{"not/there"}, want: "no such file", is: fs.ErrNotExist},
		{files: []string{"d/none"}, want: "no such file", is: fs.ErrNotExist},
		{files: []string{"file/below"}, want: "not a directory"},
		{files: []string{"link/f"}, want: "not a directory"},
		{root: "/dev", files: []string{"null"}, want: "/dev/null: is neither"},
		{root: "/no/where", want: "no such file", is: fs.ErrNotExist},
	} {
		tree := Tree{Name: "some-name", Root: root, Files: test.files, Exclude: test.exclude}
		if test.root != "" {
			tree.Root = test.root
		}
		_, err := tree.Hash()
		switch {
		case err == nil:
			t.Errorf("%q: no error", test.files)
		case !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "tree some-name: "):
			t.Errorf("%q: error %q does not tell %q", test.files, err, test.want)
		case test.is != nil && !errors.Is(err, test.is):
			t.Errorf("%q: error %q is not %v", test.files, err, test.is)
		}
	}
}

type failWriter struct{ n int }

func (w *failWriter) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	root := writeTree(t, odd)
	for _, n := range []int{0, 100_000} {
		err := Tree{Name: "t", Root: root}.WriteNAR(&failWriter{n})
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// With a very small buffer the NAR is the same, and each failed write is an error. A
// string that is longer than the buffer is an error.
func TestSmallBuffer(t *testing.T) {
	tree := Tree{Name: "t", Root: writeTree(t, map[string]string{
		"a": strings.Repeat("text ", 30), "dir/empty": "", "dir/run": "#!/bin/sh", "link": "-> dir/run",
	})}
	var want bytes.Buffer
	if err := tree.WriteNAR(&want); err != nil {
		t.Fatal(err)
	}
	small := func(w io.Writer, size int) error {
		e := &encoder{buf: make([]byte, 0, size)}
		e.reset(w)
		return tree.write(e)
	}
	var got bytes.Buffer
	if err := small(&got, 32); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes, want %d: %v", got.Len(), want.Len(), err)
	}
	for n := range want.Len() {
		if err := small(&failWriter{n}, 32); !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if err := small(io.Discard, 16); err == nil || !strings.Contains(err.Error(), "string of 13 bytes is too long") {
		t.Errorf("a string that is longer than the buffer: %v", err)
	}
}

// A file that gets shorter while it is read is an error that names it.
func TestShrunk(t *testing.T) {
	root := writeTree(t, map[string]string{"a": "text"})
	fd, err := open(filepath.Join(root, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	e := &encoder{buf: make([]byte, 0, 64)}
	e.reset(io.Discard)
	if err := e.contents(fileReader{fd, "a"}, 10); !errors.Is(err, errShrunk) || !strings.Contains(err.Error(), "read a:") {
		t.Errorf("the error is %v", err)
	}
	if _, err := (fileReader{-1, "b"}).Read(make([]byte, 1)); !errors.Is(err, syscall.EBADF) || !strings.Contains(err.Error(), "read b:") {
		t.Errorf("the error is %v", err)
	}
}

func TestHashAll(t *testing.T) {
	root := writeTree(t, odd)
	var trees []Tree
	for i := range 50 {
		trees = append(trees, Tree{Name: fmt.Sprint(i), Root: root, Files: []string{"main.go", "sub"}[:i%3]})
	}
	hashed, err := HashAll(context.Background(), trees)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range hashed {
		want, err := trees[i].Hash()
		if err != nil {
			t.Fatal(err)
		}
		if h.Hash != want || h.Name != trees[i].Name {
			t.Errorf("tree %d: hash differs from that of Hash", i)
		}
	}

	trees[25].Files = []string{"missing"}
	if _, err := HashAll(context.Background(), trees); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with a missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := HashAll(ctx, trees); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if hashed, err := HashAll(context.Background(), nil); err != nil || len(hashed) != 0 {
		t.Errorf("nothing: %v, %v", hashed, err)
	}
}

func TestCopyTo(t *testing.T) {
	root := writeTree(t, odd)
	tree := Tree{Name: "t", Root: root, Exclude: []string{"sub-dir"}}
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := tree.CopyTo(dir); err != nil {
		t.Fatal(err)
	}
	want, err := tree.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (Tree{Root: dir}).Hash(); err != nil || got != want {
		t.Errorf("the copy differs: %v", err)
	}
	if err := tree.CopyTo(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a copy: %v", err)
	}
}

// TestNAR compares NARs with those of go-nix, for trees that it supports.
func TestNAR(t *testing.T) {
	files := make(map[string]string)
	for name, text := range odd {
		if !strings.HasPrefix(name, "..") {
			files[name] = text
		}
	}
	root := writeTree(t, files)
	var got, want bytes.Buffer
	if err := (Tree{Root: root}).WriteNAR(&got); err != nil {
		t.Fatal(err)
	}
	if err := nar.DumpPath(&want, root); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("the NAR differs from that of go-nix")
	}

	got.Reset()
	want.Reset()
	file := filepath.Join(root, "main.go")
	if err := nar.DumpPath(&want, file); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(FileNAR([]byte(files["main.go"])), want.Bytes()) {
		t.Error("the NAR of a file differs from that of go-nix")
	}
}

func TestTextPath(t *testing.T) {
	// Compare the path of a .drv file with that of go-nix.
	drv := &derivation.Derivation{
		Outputs:   map[string]*derivation.Output{"out": {HashAlgorithm: "r:sha256"}},
		Platform:  "x86_64-linux",
		Builder:   "/bin/sh",
		Arguments: []string{"-c", "true"},
		Env:       map[string]string{"name": "some"},
		InputSources: []string{
			"/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-a",
			"/nix/store/zzbgd045z0d4icpbc2yyz4gx48ak44la-b",
		},
		InputDerivations: map[string][]string{"/nix/store/1jbgd045z0d4icpbc2yyz4gx48ak44la-c.drv": {"out"}},
	}
	want, err := drv.DrvPath()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := drv.WriteDerivation(&text); err != nil {
		t.Fatal(err)
	}
	refs := append([]string{"/nix/store/1jbgd045z0d4icpbc2yyz4gx48ak44la-c.drv"}, drv.InputSources...)
	refs = append(refs, refs[0])
	if got := TextPath("/nix/store", "some.drv", text.Bytes(), refs); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNix compares hashes and store paths with those of Nix.
func TestNix(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	root := writeTree(t, odd)

	t.Run("add", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "some-name")
		if err := os.Rename(root, dir); err != nil {
			t.Fatal(err)
		}
		defer os.Rename(dir, root)
		tree := Tree{Name: "some-name", Root: dir}
		want := st.Run(t, "nix-store", "--add", dir)
		h, err := tree.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if got := h.StorePath("/nix/store", tree.Name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := "sha256:"+h.Nix32(), st.Run(t, "nix-store", "--query", "--hash", want); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if want := st.Run(t, "nix-store", "--dump", dir); h.Size != int64(len(want)) {
			t.Errorf("size: got %d, want %d", h.Size, len(want))
		}
	})

	eval := func(t *testing.T, expr string) string {
		t.Helper()
		return st.Run(t, "nix-instantiate", "--eval", "--raw", "--read-write-mode", "--expr", expr)
	}
	t.Run("builtins.path", func(t *testing.T) {
		tree := Tree{Name: Name("example.com/m@v1.2.3"), Root: root, Exclude: []string{"sub", "x/y", "..."}}
		want := eval(t, `builtins.path {
			name = "`+tree.Name+`";
			path = `+root+`;
			filter = p: _: !builtins.elem p (map (n: "`+root+`/" + n) [ "sub" "x/y" "..." ]);
		}`)
		h, err := tree.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if got := h.StorePath("/nix/store", tree.Name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("fixed output", func(t *testing.T) {
		tree := Tree{Name: "files", Root: root, Files: []string{"x/y/z/deep", "run.sh", "link"}}
		h, err := tree.Hash()
		if err != nil {
			t.Fatal(err)
		}
		want := eval(t, `(derivation {
			name = "files"; system = "x"; builder = "x";
			outputHashMode = "recursive"; outputHash = "`+h.SRI()+`";
		}).outPath`)
		if got := h.StorePath("/nix/store", "files"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("text", func(t *testing.T) {
		a := eval(t, `builtins.toFile "a" "A"`)
		if got := TextPath("/nix/store", "a", []byte("A"), nil); got != a {
			t.Errorf("got %s, want %s", got, a)
		}
		b := eval(t, `let a = builtins.toFile "a" "A"; in builtins.toFile "b" "see ${a}"`)
		if got := TextPath("/nix/store", "b", []byte("see "+a), []string{a}); got != b {
			t.Errorf("got %s, want %s", got, b)
		}
	})
	t.Run("NAR", func(t *testing.T) {
		var buf bytes.Buffer
		if err := (Tree{Root: root}).WriteNAR(&buf); err != nil {
			t.Fatal(err)
		}
		if want := st.Run(t, "nix-store", "--dump", root); buf.String() != want {
			t.Error("the NAR differs from that of nix-store --dump")
		}
	})
	t.Run("names", func(t *testing.T) {
		for _, s := range []string{"", ".", "..", ".-x", "..-x", ".x", "-x", "a/b@v1~2", strings.Repeat("é/", 300)} {
			name := Name(s)
			path := eval(t, `builtins.toFile "`+name+`" ""`)
			if !strings.HasSuffix(path, "-"+name) {
				t.Errorf("%q: %s", s, path)
			}
		}
	})
}

// manyTrees makes n trees of ten small files each.
func manyTrees(b *testing.B, n int) []Tree {
	root := b.TempDir()
	text := bytes.Repeat([]byte("func f() int { return 42 }\n"), 150)
	var trees []Tree
	for i := range n {
		pkg := fmt.Sprintf("p%d", i)
		if err := os.Mkdir(filepath.Join(root, pkg), 0o777); err != nil {
			b.Fatal(err)
		}
		var files []string
		for j := range 10 {
			file := fmt.Sprintf("f%d.go", j)
			if err := os.WriteFile(filepath.Join(root, pkg, file), text, 0o666); err != nil {
				b.Fatal(err)
			}
			files = append(files, file)
		}
		trees = append(trees, Tree{Name: pkg, Root: filepath.Join(root, pkg), Files: files})
	}
	return trees
}

// BenchmarkHashAll hashes 1,000 trees of 10 files of 4 kB.
func BenchmarkHashAll(b *testing.B) {
	trees := manyTrees(b, 1000)
	for _, whole := range []bool{false, true} {
		b.Run(map[bool]string{false: "files", true: "whole"}[whole], func(b *testing.B) {
			list := slices.Clone(trees)
			if whole {
				for i := range list {
					list[i].Files = nil
				}
			}
			for b.Loop() {
				if _, err := HashAll(context.Background(), list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
