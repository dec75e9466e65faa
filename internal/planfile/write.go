package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
)

// A Project is what a file is made of.
type Project struct {
	Settings map[string]any
	// Graph is the program's behind the standard library's own, or parts of that.
	Graph *graph.Graph
	// Std are the derivations of the parts of the standard library, each with the
	// name of its group.
	Std    []drvgen.Derivation
	Groups []group.Group
	Bound  map[int][]bind.Bound
	Src    string // the directory that the trees of Bound are in
	// Mains are the modules whose packages are read where they are, by their paths.
	Mains   []string
	Modules []Module
	Tools   string // GOHOSTOS_GOHOSTARCH of the machine that has planned
	// Digests are of what the plan depends on in a directory of the sources.
	Digests map[string]string
	Rest    string // the digest of what else it depends on
	// Native are, by import path, of packages with assembly or C that the plan
	// depends on more of.
	Native map[string]Native
	// Tests is null for a plan without tests.
	Tests  *Tests
	Target string // GOOS_GOARCH
}

// A Module is a third-party module: one that was fetched, or one in the sources'
// vendor directory.
type Module struct {
	Store string // what stands for its tree in Bound
	Dir   string // below SRC/vendor
	// Of one in the sources' vendor directory: where it is, and what is not of it.
	Root    string
	Name    string
	Exclude []string
}

// Make makes the file of a project.
func Make(p *Project) (*File, error) {
	w := &writer{p: p, f: &File{}, templates: map[string]string{}, alias: map[string]string{}, closed: map[int]map[int]bool{}, module: map[int]moduleOf{}}
	for key, value := range p.Settings {
		text, err := drvgen.Canonical(value)
		if err != nil {
			return nil, err
		}
		w.f.Settings = append(w.f.Settings, "set "+key+" "+string(text))
		if key == "toolEnv" {
			w.env = strings.Trim(string(text), "[]")
		}
	}
	w.f.Settings = append(w.f.Settings, "set digest "+p.Rest)
	if p.Tests != nil {
		w.f.Settings = append(w.f.Settings, "set testdigest "+p.Tests.Rest)
	}
	w.own()
	w.group()
	w.modules()
	if err := w.std(); err != nil {
		return nil, err
	}
	for n := range p.Graph.Nodes {
		if err := w.node(n); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Graph.Nodes[n].Name, err)
		}
	}
	w.f.sealLinks()
	return w.f, nil
}

type writer struct {
	p         *Project
	f         *File
	templates map[string]string    // names of templates, by their text
	alias     map[string]string    // of modules, by the prefix of their packages
	versions  map[string]string    // of modules by prefix: what -trimpath has behind a module's path
	lang      map[string]string    // of modules by prefix: the language version that most packages have
	label     []string             // by node: the group and the level in it
	groupOf   []int                // by node: index of its group, or -1
	module    map[int]moduleOf     // by node, of those that prefixOf has been asked for
	owner     []int                // by node that is a part of a package: the package's
	closed    map[int]map[int]bool // what nodes import, and what these do
	env       string               // the setting toolEnv as it stands in steps
}

// group gives each group a name, and each node its group.
func (w *writer) group() {
	w.label = make([]string, len(w.p.Graph.Nodes))
	w.groupOf = make([]int, len(w.p.Graph.Nodes))
	for n := range w.groupOf {
		w.groupOf[n] = -1
	}
	var split []int
	for i, g := range w.p.Groups {
		for _, n := range g.Nodes {
			w.groupOf[n] = i
		}
		if g.Split {
			split = append(split, i)
		}
	}
	first := func(i int) string {
		names := []string{}
		for _, n := range w.p.Groups[i].Nodes {
			names = append(names, w.p.Graph.Nodes[n].Name)
		}
		return slices.Min(names)
	}
	sort.Slice(split, func(a, b int) bool { return first(split[a]) < first(split[b]) })
	count := map[string]int{} // by name, those of tests apart
	hashed := map[string]bool{}
	for _, i := range split {
		g := w.p.Groups[i]
		var label string
		if g.Several || g.Apart {
			label = w.byHash(g.Nodes, hashed)
		} else {
			of := g.Name
			if w.isTest(g.Nodes[0]) {
				of += testMark
			}
			count[of]++
			label = strconv.Itoa(count[of])
		}
		level := group.Levels(w.p.Graph, slices.Sorted(slices.Values(g.Nodes)))
		for _, n := range g.Nodes {
			w.label[n] = fmt.Sprintf("%s.%d", label, level[n])
		}
	}
}

// byHash is the label of a group that no module names: it follows from the last
// name, as where such a group ends does. So few lines change with a package. It is
// none of those that are taken, and one of these from then on.
func (w *writer) byHash(nodes []int, taken map[string]bool) string {
	last := ""
	for _, n := range nodes {
		last = max(last, w.p.Graph.Nodes[n].Name)
	}
	sum := sha256.Sum256([]byte(last))
	label := "+" + hex.EncodeToString(sum[:3])
	for taken[label] {
		label += "x"
	}
	taken[label] = true
	return label
}

// std writes the parts of the standard library that are used, and what their
// packages import: the import config of a link follows from it.
func (w *writer) std() error {
	partOf := map[string]string{}
	for _, g := range w.p.Groups {
		if !g.Std {
			continue
		}
		for _, n := range g.Nodes {
			partOf[w.p.Graph.Nodes[n].Name] = nar.Name(g.Name)
		}
	}
	used, partsUsed := w.usedStd(), map[string]bool{}
	for i, node := range w.p.Graph.Nodes {
		part := partOf[node.Name]
		if part == "" || !node.Std || !used[i] || w.groupOf[i] < 0 || !w.p.Groups[w.groupOf[i]].Std {
			continue
		}
		var imports []string
		for _, r := range node.Refs {
			if r.Output != graph.Export {
				return fmt.Errorf("%s: of the standard library, and refers to more than packages", node.Name)
			}
			if !w.isImplied(i, r.Node) {
				imports = append(imports, w.p.Graph.Nodes[r.Node].Name)
			}
		}
		partsUsed[part] = true
		w.f.Std = append(w.f.Std, "std "+escape(node.Name)+" "+part+" "+list(imports))
	}
	return w.parts(partsUsed)
}

// parts writes the parts of the standard library with these names, and those that
// they refer to.
func (w *writer) parts(used map[string]bool) error {
	var lines []string
	for _, d := range slices.Backward(w.p.Std) { // each is behind what it refers to
		if !used[d.Name] {
			continue
		}
		vars := map[string]string{}
		for name, v := range d.Vars {
			if v.Drv == nil {
				vars[name] = string(v.Input)
				continue
			}
			other := w.p.Std[*v.Drv].Name
			used[other] = true
			vars[name] = "!" + other + "!" + v.Output
		}
		text, err := drvgen.Canonical(vars)
		if err != nil {
			return err
		}
		lines = append(lines, "part "+d.Name+" "+list(d.Outputs)+" "+string(text))
	}
	w.f.Std = append(w.f.Std, lines...)
	return nil
}

// isImplied reports whether a package's import is one of another of its imports.
// Of the standard library's packages only the closure counts.
func (w *writer) isImplied(n, imported int) bool {
	return slices.ContainsFunc(w.p.Graph.Nodes[n].Refs, func(r graph.Ref) bool {
		if r.Node == imported {
			return false
		}
		if w.closed[r.Node] == nil {
			w.closed[r.Node] = map[int]bool{}
			w.close(r.Node, w.closed[r.Node])
		}
		return w.closed[r.Node][imported]
	})
}

// usedStd returns which nodes of the standard library others depend on, by node.
func (w *writer) usedStd() []bool {
	used := make([]bool, len(w.p.Graph.Nodes))
	for i, n := range slices.Backward(w.p.Graph.Nodes) {
		if n.Std && !used[i] {
			continue
		}
		for _, r := range n.Refs {
			used[r.Node] = true
		}
	}
	return used
}

// node writes the line of a node that is not of the standard library's parts.
func (w *writer) node(n int) error {
	node := w.p.Graph.Nodes[n]
	if g := w.groupOf[n]; g >= 0 && w.p.Groups[g].Std {
		return nil
	}
	steps, err := drvgen.CanonicalSteps(node.Steps)
	if err != nil {
		return err
	}
	if marker.MatchString(steps) {
		return fmt.Errorf("its steps have %s, which dgd writes for something else: leave out `plan`", marker.FindString(steps))
	}
	if w.env != "" {
		steps = strings.ReplaceAll(steps, w.env, "@ENV@")
	}
	steps = strings.ReplaceAll(steps, "${GOROOT}/pkg/tool/"+w.p.Tools+"/", "${GOROOT}/pkg/tool/@TOOLS@/")
	switch {
	case node.Kind == graph.ByGo && !w.isTest(n):
		return w.byGo(n, steps)
	case len(node.Inputs) > 0:
	case node.Kind == graph.Package && !node.Std && node.Src == nil && w.isTest(n):
		return w.testMain(n, steps)
	case node.Kind == graph.Package && !node.Std && !node.Header:
		return w.pkg(n, steps)
	case node.Kind == graph.Cgo, node.Kind == graph.Ask, node.Kind == graph.Objects:
		return w.partOfPackage(n, steps)
	case node.Kind == graph.Link && node.Src == nil:
		return w.link(n, steps)
	case node.Kind == graph.Test:
		return w.test(n, steps)
	case node.Kind == graph.Untested:
		w.f.Nodes = append(w.f.Nodes, "untested "+w.key(node.Refs[0].Node))
		return nil
	}
	return fmt.Errorf("a plan in a file has no form for %s: leave out `plan`", reason(node))
}

// byGo writes the line of the node that builds all by the go command. Where that
// installs programs depends on the machine that builds them.
func (w *writer) byGo(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	const bin = "${OBJ}/gopath/bin"
	for _, installed := range []string{bin, bin + "/" + w.p.Target} {
		steps = strings.ReplaceAll(steps, `"`+installed+`"`, `"@BIN@"`)
	}
	var inputs []string
	for _, in := range node.Inputs {
		inputs = append(inputs, string(in))
	}
	options := map[string]string{}
	if err := w.trees(n, options); err != nil {
		return err
	}
	w.f.Nodes = append(w.f.Nodes, "bygo "+escape(node.Name)+" "+w.template(steps)+" "+list(inputs)+optionFields(options))
	return nil
}

// reason says which flag has made a node that the file has no form for.
func reason(node *graph.Node) string {
	switch {
	case node.Kind == graph.File:
		return "profiles: for a build without one, GOFLAGS=-pgo=off"
	case node.Std:
		return "a standard library that flags such as -gcflags change for this program alone"
	case node.Header:
		return "-buildmode=c-archive and -buildmode=c-shared"
	case node.Kind == graph.Link:
		return "-ldflags that name files of the sources"
	case len(node.Inputs) > 0:
		return "what the go command builds by itself"
	}
	return "nodes of the kind " + string(node.Kind)
}

// marker matches the placeholders of a template.
var marker = regexp.MustCompile(`@[A-Z]+@`)

// template returns the name of a template, which is a hash of it: so it stays as
// other templates come and go.
func (w *writer) template(text string) string {
	name, ok := w.templates[text]
	if !ok {
		name = sum(text)
		for slices.ContainsFunc(w.f.Templates, func(line string) bool { return strings.HasPrefix(line, "template "+name+" ") }) {
			name = sum(text + name)
		}
		w.templates[text] = name
		w.f.Templates = append(w.f.Templates, "template "+name+" "+text)
	}
	return name
}
