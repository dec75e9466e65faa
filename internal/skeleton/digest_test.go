package skeleton

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dgd/internal/testfiles"
)

func TestDigest(t *testing.T) {
	before := map[string]string{
		"go.mod":          "module m\n",
		"main.go":         "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n",
		"p/p.go":          "package p\n\nimport _ \"embed\"\n\n//go:embed page\nvar Page string\n\n//go:embed *.txt `site` \"../x\" all:inner/data*\nvar Site embed.FS\n",
		"p/page":          "text\n",
		"p/site/x":        "text\n",
		"q/q.go":          "package q\n",
		"q/README":        "text\n",
		"other/o.go":      "package o\n",
		"q/inner/data.go": "package inner\n",
	}
	digest := func(files map[string]string, all bool) *Digests {
		t.Helper()
		dir := t.TempDir()
		testfiles.Write(t, dir, files)
		d, err := Digest(t.Context(), dir, []string{".", "p", "q"}, all)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, test := range []struct {
		name  string
		edits map[string]string // to files; "" removes one
		want  []string          // stale directories
		all   bool
	}{
		{name: "nothing"},
		{"a body", map[string]string{"main.go": before["main.go"] + "\nfunc f() {}\n"}, nil, true},
		{"an import", map[string]string{"main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n"}, []string{"."}, false},
		{"a constraint", map[string]string{"q/q.go": "//go:build linux\n\npackage q\n"}, []string{"q"}, false},
		{"a new file", map[string]string{"q/r.go": "package q\n"}, []string{"q"}, true},
		{"a file gone", map[string]string{"q/q.go": ""}, []string{"q"}, false},
		{"a file of C", map[string]string{"q/c.c": "int x;\n"}, []string{"q"}, false},
		{"a profile", map[string]string{"default.pgo": "x"}, []string{"."}, false},
		{"a page that a pattern matches", map[string]string{"p/more.txt": "x"}, []string{"p"}, false},
		{"a page that no pattern matches", map[string]string{"p/more": "x", "p/deep/more.txt": "x", "p/inner/x": "x"}, nil, false},
		{"a page below a directory that is embedded", map[string]string{"p/site/deep/y": "x"}, []string{"p"}, false},
		{"a Go file there", map[string]string{"p/site/deep/y_test.go": "package y\n"}, []string{"p"}, false},
		{"hidden files there", map[string]string{"p/site/.y": "x", "p/site/_z/y": "x"}, nil, false},
		{"hidden files that count", map[string]string{"p/inner/data/.y": "x"}, []string{"p"}, false},
		{"files of version control", map[string]string{"p/inner/data/.git/y": "x"}, nil, false},
		{"the text of a page", map[string]string{"p/page": "other"}, nil, false},
		{"another pattern", map[string]string{"p/p.go": "package p\n\nimport _ \"embed\"\n\n//go:embed site\nvar Page string\n"}, []string{"p"}, false},
		{"a page beside another package", map[string]string{"q/NEWS": "x"}, nil, false},
		{"a test", map[string]string{"q/q_test.go": "package q\n\nimport \"testing\"\n"}, nil, true},
		{"another package", map[string]string{"new/n.go": "package n\n"}, nil, false},
		{"another package that a pattern matches", map[string]string{"new/n.go": "package n\n"}, []string{""}, true},
		{"a package that is not planned", map[string]string{"other/o.go": "package o\n\nimport \"fmt\"\n"}, nil, true},
		{"a package that a constraint brings back", map[string]string{"other/o.go": "//go:build !ignore\n\npackage o\n"}, []string{""}, true},
		{"a program in place of a package", map[string]string{"other/o.go": "package main\n"}, []string{""}, true},
		{"go.mod", map[string]string{"go.mod": "module m\n\ngo 1.24\n"}, []string{""}, false},
		{"go.sum", map[string]string{"go.sum": "x\n"}, []string{""}, false},
	} {
		files := maps.Clone(before)
		for name, text := range test.edits {
			files[name] = text
			if text == "" {
				delete(files, name)
			}
		}
		a, b := digest(before, test.all), digest(files, test.all)
		var stale []string
		if a.Rest != b.Rest {
			stale = append(stale, "")
		}
		for _, dir := range []string{".", "p", "q"} {
			if a.Dirs[dir] != b.Dirs[dir] {
				stale = append(stale, dir)
			}
		}
		if !slices.Equal(stale, test.want) {
			t.Errorf("%s: stale are %q, want %q", test.name, stale, test.want)
		}
	}
}

// If a package has a file behind a symlink, edits of the symlink's target count.
func TestDigestOfLink(t *testing.T) {
	src := t.TempDir()
	for name, text := range map[string]string{"p/p.go": "package p\n", "q/q.go": "package q\n", "shared/s.txt": "package p\n", "other/o.go": "package other\n"} {
		file := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"p/s.go": "../shared/s.txt", "linked": "q"} {
		if err := os.Symlink(to, filepath.Join(src, from)); err != nil {
			t.Fatal(err)
		}
	}
	digest := func() *Digests {
		t.Helper()
		d, err := Digest(t.Context(), src, []string{"p", "linked", "other"}, false)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before := digest()
	for file, text := range map[string]string{"shared/s.txt": "//go:build ignore\n\npackage p\n", "q/q.go": "package q\n\nimport \"fmt\"\n"} {
		if err := os.WriteFile(filepath.Join(src, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	after := digest()
	for dir, same := range map[string]bool{"p": false, "linked": false, "other": true} {
		if got := before.Dirs[dir] == after.Dirs[dir]; got != same {
			t.Errorf("the digests of %s are the same: %v", dir, got)
		}
	}
}
