package graph

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// testMain is the Go file of a test program that the go command generates.
const testMain = "_testmain.go"

// testMain adds a step that writes the generated file. The script has only its name.
func (b *builder) testMain(u *unit) {
	if t, ok := b.opt.Tests[b.banner]; ok && !u.written[testMain] {
		u.written[testMain] = true
		u.add(action.Step{Write: &action.Write{Path: "${OBJ}/" + testMain, Text: action.Escape(t.Text)}})
	}
}

// TestModules is the directory of a module proxy or a module cache, for tests that see
// all of the sources.
const TestModules = "${OBJ}/modules"

// Passed returns the line of output for a package whose tests have passed.
func Passed(name string) string { return "ok  \t" + name + "\n" }

// test reads the run of a test program. It finishes the program's link, and adds a
// node of the kind Test.
func (b *builder) test(a buildscript.Test) error {
	objdir, err := objdirOf(a.Program)
	if err != nil {
		return err
	}
	link := b.units[objdir+"/exe"]
	if link == nil || link.program != a.Program {
		return errors.New("runs what no earlier command has linked")
	}
	if link.done {
		return errors.New("runs a test program for the second time")
	}
	name, ok := strings.CutSuffix(link.node.Name, ".test")
	t, known := b.opt.Tests[link.node.Name]
	if !ok || !known {
		return fmt.Errorf("dgd does not know the package that %s tests", link.node.Name)
	}
	dir := "."
	if t.Dir != b.opt.Src {
		rel, ok := strings.CutPrefix(t.Dir, b.opt.Src+"/")
		if !ok || strings.HasPrefix(t.Dir, b.opt.ModRoot+"/vendor/") {
			return fmt.Errorf("tests %s, which is not in the main module: dgd does not support that", name)
		}
		dir = rel
	}
	link.node.Main = path.Base(a.Program)
	b.finish(link, a.Program, Program)

	u := &unit{
		node: &Node{Kind: Test, Name: name, Src: &Sources{Dir: dir, Files: []string{}}},
		refs: map[Ref]string{},
		done: true,
	}
	// The program is copied from the store: a test may make a hard link to it.
	program := "${OBJ}/" + action.Escape(link.node.Main)
	u.add(action.Step{Copy: &action.Copy{From: u.ref(b.byFile[a.Program]), To: program}})
	args := []string{program}
	for _, w := range a.Args {
		if strings.HasPrefix(w, "-test.testlogfile=") {
			continue
		}
		if strings.Contains(w, "$WORK") {
			return fmt.Errorf("dgd does not support the flag %s", w)
		}
		args = append(args, action.Escape(w))
	}
	args = append(args, b.opt.TestArgs...)
	at := "${SRC}"
	if dir != "." {
		at += "/" + action.Escape(dir)
	}
	u.add(action.Step{Test: &action.Test{
		Dir: at,
		// The same as in builds of nixpkgs, for tests that run the go command.
		Env: append([]string{
			"GOROOT=${GOROOT}", "GOCACHE=${OBJ}/tmp/go-cache", "GOPATH=${OBJ}/tmp/go",
			"GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
		}, b.opt.TestEnv...),
		Path:    "${GOROOT}/bin",
		Args:    args,
		Modules: TestModules,
		Result:  "${RESULT}",
	}})
	b.all = append(b.all, u)
	b.order = append(b.order, u)
	return nil
}

// Tests returns the graph of a main module's tests. Trimmed and kept are the graphs of
// the same `go test -n` with and without -trimpath.
//
// A test must see the paths of its sources. A package that does not ask for its path
// is better shared with other builds, which use -trimpath. So packages of the main
// module are taken from kept if they have test files, or import runtime (for
// runtime.Caller), or import such a package. All other nodes are taken from trimmed,
// links too, as these would have the toolchain's path in them.
//
// The variant of a package that is compiled for a test is named as Go shows it,
// p [p.test]. Untested has the import paths of packages without tests, which have to
// compile for tests to pass: each gets an Untested node, unless a test or another one
// of them needs it. Nodes that nothing needs are left out.
func Tests(trimmed, kept *Graph, untested []string) (*Graph, error) {
	if err := sameShape(trimmed, kept); err != nil {
		return nil, err
	}
	nodes := make([]*Node, len(trimmed.Nodes))
	keep := make([]bool, len(nodes))
	for i, n := range trimmed.Nodes {
		keep[i] = n.Kind == Package && isOwn(n) && (hasTests(n) || slices.ContainsFunc(n.Refs, func(r Ref) bool {
			to := trimmed.Nodes[r.Node]
			return keep[r.Node] || to.Std && to.Name == "runtime"
		}))
		if keep[i] {
			n = kept.Nodes[i]
		}
		clone := *n
		nodes[i] = &clone
	}
	for i, variant := range variants(trimmed) {
		if variant != "" {
			nodes[i].Name += " [" + variant + "]"
		}
	}
	for i, n := range nodes {
		if n.Kind == Test {
			n.Src = testSources(trimmed, i)
		}
	}
	more, err := ofUntested(nodes, untested)
	if err != nil {
		return nil, err
	}
	return reachable(append(nodes, more...)), nil
}

// ofUntested returns the Untested nodes for packages without tests.
func ofUntested(nodes []*Node, packages []string) ([]*Node, error) {
	at := map[string]int{}
	for i, n := range nodes {
		if n.Kind == Package && n.Src != nil { // not the main package of a test
			at[n.Name] = i
		}
	}
	var list []int
	for _, name := range packages {
		i, ok := at[name]
		if !ok {
			return nil, fmt.Errorf("go test -n does not compile %s, which has no tests", name)
		}
		list = append(list, i)
	}
	slices.Sort(list)
	needed := make([]bool, len(nodes))
	for i, n := range nodes {
		if n.Kind == Test {
			need(nodes, i, needed)
		}
	}
	var more []*Node
	for _, i := range slices.Backward(list) { // importers before the packages that they import
		if !needed[i] {
			need(nodes, i, needed)
			more = append(more, &Node{Kind: Untested, Name: nodes[i].Name, Refs: []Ref{{Node: i, Output: Export}}})
		}
	}
	return more, nil
}

// need marks a node as needed, and all nodes that it depends on.
func need(nodes []*Node, n int, needed []bool) {
	if needed[n] {
		return
	}
	needed[n] = true
	for _, r := range nodes[n].Refs {
		need(nodes, r.Node, needed)
	}
}

// AddTests is Add for the graph of tests, where g is the graph of a program. An
// Untested node refers to the program's package, if the program has it.
func (g *Graph) AddTests(tests *Graph) error {
	at := map[string]int{}
	for i, n := range g.Nodes {
		if n.Kind == Package && !n.Std {
			at[n.Name] = i
		}
	}
	var own, shared []*Node
	for _, n := range tests.Nodes {
		if i, ok := at[n.Name]; ok && n.Kind == Untested {
			shared = append(shared, &Node{Kind: Untested, Name: n.Name, Refs: []Ref{{Node: i, Output: Export}}})
		} else {
			own = append(own, n) // indices stay valid: Untested nodes come last
		}
	}
	if _, err := g.Add(reachable(own)); err != nil {
		return err
	}
	g.Nodes = append(g.Nodes, shared...)
	return nil
}

// sameShape returns an error unless two graphs differ in nothing but steps.
func sameShape(a, b *Graph) error {
	if len(a.Nodes) != len(b.Nodes) {
		return fmt.Errorf("go test -n has %d actions with -trimpath, and %d without", len(a.Nodes), len(b.Nodes))
	}
	for i, n := range a.Nodes {
		m := b.Nodes[i]
		if n.Kind != m.Kind || n.Name != m.Name || n.Std != m.Std || n.Cgo != m.Cgo || !slices.Equal(n.Refs, m.Refs) || !reflect.DeepEqual(n.Src, m.Src) {
			return fmt.Errorf("with and without -trimpath, go test -n has different actions: %s and %s", n.Name, m.Name)
		}
	}
	return nil
}

// isOwn reports whether a node is of the main module. The main package of a test has
// no sources.
func isOwn(n *Node) bool {
	return !n.Std && (n.Src == nil || !n.Src.Vendored)
}

func hasTests(n *Node) bool {
	return n.Src != nil && slices.ContainsFunc(n.Src.Files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
}

// variants returns, by node, the name p.test of the test for which it is compiled
// anew, or "".
func variants(g *Graph) []string {
	of := make([]string, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Kind != Test {
			continue
		}
		for _, r := range tested(g, i) {
			if hasTests(g.Nodes[r]) {
				of[r] = n.Name + ".test"
			}
		}
	}
	for i, n := range g.Nodes {
		for _, r := range n.Refs {
			// The test's main package is not a variant, nor are nodes that depend on it.
			if n.Kind == Package && n.Src != nil && of[i] == "" {
				of[i] = of[r.Node]
			}
		}
	}
	return of
}

// tested returns the nodes of the packages whose tests a test node runs: the package
// itself, and that of its external tests.
func tested(g *Graph, test int) []int {
	name := g.Nodes[test].Name
	var list []int
	for _, link := range g.Nodes[test].Refs {
		for _, main := range g.Nodes[link.Node].Refs {
			if g.Nodes[main.Node].Name != name+".test" {
				continue
			}
			for _, r := range g.Nodes[main.Node].Refs {
				if n := g.Nodes[r.Node]; isOwn(n) && (n.Name == name || n.Name == name+"_test") {
					list = append(list, r.Node)
				}
			}
		}
	}
	return list
}

// testSources returns the sources of a test node: the files of the tested packages.
func testSources(g *Graph, test int) *Sources {
	src := *g.Nodes[test].Src
	for _, n := range tested(g, test) {
		src.Files = append(src.Files, g.Nodes[n].Src.Files...)
	}
	slices.Sort(src.Files)
	src.Files = slices.Compact(src.Files)
	return &src
}

// reachable returns the graph of the Test and Untested nodes and all nodes that they
// depend on.
func reachable(nodes []*Node) *Graph {
	needed := make([]bool, len(nodes))
	for i, n := range nodes {
		if n.Kind == Test || n.Kind == Untested {
			need(nodes, i, needed)
		}
	}
	g := &Graph{}
	at := make([]int, len(nodes))
	for i, n := range nodes {
		if needed[i] {
			at[i] = g.add(n, at)
		}
	}
	return g
}
