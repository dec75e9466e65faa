// Package group decides which nodes of a graph share a derivation. It is the only
// place that does.
//
// A package that is in no group has a derivation of its own. What shares one is
// the standard library, in parts that are the same for all programs (Std), with
// a program's own variant of packages of it (Variant); and packages of a
// third-party module (Modules). Collections are derivations that hold nothing
// but links to archives, between these and a program.
//
// A group follows from names and references, not from the order of a graph, and
// groups do not depend on each other in a circle.
package group

import (
	"fmt"
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
	// importer then depends on what it imports, not on the whole group.
	Split bool
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

// Modules returns the groups of the third-party packages among the nodes that are bound.
// Granularity is "package", where each has a derivation of its own, or "module",
// where those of a module share them as clusters do.
//
// Packages with C stay apart: they need an environment that the others do without.
func Modules(g *graph.Graph, bound map[int][]bind.Bound, granularity string) ([]Group, error) {
	switch granularity {
	case "package":
		return nil, nil
	case "module":
	default:
		return nil, fmt.Errorf("granularity is %q, not \"package\" or \"module\"", granularity)
	}
	modules := make([]string, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Kind == graph.Package && !n.Cgo && n.Src != nil && n.Src.Vendored && bound[i] != nil {
			modules[i] = bound[i][0].Path
		}
	}
	var groups []Group
	for _, nodes := range clusters(g, modules, func(n *graph.Node) bool { return n.Std }) {
		groups = append(groups, Group{Name: moduleName(bound[nodes[0]][0].At), Nodes: nodes, Split: true})
	}
	return groups, nil
}

// moduleName is the path of the module that is at a place below SRC.
func moduleName(at string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(at, "vendor/"), "@")
	return name
}
