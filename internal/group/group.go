// Package group decides which nodes of a graph share a derivation. It is the only
// place that does.
//
// A package that is in no group has a derivation of its own. What shares one is
// the standard library, in parts that are the same for all programs (Std), with
// a program's own variant of packages of it (Variant); and packages of third-party
// modules, or of a large main module (Packages). Collections are derivations that hold nothing
// but links to archives, between these and a program.
//
// A group follows from names and references, not from the order of a graph, and
// groups do not depend on each other in a circle.
package group

import (
	"fmt"
	"strconv"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/graph"
)

// A Group is a set of nodes that one derivation builds, in the graph's order or
// by Levels.
type Group struct {
	Name  string
	Nodes []int
	// Split gives the export data of each package an output of its own: an
	// importer then depends on what it imports, not on the whole group. Apart gives
	// its archive one, too: programs then depend on what they link.
	Split, Apart bool
	// Several means that it is of more than one third-party module.
	Several bool
	// Std means that it is a part of the standard library, whose spec is the same
	// for all programs.
	Std bool
}

// Merge puts the parts of the standard library that a program uses before the
// program's graph, see graph.Merge, and returns the groups of these and of the
// program's variant.
func Merge(std, program *graph.Graph) (*graph.Graph, []Group, error) {
	g, parts, own, err := graph.Merge(std, program, stdParts(std))
	if err != nil {
		return nil, nil, err
	}
	return g, append(ofParts(parts), Variant(own)...), nil
}

// Std returns the groups of the standard library's own graph.
func Std(std *graph.Graph) []Group { return ofParts(stdParts(std)) }

func ofParts(parts []graph.Part) []Group {
	var groups []Group
	for _, p := range parts {
		groups = append(groups, Group{Name: p.Name, Nodes: p.Nodes, Std: true})
	}
	return groups
}

// Variant returns the group of the nodes of the standard library that are a
// program's own, because flags or a profile make them differ. It returns none
// where there are no such nodes.
func Variant(own []int) []Group {
	if len(own) == 0 {
		return nil
	}
	return []Group{{Name: "std-variant", Nodes: own}}
}

// Packages returns the groups of those packages among the nodes that are bound.
// Granularity is "package", where each has a derivation of its own; "module", where
// third-party ones of a module share them as clusters do; or "auto", where in
// addition light ones of several modules share one, and those of a large main
// module.
//
// Packages with C stay apart: they need an environment that the others do without.
func Packages(g *graph.Graph, bound map[int][]bind.Bound, granularity string) ([]Group, error) {
	switch granularity {
	case "package":
		return nil, nil
	case "module", "auto":
	default:
		return nil, fmt.Errorf("granularity is %q, not \"auto\", \"module\" or \"package\"", granularity)
	}
	modules := make([]string, len(g.Nodes)) // by node: the third-party module, if it may share
	for i, n := range g.Nodes {
		if n.Kind == graph.Package && !n.Cgo && n.Src != nil && n.Src.Vendored && len(bound[i]) == 1 {
			modules[i] = bound[i][0].Path
		}
	}
	p := partitionOf(g, clusters(g, modules, func(n *graph.Node) bool { return n.Std }))
	if granularity == "auto" {
		p = joinLight(p, modules)
		p = joinOwn(p, bound)
	}
	var groups []Group
	for _, nodes := range p.sets {
		if len(nodes) > 1 {
			order(g, nodes)
			groups = append(groups, groupOf(g, nodes, modules, bound))
		}
	}
	return groups, nil
}

// groupOf is the group of nodes in order: of third-party modules, or of the main module.
func groupOf(g *graph.Graph, nodes []int, modules []string, bound map[int][]bind.Bound) Group {
	if modules[nodes[0]] == "" {
		return Group{Name: withMore(g.Nodes[nodes[0]].Name, len(nodes)-1), Nodes: nodes, Split: true, Apart: true}
	}
	of := map[string]bool{}
	for _, n := range nodes {
		of[modules[n]] = true
	}
	name := withMore(moduleName(bound[nodes[0]][0].At), len(of)-1)
	return Group{Name: name, Nodes: nodes, Split: true, Several: len(of) > 1}
}

// withMore is the name of a group that is named by the first of its parts.
func withMore(name string, more int) string {
	if more == 0 {
		return name
	}
	return name + "+" + strconv.Itoa(more)
}

const (
	lightModule = 32 << 10  // bytes of Go that compile in 0.2 s: what a derivation costs is a good part of that
	manyLight   = 64        // clusters of no more, above which they share derivations
	lightLimit  = 128 << 10 // a change of one compiles at most this once more
	manyOwn     = 256       // packages of the main module, above which they share derivations
	ownGroups   = 128       // about so many derivations there are then
	ownLimit    = 64 << 10  // bytes of Go without functions' bodies: an edit compiles at most this, about what a link costs
)

// joinLight joins what is light of third-party modules, where it is much: to compile
// it once more costs as little as a derivation of its own. Where it is little,
// programs rather share it.
func joinLight(p *partition, modules []string) *partition {
	chosen, count := p.choose(func(set []int) bool { return modules[set[0]] != "" && p.weight(set) <= lightModule })
	if count <= manyLight {
		return p
	}
	return p.join(chosen, grain{every: 16, limit: lightLimit})
}

// joinOwn joins packages of the main module where they are many. An edit of one
// compiles all that it shares a derivation with: hence a limit.
//
// Those that other files than theirs may be a source of stay apart.
func joinOwn(p *partition, bound map[int][]bind.Bound) *partition {
	chosen, count := p.choose(func(set []int) bool {
		node, b := p.g.Nodes[set[0]], bound[set[0]]
		return node.Kind == graph.Package && !node.Cgo && !node.Header && node.Src != nil && !node.Src.Vendored &&
			len(b) == 1 && b[0].Tree != nil && len(b[0].Tree.Files) > 0
	})
	if count <= manyOwn {
		return p
	}
	gr := grain{every: 8, limit: ownLimit}
	for int(gr.every)*ownGroups < count { // doubled, it ends in places where it ended before
		gr.every *= 2
	}
	return p.join(chosen, gr)
}

// moduleName is the path of the module that is at a place below SRC.
func moduleName(at string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(at, "vendor/"), "@")
	return name
}
