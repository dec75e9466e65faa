package drvgen

import (
	"fmt"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// collect makes the collections of archives for a link, and returns the place of each
// collected archive, by node.
func (gen *generator) collect(link int) (map[int]place, error) {
	places := map[int]place{}
	for _, set := range group.Collections(gen.g, link) {
		if err := gen.collection(set, places); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// collection makes the derivation of symlinks to the archives of the nodes, and adds
// their places.
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
