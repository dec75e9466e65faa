package bind

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// Divide decides which files of C have nodes of their own.
func TestDivide(t *testing.T) {
	big := strings.Repeat(" ", heavySize)
	light := strings.Repeat(" ", lightSize)
	many := []string{}
	for i := range manyFiles {
		many = append(many, "p/f"+string(rune('a'+i))+".c:")
	}
	for _, test := range []struct {
		name  string
		files []string
		want  string // groups, with + for one that asks, and h for one with the header
	}{
		{"a small C file", []string{"p/a.c:"}, ""},
		{"some small C files", []string{"p/a.c:", "p/b.c:", "p/s.S:"}, ""},
		{"a small C++ file", []string{"p/a.cc:"}, ""},
		{"a larger C++ file", []string{"p/a.cc:" + light}, "a.cc+"},
		{"two C++ files", []string{"p/a.cc:", "p/b.cpp:"}, "a.cc+ b.cpp+"},
		{"a large C file", []string{"p/a.c:" + big, "p/b.c:"}, "a.c+ c+"},
		{"many C files", many, "c+"},
		{"the header of cgo", []string{"p/a.cc:#include \"_cgo_export.h\"", "p/b.cc:#include \"x.h\"", "p/c.cc:"}, "a.cc+h b.cc+h c.cc+"},
		{"a computed name", []string{"p/a.cc:#include X", "p/b.cc:"}, "a.cc+h b.cc+"},
		{"a name for the assembler", []string{"p/a.cc:asm(\".incbin \" X);", "p/b.cc:"}, "a.cch b.cc+"},
		{"a computed name that is only looked up", []string{"p/a.cc:#if __has_include(X)\n#endif", "p/b.cc:"}, "a.cch b.cc+"},
		{"another file of cgo", []string{"p/a.cc:#include \"_cgo_main.c\"", "p/b.cc:"}, ""},
	} {
		dir := tree(t, append([]string{"p/x.h:#include \"_cgo_export.h\""}, test.files...)...)
		var files []string
		for _, f := range test.files {
			name, _, _ := strings.Cut(f, ":")
			files = append(files, name)
		}
		for _, ask := range []bool{true, false} {
			d, err := Divide(dir, "vendor", ask)(&graph.Node{Src: &graph.Sources{Dir: "p", Files: files}}, files)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if d != nil {
				for _, g := range d.Groups {
					name := g.Name
					if g.Ask {
						name += "+"
					}
					if g.Header {
						name += "h"
					}
					got = append(got, name)
				}
			}
			want := test.want
			if !ask {
				want = strings.ReplaceAll(want, "+", "")
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: got %q, want %q", test.name, got, want)
			}
		}
	}
	// The C that cgo writes has the preambles of Go files.
	for preamble, ask := range map[string]bool{`#include "x.h"`: true, "#if __has_include(X)\n#endif": false, `asm(".incbin " X);`: false} {
		dir := tree(t, "p/x.h:", "p/p.go:package p\n\n/*\n"+preamble+"\n*/\nimport \"C\"\n", "p/a.cc:", "p/b.cc:")
		n := &graph.Node{Src: &graph.Sources{Dir: "p", Files: []string{"p/p.go", "p/a.cc", "p/b.cc"}}}
		d, err := Divide(dir, "vendor", true)(n, []string{"p/a.cc", "p/b.cc"})
		if err != nil || d == nil || d.Ask != ask {
			t.Errorf("with %q in a preamble: %+v, %v", preamble, d, err)
		}
	}
	// For a vendored package the sizes are those of the plan.
	n := &graph.Node{Src: &graph.Sources{Dir: "vendor/x", Vendored: true, Exports: true, Sizes: map[string]int64{"vendor/x/a.c": heavySize}}}
	d, err := Divide(t.TempDir(), "vendor", true)(n, []string{"vendor/x/a.c"})
	if err != nil || d == nil || d.Ask || len(d.Groups) != 1 || !d.Groups[0].Header || d.Groups[0].Ask {
		t.Errorf("got %+v, %v", d, err)
	}
}

// The compile of one file may read the files that it names, and headers in the
// directories that are searched, but not other C files, Go files and documentation.
func TestTreeOfC(t *testing.T) {
	for _, test := range []struct {
		name string
		x    string // text of a.cc
		want string // files; empty for the whole source
		keep string
	}{
		{"nothing", "", "inc/one.h inc/vector p/a.cc p/near.h", "p/a.cc"},
		{"a file elsewhere", "#include \"../q/far.h\"", "inc/one.h inc/vector p/a.cc p/near.h q/far.h", "p/a.cc q/far.h"},
		{"a look-up elsewhere", "#if __has_include(\"../q/far.h\")\n#endif", "inc/one.h inc/vector p/a.cc p/near.h q/far.h", "p/a.cc q/far.h"},
		{"all that a name can mean", "#include <near.h>\n#include <one.h>", "inc/one.h inc/vector p/a.cc p/near.h", "inc/one.h p/a.cc p/near.h"},
		{"another C++ file", "#include \"b.cc\"", "inc/one.h inc/vector p/a.cc p/b.cc p/near.h", "p/a.cc p/b.cc"},
		{"a page, and Go", "#embed \"README.md\"\n#include \"p.go\"", "inc/one.h inc/vector p/README.md p/a.cc p/near.h p/p.go", "p/README.md p/a.cc p/p.go"},
		{"a computed name", "#include X", "", "p/a.cc"},
	} {
		dir := tree(t, "p/a.cc:"+test.x, "p/b.cc", "p/near.h", "p/p.go", "p/README.md", "inc/one.h", "inc/vector", "inc/x.cc", "q/far.h", "q/other.h")
		step := action.Step{Trace: &action.Trace{Runs: []action.Run{{Args: []string{"g++", "-I", "${SRC}/p", "-I../inc", "-E", "a.cc"}}}}}
		n := &graph.Node{Kind: graph.Ask, Cgo: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.cc"}}, Steps: []action.Step{step}, Trees: [][]string{{"p/a.cc"}}}
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", nil)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, b := range bound[0] {
			if b.At != "." || b.Tree.Root != dir || !b.Copy {
				t.Errorf("%s: got %+v", test.name, b)
			}
			files = append(files, b.Tree.Files...)
		}
		slices.Sort(files)
		if got := strings.Join(files, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if keep := strings.Join(step.Trace.Keep, " "); keep != test.keep {
			t.Errorf("%s: keeps %q, want %q", test.name, keep, test.keep)
		}
	}
	// Each file keeps the names of its own closure only.
	dir := tree(t, "p/a.cc:#include \"a.h\"", "p/b.cc:#include \"b.h\"", "p/a.h", "p/b.h")
	var steps []action.Step
	for _, f := range []string{"a.cc", "b.cc"} {
		steps = append(steps, action.Step{Trace: &action.Trace{Runs: []action.Run{{Args: []string{"g++", "-E", f}}}}})
	}
	n := &graph.Node{Kind: graph.Ask, Cgo: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.cc", "p/b.cc"}}, Steps: steps, Trees: [][]string{{"p/a.cc"}, {"p/b.cc"}}}
	if _, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", nil); err != nil {
		t.Fatal(err)
	}
	if a, b := steps[0].Trace.Keep, steps[1].Trace.Keep; !slices.Equal(a, []string{"p/a.cc", "p/a.h"}) || !slices.Equal(b, []string{"p/b.cc", "p/b.h"}) {
		t.Errorf("kept are %q and %q", a, b)
	}
	// A file behind a symlink has another name, so that the node gets the whole source.
	dir = tree(t, "p/a.cc", "q/far.h")
	if err := os.Symlink("../q", filepath.Join(dir, "p/inc")); err != nil {
		t.Fatal(err)
	}
	b := one(t, dir, &graph.Node{Kind: graph.Objects, Cgo: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.cc"}}})
	if b.At != "." || b.Tree.Files != nil || !slices.Equal(b.Tree.Exclude, notSource("vendor")) {
		t.Errorf("with a link: got %+v", b.Tree)
	}
}
