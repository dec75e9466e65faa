package skeleton

import (
	"bytes"
	"cmp"
	"errors"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

// of returns the kept part of a file with that base name and text.
func of(base string, text []byte) []byte {
	kept, _ := reduce(kindOf(base), text, true)
	return kept
}

func TestOf(t *testing.T) {
	const same = "\x00same"
	for _, test := range []struct{ name, text, want string }{
		{"LICENSE", "text", ""},
		{"data.json", "{}", ""},
		{"default.pgo", "profile", ""},
		{"lib.syso", "object", ""},
		{"lib.so", "object", "object"},
		{"lib.so.1.2", "object", "object"},
		{"LIB.A", "object", "object"},
		{"go.mod", "module m\n", same},
		{"other.mod", "module m\n", same},
		{"go.sum", "sum", same},
		{"go.work", "go 1.24\n", same},
		{"go.work.sum", "sum", same},
		{"modules.txt", "# m v1.0.0\n", same},

		{"a.go", "", same},
		{"a.go", "package p", same},
		{"a.go", "package p\n", same},
		{"a.go", "package p // import \"x\"\n\n// F does.\nfunc F() {}\n", "package p // import \"x\"\n"},
		{"a.go", "\ufeffpackage p\n\nvar x int\n", "\ufeffpackage p\n"},
		{"a.go", "package p\r\n\r\nvar x int\r\n", "package p\r\n"},
		{"a.go", "//go:build linux\n\n// Package p is.\npackage p\n\nvar x int\n", "//go:build linux\n\n// Package p is.\npackage p\n"},
		{"a.go", "//go:debug x=1\npackage main\n\nfunc main() {}\n", "//go:debug x=1\npackage main\n"},
		{"a.go", "package p; import \"a\"; func f() {}\n", "package p; import \"a\"; "},
		{"a.go", "package p\nimport (\n\ta \"a\"; . \"b\"\n\t_ `c`\n) // why\n// more\nvar x int", "package p\nimport (\n\ta \"a\"; . \"b\"\n\t_ `c`\n) // why\n"},
		{"a.go", "package p\n\n/*\n#cgo LDFLAGS: -lm\nint f(void);\n*/\nimport \"C\"\nimport \"x\"\nfunc f() {}", "package p\n\n/*\n#cgo LDFLAGS: -lm\nint f(void);\n*/\nimport \"C\"\nimport \"x\"\n"},
		{"a.go", "package p /* a\nb */\n// c\nvar x int", "package p /* a\nb */\n// c\n"},
		{"a.go", "package p\n//line y.go:1\nvar x int", "package p\n//line y.go:1\n"},
		{"a.go", "package p\n// \xff\nvar x int", "package p\n// \xff\n"},
		// Without the import, go/build ignores them.
		{"a.go", "package p\n//go:embed x\nvar x string", "package p\n"},
		{"a.go", "package p\nimport _ \"embed\"\nvar x string", "package p\nimport _ \"embed\"\n"},
		{
			"a.go", "package p\nimport _ \"embed\"\n//go:embed a\nvar x string\nvar y = `\n//go:embed b\n`\n \t//go:embed\t\"c\" `d`\nvar z int //go:embed e\n/*\n*/ //go:embed f\r\n//go:embedded\n",
			"package p\nimport _ \"embed\"\nvar (\n//go:embed a\n//go:embed\t\"c\" `d`\n_ int //go:embed e\n_ int //go:embed f\r\n//go:embedded\n)\n",
		},
		{"a.go", "package p\nimport _ \"\\x65mbed\"\nvar x int\n//go:embed a", "package p\nimport _ \"\\x65mbed\"\nvar (\n//go:embed a\n)\n"},
		// Of files with errors everything is kept.
		{"a.go", "func f() {}\n", same},
		{"a.go", "package\n", same},
		{"a.go", "packages p\n", same},
		{"a.go", "package p\nimport x\nfunc f() {}", same},
		{"a.go", "package p\nimport \"x\nfunc f() {}", same},
		{"a.go", "package p\nimport \"x\\", same},
		{"a.go", "package p\nimport (\"x\"", same},
		{"a.go", "package p\nimport `x", same},
		{"a.go", "package p\nint x\nfunc f() {}", same},
		{"a.go", "package p\n/* func f() {}", same},
		{"a.go", "package p\n/", same},
		{"a.go", "package p // \x00\nfunc f() {}", same},
		{"a.go", "package p\nimport _ \"embed\"\nvar x = `\n//go:embed a\n", same},
		{"a.go", "package p\nimport _ \"embed\"\n//go:embed a\nvar x = \x00", same},

		{"a.c", "// Text.\n/* x */\n#include <a.h>\nint f;\n", "// Text.\n/* x */\n"},
		{"a.h", "int f;\n", ""},
		{"a.swig", "%module x\n", ""},
		{"a.c", "/* x", same},
		{"a.c", "/x", same},
		{"a.c", "// \x00\nx", same},
		{"a.s", "//go:build amd64\n\n#include \"textflag.h\"\n\nTEXT ·f(SB), 4, $0\n\tRET\n", "//go:build amd64\n\n#\nTEXT\n"},
		{"a.s", "GLOBL x", "#\nTEXT\n"},
		{"a.S", "// +build x\n.text\nf: // TEXT\n", "// +build x\n"},
		{"a.sx", "// +build x\n.text\nDATA", "// +build x\n#\nTEXT\n"},
	} {
		want := test.want
		if want == same {
			want = test.text
		}
		if got := string(of(test.name, []byte(test.text))); got != want {
			t.Errorf("%s: %q becomes\n%q, want\n%q", test.name, test.text, got, want)
		}
	}
}

// view returns go/build's description of a package with these files, but for the
// positions of //go:embed lines, which move in a skeleton.
func view(files map[string][]byte, goos string) (*build.Package, error) {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: text}
	}
	ctxt := build.Default
	ctxt.GOROOT, ctxt.GOPATH = "/nowhere", ""
	ctxt.GOOS, ctxt.GOARCH, ctxt.CgoEnabled = goos, "amd64", true
	ctxt.JoinPath = func(elem ...string) string { return strings.Join(elem, "/") }
	ctxt.IsDir = func(string) bool { return true }
	ctxt.ReadDir = func(string) ([]fs.FileInfo, error) {
		entries, err := tree.ReadDir(".")
		var list []fs.FileInfo
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			list = append(list, info)
		}
		return list, err
	}
	ctxt.OpenFile = func(name string) (io.ReadCloser, error) { return tree.Open(strings.TrimPrefix(name, "/src/")) }
	p, err := ctxt.ImportDir("/src", build.ImportComment)
	for _, m := range []any{p.EmbedPatternPos, p.TestEmbedPatternPos, p.XTestEmbedPatternPos} {
		v := reflect.ValueOf(m)
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.MakeSlice(v.Type().Elem(), v.MapIndex(key).Len(), v.MapIndex(key).Len()))
		}
	}
	return p, err
}

// compareViews checks that go/build sees the same in the files' skeletons.
func compareViews(t *testing.T, what string, files map[string][]byte) {
	t.Helper()
	kept := map[string][]byte{}
	for name, text := range files {
		kept[name] = of(name, text)
		// The beginning of a file must give the same as the whole file, or ask for
		// the rest.
		for _, n := range []int{len(text) / 3, 1000} {
			if n < len(text) {
				if got, ok := reduce(kindOf(name), text[:n:n], false); ok && !bytes.Equal(got, kept[name]) {
					t.Errorf("%s: the first %d bytes of %s become %q, all of it %q", what, n, name, got, kept[name])
				}
			}
		}
		if again := of(name, kept[name]); !bytes.Equal(again, kept[name]) {
			t.Errorf("%s: the skeleton of %s has the skeleton %q, is %q", what, name, again, kept[name])
		}
	}
	for _, goos := range []string{"linux", "windows"} {
		want, wantErr := view(files, goos)
		got, err := view(kept, goos)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %s: go/build sees\n%+v, want\n%+v", what, goos, got, want)
		}
		if message(err) != message(wantErr) {
			t.Errorf("%s, %s: go/build says %v, want %v", what, goos, err, wantErr)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Go's own sources, and the files that Go's parser is tested with.
func TestGoroot(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(out))
	roots := []string{filepath.Join(goroot, "src"), filepath.Join(goroot, "test")}
	if testing.Short() {
		roots = []string{filepath.Join(goroot, "src", "cmd", "cgo"), filepath.Join(goroot, "src", "embed")}
	}
	if extra := os.Getenv("DGD_SKELETON_DIRS"); extra != "" {
		roots = filepath.SplitList(extra)
	}
	dirs, files, size, kept := 0, 0, 0, 0
	for _, root := range roots {
		err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && dir == root {
				return nil
			}
			if err != nil || !d.IsDir() {
				return err
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				return err
			}
			texts := map[string][]byte{}
			for _, e := range entries {
				if !e.Type().IsRegular() || kindOf(e.Name()) == byName {
					continue
				}
				text, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					return err
				}
				texts[e.Name()] = text
				files, size, kept = files+1, size+len(text), kept+len(of(e.Name(), text))
			}
			if len(texts) > 0 {
				dirs++
				compareViews(t, dir, texts)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d directories, %d files of %d kB; %d kB are kept", dirs, files, size>>10, kept>>10)
}

func FuzzOf(f *testing.F) {
	for _, text := range []string{
		"package p\n",
		"//go:build linux\n\npackage p // import \"x\"\n\nimport (\n\t_ \"embed\"\n\ta `b`\n)\n\n//go:embed x\nvar x string\nvar y = '\"' //go:embed y\n",
		"package p\n/*\n#cgo LDFLAGS: -lm\n*/\nimport \"C\"\nfunc f() {}\n",
		"// +build linux\n// x\n\nTEXT ·f(SB), 4, $0\n",
		"/* a */ /* b */ int x;\n",
		"\ufeff//go:debug x=y\n//go:binary-only-package\n\npackage main\nimport \"a\\x62\";;import \".\"\n",
		"package p\nimport _ \"embed\"\n//line a.go:3\n//go:embed \"x\\\"y\" z\r\n",
	} {
		f.Add("a.go", text)
		f.Add("a_test.go", text)
		f.Add("a.s", text)
		f.Add("a.c", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if !fs.ValidPath(name) || strings.Contains(name, "/") || name == "." {
			name = "a.go"
		}
		files := map[string][]byte{name: []byte(text), "other.go": []byte("package other\n")}
		compareViews(t, cmp.Or(name, "fuzz"), files)
	})
}
