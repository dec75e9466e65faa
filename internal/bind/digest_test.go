package bind

import (
	"os"
	"path/filepath"
	"testing"
)

// The digest of a directory changes with what binding finds there, and not with
// what it does not look at.
func TestDigest(t *testing.T) {
	base := map[string]string{
		"p/p.go":         "package p\n\nimport \"C\"\n",
		"p/p.c":          "#include \"p.h\"\nint x;\n",
		"p/p.h":          "#define P 1\n",
		"p/sub/a.txt":    "text\n",
		"p/q/q.go":       "package q\n",
		"other/o.h":      "",
		"vendor/m/m.c":   "",
		"p/sub/deep/d.h": "",
	}
	digest := func(t *testing.T, changes map[string]string) string {
		t.Helper()
		src := t.TempDir()
		for _, files := range []map[string]string{base, changes} {
			for name, text := range files {
				file := filepath.Join(src, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		d, err := Digest(src, "vendor", "p")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	leading := map[string]string{"p/p.c": "#include \"../other/o.h\"\n"}
	with := func(a map[string]string, name, text string) map[string]string {
		c := map[string]string{name: text}
		for name, text := range a {
			c[name] = text
		}
		return c
	}
	for _, test := range []struct {
		name          string
		before, after map[string]string
		same          bool
	}{
		{"a line of C", nil, map[string]string{"p/p.c": "#include \"p.h\"\nint y, z;\n"}, true},
		{"a line of a header", nil, map[string]string{"p/p.h": "#define P 2000\n"}, true},
		{"a body in Go", nil, map[string]string{"p/q/q.go": "package q\n\nvar V = 1\n"}, true},
		{"a test", nil, map[string]string{"p/q/q_test.go": "package q\n"}, true},
		{"elsewhere", nil, map[string]string{"other/new.h": "", "vendor/m/n.c": ""}, true},
		{"the plan", nil, map[string]string{"p/dgd.plan": "text\n"}, true},
		{"a page of another directory, where a name leads out", leading, with(leading, "other/page.md", "text"), false},
		{"a header there", leading, with(leading, "other/new.h", ""), false},
		{"an include more", nil, map[string]string{"p/p.c": "#include \"p.h\"\n#include \"_cgo_export.h\"\nint x;\n"}, false},
		{"an include that leaves", nil, leading, false},
		{"a header more", nil, map[string]string{"p/new.h": ""}, false},
		{"a text more", nil, map[string]string{"p/sub/b.txt": ""}, false},
		{"Go where there was none", nil, map[string]string{"p/sub/s.go": "package sub\n"}, false},
		{"a test where there was no Go", nil, map[string]string{"p/sub/s_test.go": "package sub\n"}, false},
		{"a file that becomes large", nil, map[string]string{"p/p.c": "#include \"p.h\"\n" + string(make([]byte, heavySize))}, false},
		{"a name made by a macro", nil, map[string]string{"p/p.h": "#include P\n"}, false},
	} {
		if got := digest(t, test.before) == digest(t, test.after); got != test.same {
			t.Errorf("%s: the digests are the same: %v", test.name, got)
		}
	}
}
