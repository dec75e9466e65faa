package graph

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
)

// A Division says how Apart divides the C of a package.
type Division struct {
	Groups []ObjectGroup
	// Ask means that an Ask step finds out which files the C that cgo writes reads.
	Ask bool
}

// An ObjectGroup is a set of C files that one node compiles.
type ObjectGroup struct {
	Name   string   // unique within the package
	Files  []string // relative to SRC
	Header bool     // they may include the header that cgo writes
	Ask    bool     // an Ask node finds out which files they read
}

// Apart moves the C of packages with cgo to nodes of their own, which depend on no Go
// package. Divide is called with a package and its C files, and decides how; it
// returns nil for a package that stays whole.
//
// A divided package has a Cgo node; a node of Objects for the C that cgo writes, and
// one for each group; Ask nodes, each for up to askAtOnce groups; and last the
// Package, with the Go compiler, the linking test and the archive.
func Apart(g *Graph, divide func(n *Node, files []string) (*Division, error)) (*Graph, error) {
	a := &apart{g: &Graph{}}
	for i, n := range g.Nodes {
		if err := n.checkOrder(i); err != nil {
			return nil, err
		}
		c := readC(n)
		if c == nil {
			a.at = append(a.at, a.g.add(n, a.at))
			continue
		}
		var files []string
		for _, s := range c.own {
			files = append(files, s.file)
		}
		d, err := divide(n, files)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		if d == nil {
			a.at = append(a.at, a.g.add(n, a.at))
			continue
		}
		a.divide(n, c, d)
	}
	return a.g, nil
}

type apart struct {
	g  *Graph
	at []int // by index in the first graph: the index in g
}

// cSteps are the steps of a package with cgo, by purpose.
type cSteps struct {
	before    []action.Step // copies of headers, pkg-config: all nodes have them
	cgo       action.Step
	generated []object // compiles of the C that cgo writes
	own       []object // compiles of the package's C files
	rest      []action.Step
}

// An object is the compile of a C file.
type object struct {
	step action.Step
	file string // relative to SRC, or to OBJ if cgo has written it
	name string // the object file, relative to OBJ
}

// readC returns the steps of a package with cgo. It returns nil for other nodes, and
// for those with steps that Apart does not know.
func readC(n *Node) *cSteps {
	if n.Kind != Package || !n.Cgo || n.Std || n.Header || n.Src == nil || n.Src.Whole {
		return nil
	}
	c := &cSteps{}
	for _, s := range n.Steps {
		o, compiles := readObject(s)
		switch {
		case s.PkgConfig != nil, s.Copy != nil:
			c.before = append(c.before, s)
		case s.Run != nil && strings.HasSuffix(s.Run.Args[0], "/cgo"):
			c.cgo = s
		case compiles && o.file == "":
			return nil
		case compiles && strings.HasPrefix(o.file, "${OBJ}/"):
			o.file = strings.TrimPrefix(o.file, "${OBJ}/")
			c.generated = append(c.generated, o)
		case compiles:
			c.own = append(c.own, o)
		case c.cgo.Run == nil && s.Write == nil && s.Mkdir == "":
			return nil // cgo may read a file that another program makes
		default:
			c.rest = append(c.rest, s)
			continue
		}
		if !selfContained(s) {
			return nil
		}
	}
	if c.cgo.Run == nil || len(c.generated) == 0 {
		return nil
	}
	return c
}

var anyToken = regexp.MustCompile(`\$\$|\$\{(\w+)\}`)

// selfContained reports whether all tokens of a step mean the same in each of a
// package's nodes: none is an output of another node.
func selfContained(s action.Step) bool {
	text, err := json.Marshal(s)
	if err != nil {
		return false
	}
	for _, m := range anyToken.FindAllSubmatch(text, -1) {
		switch string(m[1]) {
		case "", "OBJ", "SRC", "GOROOT", "CFLAGS", "LIBS", "QUOTEDLIBS", "BEFORE", "AFTER", "PREFIXMAP":
		default:
			return false
		}
	}
	return true
}

// readObject reports whether the step is the call of a C compiler that makes an object
// file. The file of o is "" if Apart does not know how to move the call.
func readObject(s action.Step) (o object, ok bool) {
	if s.Run == nil {
		return o, false
	}
	args := s.Run.Args
	out := slices.Index(args, "-o")
	if len(args) < 5 || args[len(args)-2] != "-c" || out < 0 || !slices.Contains(args, "-fmessage-length=0") {
		return o, false
	}
	o.step = s
	o.step.Beside = false
	file := args[len(args)-1]
	if !strings.HasPrefix(file, "${") {
		file = s.Run.Dir + "/" + file
	}
	name, inObj := strings.CutPrefix(args[out+1], "${OBJ}/")
	rel, inSrc := strings.CutPrefix(file, "${SRC}/")
	switch {
	case !inObj || strings.Contains(name, "/"):
	case inSrc:
		o.file, o.name = path.Clean(unescape(rel)), name
	case strings.HasPrefix(file, "${OBJ}/"):
		o.file, o.name = file, name
	}
	return o, true
}

func unescape(s string) string { return strings.ReplaceAll(s, "$$", "$") }

// divide adds the nodes of a divided package. The Package node is the last one.
func (a *apart) divide(n *Node, c *cSteps, d *Division) {
	goFiles, written := c.goFiles()
	// The variant of a package that is compiled for a test has the same C.
	name, _, _ := strings.Cut(n.Name, " [")
	src := func(files ...string) *Sources {
		s := *n.Src
		s.Files = files
		for _, step := range c.before {
			if step.Copy != nil {
				s.Files = append(s.Files, unescape(strings.TrimPrefix(step.Copy.From, "${SRC}/")))
			}
		}
		return &s
	}
	cgo := a.add(c.cgoNode(name, src(goFiles...), written, d.Ask))

	main := n.moved(a.at)
	main.Steps = []action.Step{fetch(main, Ref{cgo, GoFiles}, "${OBJ}")}

	gen := &Node{Kind: Objects, Name: name, Part: "cgo", Cgo: true}
	if d.Ask {
		gen.Steps = append(gen.Steps, fetch(gen, Ref{cgo, Tree(0)}, "${SRC}"))
	} else {
		gen.Src = src(goFiles...)
	}
	gen.Steps = append(gen.Steps, fetch(gen, Ref{cgo, CFiles}, "${OBJ}"))
	gen.Steps = append(gen.Steps, compileSteps(c.before, c.generated)...)
	main.Steps = append(main.Steps, fetch(main, Ref{a.add(gen), Whole}, "${OBJ}"))

	trees := a.ask(name, c, d.Groups, cgo, src)
	for i, group := range d.Groups {
		node := &Node{Kind: Objects, Name: name, Part: group.Name, Cgo: true}
		if group.Ask {
			node.Steps = append(node.Steps, fetch(node, trees[i], "${SRC}"))
		} else {
			node.Src = src(group.Files...)
		}
		if group.Header {
			node.Steps = append(node.Steps, fetch(node, Ref{cgo, Header}, "${OBJ}"))
		}
		node.Steps = append(node.Steps, compileSteps(c.before, c.of(group))...)
		main.Steps = append(main.Steps, fetch(main, Ref{a.add(node), Whole}, "${OBJ}"))
	}

	main.Steps = slices.Concat(main.Steps, c.before, c.rest)
	main.Src = &Sources{}
	*main.Src = *n.Src
	main.Src.Files = slices.DeleteFunc(slices.Clone(n.Src.Files), func(f string) bool {
		return slices.ContainsFunc(c.own, func(o object) bool { return o.file == f })
	})
	main.Src.Sizes, main.Src.Exports = nil, false
	main.Src.Native = n.LinkSrc || !LinksAlone(n)
	a.at = append(a.at, a.add(main))
}

// askAtOnce is the number of groups, at most, of one Ask node. To preprocess a file
// costs about as much as a derivation, and an edit runs all of one node again.
const askAtOnce = 8

// ask adds the Ask nodes and returns the trees that they make, by index of the group.
// Groups that may include the header which cgo writes get nodes of their own, so that
// the others do not wait for cgo.
func (a *apart) ask(name string, c *cSteps, groups []ObjectGroup, cgo int, src func(...string) *Sources) map[int]Ref {
	trees := map[int]Ref{}
	for _, header := range []bool{false, true} {
		var asked []int
		for i, group := range groups {
			if group.Ask && group.Header == header {
				asked = append(asked, i)
			}
		}
		for at, chunk := range slices.Collect(slices.Chunk(asked, askAtOnce)) {
			ask := &Node{Kind: Ask, Name: name, Part: strconv.Itoa(at), Cgo: true}
			if header {
				ask.Part += "-h"
				ask.Steps = append(ask.Steps, fetch(ask, Ref{cgo, Header}, "${OBJ}"))
			}
			ask.Steps = append(ask.Steps, c.before...)
			node := a.add(ask)
			var files []string
			for i, n := range chunk {
				files = append(files, groups[n].Files...)
				trees[n] = Ref{node, Tree(i)}
				ask.trace(src(groups[n].Files...), c.of(groups[n]))
			}
			ask.Src = src(files...)
		}
	}
	return trees
}

// of returns the compiles of a group.
func (c *cSteps) of(group ObjectGroup) []object {
	return slices.DeleteFunc(slices.Clone(c.own), func(o object) bool { return !slices.Contains(group.Files, o.file) })
}

// trace adds a step that makes the node's next tree: the files that compiles of
// objects, the C files of src, read.
func (n *Node) trace(src *Sources, objects []object) {
	n.Steps = append(n.Steps, traced(objects, fmt.Sprintf("${TREE%d}", len(n.Trees))))
	n.Trees = append(n.Trees, src.Files)
}

func (a *apart) add(n *Node) int {
	a.g.Nodes = append(a.g.Nodes, n)
	return len(a.g.Nodes) - 1
}

// fetch adds a reference to an output of another node, and returns the step that
// copies it.
func fetch(n *Node, r Ref, to string) action.Step {
	n.Refs = append(n.Refs, r)
	comes := r.Output == GoFiles || r.Output == CFiles || r.Output == Header
	return action.Step{Copy: &action.Copy{From: fmt.Sprintf("${R%d}", len(n.Refs)-1), To: to, Tree: true, Comes: comes}}
}

// cgoNode returns the node that runs cgo. It has three outputs: the Go files, the C
// files, and the header alone, which C files of the package may include.
func (c *cSteps) cgoNode(name string, src *Sources, goFiles []string, ask bool) *Node {
	cgo := &Node{Kind: Cgo, Name: name, Part: "cgo", Cgo: true, Src: src}
	cgo.Steps = append(slices.Clone(c.before), c.cgo)
	put := func(file, output string) {
		cgo.Steps = append(cgo.Steps, action.Step{Copy: &action.Copy{From: "${OBJ}/" + file, To: output + "/" + file, Leaves: true}})
	}
	for _, f := range goFiles {
		put(f, "${GOFILES}")
	}
	for _, o := range c.generated {
		put(o.file, "${CFILES}")
	}
	put("_cgo_export.h", "${CFILES}")
	put("_cgo_export.h", "${HEADER}")
	if ask {
		cgo.trace(src, c.generated)
	}
	return cgo
}

// goFiles returns the Go files that cgo reads, relative to SRC, and those that it
// writes, relative to OBJ.
func (c *cSteps) goFiles() (read, written []string) {
	args := c.cgo.Run.Args
	for _, w := range args[slices.Index(args, "--")+1:] {
		if rel, ok := strings.CutPrefix(w, "${SRC}/"); ok && strings.HasSuffix(w, ".go") {
			read = append(read, unescape(rel))
			written = append(written, strings.TrimSuffix(path.Base(rel), ".go")+".cgo1.go")
		}
	}
	return read, append(written, "_cgo_gotypes.go")
}

// compileSteps returns the steps of a node of Objects.
func compileSteps(before []action.Step, objects []object) []action.Step {
	steps := slices.Clone(before)
	for i, o := range objects {
		o.step.Beside = i > 0
		steps = append(steps, o.step)
	}
	for _, o := range objects {
		steps = append(steps, action.Step{Copy: &action.Copy{From: "${OBJ}/" + o.name, To: "${FILE}/" + o.name}})
	}
	return steps
}

// traced returns the step that finds out which files compiles read, by running the
// preprocessor with the same flags.
func traced(objects []object, to string) action.Step {
	t := &action.Trace{From: "${SRC}", To: to}
	for _, o := range objects {
		run := *o.step.Run
		run.Args = slices.Clone(run.Args)
		run.Args[slices.Index(run.Args, "-o")+1] = "/dev/null"
		run.Args[len(run.Args)-2] = "-E"
		t.Runs = append(t.Runs, run)
	}
	return action.Step{Trace: t}
}

// harmless matches words of a linker's call that name no file of the sources.
var harmless = regexp.MustCompile(`^(?:-L/.*|-[lgOfm][\w+=-]*|-pthread|-rdynamic|-static|-s|-w` +
	`|-Wl,(?:-z,[\w=-]+|-O\d|-s|-E|-Bstatic|-Bdynamic|--(?:no-)?(?:as-needed|gc-sections|whole-archive|undefined|export-dynamic)` +
	`|--start-group|--end-group|--allow-multiple-definition|--build-id=\w+|--hash-style=\w+|--unresolved-symbols=[\w-]+))$`)

// IsPrefixMap reports whether a word of a C compiler's call gives a directory another
// name in the output. The compiler reads nothing there because of it.
func IsPrefixMap(word string) bool {
	return strings.HasPrefix(word, action.PrefixMap) || strings.HasPrefix(word, "-ffile-prefix-map=") || strings.HasPrefix(word, "-fdebug-prefix-map=")
}

// LinksAlone reports whether the linking test of a package certainly reads no file of
// the sources: each of its words is known to name none.
func LinksAlone(n *Node) bool {
	for _, s := range n.Steps {
		if s.Run != nil && slices.ContainsFunc(s.Run.Args, func(w string) bool {
			return strings.HasPrefix(w, "-ldflags=") && strings.Contains(w, "${SRC}")
		}) {
			return false
		}
		if s.DynImport == nil {
			continue
		}
		args := s.DynImport.Link.Args
		for _, w := range args[slices.Index(args, "-fmessage-length=0")+1:] {
			switch {
			case strings.HasPrefix(w, "${OBJ}/"), w == "-o", w == "${LIBS}", w == action.FlagsAfter:
			case IsPrefixMap(w):
			case harmless.MatchString(w):
			default:
				return false
			}
		}
	}
	return true
}
