// Package drvgen turns a graph into derivations, and writes these as .drv files or as
// data for a Nix expression.
//
// Both forms give the same derivations once their inputs are known: they have the same
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

// A Derivation is one derivation of a build, before it is written in either form. Its
// builder is the executor.
type Derivation struct {
	Name    string           `json:"name"`
	Outputs []string         `json:"outputs"`
	Spec    string           `json:"spec"` // an action.Spec as JSON, without store paths; "" with SpecFile
	Vars    map[string]Value `json:"vars"` // all references, by the names of their tokens
	// SpecFile is the file from which the executor reads the spec in place of Spec.
	SpecFile *Value `json:"specFile,omitempty"`
}

// A Value is a reference to a store path. Exactly one of Drv (with Output), Path and
// Input is set.
type Value struct {
	Drv    *int   `json:"drv,omitempty"`    // index of an earlier derivation
	Output string `json:"output,omitempty"` // of Drv
	Path   string `json:"path,omitempty"`   // store path of a source
	Input  Input  `json:"input,omitempty"`  // an input of the whole build
	Suffix string `json:"suffix,omitempty"` // appended to the store path
}

// An Input is a store path that the library hands to the whole build: one that nodes
// name, or one of the following.
type Input = graph.Input

const (
	Go             = graph.Toolchain
	CheckEnv       = graph.CheckEnv
	CgoEnv   Input = "cgoEnv" // the C compiler's environment with the program's C libraries
	StdEnv   Input = "stdEnv" // the C compiler's environment without them
	// LinkEnv is CgoEnv with the linker flags that depend on the package that the
	// program is built for.
	LinkEnv Input = "linkEnv"
	// Compilers is a file with the flags that C compilers were found to add: see
	// action.Unit.Compilers.
	Compilers Input = "compilers"
	// StdSpecs is a directory with the specs of the parts of the standard library, a
	// file for each by its name: see GenerateStd.
	StdSpecs Input = "stdSpecs"

	Planner Input = "planner" // has bin/dgd-plan
	Src     Input = "src"     // all of the sources
	Modules Input = "modules" // the modules, in the form of TestOptions.Modules
)

// A Placed source is a store path, or files, and its place below a node's SRC.
type Placed struct {
	At    string // relative to SRC
	Path  string // store path; "" if there are Files
	Copy  bool   // the executor copies Path instead of linking it
	Files []File // files whose text is in the derivation
}

// A File is a file of the sources that the derivation writes.
type File struct {
	Name string // relative to At, with slashes
	Text string // without NUL, and without text that looks like a placeholder of Nix
}

// Options are the parameters of the derivations beside the graph.
type Options struct {
	Goroot  string           // GOROOT relative to the toolchain's store path, such as share/go or "."
	Sources map[int][]Placed // by node
	Groups  []group.Group    // packages that share a derivation; each other node has one of its own
	Name    string           // of the last derivation
	StdEnv  map[int]bool     // nodes that get StdEnv instead of CgoEnv
	// Libraries means that packages which no program needs are built, too, and that
	// there may be no program.
	Libraries bool
	Tests     TestOptions
}

// Names of the outputs of a package's derivation: out is the archive, which only links
// read, x the export data, which importers read, and h a directory with the C header of
// a library. Of a node that runs cgo, out has the C files, x the Go files and h the
// header of exported functions. Trees of files that C files read are t0, t1 and so on.
const (
	archiveOutput = "out"
	exportOutput  = "x"
	headerOutput  = "h"
	apartOutput   = "a" // with a number: the archives of a group with Apart, for which out has symlinks to all of them
)

func treeOutput(i int) string { return "t" + strconv.Itoa(i) }

// archiveFile and exportFile name the files of a package in an output for many packages.
// Import paths have no "@", so that such a file is never the directory of another
// package: there may be packages x and x.a/y.
func archiveFile(importPath string) string { return importPath + "@.a" }
func exportFile(importPath string) string  { return importPath + "@.x" }

// Generate makes the derivations of a graph, each after those that it refers to. The
// last one is the program, or a directory of all programs if there are several, or if
// there are packages that no program needs.
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

// node makes the derivation that builds a node, unless it is made already, and before
// it those of all nodes that it refers to. The members of a group may be anywhere in the
// graph, even after nodes that refer to other members.
func (gen *generator) node(n int) error {
	if gen.at[n].done {
		return nil
	}
	i, grouped := gen.groupOf[n]
	set := group.Group{Name: derivationName(gen.g.Nodes[n]), Nodes: []int{n}}
	if grouped {
		set = gen.opt.Groups[i]
		if gen.started[i] {
			return fmt.Errorf("the group %s refers to a node that refers to its package %s", set.Name, gen.g.Nodes[n].Name)
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
	drv     int  // index of the derivation
	archive file // also the file of a File node, and the program of a link
	export  file
	header  file
	trees   map[graph.Output]file
	// together is a symlink to the archive, beside those of the other packages of a
	// group with Apart.
	together file
	done     bool // the derivation is made
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
	path   string // relative to the output; "" for the output itself
}

// below returns the path of the file, where base is that of the output.
func (f file) below(base string) string {
	if f.path == "" {
		return base
	}
	return base + "/" + action.Escape(f.path)
}

// token returns the path of the file in its own derivation, with a token.
func (f file) token() string { return f.below("${" + f.output + "}") }

type generator struct {
	g       *graph.Graph
	opt     Options
	groupOf map[int]int // index of a node's group
	started []bool      // by group
	drvs    []Derivation
	at      []place // by node

	// Of the derivation that is being made: the names of variables by value, and the
	// number of references so far. See variable.
	vars     map[string]string
	referred int

	specs map[string]string // of the parts of the standard library, by name

	// Of the link that is being made: the places of the archives that it does not take
	// from the packages' own outputs, by node.
	collected map[int]place
}

// derivationName returns the name of a node's derivation.
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
		if err := gen.collect(n); err != nil {
			return fmt.Errorf("%s: %w", gen.g.Nodes[n].Name, err)
		}
	}
	d := gen.begin(nar.Name(set.Name))
	unitOf := map[int]int{} // by node
	var units []action.Unit
	names := map[string]int{}
	for _, n := range set.Nodes {
		node := gen.g.Nodes[n]
		// A bundle may have a package twice, compiled with different profiles.
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
				at.together = file{output: archiveOutput, path: archiveFile(name)}
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

// GenerateStd makes the derivations of the parts of the standard library, and returns their
// specs by name. As these are large and the same for all programs, the derivations read
// them from the input StdSpecs.
func GenerateStd(std *graph.Graph, opt Options) ([]Derivation, map[string]string, error) {
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

// add adds a derivation with these units.
func (gen *generator) add(d Derivation, units ...action.Unit) error {
	text, err := encode(action.Spec{Units: units})
	if err != nil {
		return err
	}
	d.Spec = string(text)
	gen.drvs = append(gen.drvs, d)
	return nil
}

// Canonical encodes a value as JSON in the form that specs have, which is that of
// builtins.toJSON: with sorted keys, and without escapes that JSON does not require. So
// evaluation can write the same specs.
func Canonical(v any) ([]byte, error) {
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

// encode is Canonical for values whose structs have their fields in that order, as those
// of a spec have.
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

// lineSeparator matches any escape of JSON, so that the backslash in `\\u2028` is not
// taken for the beginning of an escape.
var lineSeparator = regexp.MustCompile(`\\(?:u2028|u2029|.)`)
