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
// leaves alone, of third-party packages and of the standard library.
//
// A link depends on the archives of all packages of the program, of which an edit
// changes a few. When an input of a derivation has changed, Nix looks at all of its
// inputs, and in dynamic mode it mounts them in the planner's sandbox. A collection
// hides archives that have not changed.
func Collections(g *graph.Graph, link int) [][]int {
	var others, own []int
	vendored := 0
	for _, ref := range g.Nodes[link].Refs {
		n := g.Nodes[ref.Node]
		switch {
		case ref.Output != graph.Archive:
		case n.Src == nil: // of the standard library
			others = append(others, ref.Node)
		case n.Src.Vendored:
			others = append(others, ref.Node)
			vendored++
		default:
			own = append(own, ref.Node)
		}
	}
	var sets [][]int
	if vendored >= MinCollected {
		sets = append(sets, others)
	}
	if len(own) > MaxOwn {
		spread := make([][]int, Buckets)
		for _, n := range own {
			b := sha256.Sum256([]byte(g.Nodes[n].Name))[0] / (256 / Buckets)
			spread[b] = append(spread[b], n)
		}
		sets = append(sets, slices.DeleteFunc(spread, func(set []int) bool { return len(set) == 0 })...)
	}
	return sets
}
