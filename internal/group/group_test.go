package group

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"dgd/internal/bind"
	"dgd/internal/graph"
)

// A program gets the parts of the standard library that it uses, with new indices.
// Packages of it that flags change are the program's own variant.
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

func TestPackages(t *testing.T) {
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
		"auto":    {{Name: "example.org/a", Nodes: []int{1, 2}, Split: true}}, // b is one deeper
	} {
		got, err := Packages(g, bound, granularity)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", granularity, got, err, want)
		}
	}
	if _, err := Packages(g, bound, "file"); err == nil || err.Error() != `granularity is "file": it must be "auto", "module" or "package"` {
		t.Errorf("the error is %v", err)
	}
}

// linkOf is a graph of archives and the link of all of them, which is the last node.
func linkOf(n int, src func(i int) *graph.Sources) *graph.Graph {
	g := &graph.Graph{}
	link := &graph.Node{Kind: graph.Link}
	for i := range n {
		g.Nodes = append(g.Nodes, &graph.Node{Kind: graph.Package, Name: fmt.Sprint("p", i), Src: src(i)})
		link.Refs = append(link.Refs, graph.Ref{Node: i, Output: graph.Archive})
	}
	g.Nodes = append(g.Nodes, link)
	return g
}

// Many third-party archives are in one collection, and many archives of the main
// module are in several, each in one. Archives of the standard library are in none.
func TestCollections(t *testing.T) {
	vendored := func(int) *graph.Sources { return &graph.Sources{Vendored: true} }
	own := func(int) *graph.Sources { return &graph.Sources{} }
	std := func(int) *graph.Sources { return nil }
	for _, test := range []struct {
		name    string
		n       int
		src     func(int) *graph.Sources
		min, of int // collections, and archives in all of them
	}{
		{"few", MinCollected - 1, vendored, 0, 0},
		{"third-party", MinCollected, vendored, 1, MinCollected},
		{"own", MaxOwn, own, 0, 0},
		{"many of its own", MaxOwn + 1, own, 2, MaxOwn + 1},
		{"std", 2 * MaxOwn, std, 0, 0},
	} {
		sets := Collections(linkOf(test.n, test.src), test.n, nil)
		seen := map[int]bool{}
		for _, n := range slices.Concat(sets...) {
			if seen[n] {
				t.Errorf("%s: the archive of node %d is in two collections", test.name, n)
			}
			seen[n] = true
		}
		if len(sets) < test.min || len(sets) > max(test.min, Buckets) || len(seen) != test.of {
			t.Errorf("%s: %d collections of %d archives, want %d or more of %d", test.name, len(sets), len(seen), test.min, test.of)
		}
	}
}

// A new package changes one collection.
func TestCollectionsStay(t *testing.T) {
	own := func(int) *graph.Sources { return &graph.Sources{} }
	const n = 2 * MaxOwn
	before := Collections(linkOf(n, own), n, nil)
	differ := 0
	for _, set := range Collections(linkOf(n+1, own), n+1, nil) {
		if !slices.ContainsFunc(before, func(old []int) bool { return slices.Equal(old, set) }) {
			differ++
		}
	}
	if differ != 1 {
		t.Errorf("%d collections differ, want 1", differ)
	}
}

// The packages of a group are in one collection.
func TestCollectGroup(t *testing.T) {
	const n = 2 * MaxOwn
	set := Group{Nodes: []int{3, 5, 8, 13, 21}}
	for _, found := range Collections(linkOf(n, func(int) *graph.Sources { return &graph.Sources{} }), n, []Group{set}) {
		with := 0
		for _, m := range set.Nodes {
			if slices.Contains(found, m) {
				with++
			}
		}
		if with != 0 && with != len(set.Nodes) {
			t.Errorf("a collection has %d of the %d packages of a group", with, len(set.Nodes))
		}
	}
}

// A link takes all archives of a group from one output if it needs all of them, and if
// the group has that output.
func TestWhole(t *testing.T) {
	g := linkOf(4, func(int) *graph.Sources { return &graph.Sources{} })
	g.Nodes = append(g.Nodes, &graph.Node{Kind: graph.Package, Name: "other"}, &graph.Node{Kind: graph.Package, Name: "exported"})
	g.Nodes[4].Refs = append(g.Nodes[4].Refs, graph.Ref{Node: 6, Output: graph.Export})
	groups := []Group{
		{Nodes: []int{0, 2}, Apart: true}, {Nodes: []int{1}},
		{Nodes: []int{3, 5}, Apart: true}, {Nodes: []int{6}, Apart: true},
	}
	if got := Whole(g, 4, groups); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("the nodes of whole groups are %v, want 0 and 2", got)
	}
}

// Errors in the graph of the standard library or of the program are returned.
func TestMergeError(t *testing.T) {
	program := &graph.Graph{Nodes: []*graph.Node{node("a", 1), node("b")}}
	if _, _, err := Merge(&graph.Graph{}, program); err == nil || err.Error() != "a refers to a node that comes later" {
		t.Errorf("the error is %v", err)
	}
	if got := Variant(nil); got != nil {
		t.Errorf("without nodes there is a variant: %v", got)
	}
}
