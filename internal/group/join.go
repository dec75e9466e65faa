package group

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"dgd/internal/graph"
)

// A partition has each node of a graph in one of several sets. They do not depend on
// each other in a circle.
type partition struct {
	g    *graph.Graph
	sets [][]int
	at   []int // by node: index of its set
}

// partitionOf returns the partition of the given sets, and of one set for each other
// node.
func partitionOf(g *graph.Graph, sets [][]int) *partition {
	p := &partition{g: g, sets: slices.Clone(sets), at: make([]int, len(g.Nodes))}
	for n := range p.at {
		p.at[n] = -1
	}
	for i, set := range sets {
		for _, n := range set {
			p.at[n] = i
		}
	}
	for n := range p.at {
		if p.at[n] < 0 {
			p.at[n] = len(p.sets)
			p.sets = append(p.sets, []int{n})
		}
	}
	return p
}

// choose returns is of each set, and the number of sets for which it is true.
func (p *partition) choose(is func(set []int) bool) (chosen []bool, count int) {
	chosen = make([]bool, len(p.sets))
	for i, set := range p.sets {
		if chosen[i] = is(set); chosen[i] {
			count++
		}
	}
	return chosen, count
}

// depths returns the depth of each set: the number of chosen sets on the way through
// its dependencies that has most of them, itself not counted.
func (p *partition) depths(chosen []bool) []int {
	depth := make([]int, len(p.sets))
	for i := range depth {
		depth[i] = -1
	}
	var of func(i int) int
	of = func(i int) int {
		if depth[i] >= 0 {
			return depth[i]
		}
		d := 0
		for _, n := range p.sets[i] {
			for _, r := range p.g.Nodes[n].Refs {
				j := p.at[r.Node]
				if j == i {
					continue
				}
				below := of(j)
				if chosen[j] {
					below++
				}
				d = max(d, below)
			}
		}
		depth[i] = d
		return d
	}
	for i := range depth {
		of(i)
	}
	return depth
}

// A grain says how large joined sets are.
type grain struct {
	every uint32 // one set of so many, by the hash of its name, is the last of a joined one
	most  int    // the largest number of sets that are joined to one; 0 for any
	limit int64  // the largest sum of Weight, unless it is one set
}

// join joins chosen sets that have the same depth and are next to each other by name.
// The other sets stay as they are.
//
// Joined sets do not depend on each other in a circle: if a chosen set depends on
// another, directly or not, its depth is larger.
//
// A joined set ends after a set whose name has a certain hash, or at a limit. So a set
// that is added or removed moves few others.
func (p *partition) join(chosen []bool, gr grain) *partition {
	var list []int
	var sets [][]int
	for i, set := range p.sets {
		if chosen[i] {
			list = append(list, i)
		} else {
			sets = append(sets, set)
		}
	}
	depth := p.depths(chosen)
	name := func(i int) string { return p.first(p.sets[i]) }
	slices.SortStableFunc(list, func(a, b int) int {
		return cmp.Or(cmp.Compare(depth[a], depth[b]), strings.Compare(name(a), name(b)))
	})
	var open []int
	var weight int64
	joined := 0
	end := func() {
		if len(open) > 0 {
			sets = append(sets, open)
		}
		open, weight, joined = nil, 0, 0
	}
	for k, i := range list {
		w := p.weight(p.sets[i])
		if k > 0 && depth[list[k-1]] != depth[i] || weight+w > gr.limit {
			end()
		}
		open, weight, joined = append(open, p.sets[i]...), weight+w, joined+1
		if gr.ends(name(i)) || joined == gr.most {
			end()
		}
	}
	end()
	return partitionOf(p.g, sets)
}

// first returns the smallest name of a set's nodes.
func (p *partition) first(set []int) string {
	first := p.g.Nodes[set[0]].Name
	for _, n := range set[1:] {
		first = min(first, p.g.Nodes[n].Name)
	}
	return first
}

func (p *partition) weight(set []int) (sum int64) {
	for _, n := range set {
		sum += p.g.Nodes[n].Weight
	}
	return sum
}

// ends reports whether a joined set ends after the set with this name.
func (gr grain) ends(name string) bool {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint32(sum[:])%gr.every == 0
}
