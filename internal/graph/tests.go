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

// testMain is the file of a test program that the go command generates.
const testMain = "_testmain.go"

// testMain writes the generated file, of which -n prints only the name.
func (b *builder) testMain(u *unit) {
	if t, ok := b.opt.Tests[b.banner]; ok && !u.written[testMain] {
		u.written[testMain] = true
		u.add(action.Step{Write: &action.Write{Path: "${OBJ}/" + testMain, Text: action.Escape(t.Text)}})
	}
}

// TestModules is where a test that sees all of src finds a module proxy or a
// module cache.
const TestModules = "${OBJ}/modules"

// Passed is what is written of a test that has passed.
func Passed(name string) string { return "ok  \t" + name + "\n" }

// test is the run of a test program, with which that comes to its end.
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
			return fmt.Errorf("tests %s, which is not of the main module: dgd does not support that", name)
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
	// Not where the store has it: a test may link to its own program.
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
		// As in builds of Go programs in nixpkgs, so that tests that run the go
		// command work alike.
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

// Tests makes the graph of a main module's tests out of the graphs of two
// scripts of the same `go test -n`: trimmed with -trimpath, kept without.
//
// A test sees its sources at their paths. But a package that does not ask where
// it is may as well be shared with other builds, which trim. So those packages
// of the main module are of kept that have test files or import runtime, for its
// Caller, and what imports them. All others are of trimmed, and so is the link,
// which would have the toolchain's path in it.
//
// A package that is compiled anew for a test gets the name that Go shows for
// it: p [p.test]. Untested are the import paths of packages without tests, which
// compile for tests to pass: there is an Untested node of each that neither a test
// nor another one of them needs. What is not needed is left out.
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

// ofUntested returns the Untested nodes of packages.
func ofUntested(nodes []*Node, packages []string) ([]*Node, error) {
	at := map[string]int{}
	for i, n := range nodes {
		if n.Kind == Package && n.Src != nil { // p.test may be a package, too
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
	for _, i := range slices.Backward(list) { // a package comes behind what it imports
		if !needed[i] {
			need(nodes, i, needed)
			more = append(more, &Node{Kind: Untested, Name: nodes[i].Name, Refs: []Ref{{Node: i, Output: Export}}})
		}
	}
	return more, nil
}

// need notes that a node is needed, and with it all that it refers to.
func need(nodes []*Node, n int, needed []bool) {
	if needed[n] {
		return
	}
	needed[n] = true
	for _, r := range nodes[n].Refs {
		need(nodes, r.Node, needed)
	}
}

// AddTests is Add for the graph of tests, where g has a program. A package without
// tests that the program has is compiled as the program's, and not once more.
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
			own = append(own, n) // at its place: nothing refers to an Untested node, and these come last
		}
	}
	if _, err := g.Add(reachable(own)); err != nil {
		return err
	}
	g.Nodes = append(g.Nodes, shared...)
	return nil
}

// sameShape checks that two graphs differ in nothing but steps.
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

// isOwn reports whether a node is of the main module: p.test has no sources at all.
func isOwn(n *Node) bool {
	return !n.Std && (n.Src == nil || !n.Src.Vendored)
}

func hasTests(n *Node) bool {
	return n.Src != nil && slices.ContainsFunc(n.Src.Files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
}

// variants returns which nodes are compiled anew for a test, and for which: by
// node, the name of the package p.test.
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
			// The program is no variant, nor is what depends on it.
			if n.Kind == Package && n.Src != nil && of[i] == "" {
				of[i] = of[r.Node]
			}
		}
	}
	return of
}

// tested returns the packages that a test's program imports to run their tests:
// the package itself, and that of its external tests.
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

// testSources are those of the packages that a test is of.
func testSources(g *Graph, test int) *Sources {
	src := *g.Nodes[test].Src
	for _, n := range tested(g, test) {
		src.Files = append(src.Files, g.Nodes[n].Src.Files...)
	}
	slices.Sort(src.Files)
	src.Files = slices.Compact(src.Files)
	return &src
}

// reachable returns the nodes that tests need, and those of packages without tests.
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
