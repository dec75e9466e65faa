// Package drvgen turns a graph into derivations, and writes these as .drv
// files or as data for a Nix expression.
//
// Both forms give the same derivations once their inputs are known: the same
// names, variables, outputs and contents.
package drvgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
)

// A Derivation is one derivation of a build, before it is written in one form
// or the other. Its builder is always the executor.
type Derivation struct {
	Name    string           `json:"name"`
	Outputs []string         `json:"outputs"`
	Spec    string           `json:"spec"` // an action.Spec as JSON; refers to nothing
	Vars    map[string]Value `json:"vars"` // all that it refers to
	// SpecFile is where the executor reads the spec, if it is not Spec.
	SpecFile *Value `json:"specFile,omitempty"`
}

// A Value is a reference to another store path: exactly one of Drv with Output,
// Path and Input is set.
type Value struct {
	Drv    *int   `json:"drv,omitempty"`    // index of a derivation before this one
	Output string `json:"output,omitempty"` // of Drv
	Path   string `json:"path,omitempty"`   // a source in the store
	Input  Input  `json:"input,omitempty"`  // something that the whole build has in common
	Suffix string `json:"suffix,omitempty"` // put behind the store path
}

// An Input is a store path that the library hands to the whole build: one that nodes
// name, or one of these, which derivations need besides.
type Input = graph.Input

const (
	Go             = graph.Toolchain
	CheckEnv       = graph.CheckEnv
	CgoEnv   Input = "cgoEnv" // the C compiler's environment with the program's C libraries
	StdEnv   Input = "stdEnv" // the C compiler's environment without them
	// The same as CgoEnv, but for what the linker is told of the package that
	// the program is for.
	LinkEnv Input = "linkEnv"
	// A file with what C compilers have said of their flags: see
	// action.Unit.Compilers.
	Compilers Input = "compilers"
	// The specs of the parts of the standard library, a file for each, by its
	// name: see StdSpecs.
	StdSpecs Input = "stdSpecs"

	Planner Input = "planner" // holds bin/dgd-plan
	Src     Input = "src"     // the sources, all of them
	Modules Input = "modules" // the modules, as the go command takes them: see TestOptions
)

// A Placed source is a store path, or files, at its place below a node's SRC.
type Placed struct {
	At    string // relative to SRC
	Path  string // store path; empty where there are Files
	Copy  bool   // of Path: the executor makes a copy, not a link
	Files []File // what the derivation itself holds
}

// A File is a file of the sources that the derivation writes.
type File struct {
	Name string // slash-separated, below At
	Text string // without NUL, and nothing that Nix takes for a placeholder
}

// Options is what the derivations need beside the graph.
type Options struct {
	Goroot  string           // GOROOT relative to the toolchain's store path, such as share/go or "."
	Sources map[int][]Placed // by node
	Groups  []group.Group    // packages that share a derivation; all others have one each
	Name    string           // of the last derivation
	StdEnv  map[int]bool     // nodes that get StdEnv instead of CgoEnv
	// Libraries means that there can be packages which no program needs. They are
	// built, too, and there may be no program at all.
	Libraries bool
	Tests     TestOptions
}

// Names of the outputs of a package's derivation: out holds the archive, which
// only links read, x the export data, which importers read, and h a directory
// with the C header of a library. What runs cgo has out for C files, x for Go
// files and h for the header of exported functions. The trees of what C files read
// are in t0, t1 and so on.
const (
	archiveOutput = "out"
	exportOutput  = "x"
	headerOutput  = "h"
	apartOutput   = "a" // with a number: an archive where a derivation has many apart
)

func treeOutput(i int) string { return "t" + strconv.Itoa(i) }

// archiveFile and exportFile name a package's files where a derivation has those
// of many. No import path has an @, so that none is the name of such a file: the
// directory x.a may lie beside the package x.
func archiveFile(importPath string) string { return importPath + "@.a" }
func exportFile(importPath string) string  { return importPath + "@.x" }

// Generate makes the derivations of a graph, each after those it refers to. The
// last one is the program, or a directory of all programs where there are
// several, or packages that no program needs.
func Generate(g *graph.Graph, opt Options) ([]Derivation, error) {
	gen := newGenerator(g, opt)
	for n := range g.Nodes {
		if err := gen.node(n); err != nil {
			return nil, err
		}
	}
	if err := gen.join(); err != nil {
		return nil, err
	}
	gen.drvs[len(gen.drvs)-1].Name = opt.Name
	return gen.drvs, nil
}

func newGenerator(g *graph.Graph, opt Options) *generator {
	gen := &generator{
		g:       g,
		opt:     opt,
		groupOf: make(map[int]int),
		started: make([]bool, len(opt.Groups)),
		at:      make([]place, len(g.Nodes)),
		specs:   map[string]string{},
	}
	for i, set := range opt.Groups {
		for _, n := range set.Nodes {
			gen.groupOf[n] = i
		}
	}
	return gen
}

// node makes the derivation that builds a node, if it is not there yet, after
// those of all nodes that it refers to. A group's members can stand anywhere in
// the graph, also behind nodes that refer to other members.
func (gen *generator) node(n int) error {
	if gen.at[n].done {
		return nil
	}
	i, grouped := gen.groupOf[n]
	set := group.Group{Name: derivationName(gen.g.Nodes[n]), Nodes: []int{n}}
	if grouped {
		set = gen.opt.Groups[i]
		if gen.started[i] {
			return fmt.Errorf("the group %s refers to what refers to its package %s", set.Name, gen.g.Nodes[n].Name)
		}
		gen.started[i] = true
	}
	for _, m := range set.Nodes {
		for _, ref := range gen.g.Nodes[m].Refs {
			if ref.Node >= m {
				return fmt.Errorf("%s: refers to %s, which comes later", gen.g.Nodes[m].Name, gen.g.Nodes[ref.Node].Name)
			}
			if j, ok := gen.groupOf[ref.Node]; grouped && ok && i == j {
				continue
			}
			if err := gen.node(ref.Node); err != nil {
				return err
			}
		}
	}
	return gen.emit(set, grouped)
}

// A place says where a node's outputs are.
type place struct {
	drv     int
	archive file // also the file of a File node, and the program of a link
	export  file
	header  file
	trees   map[graph.Output]file
	done    bool
}

// file returns the place of one output.
func (p *place) file(o graph.Output) file {
	switch o {
	case graph.Export, graph.GoFiles:
		return p.export
	case graph.Header:
		return p.header
	}
	if f, ok := p.trees[o]; ok {
		return f
	}
	return p.archive
}

// A file is an output of a derivation, or a file in it.
type file struct {
	output string
	path   string // relative to the output; empty for the output itself
}

// below is the file's place, where base stands for the output.
func (f file) below(base string) string {
	if f.path == "" {
		return base
	}
	return base + "/" + action.Escape(f.path)
}

// token is the file's place in its own derivation.
func (f file) token() string { return f.below("${" + f.output + "}") }

type generator struct {
	g       *graph.Graph
	opt     Options
	groupOf map[int]int // index of a node's group
	started []bool      // by group
	drvs    []Derivation
	at      []place // by node

	// Of the derivation being made: what a variable stands for, to its name, and
	// how often it has referred to something.
	vars     map[string]string
	referred int

	specs map[string]string // of the parts of the standard library

	collected map[int]place // of the link being made: where its archives are, by node
}

// derivationName is the store path name of a node's derivation.
func derivationName(n *graph.Node) string {
	switch n.Kind {
	case graph.Link:
		return nar.Name(n.Main)
	case graph.Test:
		return nar.Name("test-" + n.Name)
	case graph.Cgo, graph.Ask, graph.Objects:
		return nar.Name(n.Name + "-" + string(n.Kind) + "-" + n.Part)
	}
	return nar.Name(n.Name)
}

// emit makes the derivation of a group.
func (gen *generator) emit(set group.Group, bundled bool) error {
	gen.collected = nil
	if n := set.Nodes[0]; gen.g.Nodes[n].Kind == graph.Link {
		var err error
		if gen.collected, err = gen.collect(n); err != nil {
			return fmt.Errorf("%s: %w", gen.g.Nodes[n].Name, err)
		}
	}
	d := gen.begin(nar.Name(set.Name))
	if set.Apart {
		d.Outputs = nil
	}
	unitOf := map[int]int{} // by node
	var units []action.Unit
	names := map[string]int{}
	for _, n := range set.Nodes {
		node := gen.g.Nodes[n]
		// A package can be there once more, compiled with another profile.
		name := node.Name
		if names[name]++; names[name] > 1 {
			name += "@" + strconv.Itoa(names[name])
		}
		at := place{drv: len(gen.drvs), archive: file{output: archiveOutput}, export: file{output: exportOutput}, header: file{output: headerOutput}, trees: map[graph.Output]file{}}
		if node.Kind == graph.Link {
			at.archive.path = "bin/" + node.Main
		}
		if bundled {
			if set.Apart {
				at.archive.output = apartOutput + strconv.Itoa(len(units))
				d.Outputs = append(d.Outputs, at.archive.output)
			} else {
				at.archive.path = archiveFile(name)
			}
			if set.Split {
				at.export.output += strconv.Itoa(len(units))
			} else {
				at.export.path = exportFile(name)
			}
		}
		gen.at[n] = at
		if (node.Kind == graph.Package || node.Kind == graph.Cgo) && !slices.Contains(d.Outputs, at.export.output) {
			d.Outputs = append(d.Outputs, at.export.output)
		}
		if node.Header || node.Kind == graph.Cgo {
			d.Outputs = append(d.Outputs, headerOutput)
		}
		if node.Kind == graph.Ask {
			d.Outputs = nil
		}
		for i := range node.Trees {
			d.Outputs = append(d.Outputs, treeOutput(i))
			at.trees[graph.Tree(i)] = file{output: treeOutput(i)}
		}
		if bundled && node.Kind != graph.Package {
			return fmt.Errorf("%s: only packages can share a derivation", node.Name)
		}
		if bundled && node.Header {
			return fmt.Errorf("%s: a package with a header cannot share a derivation", node.Name)
		}
		unit, err := gen.unit(&d, n, unitOf)
		if err != nil {
			return fmt.Errorf("%s: %w", node.Name, err)
		}
		unitOf[n] = len(units)
		units = append(units, unit)
		gen.at[n].done = true
	}
	if err := gen.add(d, units...); err != nil || !set.Std {
		return err
	}
	last := &gen.drvs[len(gen.drvs)-1]
	gen.specs[last.Name] = last.Spec
	last.Spec, last.SpecFile = "", &Value{Input: StdSpecs, Suffix: "/" + last.Name}
	return nil
}

// OfStd makes the derivations of the parts of the standard library, and returns the
// specs of these by their names. Specs are the same for all programs, and large:
// the derivations read them from the input StdSpecs.
func OfStd(std *graph.Graph, opt Options) ([]Derivation, map[string]string, error) {
	gen := newGenerator(std, opt)
	for n := range std.Nodes {
		if err := gen.node(n); err != nil {
			return nil, nil, err
		}
	}
	return gen.drvs, gen.specs, nil
}

// begin starts a derivation.
func (gen *generator) begin(name string) Derivation {
	gen.vars, gen.referred = map[string]string{}, 0
	return Derivation{Name: name, Outputs: []string{archiveOutput}, Vars: map[string]Value{}}
}

// add adds a derivation that carries out the units.
func (gen *generator) add(d Derivation, units ...action.Unit) error {
	text, err := marshal(action.Spec{Units: units})
	if err != nil {
		return err
	}
	d.Spec = string(text)
	gen.drvs = append(gen.drvs, d)
	return nil
}

// Canonical encodes a value as JSON in the form that specs have.
func Canonical(v any) ([]byte, error) { return marshal(v) }

// marshal encodes as builtins.toJSON does: with sorted keys, and without escapes
// that JSON does not ask for. So evaluation can write the same specs.
func marshal(v any) ([]byte, error) {
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	var sorted any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&sorted); err != nil {
		return nil, err
	}
	return encode(sorted)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if !bytes.Contains(text, []byte(`\u202`)) {
		return text, nil
	}
	return lineSeparator.ReplaceAllFunc(text, func(m []byte) []byte {
		switch {
		case bytes.HasSuffix(m, []byte(`\u2028`)) && len(m) > 2:
			return []byte("\u2028")
		case bytes.HasSuffix(m, []byte(`\u2029`)) && len(m) > 2:
			return []byte("\u2029")
		}
		return m
	}), nil
}

// lineSeparator matches each escape of JSON, so that an escaped backslash is not
// taken for the beginning of another.
var lineSeparator = regexp.MustCompile(`\\(?:u2028|u2029|.)`)
