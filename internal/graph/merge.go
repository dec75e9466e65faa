package graph

import (
	"encoding/json"
	"fmt"
)

// Merge puts the standard library's own graph before a program's, and leaves
// out every package of the program that is the same there: the same steps, on
// the same inputs. Flags that change the standard library (a profile, -race,
// tags) make other steps, and such packages stay the program's own.
//
// Shared lists the nodes that come from std, Own the program's own nodes of the
// standard library. Where nothing is the same, std is left out.
func Merge(std, program *Graph) (g *Graph, shared, own []int, err error) {
	byName := map[string]int{}
	for i, n := range std.Nodes {
		byName[n.Name] = i
	}
	same := make([]int, len(program.Nodes)) // index in std, or -1
	matched := false
	for i, n := range program.Nodes {
		same[i] = -1
		j, ok := byName[n.Name]
		if !n.Std || !ok {
			continue
		}
		equal, err := sameNode(std.Nodes[j], n, same)
		if err != nil {
			return nil, nil, nil, err
		}
		if equal {
			same[i] = j
			matched = true
		}
	}
	g = &Graph{}
	if matched {
		g.Nodes = append(g.Nodes, std.Nodes...)
		for i := range std.Nodes {
			shared = append(shared, i)
		}
	}
	at := make([]int, len(program.Nodes))
	for i, n := range program.Nodes {
		if same[i] >= 0 {
			at[i] = same[i]
			continue
		}
		n := *n
		n.Refs = nil
		for _, r := range program.Nodes[i].Refs {
			if r.Node >= i {
				return nil, nil, nil, fmt.Errorf("%s refers to a node that comes later", n.Name)
			}
			n.Refs = append(n.Refs, Ref{Node: at[r.Node], Output: r.Output})
		}
		at[i] = len(g.Nodes)
		if n.Std {
			own = append(own, at[i])
		}
		g.Nodes = append(g.Nodes, &n)
	}
	return g, shared, own, nil
}

// sameNode says whether two nodes do the same work, where same tells which of
// the second graph's nodes are in the first.
func sameNode(a, b *Node, same []int) (bool, error) {
	if a.Kind != b.Kind || a.Cgo != b.Cgo || a.Src != nil || b.Src != nil || len(a.Refs) != len(b.Refs) {
		return false, nil
	}
	for i := range a.Refs {
		if same[b.Refs[i].Node] != a.Refs[i].Node || a.Refs[i].Output != b.Refs[i].Output {
			return false, nil
		}
	}
	x, err := json.Marshal(a.Steps)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b.Steps)
	if err != nil {
		return false, err
	}
	return string(x) == string(y), nil
}
