package group

import (
	"crypto/sha256"
	"slices"

	"dgd/internal/graph"
)

// lib/stages/plan-links.nix has the same numbers.
const (
	MinCollected = 16  // fewer third-party archives are not worth a derivation
	MaxOwn       = 128 // a link refers to as many archives of the main module's packages
	Buckets      = 16  // and more are spread over so many collections, by import path
)

// Collections returns which archives of a link's packages are collected: each
// collection is a derivation with a link to each of its archives.
//
// A link refers to the archives of all packages of the program, and an edit
// changes a few of them. But Nix looks at every input of a derivation whose
// inputs have changed. A collection between archives and the link stays the same
// as long as they do.
func Collections(g *graph.Graph, link int) [][]int {
	var vendored, own []int
	for _, ref := range g.Nodes[link].Refs {
		n := g.Nodes[ref.Node]
		switch {
		case ref.Output != graph.Archive || n.Src == nil:
		case n.Src.Vendored:
			vendored = append(vendored, ref.Node)
		default:
			own = append(own, ref.Node)
		}
	}
	var sets [][]int
	if len(vendored) >= MinCollected {
		sets = append(sets, vendored)
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
