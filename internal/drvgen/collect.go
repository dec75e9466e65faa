package drvgen

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// A link refers to the archives of all packages of the program, and an edit
// changes a few of them. But Nix looks at every input of a derivation whose
// inputs have changed. So archives are collected: a derivation between them
// and the link holds a link to each, and stays the same as long as they do.
const (
	minCollected = 16  // fewer archives are not worth a derivation
	maxOwn       = 128 // of the main module's packages a link refers to as many
	buckets      = 64  // else they are spread over so many derivations, by import path
)

// collect makes the collections of a link's archives, and returns the place of
// each collected archive, by node.
func (gen *generator) collect(link int) (map[int]place, error) {
	var vendored, own []int
	for _, ref := range gen.g.Nodes[link].Refs {
		n := gen.g.Nodes[ref.Node]
		switch {
		case ref.Output != graph.Archive || n.Src == nil:
		case n.Src.Vendored:
			vendored = append(vendored, ref.Node)
		default:
			own = append(own, ref.Node)
		}
	}
	var sets [][]int
	if len(vendored) >= minCollected {
		sets = append(sets, vendored)
	}
	if len(own) > maxOwn {
		spread := make([][]int, buckets)
		for _, n := range own {
			b := sha256.Sum256([]byte(gen.g.Nodes[n].Name))[0] % buckets
			spread[b] = append(spread[b], n)
		}
		sets = append(sets, slices.DeleteFunc(spread, func(set []int) bool { return len(set) == 0 })...)
	}
	places := map[int]place{}
	for _, set := range sets {
		if err := gen.collection(set, places); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// collection makes the derivation that collects the archives of the nodes.
func (gen *generator) collection(nodes []int, places map[int]place) error {
	d := gen.begin("archives")
	u := action.Unit{Name: d.Name, Steps: []action.Step{}}
	taken := map[string]bool{}
	for _, n := range nodes {
		f := file{output: "out", path: archiveFile(gen.g.Nodes[n].Name)}
		if taken[f.path] {
			return fmt.Errorf("a program with two packages %s", gen.g.Nodes[n].Name)
		}
		taken[f.path] = true
		from, err := gen.reference(&d, graph.Ref{Node: n, Output: graph.Archive})
		if err != nil {
			return err
		}
		u.Sources = append(u.Sources, action.Source{At: f.token(), From: from})
		places[n] = place{drv: len(gen.drvs), archive: f, done: true}
	}
	return gen.add(d, u)
}
