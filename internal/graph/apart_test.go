package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
)

// outline returns a node's steps in short: of a command, its output.
func outline(n *Node) string {
	var steps []string
	for _, s := range n.Steps {
		switch {
		case s.Run != nil && slices.Contains(s.Run.Args, "-o"):
			word := "run "
			if s.Beside {
				word = "beside "
			}
			steps = append(steps, word+s.Run.Args[slices.Index(s.Run.Args, "-o")+1])
		case s.Run != nil:
			steps = append(steps, "cgo")
		case s.Copy != nil:
			steps = append(steps, "copy "+s.Copy.From+" "+s.Copy.To)
		case s.Trace != nil:
			steps = append(steps, "trace "+s.Trace.To)
			for _, run := range s.Trace.Runs {
				i := slices.Index(run.Args, "-o")
				steps = append(steps, strings.Join(run.Args[len(run.Args)-2:], " ")+" to "+run.Args[i+1])
			}
		case s.Write != nil:
			steps = append(steps, "write "+s.Write.Path)
		case s.DynImport != nil:
			steps = append(steps, "dynimport")
		case s.Pack != nil:
			steps = append(steps, "pack")
		case s.PkgConfig != nil:
			steps = append(steps, "pkg-config")
		}
	}
	return strings.Join(steps, "; ")
}

// Apart moves the C of a package to nodes of its own.
func TestApart(t *testing.T) {
	g := newGraph(t, cgoText("/src/c", "example.com/m/c", "", ""), options())
	before, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	apart, err := Apart(g, func(n *Node, files []string) (*Division, error) {
		if !slices.Equal(files, []string{"c/a$b.c"}) {
			t.Errorf("the files are %q", files)
		}
		return &Division{Ask: true, Groups: []ObjectGroup{{Name: "a$b.c", Files: files, Header: true, Ask: true}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(g); string(after) != string(before) {
		t.Error("the first graph has changed")
	}
	want := []struct {
		kind  Kind
		refs  []Ref
		files []string
		does  string
	}{
		{Cgo, nil, []string{"c/c.go"}, "cgo; copy ${OBJ}/c.cgo1.go ${GOFILES}/c.cgo1.go; copy ${OBJ}/_cgo_gotypes.go ${GOFILES}/_cgo_gotypes.go; " +
			"copy ${OBJ}/_cgo_export.c ${CFILES}/_cgo_export.c; copy ${OBJ}/c.cgo2.c ${CFILES}/c.cgo2.c; copy ${OBJ}/_cgo_main.c ${CFILES}/_cgo_main.c; " +
			"copy ${OBJ}/_cgo_export.h ${CFILES}/_cgo_export.h; copy ${OBJ}/_cgo_export.h ${HEADER}/_cgo_export.h; " +
			"trace ${TREE0}; -E _cgo_export.c to /dev/null; -E c.cgo2.c to /dev/null; -E _cgo_main.c to /dev/null"},
		{Objects, []Ref{{0, Tree(0)}, {0, CFiles}}, nil, "copy ${R0} ${SRC}; copy ${R1} ${OBJ}; " +
			"run ${OBJ}/_x001.o; beside ${OBJ}/_x002.o; beside ${OBJ}/_cgo_main.o; " +
			"copy ${OBJ}/_x001.o ${FILE}/_x001.o; copy ${OBJ}/_x002.o ${FILE}/_x002.o; copy ${OBJ}/_cgo_main.o ${FILE}/_cgo_main.o"},
		{Ask, []Ref{{0, Header}}, []string{"c/a$b.c"}, "copy ${R0} ${OBJ}; trace ${TREE0}; -E a$$b.c to /dev/null"},
		{Objects, []Ref{{2, Tree(0)}, {0, Header}}, nil, "copy ${R0} ${SRC}; copy ${R1} ${OBJ}; run ${OBJ}/_x003.o; copy ${OBJ}/_x003.o ${FILE}/_x003.o"},
		{Package, []Ref{{0, GoFiles}, {1, Whole}, {3, Whole}}, []string{"c/c.go", "c/z.syso"}, "copy ${R0} ${OBJ}; copy ${R1} ${OBJ}; copy ${R2} ${OBJ}; " +
			"dynimport; write ${OBJ}/importcfg; run ${EXPORT}; pack"},
	}
	if len(apart.Nodes) != len(want) {
		t.Fatalf("got %d nodes, want %d", len(apart.Nodes), len(want))
	}
	for i, n := range apart.Nodes {
		w := want[i]
		var files []string
		if n.Src != nil {
			files = n.Src.Files
		}
		if n.Kind != w.kind || !slices.Equal(n.Refs, w.refs) || !slices.Equal(files, w.files) || outline(n) != w.does || !n.Cgo || n.Name != "example.com/m/c" {
			t.Errorf("node %d is %s with %v and %q, and does\n%s\nwant %s with %v and %q, which does\n%s", i, n.Kind, n.Refs, files, outline(n), w.kind, w.refs, w.files, w.does)
		}
	}
	if apart.Nodes[4].Src.Native {
		t.Error("the package still reads C")
	}
}

// One Ask node has several groups, but no groups that may include the header of cgo
// together with groups that cannot.
func TestAskAtOnce(t *testing.T) {
	g := newGraph(t, cgoText("/src/c", "example.com/m/c", "", ""), options())
	var groups []ObjectGroup
	for i := range 2*askAtOnce + 2 {
		file := fmt.Sprintf("c/%d.cc", i)
		groups = append(groups, ObjectGroup{Name: file, Files: []string{file}, Ask: i != 1, Header: i == 2})
	}
	apart, err := Apart(g, func(*Node, []string) (*Division, error) { return &Division{Groups: groups}, nil })
	if err != nil {
		t.Fatal(err)
	}
	var asked [][]string
	trees := map[string]Ref{}
	for i, n := range apart.Nodes {
		if n.Kind == Ask {
			var files []string
			for j, tree := range n.Trees {
				trees[tree[0]] = Ref{i, Tree(j)}
				files = append(files, tree...)
			}
			if !slices.Equal(files, n.Src.Files) {
				t.Errorf("the node has %q and makes trees of %q", n.Src.Files, files)
			}
			asked = append(asked, files)
		}
	}
	if len(asked) != 3 || len(asked[0]) != askAtOnce || len(asked[1]) != askAtOnce || !slices.Equal(asked[2], []string{"c/2.cc"}) {
		t.Errorf("asked for %q", asked)
	}
	for _, n := range apart.Nodes {
		if n.Kind != Objects || n.Part == "cgo" {
			continue
		}
		tree, asked := trees[n.Part]
		if asked != (n.Part != "c/1.cc") || asked && n.Refs[0] != tree || asked == (n.Src != nil) {
			t.Errorf("%s has the refs %v and the sources %v", n.Part, n.Refs, n.Src)
		}
	}
}

// Apart does not change other packages.
func TestNotApart(t *testing.T) {
	text := cgoText("/src/c", "example.com/m/c", "", "")
	never := func(n *Node, files []string) (*Division, error) {
		t.Error("asked how to divide what cannot be")
		return nil, nil
	}
	for name, change := range map[string]func(*Node){
		"of std":        func(n *Node) { n.Std = true },
		"with a header": func(n *Node) { n.Header = true },
		"with a program": func(n *Node) {
			n.Steps = append([]action.Step{{Run: &action.Run{Args: []string{"cover"}}}}, n.Steps...)
		},
		"with others' files": func(n *Node) {
			run := *n.Steps[0].Run
			run.Args = append(slices.Clone(run.Args), "${R0}")
			n.Steps[0].Run = &run
		},
		"without cgo": func(n *Node) { n.Cgo = false },
	} {
		g := newGraph(t, text, options())
		change(g.Nodes[0])
		apart, err := Apart(g, never)
		if err != nil || len(apart.Nodes) != 1 {
			t.Errorf("%s: got %d nodes, %v", name, len(apart.Nodes), err)
		}
	}
	g := newGraph(t, text, options())
	apart, err := Apart(g, func(*Node, []string) (*Division, error) { return nil, nil })
	if err != nil || len(apart.Nodes) != 1 || outline(apart.Nodes[0]) != outline(g.Nodes[0]) {
		t.Errorf("got %v, %v", apart, err)
	}
	if _, err := Apart(g, func(*Node, []string) (*Division, error) { return nil, errors.New("no") }); err == nil || err.Error() != "example.com/m/c: no" {
		t.Errorf("the error is %v", err)
	}
	g.Nodes[0].Refs = []Ref{{Node: 0}}
	if _, err := Apart(g, never); err == nil || !strings.Contains(err.Error(), "comes later") {
		t.Errorf("the error is %v", err)
	}
}

// A linking test gets the sources if it can read a file of them.
func TestLinksAlone(t *testing.T) {
	for words, want := range map[string]bool{
		"-lm -lpthread -L/lib -pthread -O2 -g": true,
		"-Wl,-z,relro -Wl,--as-needed -static": true,
		"${LIBS}":                              true,
		"-fuse-ld=gold -mthreads":              true,
		"${OBJ}/x.o -o ${OBJ}/_cgo_.o":         true,
		"-L${SRC}/c/lib":                       false,
		"libx.a":                               false,
		"-Llib":                                false,
		"-l:libx.a":                            false,
		"-Wl,-T,script":                        false,
		"-Wl,--version-script=x":               false,
		"-T":                                   false,
		"-Wl,libx.a":                           false,
		"@x":                                   false,
		"-fplugin=x.so":                        false,
		"${SRC}/c/z.syso":                      false,
	} {
		n := &Node{Steps: []action.Step{{DynImport: &action.DynImport{Link: action.Run{Args: append([]string{"gcc", "-I", "${SRC}/c", "-fmessage-length=0"}, strings.Fields(words)...)}}}}}
		if got := LinksAlone(n); got != want {
			t.Errorf("%s: got %v", words, got)
		}
	}
}
