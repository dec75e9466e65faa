package group

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"dgd/internal/graph"
)

// chain makes packages that refer to others by index.
func chain(refs ...[]int) *graph.Graph {
	g := &graph.Graph{}
	for _, list := range refs {
		n := &graph.Node{Kind: graph.Package}
		for _, r := range list {
			n.Refs = append(n.Refs, graph.Ref{Node: r, Output: graph.Export})
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

func none(*graph.Node) bool { return false }

func TestCluster(t *testing.T) {
	for _, test := range []struct {
		name    string
		g       *graph.Graph
		modules []string
		want    [][]int
	}{
		{"no modules", chain(nil, []int{0}), []string{"", ""}, nil},
		{"one module", chain(nil, []int{0}, nil), []string{"a", "a", "a"}, [][]int{{0, 2, 1}}},
		{"alone", chain(nil, []int{0}), []string{"a", "b"}, nil},
		{"by way of the own module", chain(nil, []int{0}, []int{1}), []string{"a", "b", "b"}, [][]int{{1, 2}}},
		{"other packages", chain(nil, nil, []int{0}, []int{1}), []string{"a", "a", "b", "b"}, [][]int{{0, 1}}},
		// Two modules that depend on each other, package by package.
		{"back and forth", chain(nil, []int{0}, []int{1}, nil, []int{2, 3}), []string{"a", "b", "a", "a", "b"}, [][]int{{0, 3}}},
		{"on a package without a module", chain(nil, []int{0}, nil), []string{"", "a", "a"}, nil},
	} {
		if got := clusters(test.g, test.modules, none); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestClusterIgnores(t *testing.T) {
	g := chain(nil, []int{0}, nil)
	g.Nodes[0].Std = true
	got := clusters(g, []string{"", "a", "a"}, func(n *graph.Node) bool { return n.Std })
	if want := [][]int{{1, 2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Whatever the graph, clusters do not depend on each other in a circle.
func TestClusterHasNoCircle(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		n := 2 + r.IntN(40)
		g := &graph.Graph{}
		modules := make([]string, n)
		at := make([]int, n) // its cluster, or itself
		for i := range n {
			node := &graph.Node{Kind: graph.Package}
			for j := range i {
				if r.IntN(4) == 0 {
					node.Refs = append(node.Refs, graph.Ref{Node: j, Output: graph.Export})
				}
			}
			g.Nodes = append(g.Nodes, node)
			modules[i] = string(rune('a' + r.IntN(4)))
			at[i] = i
		}
		found := clusters(g, modules, none)
		for _, c := range found {
			for _, i := range c {
				at[i] = c[0]
			}
		}
		// Take away whatever depends on nothing that is left, until nothing is.
		left := map[int]bool{}
		for _, a := range at {
			left[a] = true
		}
		for len(left) > 0 {
			blocked := map[int]bool{}
			for i, node := range g.Nodes {
				for _, ref := range node.Refs {
					if at[ref.Node] != at[i] && left[at[ref.Node]] {
						blocked[at[i]] = true
					}
				}
			}
			before := len(left)
			for a := range left {
				if !blocked[a] {
					delete(left, a)
				}
			}
			if len(left) == before {
				t.Fatalf("seed %d: %v depend on each other in a circle", seed, left)
			}
		}
	}
}
