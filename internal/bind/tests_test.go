package bind

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/graph"
)

// tested returns the files that the tests of p can read.
func tested(t *testing.T, dir string, data map[string][]string, files ...string) []string {
	t.Helper()
	n := &graph.Node{Kind: graph.Test, Name: "example.com/m/p", Src: &graph.Sources{Dir: "p", Files: files}}
	bound, err := TestSources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", data)
	if err != nil {
		t.Fatal(err)
	}
	b := bound[0][0]
	if b.At != "." || !b.Copy || b.Tree.Root != dir || b.Tree.Name != "example.com-m-p-testdata" {
		t.Errorf("bound is %+v, %+v", b, b.Tree)
	}
	return b.Tree.Files
}

func TestTestSources(t *testing.T) {
	own := []string{"go.mod", "p/README", "p/data/x", "p/p.go", "p/p_test.go", "p/testdata"}
	for _, test := range []struct {
		name  string
		text  string // of p_test.go
		data  map[string][]string
		more  []string
		whole bool
	}{
		{name: "its directory"},
		{name: "an embedded file", text: "package p\n", more: []string{"p/sub/e.txt"}},
		{name: "a relative path", text: `x := "../q/testdata/y"`, more: []string{"q/testdata/y"}},
		{name: "a relative path of parts", text: `Join("..", "q", "testdata")`, more: []string{"q/testdata"}},
		{name: "a path of parts and a name", text: `Join("..", "q", "testdata", name)`, more: []string{"q/testdata"}},
		{name: "a pattern", text: `Glob(Join("..", "q", "testdata", "*.go"))`, more: []string{"q/testdata"}},
		{name: "a format", text: `Sprintf("../q/testdata/%d.go", 1)`, more: []string{"q/testdata"}},
		{name: "a pattern of directories", text: `Glob("../*/q.go")`, whole: true},
		{name: "a message", text: `Errorf("%s/%s: [q]", q/testdata)`},
		{name: "paths in a list", text: `x := []string{"../q/q.go", "../go.mod", "../nowhere"}`, more: []string{"q/q.go"}},
		{name: "a package's file below", text: "x := `sub/sub.go`", more: []string{"p/sub/sub.go"}},
		{name: "the directory above", text: `Join("..", name)`, whole: true},
		{name: "no path", text: `x := "/q/q.go" + "q" + ".." + "a/../../../etc"` + "\n// \"../q/q.go\"", whole: true},
		{name: "data by import path", data: map[string][]string{"example.com/m/p": {"q"}}, more: []string{"q"}},
		{name: "data by directory", data: map[string][]string{"./p": {"q/q.go"}}, more: []string{"q/q.go"}},
		{name: "data for all", data: map[string][]string{AllTests: {"q/testdata/"}}, more: []string{"q/testdata"}},
		{name: "all data", data: map[string][]string{"p": {"."}}, whole: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := tree(t,
				"go.mod", "main.go", "p/p.go:package p // \"..\"\nvar x = check(\"..\")", "p/p_test.go:"+test.text, "p/README", "p/data/x", "p/testdata/a.go", "p/sub/sub.go", "p/sub/e.txt",
				"p/.git/x", "q/q.go", "q/testdata/y", "vendor/modules.txt")
			files := []string{"p/p.go", "p/p_test.go"}
			if test.name == "an embedded file" {
				files = append(files, "p/sub/e.txt")
			}
			got := tested(t, dir, test.data, files...)
			if test.whole {
				if got != nil {
					t.Errorf("sees %q, want everything", got)
				}
				return
			}
			if want := slices.Sorted(slices.Values(slices.Concat(own, test.more))); !slices.Equal(got, want) {
				t.Errorf("sees\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func TestTestSourcesLinks(t *testing.T) {
	dir := tree(t, "p/p_test.go:x := \"../link/y\"", "q/y", "q/z", "r/x", "s/s")
	for link, target := range map[string]string{"link": "q", "p/file": "../r/x", "p/nowhere": "nothing", "p/out": "../../x", "q/y2": "y", "p/loop": "loop", "p/in": "loop/x"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"link", "p/file", "p/in", "p/loop", "p/nowhere", "p/out", "p/p_test.go", "q/y", "r/x"}
	if got := tested(t, dir, nil, "p/p_test.go"); !slices.Equal(got, want) {
		t.Errorf("sees %q, want %q", got, want)
	}
	if got := tested(t, dir, map[string][]string{AllTests: {"link"}}, "p/p_test.go"); !slices.Contains(got, "q") {
		t.Errorf("sees %q, which lacks what a link leads to", got)
	}
}

func TestTestSourcesErrors(t *testing.T) {
	dir := tree(t, "p/p_test.go")
	n := &graph.Node{Kind: graph.Test, Name: "example.com/m/p", Src: &graph.Sources{Dir: "p"}}
	for _, test := range []struct{ key, path, want string }{
		{"p", "nowhere", "nowhere: no such file"},
		{"p", "../x", `testData: "../x" is not a path below src`},
		{"p", "/x", `testData: "/x" is not a path below src`},
		{"q", "p", "testData: q is not a package with tests"},
	} {
		_, err := TestSources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", map[string][]string{test.key: {test.path}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}
