package drvgen

import (
	"fmt"
	"maps"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// collect finds the places from which a link takes archives, if these are not those of
// the packages: outputs for all archives of a group, and the collections, which it makes.
func (gen *generator) collect(link int) error {
	gen.collected = map[int]place{}
	for _, n := range group.Whole(gen.g, link, gen.opt.Groups) {
		at := gen.at[n]
		gen.collected[n] = place{drv: at.drv, archive: at.together, done: at.done}
	}
	for _, set := range group.Collections(gen.g, link, gen.opt.Groups) {
		if err := gen.collection(set); err != nil {
			return err
		}
	}
	return nil
}

// collection makes the derivation of symlinks to the archives of the nodes, which are
// their places for the link.
func (gen *generator) collection(nodes []int) error {
	d := gen.begin("archives")
	u := action.Unit{Name: d.Name, Steps: []action.Step{}}
	places := map[int]place{}
	taken := map[string]bool{}
	for _, n := range nodes {
		f := file{output: archiveOutput, path: archiveFile(gen.g.Nodes[n].Name)}
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
	maps.Copy(gen.collected, places)
	return gen.add(d, u)
}
