package stage

import (
	"fmt"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
)

// stdGroups are the bundles of the standard library: shared by all programs, and
// a program's own.
func stdGroups(parts []graph.Part, own []int) []drvgen.Group {
	var groups []drvgen.Group
	for _, p := range parts {
		groups = append(groups, drvgen.Group{Name: p.Name, Nodes: p.Nodes, Std: true})
	}
	if len(own) > 0 {
		groups = append(groups, drvgen.Group{Name: "std-variant", Nodes: own})
	}
	return groups
}

// programGroups are all groups of a program: of the standard library, and of
// third-party packages.
func programGroups(cfg *BindConfig, g *graph.Graph, parts []graph.Part, own []int, bound map[int][]bind.Bound) ([]drvgen.Group, error) {
	byModule, err := moduleGroups(cfg, g, bound)
	if err != nil {
		return nil, err
	}
	return append(stdGroups(parts, own), byModule...), nil
}

// moduleGroups groups third-party packages as the granularity says.
func moduleGroups(cfg *BindConfig, g *graph.Graph, bound map[int][]bind.Bound) ([]drvgen.Group, error) {
	switch cfg.Inner.Granularity {
	case "package":
		return nil, nil
	case "module":
		return byModule(g, bound), nil
	}
	return nil, fmt.Errorf("granularity is %q, not \"package\" or \"module\"", cfg.Inner.Granularity)
}

// byModule groups those third-party packages that are bound. Those with C stay apart: they need an
// environment that the others do without.
func byModule(g *graph.Graph, bound map[int][]bind.Bound) []drvgen.Group {
	modules := make([]string, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Kind == graph.Package && !n.Cgo && n.Src != nil && n.Src.Vendored && bound[i] != nil {
			modules[i] = bound[i][0].Path
		}
	}
	var groups []drvgen.Group
	for _, nodes := range graph.Cluster(g, modules, func(n *graph.Node) bool { return n.Std }) {
		groups = append(groups, drvgen.Group{Name: moduleName(bound[nodes[0]][0].At), Nodes: nodes, Split: true})
	}
	return groups
}

// moduleName is the path of the module that is at a place below SRC.
func moduleName(at string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(at, "vendor/"), "@")
	return name
}
