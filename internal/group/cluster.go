package group

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/graph"
)

// clusters puts together nodes that may as well be built together: those of the
// same module that depend on the same nodes of others, directly or by way of
// nodes of their own module. A change elsewhere then concerns all nodes of a
// cluster or none.
//
// Modules says which module a node belongs to; nodes without a module stay
// apart. Of other modules, ignore says which are left out of the comparison.
// Clusters of one node are left out of the result. Clusters do not depend on
// each other in a circle: if they did, nodes would, too.
func clusters(g *graph.Graph, modules []string, ignore func(*graph.Node) bool) [][]int {
	others := make([][]int, len(g.Nodes)) // by node: what it depends on, sorted
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

// order sorts nodes in a way that does not depend on their order in the graph: by
// Levels, then by name.
func order(g *graph.Graph, nodes []int) {
	slices.Sort(nodes)
	level := Levels(g, nodes)
	slices.SortStableFunc(nodes, func(a, b int) int {
		return cmp.Or(cmp.Compare(level[a], level[b]), strings.Compare(g.Nodes[a].Name, g.Nodes[b].Name))
	})
}

// Levels returns, of some nodes in the graph's order, the length of the longest way
// from each to another of them that refers to none of them.
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
