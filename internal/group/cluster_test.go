package group

import (
	"fmt"
	"maps"
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
		got := clusters(test.g, test.modules, none)
		for _, nodes := range got {
			order(test.g, nodes)
		}
		if !reflect.DeepEqual(got, test.want) {
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

// circle returns sets that depend on each other in a circle, or none.
func circle(p *partition) map[int]bool {
	// Remove sets that depend on none of the remaining ones, as long as there are any.
	left := map[int]bool{}
	for i := range p.sets {
		left[i] = true
	}
	for len(left) > 0 {
		blocked := map[int]bool{}
		for n, node := range p.g.Nodes {
			for _, ref := range node.Refs {
				if p.at[ref.Node] != p.at[n] && left[p.at[ref.Node]] {
					blocked[p.at[n]] = true
				}
			}
		}
		before := len(left)
		maps.DeleteFunc(left, func(i int, _ bool) bool { return !blocked[i] })
		if len(left) == before {
			return left
		}
	}
	return nil
}

// random is a graph of up to 41 packages, each with a weight, and their modules.
func random(seed uint64) (*graph.Graph, []string) {
	r := rand.New(rand.NewPCG(seed, 0))
	g := &graph.Graph{}
	var modules []string
	for i := range 2 + r.IntN(40) {
		node := &graph.Node{Kind: graph.Package, Name: fmt.Sprintf("p%02d", r.IntN(100)), Weight: int64(r.IntN(10))}
		for j := range i {
			if r.IntN(4) == 0 {
				node.Refs = append(node.Refs, graph.Ref{Node: j, Output: graph.Export})
			}
		}
		g.Nodes = append(g.Nodes, node)
		modules = append(modules, string(rune('a'+r.IntN(4))))
	}
	return g, modules
}

// Clusters of any graph do not depend on each other in a circle.
func TestClusterHasNoCircle(t *testing.T) {
	for seed := range uint64(500) {
		g, modules := random(seed)
		if left := circle(partitionOf(g, clusters(g, modules, none))); left != nil {
			t.Fatalf("seed %d: %v depend on each other in a circle", seed, left)
		}
	}
}
