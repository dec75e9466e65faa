package bind

import (
	"os"
	"path/filepath"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/testfiles"
)

// The digest of a directory changes if the result of binding may change, and not with
// other edits.
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
			testfiles.Write(t, src, files)
		}
		d, err := Digest(src, "vendor", "p")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	leading := map[string]string{"p/p.c": "#include \"../other/o.h\"\n"}
	toVendor := map[string]string{"p/p.c": "#include \"../vendor/m/m.c\"\n"}
	linked := map[string]string{"p/l.h": "-> ../other/o.h"}
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
		{"a page of the vendor directory, where a name leads there", toVendor, with(toVendor, "vendor/m/page.md", "text"), false},
		{"a link more", nil, linked, false},
		{"a link that leads elsewhere", linked, map[string]string{"p/l.h": "-> ../other/none.h"}, false},
		{"a file where a link leads", linked, with(linked, "other/page.md", "text"), false},
		{"a link to nowhere in a build", nil, map[string]string{"p/abs.h": "-> /etc/hostname"}, true},
		{"what lies below a .git", leading, with(leading, ".git/x", ""), true},
		{"a macro that no name is made of", nil, map[string]string{"p/p.h": "#define P 2\n#define Q 3\n"}, true},
		{"a macro, where a name is made by one", map[string]string{"p/p.c": "#include P\n", "p/p.h": "#define P <a.h>\n"}, map[string]string{"p/p.c": "#include P\n", "p/p.h": "#define P <b.h>\n"}, false},
		{"a name made by a macro", nil, map[string]string{"p/p.h": "#include P\n"}, false},
	} {
		if got := digest(t, test.before) == digest(t, test.after); got != test.same {
			t.Errorf("%s: the digests are the same: %v", test.name, got)
		}
	}
}

// A missing directory has a digest, as the vendor directory may have been removed.
func TestDigestOfNothing(t *testing.T) {
	src := t.TempDir()
	if _, err := Digest(src, "vendor", "vendor/m"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(src, "f"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Digest(src, "vendor", "f/sub"); err == nil {
		t.Error("a directory below a file is no error")
	}
}

// The digest of a package that reads files outside of its module is of all sources.
func TestDigestDir(t *testing.T) {
	gcc := func(flag string) []action.Step {
		return []action.Step{{Run: &action.Run{Args: []string{"gcc", flag}}}}
	}
	for _, test := range []struct {
		name string
		node graph.Node
		want string
	}{
		{"a package", graph.Node{Src: &graph.Sources{Dir: "p"}}, "p"},
		{"its own directory", graph.Node{Src: &graph.Sources{Dir: "p"}, Steps: gcc("-I${SRC}/p/include")}, "p"},
		{"another directory", graph.Node{Src: &graph.Sources{Dir: "p"}, Steps: gcc("-I${SRC}/q")}, "."},
		{"another directory for the compiler of Go", graph.Node{Src: &graph.Sources{Dir: "p"}, Steps: []action.Step{{Run: &action.Run{Args: []string{"/go/compile", "-I${SRC}/q"}}}}}, "p"},
		{"a flag that hides a path", graph.Node{Src: &graph.Sources{Dir: "p"}, Steps: gcc("-ffile-prefix-map=${SRC}/q=x")}, "p"},
		{"a look-up in a macro of a flag", graph.Node{Src: &graph.Sources{Dir: "p"}, Steps: gcc("-DHAS=__has_include(<x.h>)")}, "."},
		{"all sources", graph.Node{Src: &graph.Sources{Dir: "p", Whole: true}}, "."},
		{"a link that sees the sources", graph.Node{LinkSrc: true, Src: &graph.Sources{Dir: "p"}}, "."},
		{"a module's C that leads out of it", graph.Node{Src: &graph.Sources{Dir: "p", Reach: graph.ReachAll}}, "."},
	} {
		if got := DigestDir(&test.node, "p"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
