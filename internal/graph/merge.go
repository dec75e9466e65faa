package graph

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// A Part is a named set of nodes of a graph.
type Part struct {
	Name  string
	Nodes []int // indices, ascending
}

// Merge puts the standard library's graph before a program's graph, and leaves out
// every package of the program that is the same there: that has the same steps and
// inputs. Packages of the standard library that differ, because of a profile or
// -race, stay the program's own.
//
// Parts are the parts of the standard library, each after those that it depends on.
// Used are those that the program uses, with indices in g; the others are left out.
// Own lists the program's own nodes of the standard library.
func Merge(std, program *Graph, parts []Part) (g *Graph, used []Part, own []int, err error) {
	all := &Graph{Nodes: slices.Clone(std.Nodes)}
	found, err := all.Add(program)
	if err != nil {
		return nil, nil, nil, err
	}
	needed := make([]bool, len(std.Nodes))
	for _, i := range found {
		if i < len(needed) {
			needed[i] = true
		}
	}
	g = &Graph{}
	used, at := g.addParts(std, usedParts(std, parts, needed))
	for _, n := range all.Nodes[len(std.Nodes):] {
		at = append(at, g.add(n, at))
		if n.Std {
			own = append(own, len(g.Nodes)-1)
		}
	}
	return g, used, own, nil
}

// usedParts returns the parts that have a used node, or one that another part in the
// result refers to.
func usedParts(std *Graph, parts []Part, used []bool) []Part {
	var out []Part
	for _, p := range slices.Backward(parts) {
		if !slices.ContainsFunc(p.Nodes, func(n int) bool { return used[n] }) {
			continue
		}
		for _, n := range p.Nodes {
			for _, r := range std.Nodes[n].Refs {
				used[r.Node] = true
			}
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// addParts adds the nodes of parts of another graph. It returns the parts with the new
// indices, and at, the new index by the old one.
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

// add adds a node of another graph and returns its index. At is the index in g by that
// in the other graph.
func (g *Graph) add(from *Node, at []int) int {
	g.Nodes = append(g.Nodes, from.moved(at))
	return len(g.Nodes) - 1
}

// moved returns a copy of the node for another graph. At is the index there by that in the
// node's own graph.
func (n *Node) moved(at []int) *Node {
	m := *n
	m.Refs = nil
	for _, r := range n.Refs {
		m.Refs = append(m.Refs, Ref{Node: at[r.Node], Output: r.Output})
	}
	return &m
}

// checkOrder returns an error if the node with index i refers to itself or a later one.
func (n *Node) checkOrder(i int) error {
	if slices.ContainsFunc(n.Refs, func(r Ref) bool { return r.Node >= i }) {
		return fmt.Errorf("%s refers to a node that comes later", n.Name)
	}
	return nil
}

// Add appends the nodes of another graph to those of g, but for those that g has
// already. At is the index in g by that in the other graph. It is an error if a node
// refers to a later one.
func (g *Graph) Add(other *Graph) (at []int, err error) {
	byName := map[string][]int{}
	for i, n := range g.Nodes {
		byName[n.Name] = append(byName[n.Name], i)
	}
	for i, from := range other.Nodes {
		if err := from.checkOrder(i); err != nil {
			return nil, err
		}
		n := from.moved(at)
		same := len(g.Nodes)
		for _, j := range byName[n.Name] {
			equal, err := sameNode(g.Nodes[j], n)
			if err != nil {
				return nil, err
			}
			if equal {
				same = j
			}
		}
		at = append(at, same)
		if same == len(g.Nodes) {
			g.Nodes = append(g.Nodes, n)
		}
	}
	return at, nil
}

// sameNode reports whether two nodes of a graph have the same inputs and steps.
func sameNode(a, b *Node) (bool, error) {
	if a.Kind != b.Kind || a.Std != b.Std || a.Cgo != b.Cgo || a.Main != b.Main || a.LinkSrc != b.LinkSrc ||
		a.Part != b.Part || !slices.Equal(a.Refs, b.Refs) || !slices.Equal(a.Inputs, b.Inputs) || !reflect.DeepEqual(a.Src, b.Src) || !reflect.DeepEqual(a.Trees, b.Trees) {
		return false, nil
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
