package stage

import (
	"slices"

	"dgd/internal/bind"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// A joined graph has the standard library's nodes, behind these those of a program
// that are not the same there, and then those of its tests.
type joined struct {
	graph *graph.Graph
	std   *graph.Graph
	ends  []int // where the nodes of each end
}

// join joins plans; divide is that of graph.Apart.
func join(divide func(*graph.Node, []string) (*graph.Division, error), std, program, tests *Plan) (*joined, error) {
	j := &joined{graph: &graph.Graph{}, std: &std.Graph}
	for _, p := range []*Plan{std, program, tests} {
		part, err := graph.Apart(&p.Graph, divide)
		if err != nil {
			return nil, err
		}
		if p == tests {
			err = j.graph.AddTests(part)
		} else {
			_, err = j.graph.Add(part)
		}
		if err != nil {
			return nil, err
		}
		j.ends = append(j.ends, len(j.graph.Nodes))
	}
	return j, nil
}

// groups are those of the joined nodes: those of the program are as they are without
// tests.
func (j *joined) groups(bound map[int][]bind.Bound, granularity string) ([]group.Group, error) {
	groups := group.Std(j.std)
	for i, end := range j.ends[1:] {
		part := span(j.ends[i], end)
		ofStd := slices.DeleteFunc(slices.Clone(part), func(n int) bool { return !j.graph.Nodes[n].Std })
		groups = append(groups, group.Variant(ofStd)...)
		ofPart := map[int][]bind.Bound{}
		for _, n := range part {
			ofPart[n] = bound[n]
		}
		grain := granularity
		if i > 0 && grain == "auto" {
			grain = "module" // of what only tests need
		}
		packages, err := group.Packages(j.graph, ofPart, grain)
		if err != nil {
			return nil, err
		}
		groups = append(groups, packages...)
	}
	return groups, nil
}
