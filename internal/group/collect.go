package group

import (
	"crypto/sha256"
	"slices"

	"dgd/internal/graph"
)

// lib/stages/plan-links.nix has the same numbers.
const (
	MinCollected = 16  // a link refers directly to fewer third-party archives
	MaxOwn       = 128 // and to at most this many archives of the main module
	Buckets      = 16  // the number of collections for more of these, by import path
)

// Collections returns the collections of archives for a link: each is a set of nodes,
// and a derivation with symlinks to their archives. The first has those that an edit
// leaves alone, of third-party packages and of the standard library. Packages of a group
// are in the same one.
//
// A link depends on the archives of all packages of the program, of which an edit
// changes a few. When an input of a derivation has changed, Nix looks at all of its
// inputs, and in dynamic mode it mounts them in the planner's sandbox. A collection
// hides archives that have not changed.
func Collections(g *graph.Graph, link int, groups []Group) [][]int {
	first := map[int]int{} // by node: the first of its group
	for _, set := range groups {
		for _, n := range set.Nodes {
			first[n] = set.Nodes[0]
		}
	}
	var others, own []int
	vendored := 0
	for _, n := range archivesOf(g, link) {
		switch src := g.Nodes[n].Src; {
		case src == nil: // of the standard library
			others = append(others, n)
		case src.Vendored:
			others = append(others, n)
			vendored++
		default:
			own = append(own, n)
		}
	}
	var sets [][]int
	if vendored >= MinCollected {
		sets = append(sets, others)
	}
	if len(own) > MaxOwn {
		spread := make([][]int, Buckets)
		for _, n := range own {
			at, grouped := first[n]
			if !grouped {
				at = n
			}
			b := sha256.Sum256([]byte(g.Nodes[at].Name))[0] / (256 / Buckets)
			spread[b] = append(spread[b], n)
		}
		sets = append(sets, slices.DeleteFunc(spread, func(set []int) bool { return len(set) == 0 })...)
	}
	return sets
}

// Whole returns the nodes of those groups with Apart of which a link needs every
// archive. It takes them from the one output that has all archives of a group: an edit of
// any of these packages changes the program anyway, and Nix keeps a derivation's text for
// each output that is needed.
func Whole(g *graph.Graph, link int, groups []Group) []int {
	needed := map[int]bool{}
	for _, n := range archivesOf(g, link) {
		needed[n] = true
	}
	var nodes []int
	for _, set := range groups {
		if set.Apart && !slices.ContainsFunc(set.Nodes, func(n int) bool { return !needed[n] }) {
			nodes = append(nodes, set.Nodes...)
		}
	}
	return nodes
}

// archivesOf returns the nodes whose archives a link refers to.
func archivesOf(g *graph.Graph, link int) []int {
	var nodes []int
	for _, ref := range g.Nodes[link].Refs {
		if ref.Output == graph.Archive {
			nodes = append(nodes, ref.Node)
		}
	}
	return nodes
}
