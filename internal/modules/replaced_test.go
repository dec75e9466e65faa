package modules

import (
	"errors"
	"go/build"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testfiles"
)

// replaced is a project with a directory in the place of a module, of which the
// project uses two packages.
var replaced = map[string]string{
	"go.mod":  "module example.com/main\n\ngo 1.24\n\nrequire example.com/a v1.0.0\n\nreplace example.com/a => ./a\n",
	"main.go": "package main\n\nimport (\n\t_ \"example.com/a\"\n\t_ \"example.com/a/c\"\n)\n\nfunc main() {}\n",

	"a/go.mod":        "module example.com/a\n\ngo 1.24\n",
	"a/a.go":          "package a\n\nimport \"embed\"\n\n//go:embed data all:every *.txt\nvar FS embed.FS\n",
	"a/a_test.go":     "package a\n",
	"a/tagged.go":     "//go:build never && !ignore\n\npackage a\n",
	"a/ignored.go":    "// A tool.\n\n//go:build ignore || (ignore && linux)\n\npackage main\n",
	"a/old.go":        "// +build ignore\n\npackage main\n",
	"a/README.md":     "read me\n",
	"a/page.html":     "not embedded\n",
	"a/shown.txt":     "embedded\n",
	"a/data/x":        "embedded\n",
	"a/every/.hidden": "embedded\n",
	"a/c/c.go":        "package c\n\n// #include \"table.inc\"\nimport \"C\"\n",
	"a/c/table.inc":   "1\n",
	"a/c/README":      "read me\n",
	"a/unused/u.go":   "package unused\n",
}

// Differs compares the copy of `go mod vendor` with the directory: an edit counts if a
// build of the packages reads the file.
func TestDiffers(t *testing.T) {
	dir := t.TempDir()
	testfiles.Write(t, dir, replaced)
	cmd := exec.Command("go", "mod", "vendor")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOSUMDB=off", "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The result does not depend on cgo in the planner's own toolchain.
	defer func(was bool) { build.Default.CgoEnabled = was }(build.Default.CgoEnabled)
	build.Default.CgoEnabled = false
	vendor := filepath.Join(dir, "vendor")
	m := &Module{Path: "example.com/a", Packages: []string{"example.com/a", "example.com/a/c"}}
	for _, test := range []struct {
		name, file, text string // an empty text removes the file
		want             string
	}{
		{"nothing", "", "", ""},
		{"a line of Go", "a.go", replaced["a/a.go"] + "\nvar x int\n", "a.go"},
		{"a file that is no Go any more", "a.go", "package", "a.go"},
		{"a file more", "b.go", "package a\n", "b.go"},
		{"a file less", "tagged.go", "", "tagged.go"},
		{"a file for some tag", "tagged.go", "//go:build other\n\npackage a\n", "tagged.go"},
		{"a test", "a_test.go", "package a\n\nvar y int\n", ""},
		{"a tool", "ignored.go", "//go:build ignore\n\npackage main\n\nvar y int\n", ""},
		{"a tool of old", "old.go", "// +build ignore\n\npackage main\n\nvar y int\n", ""},
		{"a tool less", "ignored.go", "", ""},
		{"a tool that becomes a file of the package", "ignored.go", "//go:build !ignore\n\npackage a\n", "ignored.go"},
		{"a page", "README.md", "", ""},
		{"what stands beside Go", "page.html", "other\n", ""},
		{"an embedded file", "shown.txt", "other\n", "shown.txt"},
		{"an embedded file more", "more.txt", "other\n", "more.txt"},
		{"one in a directory", "data/x", "other\n", "data/x"},
		{"one more in a directory", "data/y/z", "other\n", "data/y/z"},
		{"a hidden one", "data/.hidden", "other\n", ""},
		{"one in a hidden directory", "data/_h/x", "other\n", ""},
		{"a hidden one of all", "every/.hidden", "other\n", "every/.hidden"},
		{"a module in a directory that is embedded", "data/go.mod", "module example.com/d\n", "data/x"},
		{"a line of Go with cgo", "c/c.go", replaced["a/c/c.go"] + "\nvar x int\n", "c/c.go"},
		{"a header beside cgo", "c/more.h", "1\n", "c/more.h"},
		{"what C includes", "c/table.inc", "2\n", "c/table.inc"},
		{"a page beside C", "c/README", "other\n", ""},
		{"a package that is not used", "unused/u.go", "package unused\n\nvar x int\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := t.TempDir()
			files := map[string]string{}
			for name, text := range replaced {
				if rel, ok := strings.CutPrefix(name, "a/"); ok {
					files[rel] = text
				}
			}
			files[test.file] = test.text
			if test.text == "" {
				delete(files, test.file)
			}
			testfiles.Write(t, now, files)
			if got, err := m.Differs(vendor, now); err != nil || got != test.want {
				t.Errorf("%q (%v), want %q", got, err, test.want)
			}
		})
	}
	t.Run("a package less", func(t *testing.T) {
		now := t.TempDir()
		if err := os.CopyFS(now, os.DirFS(filepath.Join(dir, "a"))); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(now, "c")); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Differs(vendor, now); err != nil || got != "c" {
			t.Errorf("%q (%v)", got, err)
		}
	})
	t.Run("a file that cannot be read", func(t *testing.T) {
		now := t.TempDir()
		if err := os.CopyFS(now, os.DirFS(filepath.Join(dir, "a"))); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(now, "shown.txt")
		if err := errors.Join(os.Remove(file), os.Symlink("nowhere", file)); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Differs(vendor, now); err == nil || !strings.Contains(err.Error(), "shown.txt") {
			t.Errorf("%q (%v)", got, err)
		}
		if _, err := m.Differs(vendor, filepath.Join(dir, "main.go")); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a directory that is a file: %v", err)
		}
	})
}
