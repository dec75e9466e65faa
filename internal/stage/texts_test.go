package stage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/drvgen"
	"dgd/internal/nix/nar"
)

// A derivation has the text of small packages that Nix does not change.
func TestTexts(t *testing.T) {
	const (
		own   = "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9" // Nix's placeholder of the output out
		input = "/0fjlfxvgzm1vym8srwz32n66nk8y3ch0kvq8z3mkgpa0x1ls8bn0"
	)
	for _, test := range []struct {
		name  string
		files map[string]string
		held  bool
	}{
		{"one file", map[string]string{"x.go": "package x // \u00fc $ \\ \" ${out} \x01\r\n"}, true},
		{"files below", map[string]string{"x.go": "package x", "data/a b.go": "", "data/$c.go": "\n"}, true},
		// Evaluation can read Go files, but not every file.
		{"another file than Go", map[string]string{"x.go": "package x", "page": ""}, false},
		{"just small enough", map[string]string{"a.go": strings.Repeat("a", maxTexts-1), "b.go": "b"}, true},
		{"together too large", map[string]string{"a.go": strings.Repeat("a", maxTexts-1), "b.go": "bb"}, false},
		{"not of UTF-8", map[string]string{"x.go": "package x // \xff"}, false},
		{"a NUL", map[string]string{"x.go": "package x\x00"}, false},
		{"a placeholder of an output", map[string]string{"x.go": "const out = `" + own + "/bin`"}, false},
		{"a placeholder of an input", map[string]string{"x.go": "const in = `x" + input + "`"}, false},
		{"a store path", map[string]string{"x.go": "const p = `/nix/store/00000000000000000000000000000000-x`"}, true},
		{"a name not of UTF-8", map[string]string{"x.go": "package x", "\xff.go": ""}, false},
		{"a name with a placeholder", map[string]string{"d" + own + "/x.go": ""}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := nar.Tree{Root: project(t, test.files)}
			var want []drvgen.File
			for name, text := range test.files {
				tree.Files = append(tree.Files, name)
				want = append(want, drvgen.File{Name: name, Text: text})
			}
			if !test.held {
				want = nil
			}
			if got := texts(&tree); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
		})
	}

	dir := project(t, map[string]string{"x.go": "package x", "d/y": ""})
	if err := os.Symlink("x.go", filepath.Join(dir, "link.go")); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{nil, {}, {"x.go", "link.go"}, {"x.go", "d"}, {"x.go", "missing.go"}} {
		if got := texts(&nar.Tree{Root: dir, Files: files}); got != nil {
			t.Errorf("of the files %q got %q", files, got)
		}
	}
}
