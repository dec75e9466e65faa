package group

import (
	"reflect"
	"testing"

	"dgd/internal/bind"
	"dgd/internal/graph"
)

// Of the standard library a program gets the parts that it uses, with new
// indices; what flags change of it is a variant of the program's own.
func TestMerge(t *testing.T) {
	std := &graph.Graph{Nodes: []*graph.Node{node("errors"), node("go/format", 0), node("net", 0)}}
	variant := node("encoding/json", 0)
	program := &graph.Graph{Nodes: []*graph.Node{node("errors"), variant, node("net", 0)}}
	g, groups, err := Merge(std, program)
	if err != nil {
		t.Fatal(err)
	}
	want := []Group{
		{Name: "std", Nodes: []int{0}, Std: true},
		{Name: "std-net", Nodes: []int{1}, Std: true},
		{Name: "std-variant", Nodes: []int{2}},
	}
	if !reflect.DeepEqual(groups, want) || len(g.Nodes) != 3 || g.Nodes[2].Name != variant.Name {
		t.Errorf("the groups are %+v, want %+v", groups, want)
	}
}

// third is a package of a third-party module.
func third(name string, refs ...int) *graph.Node {
	n := node(name, refs...)
	n.Std, n.Src = false, &graph.Sources{Vendored: true}
	return n
}

func TestModules(t *testing.T) {
	own := node("m", 1)
	own.Std, own.Src = false, &graph.Sources{}
	withC := third("a/c", 0)
	withC.Cgo = true
	g := &graph.Graph{Nodes: []*graph.Node{
		node("fmt"), third("a/x", 0), third("a/y", 1), third("b", 1), withC, own, third("a/unbound"),
	}}
	a := []bind.Bound{{At: "vendor/example.org/a@v1", Path: "/store/a"}}
	bound := map[int][]bind.Bound{1: a, 2: a, 3: {{At: "vendor/b", Path: "/store/b"}}, 4: a, 5: {{At: ".", Path: "/store/m"}}}
	for granularity, want := range map[string][]Group{
		"package": nil,
		"module":  {{Name: "example.org/a", Nodes: []int{1, 2}, Split: true}},
	} {
		got, err := Modules(g, bound, granularity)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", granularity, got, err, want)
		}
	}
	if _, err := Modules(g, bound, "file"); err == nil || err.Error() != `granularity is "file", not "package" or "module"` {
		t.Errorf("the error is %v", err)
	}
}
