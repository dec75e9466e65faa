package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
)

// A Project has the plan of a project, and all other facts that its file depends on.
type Project struct {
	Settings map[string]any
	// Graph has the nodes of the standard library, or of parts of it, and then those of
	// the program.
	Graph *graph.Graph
	// Std are the derivations of the parts of the standard library, each named like its
	// group.
	Std     []drvgen.Derivation
	Groups  []group.Group
	Bound   map[int][]bind.Bound
	Src     string   // the directory of the trees in Bound
	Mains   []string // paths of the modules whose packages are read in place
	Modules []Module
	Tools   string            // GOHOSTOS_GOHOSTARCH of the machine that planned
	Digests map[string]string // skeleton.Digests.Dirs: by directory
	Rest    string            // skeleton.Digests.Rest
	Native  map[string]Native // by import path, for packages with assembly or C
	Tests   *Tests            // nil for a plan without tests
	Target  string            // GOOS_GOARCH
}

// A Module is a third-party module: a fetched one, or one in the sources' vendor
// directory.
type Module struct {
	Store string // Path of the module in Bound
	Dir   string // relative to SRC/vendor
	// Root is the directory, relative to the sources, of a module in their vendor
	// directory, or "". Name and Exclude are those of its nar.Tree.
	Root    string
	Name    string
	Exclude []string
}

// Make returns the file of a project. It is an error, which names the node, if the plan
// has no form in a file.
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
	w.setOwners()
	w.setLabels()
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
	alias     map[string]string    // short names of modules, by path
	versions  map[string]string    // by path of a module: see Module.version
	lang      map[string]string    // by path of a module: the language version of most packages
	label     []string             // by node: the name of the group and the level in it
	groupOf   []int                // by node: index of its group, or -1
	module    map[int]moduleOf     // by node: results of prefixOf
	owner     []int                // by node: the package that it is a part of
	closed    map[int]map[int]bool // by node: the packages that it depends on, and itself
	env       string               // the setting toolEnv as in steps
}

// setLabels sets label and groupOf.
func (w *writer) setLabels() {
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
	slices.SortStableFunc(split, func(a, b int) int { return strings.Compare(first(a), first(b)) })
	count := map[string]int{} // by name of the group, with testMark for tests
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

// byHash returns the label of a group of several modules or of the main module, and adds
// it to taken. It is a hash of the last name in the group, which also decides where the
// group ends. So a new package changes few lines.
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

// std writes the used parts of the standard library, and the imports of their packages,
// from which the import configs of links follow.
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
				return fmt.Errorf("%s: a package of the standard library must refer to packages only", node.Name)
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

// parts writes the parts of the standard library with the names in used, and those that
// they refer to, which it adds to used.
func (w *writer) parts(used map[string]bool) error {
	var lines []string
	for _, d := range slices.Backward(w.p.Std) { // each before those that it refers to
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

// isImplied reports whether another import of package n depends on the imported one, so
// that the file can do without it: only the closure of imports matters.
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

// usedStd reports, by node, whether a node outside of the standard library depends on it.
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

// node writes the line of a node that is not in a part of the standard library.
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
		return fmt.Errorf("its steps have %s, which is a placeholder in a plan in a file: leave out `plan`", marker.FindString(steps))
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

// byGo writes the line of the node that runs the go command. The directory in which that
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

// reason returns the flag or feature because of which a node has no form in the file.
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
		return "programs that the go command builds by itself"
	}
	return "nodes of the kind " + string(node.Kind)
}

// marker matches the placeholders of a template.
var marker = regexp.MustCompile(`@[A-Z]+@`)

// template returns the name of a template, and writes it if it is new. The name is a hash
// of the text, so that it does not depend on other templates.
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
