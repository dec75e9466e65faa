package stage

import (
	"slices"

	"dgd/internal/bind"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// A joined graph has the nodes of the standard library, then those that only the program
// has, and then those that only its tests have.
type joined struct {
	graph *graph.Graph
	std   *graph.Graph
	ends  []int // index after the last node of each of these three
}

// join joins the graphs of plans. Divide is the argument of graph.Apart.
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

// groups returns the groups of the joined nodes. The program's groups are the same as
// without tests.
func (j *joined) groups(bound map[int][]bind.Bound, granularity string) ([]group.Group, error) {
	groups := group.Std(j.std)
	for i, end := range j.ends[1:] {
		part := span(j.ends[i], end)
		own := slices.DeleteFunc(slices.Clone(part), func(n int) bool { return !j.graph.Nodes[n].Std })
		groups = append(groups, group.Variant(own)...)
		ofPart := map[int][]bind.Bound{}
		for _, n := range part {
			ofPart[n] = bound[n]
		}
		grain := granularity
		if i > 0 && grain == "auto" {
			grain = "module" // for packages that only tests need
		}
		packages, err := group.Packages(j.graph, ofPart, grain)
		if err != nil {
			return nil, err
		}
		groups = append(groups, packages...)
	}
	return groups, nil
}
