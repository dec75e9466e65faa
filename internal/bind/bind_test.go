package bind

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// tree writes files, which have no content but what follows a colon.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, ":")
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func one(t *testing.T, dir string, n *graph.Node, modules ...Module) Bound {
	t.Helper()
	n.Name = "example.com/m/p"
	bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, modules)
	if err != nil {
		t.Fatal(err)
	}
	return bound[0][0]
}

func TestGoPackage(t *testing.T) {
	dir := tree(t, "p/a.go", "p/b.go", "p/a_test.go", "p/README", "p/data/x", "p/sub/c.go")
	b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: "p", Files: []string{"p/b.go", "p/a.go", "p/data/x"}}})
	if b.At != "p" || b.Copy || b.Tree.Root != filepath.Join(dir, "p") || b.Tree.Name != "example.com-m-p" {
		t.Errorf("got %+v, %+v", b, b.Tree)
	}
	if want := []string{"a.go", "b.go", "data/x"}; !slices.Equal(b.Tree.Files, want) {
		t.Errorf("got %q, want %q", b.Tree.Files, want)
	}
}

func TestNativePackage(t *testing.T) {
	run := func(words ...string) []action.Step {
		return []action.Step{{Run: &action.Run{Args: append([]string{"gcc"}, words...)}}}
	}
	dir := tree(t,
		"p/a.go://#include \"near.h\"", "p/near.h", "p/x.c:#include \"inc/deep.h\"\n#include <stdio.h>", "p/x_test.go", "p/.hidden",
		"p/inc/deep.h", "p/inc/more/most.h", "p/pkg/other.go", "p/pkg/other.h", "p/pkg/plain/y.h",
		"q/far.h",
	)
	tests := []struct {
		name  string
		x     string // text of x.c
		steps []action.Step
		want  []string // nil: the whole source
	}{
		{"its directory and those without Go", "#include \"inc/deep.h\"", run("-I", "${SRC}/p"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
		{"an include in a package below", "# include \"pkg/other.h\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"an include that leaves the directory", "#include \"../q/far.h\"", nil, nil},
		{"an include that leads nowhere", "#include \"../q/nothing.h\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
		{"a flag that leaves the directory", "", run("-I", "${SRC}/q"), nil},
		{"a flag that leaves it within a word", "", run("-I${SRC}/p/../q"), nil},
		{"a relative flag that leaves it", "", run("-I../q"), nil},
		{"a flag within the directory", "", run("-I${SRC}/p/inc", "-ffile-prefix-map=${SRC}=/_/m"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "p/x.c"), []byte(test.x), 0o666); err != nil {
				t.Fatal(err)
			}
			b := one(t, dir, &graph.Node{Cgo: true, Steps: test.steps, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/x.c"}, Native: true}})
			if !b.Copy {
				t.Error("a C compiler's sources must be a copy")
			}
			if test.want == nil {
				if b.At != "." || b.Tree.Root != dir || b.Tree.Files != nil {
					t.Errorf("got %+v, %+v, want the whole source", b, b.Tree)
				}
				return
			}
			if b.At != "p" || !slices.Equal(b.Tree.Files, test.want) {
				t.Errorf("at %s, files %q, want %q", b.At, b.Tree.Files, test.want)
			}
		})
	}
}

func TestVendored(t *testing.T) {
	dir := tree(t)
	modules := []Module{{"example.org/a", "/store/a"}, {"example.org/a/sub", "/store/sub"}, {"example.org/ab", "/store/ab"}}
	for _, test := range []struct{ dir, at, path string }{
		{"vendor/example.org/a", "vendor/example.org/a", "/store/a"},
		{"vendor/example.org/a/b", "vendor/example.org/a", "/store/a"},
		{"vendor/example.org/a/sub/c", "vendor/example.org/a/sub", "/store/sub"},
		{"vendor/example.org/ab", "vendor/example.org/ab", "/store/ab"},
	} {
		b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: test.dir, Files: []string{test.dir + "/x.go"}, Vendored: true}}, modules...)
		if b.At != test.at || b.Path != test.path || b.Tree != nil {
			t.Errorf("%s: got %+v", test.dir, b)
		}
	}
}

func TestErrors(t *testing.T) {
	dir := tree(t, "p/a.go")
	for _, test := range []struct {
		src  graph.Sources
		want string
	}{
		{graph.Sources{Dir: "vendor/example.org/x", Vendored: true}, "belongs to no module"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/gone.go"}}, "gone.go"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/gone.go"}, Native: true}, "gone.go"},
	} {
		_, err := Sources(&graph.Graph{Nodes: []*graph.Node{{Name: "example.com/m/p", Src: &test.src}}}, dir, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "example.com/m/p") {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// A link sees the sources that the flags of a cgo package name.
func TestLinkSources(t *testing.T) {
	dir := tree(t, "p/a.go", "q/b.go")
	g := &graph.Graph{Nodes: []*graph.Node{
		{Name: "p", LinkSrc: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go"}}},
		{Name: "q", Src: &graph.Sources{Dir: "q", Files: []string{"q/b.go"}}},
		{Name: "m", Kind: graph.Link, Refs: []graph.Ref{{Node: 0}, {Node: 1}}},
	}}
	bound, err := Sources(g, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(bound[2]) != 1 || bound[2][0].At != "p" || !bound[2][0].Copy {
		t.Errorf("the link sees %+v", bound[2])
	}
}
