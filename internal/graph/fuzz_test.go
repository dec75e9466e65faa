package graph

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dgd/internal/buildscript"
)

// fuzzScripts are the scripts that FuzzNew changes.
var fuzzScripts = []string{
	goroot + small("b001", "a") + small("b002", "b"),
	goroot + cgoText("/src/c", "example.com/m/c", "pkg-config --cflags -- z\npkg-config --libs -- z\n", `"-ldflags=\"-O2\"" `) + small("b001", "a"),
	compiled + cgoRun + cgoLink + cgoTest + cgoImport + cgoCompile,
	"TOOL/preprofile -o $WORK/b005/p -i /src/default.pgo\n" + compiled +
		"cat >$WORK/b003/embedcfg << 'EOF' # internal\n{\n\"Files\":{\"a\":\"/src/a\"}\n}EOF\n" +
		"mkdir -p $WORK/b003/x/\ncp /src/a b.h $WORK/b003/x/b.h\n" + strings.ReplaceAll(compiled, "b002", "b003"),
	testScript(true),
	small("b003", "a") + testScript(false),
}

// mutate changes a script. Each four bytes are a change, its lines and their words.
func mutate(text string, ops []byte) string {
	lines := strings.SplitAfter(text, "\n")
	for ; len(ops) >= 4 && len(lines) > 0; ops = ops[4:] {
		i, j, k := int(ops[1])%len(lines), int(ops[2])%len(lines), int(ops[3])
		switch ops[0] % 6 {
		case 0: // leave out
			lines = append(lines[:i], lines[i+1:]...)
		case 1: // swap
			lines[i], lines[j] = lines[j], lines[i]
		case 2: // repeat
			lines = append(lines[:j], append([]string{lines[i]}, lines[j:]...)...)
		case 3: // take a word of another line
			to, from := strings.Split(lines[i], " "), strings.Split(lines[j], " ")
			to[k%len(to)] = from[k%len(from)]
			lines[i] = strings.Join(to, " ")
		case 4: // leave out a word
			words := strings.Split(lines[i], " ")
			k %= len(words)
			lines[i] = strings.Join(append(words[:k], words[k+1:]...), " ")
		case 5: // swap two words
			words := strings.Split(strings.TrimSuffix(lines[i], "\n"), " ")
			k, l := k%len(words), j%len(words)
			words[k], words[l] = words[l], words[k]
			lines[i] = strings.Join(words, " ") + "\n"
		}
	}
	return strings.Join(lines, "")
}

// checkTests makes a graph of tests, which must have each test that the script runs,
// and no nodes that these do not need.
func checkTests(t testing.TB, g *Graph) {
	tests, err := Tests(g, g, nil)
	if err != nil {
		t.Error(err)
		return
	}
	checkGraph(t, tests)
	count := func(g *Graph) (n int) {
		for _, node := range g.Nodes {
			if node.Kind == Test {
				n++
			}
		}
		return n
	}
	if want := count(g); count(tests) != want {
		t.Errorf("of %d tests, %d are left", want, count(tests))
	}
	needed := make([]bool, len(tests.Nodes))
	for i, n := range slices.Backward(tests.Nodes) {
		if n.Kind != Test && !needed[i] {
			t.Errorf("node %d (%s) is of no test", i, n.Name)
		}
		for _, r := range n.Refs {
			needed[r.Node] = true
		}
	}
}

// FuzzNew reads changed scripts. Each gives a graph in which all steps are accounted
// for, or an error that names a line.
func FuzzNew(f *testing.F) {
	for i := range fuzzScripts {
		f.Add(uint8(i), "", []byte(nil))
		f.Add(uint8(i), "", []byte{0, 3, 0, 0, 1, 5, 9, 0, 2, 7, 1, 0, 3, 12, 4, 3, 4, 9, 0, 2, 5, 15, 3, 4})
	}
	f.Add(uint8(255), compiled+cgoRun, []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, n uint8, text string, ops []byte) {
		if int(n) < len(fuzzScripts) {
			text = fuzzScripts[n]
		}
		text = mutate(replaceTool(text), ops)
		script, err := buildscript.Parse(text, buildscript.Options{})
		if err != nil {
			return
		}
		opt := testOptions()
		opt.CgoFlags = func(string) ([]string, error) { return []string{"-include", "./x.h"}, nil }
		if _, err := New(script, opt); err != nil {
			var e *buildscript.Error
			if !errors.As(err, &e) || e.Line < 1 || e.Text == "" {
				t.Errorf("the error names no line: %v", err)
			}
			return
		}
		opt.CgoFlags = func(string) ([]string, error) { return nil, nil }
		g, err := account(t, script, opt, false)
		if err != nil {
			t.Error(err)
			return
		}
		checkTests(t, g)
	})
}
