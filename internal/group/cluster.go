package group

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/graph"
)

// clusters returns sets of nodes that are of the same module and depend, directly or
// through nodes of that module, on the same nodes of other modules. So a change in
// another module concerns all nodes of a cluster or none.
//
// Modules has the module of each node; nodes with "" are in no cluster. Nodes of other
// modules for which ignore returns true are not compared. Clusters have at least two
// nodes. They do not depend on each other in a circle, as nodes do not.
func clusters(g *graph.Graph, modules []string, ignore func(*graph.Node) bool) [][]int {
	others := make([][]int, len(g.Nodes)) // by node: the nodes of other modules that it depends on, sorted
	members := map[string][]int{}
	var keys []string
	for i, n := range g.Nodes {
		if modules[i] == "" {
			continue
		}
		for _, r := range n.Refs {
			switch {
			case modules[r.Node] == modules[i]:
				others[i] = append(others[i], others[r.Node]...)
			case !ignore(g.Nodes[r.Node]):
				others[i] = append(others[i], r.Node)
			}
		}
		slices.Sort(others[i])
		others[i] = slices.Compact(others[i])
		key := modules[i] + "\x00" + numbers(others[i])
		if members[key] == nil {
			keys = append(keys, key)
		}
		members[key] = append(members[key], i)
	}
	var list [][]int
	for _, key := range keys {
		if len(members[key]) > 1 {
			list = append(list, members[key])
		}
	}
	return list
}

// order sorts nodes by Levels, then by name, so that the result does not depend on
// their order in the graph.
func order(g *graph.Graph, nodes []int) {
	slices.Sort(nodes)
	level := Levels(g, nodes)
	slices.SortStableFunc(nodes, func(a, b int) int {
		return cmp.Or(cmp.Compare(level[a], level[b]), strings.Compare(g.Nodes[a].Name, g.Nodes[b].Name))
	})
}

// Levels returns the level of each of nodes, which are in the graph's order: 0 if it
// refers to none of them, else one more than the highest level that it refers to.
func Levels(g *graph.Graph, nodes []int) map[int]int {
	level := map[int]int{}
	for _, n := range nodes {
		level[n] = 0
		for _, r := range g.Nodes[n].Refs {
			if l, ok := level[r.Node]; ok {
				level[n] = max(level[n], l+1)
			}
		}
	}
	return level
}

func numbers(list []int) string {
	var b strings.Builder
	for _, n := range list {
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
	}
	return b.String()
}
