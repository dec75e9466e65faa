package planfile

import (
	"fmt"
	"regexp"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// Tests describes the part of a project that only its tests need.
type Tests struct {
	// First is the first node of Project.Graph that no program needs. No program needs
	// the later ones either.
	First int
	// Digests and Rest are as in Project, for the plan of tests.
	Digests map[string]string
	Rest    string
}

// testMark begins the names of nodes that only tests need. It is in no import path, and
// distinguishes a package from its variant that is compiled for tests.
const testMark = "^"

// isTest reports whether only tests need a node.
func (w *writer) isTest(n int) bool { return w.p.Tests != nil && n >= w.p.Tests.First }

func (w *writer) mark(n int) string {
	if w.isTest(n) {
		return testMark
	}
	return ""
}

// kind returns the first word of a node's line. Nodes that only tests need have kinds of
// their own, which evaluation of the program does not read.
func (w *writer) kind(n int, word string) string {
	if w.isTest(n) {
		return "test" + word
	}
	return word
}

// digest returns the digest of a directory that the plan of a node depends on.
func (w *writer) digest(n int, dir string) string {
	if w.isTest(n) {
		return w.p.Tests.Digests[dir]
	}
	return w.p.Digests[dir]
}

// setOwners sets owner, the package that each part belongs to. A package and its variant that is
// compiled for tests may share parts, which then belong to the first one.
func (w *writer) setOwners() {
	nodes := w.p.Graph.Nodes
	w.owner = make([]int, len(nodes))
	for n := len(nodes) - 1; n >= 0; n-- {
		owner := n
		if nodes[n].Kind != graph.Package {
			owner = w.owner[n]
		}
		for _, r := range nodes[n].Refs {
			w.owner[r.Node] = owner
		}
	}
}

// importName returns the import path of a package for compiler and linker. The graph has
// the name p [p.test] for a variant that is compiled for a test.
func importName(node *graph.Node) string {
	name, _, _ := strings.Cut(node.Name, " ")
	return name
}

// testLines matches lines of a test's main package that name tests, as JSON.
var testLines = regexp.MustCompile(`(?:\\t\{\\"(\pL[\pL\pN_]*)\\", (_x?test)\.(\pL[\pL\pN_]*)\},\\n)+`)

var testLine = regexp.MustCompile(`\{\\"([^"\\]*)\\", (_x?test\.([^}]*))\},`)

// testMain writes the line of a test's main package. Most packages share a template: the
// names of tests are in the option m, which has a list for each run of such lines.
func (w *writer) testMain(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	imports, others, config, err := w.refersTo(n)
	if err != nil {
		return err
	}
	steps, ok := once(steps, inner(config), "@IMPORTS@")
	if !ok || len(others) > 0 {
		return fmt.Errorf("its import config does not agree with its references: leave out `plan`")
	}
	of := inner(action.Escape(strings.TrimSuffix(node.Name, ".test")))
	for _, end := range []string{`"`, `_test"`} {
		steps = strings.ReplaceAll(steps, inner(`"`)+of+inner(end), inner(`"`)+"@OF@"+inner(end))
	}
	var runs []string
	steps = testLines.ReplaceAllStringFunc(steps, func(lines string) string {
		var names []string
		for _, m := range testLine.FindAllStringSubmatch(lines, -1) {
			if m[1] != m[3] {
				return lines
			}
			names = append(names, m[2])
		}
		runs = append(runs, list(names))
		return "@TESTS@"
	})
	w.f.Nodes = append(w.f.Nodes, w.kind(n, "package")+" "+w.key(n)+" "+w.template(steps)+" - "+strings.Join(imports, ",")+
		optionFields(map[string]string{"m": strings.Join(runs, ";")}))
	return nil
}

// test writes the line of a test's run.
func (w *writer) test(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	if len(node.Refs) != 1 || w.p.Graph.Nodes[node.Refs[0].Node].Name != node.Name+".test" {
		return fmt.Errorf("dgd does not understand how its tests are run: leave out --tests")
	}
	main := w.p.Graph.Nodes[node.Refs[0].Node].Main
	steps = strings.ReplaceAll(steps, `"${OBJ}/`+inner(action.Escape(main))+`"`, `"${OBJ}/@MAIN@"`)
	steps = strings.ReplaceAll(steps, `"dir":"`+inner(dirOf(node))+`"`, `"dir":"@DIR@"`)
	options := map[string]string{"s": node.Src.Dir, "d": w.digest(n, node.Src.Dir)}
	if err := w.trees(n, options); err != nil {
		return err
	}
	w.f.Nodes = append(w.f.Nodes, "test "+escape(node.Name)+" "+w.template(steps)+" "+escape(main)+optionFields(options))
	return nil
}
