// Package group decides which nodes of a graph share a derivation. No other package
// does.
//
// A package that is in no group has a derivation of its own. There are groups of the
// standard library, which are the same for all programs (Std); one of the packages of
// the standard library that a program has changed (Variant); and groups of packages of
// third-party modules or of a large main module (Packages). Collections are derivations
// of symlinks to archives, between these and a program.
//
// Groups follow from names and references, not from the order of the graph, and do not
// depend on each other in a circle.
package group

import (
	"fmt"
	"strconv"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/graph"
)

// A Group is a set of nodes that one derivation builds.
type Group struct {
	Name  string
	Nodes []int // indices, in the graph's order or by Levels
	// Split gives the export data of each package an output of its own, so that an
	// importer depends only on the packages that it imports. Apart does so for
	// archives, so that a program depends only on the packages that it links.
	Split, Apart bool
	// Several means that the nodes are of more than one third-party module.
	Several bool
	// Std means that it is a part of the standard library, whose spec is the same for
	// all programs.
	Std bool
}

// Merge puts the parts of the standard library that a program uses before the
// program's graph: see graph.Merge. It returns the groups of these parts and of the
// program's variant.
func Merge(std, program *graph.Graph) (*graph.Graph, []Group, error) {
	g, parts, own, err := graph.Merge(std, program, stdParts(std))
	if err != nil {
		return nil, nil, err
	}
	return g, append(groupsOf(parts), Variant(own)...), nil
}

// Std returns the groups of the standard library's own graph.
func Std(std *graph.Graph) []Group { return groupsOf(stdParts(std)) }

func groupsOf(parts []graph.Part) []Group {
	var groups []Group
	for _, p := range parts {
		groups = append(groups, Group{Name: p.Name, Nodes: p.Nodes, Std: true})
	}
	return groups
}

// Variant returns the group of own, the nodes of the standard library that are a
// program's own because flags or a profile change them, or nil if there are none.
func Variant(own []int) []Group {
	if len(own) == 0 {
		return nil
	}
	return []Group{{Name: "std-variant", Nodes: own}}
}

// Packages returns the groups of the packages of modules. Bound has the sources of
// each node. With the granularity "package" there are none. With "module", third-party
// packages of a module share derivations: see clusters. With "auto", small clusters of
// several modules do, too, and packages of a large main module. Any other granularity
// is an error.
//
// Packages with C have derivations of their own, as they need the C compiler's
// environment.
func Packages(g *graph.Graph, bound map[int][]bind.Bound, granularity string) ([]Group, error) {
	switch granularity {
	case "package":
		return nil, nil
	case "module", "auto":
	default:
		return nil, fmt.Errorf("granularity is %q: it must be \"auto\", \"module\" or \"package\"", granularity)
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

// groupOf returns the group of the ordered nodes, which are of third-party modules or
// of the main module.
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

// withMore returns the name of a group: that of its first part, and how many more
// there are.
func withMore(name string, more int) string {
	if more == 0 {
		return name
	}
	return name + "+" + strconv.Itoa(more)
}

const (
	manyLight   = 64        // light clusters share derivations if there are more
	lightLimit  = 128 << 10 // bytes of Go in a joined set, at most: a change in it compiles all; a cluster of a quarter compiles in 0.2 s, and a derivation takes a good part of that
	lightGroups = 400       // with third-party modules of more than so many times lightLimit, it is doubled: each derivation costs Nix more then
	manyOwn     = 256       // packages of the main module share derivations if there are more
	mostOwn     = 16        // packages that share one, at most: Nix keeps the text of a derivation for each of its outputs, of which each package has two
	ownEvery    = 24        // one package of so many is the last of those that share one: a new package moves no more than those up to there
	ownLimit    = 64 << 10  // bytes of Go without functions' bodies in a joined set, at most: to compile them takes about as long as a link
)

// joinLight joins light clusters of third-party modules if there are many: compiling
// them again costs no more than a derivation for each. If there are few, they stay
// apart, so that programs can share them.
func joinLight(p *partition, modules []string) *partition {
	vendored := func(set []int) bool { return modules[set[0]] != "" }
	var all int64
	for _, set := range p.sets {
		if vendored(set) {
			all += p.weight(set)
		}
	}
	gr := grain{every: 16, limit: lightLimit}
	for gr.limit*lightGroups < all { // doubled, it ends in places where it ended before
		gr.every, gr.limit = 2*gr.every, 2*gr.limit
	}
	chosen, count := p.choose(func(set []int) bool { return vendored(set) && p.weight(set) <= gr.limit/4 })
	if count <= manyLight {
		return p
	}
	return p.join(chosen, gr)
}

// joinOwn joins packages of the main module if there are many. An edit of one compiles
// all in its derivation: hence a limit.
//
// Packages that may read other packages' files stay apart.
func joinOwn(p *partition, bound map[int][]bind.Bound) *partition {
	chosen, count := p.choose(func(set []int) bool {
		node, b := p.g.Nodes[set[0]], bound[set[0]]
		return node.Kind == graph.Package && !node.Cgo && !node.Header && node.Src != nil && !node.Src.Vendored &&
			len(b) == 1 && b[0].Tree != nil && len(b[0].Tree.Files) > 0
	})
	if count <= manyOwn {
		return p
	}
	return p.join(chosen, grain{every: ownEvery, most: mostOwn, limit: ownLimit})
}

// moduleName returns the path of the module in the directory at, which is relative to
// SRC.
func moduleName(at string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(at, "vendor/"), "@")
	return name
}
