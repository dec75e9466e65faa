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
// Parts are those of the standard library that the program uses; the others are
// left out. Own lists the program's own nodes of the standard library.
func Merge(std, program *Graph) (g *Graph, parts []Part, own []int, err error) {
	byName := map[string]int{}
	for i, n := range std.Nodes {
		byName[n.Name] = i
	}
	same := make([]int, len(program.Nodes)) // index in std, or -1
	used := make([]bool, len(std.Nodes))
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
			used[j] = true
		}
	}
	g = &Graph{}
	parts, stdAt := g.addParts(std, usedParts(std, used))
	at := make([]int, len(program.Nodes))
	for i, n := range program.Nodes {
		if same[i] >= 0 {
			at[i] = stdAt[same[i]]
			continue
		}
		for _, r := range n.Refs {
			if r.Node >= i {
				return nil, nil, nil, fmt.Errorf("%s refers to a node that comes later", n.Name)
			}
		}
		at[i] = g.add(n, at)
		if n.Std {
			own = append(own, at[i])
		}
	}
	return g, parts, own, nil
}

// addParts adds the nodes of parts of another graph. It returns the parts with
// the new indices, and these by the old ones.
func (g *Graph) addParts(from *Graph, parts []Part) (added []Part, at []int) {
	partOf := map[int]int{}
	for i, p := range parts {
		added = append(added, Part{Name: p.Name})
		for _, n := range p.Nodes {
			partOf[n] = i
		}
	}
	at = make([]int, len(from.Nodes))
	for i, n := range from.Nodes {
		if part, ok := partOf[i]; ok {
			at[i] = g.add(n, at)
			added[part].Nodes = append(added[part].Nodes, at[i])
		}
	}
	return added, at
}

// add adds a node of another graph, where at says which node of this graph
// stands for one of the other, and returns its index.
func (g *Graph) add(from *Node, at []int) int {
	n := *from
	n.Refs = nil
	for _, r := range from.Refs {
		n.Refs = append(n.Refs, Ref{Node: at[r.Node], Output: r.Output})
	}
	g.Nodes = append(g.Nodes, &n)
	return len(g.Nodes) - 1
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
