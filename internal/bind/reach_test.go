package bind

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// LookAt finds which modules' files a vendored package's C may read.
func TestReach(t *testing.T) {
	for _, test := range []struct {
		name string
		x    string   // text of x.c
		args []string // of the compiler
		want graph.Reach
	}{
		{"nothing", "", nil, graph.ReachModule},
		{"its own module", "#include \"../inc/a.h\"\n#include <stdio.h>", nil, graph.ReachModule},
		{"a header that is not there", "#include \"../../two/none.h\"", nil, graph.ReachModule},
		{"another module", "#include \"../../two/two.h\"", nil, graph.ReachModules},
		{"another module, by its own header", "#include \"../inc/far.h\"", nil, graph.ReachModules},
		{"the main module", "#include \"../../../../main.h\"", nil, graph.ReachAll},
		{"a look-up in the main module", "#if __has_include(\"../../../../main.h\")\n#endif", nil, graph.ReachAll},
		{"the main module, by another one", "#include \"../../two/up.h\"", nil, graph.ReachAll},
		{"a flag to another module", "", []string{"-I", "${SRC}/vendor/c/two"}, graph.ReachModules},
		{"a relative flag to another module", "", []string{"-I../../two"}, graph.ReachModules},
		{"a part of a flag to another module", "", []string{"-fprofile-use=../../two/two.h"}, graph.ReachModules},
		{"a flag to the main module", "", []string{"-I${SRC}/inc"}, graph.ReachAll},
		{"a flag to its own module", "", []string{"-I${SRC}/vendor/c/one/inc"}, graph.ReachModule},
		{"a computed include", "#define V <inc/a.h>\n#include V", nil, graph.ReachModule},
		{"a computed include of what nobody defines", "#ifdef V\n#define S(x) #x\n#include S(V)\n#endif", nil, graph.ReachModule},
		{"a computed include that goes up", "#define V \"../../two/two.h\"\n#include V", nil, graph.ReachModules},
		{"a computed include that goes up in pieces", "#define D .\n#define W D\n#define V X(W W/two.h)\n#include V", nil, graph.ReachModules},
		{"a computed include that goes up by a flag", "#include V", []string{"-DV=\"../../two/two.h\""}, graph.ReachModules},
		{"a computed look-up that goes up", "#define V \"../../two/two.h\"\n#if __has_include(V)\n#endif", nil, graph.ReachAll},
		{"a computed look-up in a macro of a flag", "", []string{"-DHAS=__has_include(V.h)", "-DV=../x"}, graph.ReachAll},
		{"a look-up in a macro of a flag", "", []string{"-DHAS=__has_include(\"../../../../main.h\")"}, graph.ReachAll},
		{"flags in a file", "", []string{"@../inc/a.h"}, graph.ReachAll},
		{"a file for the assembler", "asm(\".incbin \" FILE);", nil, graph.ReachModules},
	} {
		dir := tree(t, "main.h", "vendor/c/one/p/x.c:"+test.x, "vendor/c/one/inc/a.h",
			"vendor/c/one/inc/far.h:#include \"../../two/two.h\"", "vendor/c/two/two.h", "vendor/c/two/up.h:#include \"../../../main.h\"")
		n := &graph.Node{
			Src:   &graph.Sources{Dir: "vendor/c/one/p", Files: []string{"vendor/c/one/p/x.c"}, Native: true, Vendored: true},
			Steps: []action.Step{{Run: &action.Run{Args: append([]string{"gcc"}, test.args...)}}},
		}
		err := LookAt(n, dir, filepath.Join(dir, "vendor"), []Module{{Dir: "c/one"}, {Dir: "c/two"}, {Dir: "c"}})
		if got := n.Src.Reach; err != nil || got != test.want {
			t.Errorf("%s: got %q (%v), want %q", test.name, got, err, test.want)
		}
	}
}

// The sources of a vendored package that reads files outside of its module.
func TestVendoredReach(t *testing.T) {
	dir := tree(t, "main.h")
	modules := []Module{{"c/two", "/store/two"}, {"c/one", "/store/one"}}
	for reach, want := range map[graph.Reach][]string{
		graph.ReachModule:  {"vendor/c/one"},
		graph.ReachModules: {"vendor/c/one", "vendor/c/two"},
		graph.ReachAll:     {".", "vendor/c/one", "vendor/c/two"},
	} {
		n := &graph.Node{Name: "c/one/p", Cgo: true, Src: &graph.Sources{Dir: "vendor/c/one/p", Files: []string{"vendor/c/one/p/x.c"}, Native: true, Vendored: true, Reach: reach}}
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", modules)
		if err != nil {
			t.Fatal(err)
		}
		if got := places(bound[0]); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", reach, got, want)
		}
	}
}

func places(list []Bound) (at []string) {
	for _, b := range list {
		at = append(at, b.At)
	}
	return at
}

// A package behind a symlink in the sources' own vendor directory gets the target of the
// symlink.
func TestVendorLinks(t *testing.T) {
	for name, target := range map[string]string{
		"vendor/c/dep":       "../../staging/dep", // a module
		"vendor/c/dep/sub":   "../../../staging/dep/sub",
		"vendor/c/dep/sub/s": "../../../../staging/dep/sub/s",
	} {
		dir := tree(t, "staging/dep/sub/s")
		link := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: "vendor/c/dep/sub", Files: []string{"vendor/c/dep/sub/s"}, Vendored: true}}, Module{"c/dep", "/store/dep"})
		if b.At != "." || !slices.Equal(b.Tree.Exclude, []string{".git"}) {
			t.Errorf("%s: got %+v, %+v", name, b, b.Tree)
		}
	}
}

// If macros make a name, the package gets the whole source, and the vendor directory if
// the sources name that.
func TestComputed(t *testing.T) {
	modules := []Module{{"c/one", "/store/one"}}
	for _, test := range []struct {
		x    string
		want []string
	}{
		{"#include X", []string{"."}},
		{"#if __has_include(X)\n#endif", []string{"."}},
		{"#if __has_include(\"../q/far.h\")\n#endif", []string{"."}},
		{"#if __has_include(\"../q/none.h\")\n#endif", []string{"p"}},
		{"asm(\".incbin \\\"../q/far.h\\\"\");", []string{"."}},
		{"#embed \"../q/far.h\"", []string{"."}},
		{"#import \"../q/far.h\"", []string{"."}},
		{"#/**/include \\\n\"../q/far.h\"", []string{"."}},
		{"#include \"near.h\"", []string{"."}}, // it includes a file outside of the module
		{"#include \"../vendor/c/one/one.h\"", []string{".", "vendor/c/one"}},
		{"#define X STR(../vendor/c/one/one.h)\n#include X", []string{".", "vendor/c/one"}},
	} {
		dir := tree(t, "p/a.go", "p/x.c:"+test.x, "q/far.h")
		if test.want[0] == "." && test.x == "#include \"near.h\"" {
			dir = tree(t, "p/a.go", "p/x.c:"+test.x, "p/near.h:#/**/import \"../q/far.h\"", "q/far.h")
		}
		n := &graph.Node{Name: "m/p", Cgo: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/x.c"}, Native: true}}
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", modules)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Compact(places(bound[0])); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.x, got, test.want)
		}
		// Either all of the sources, or the file that is named.
		if test.want[0] == "." && !slices.ContainsFunc(bound[0], func(b Bound) bool {
			return b.Tree != nil && (b.Tree.Files == nil || slices.Contains(b.Tree.Files, "q/far.h"))
		}) {
			t.Errorf("%q: q/far.h is not there", test.x)
		}
	}
}

// LookAgain adds facts that a skeleton does not have about the sources' own vendor
// directory.
func TestLookAgain(t *testing.T) {
	dir := tree(t, "vendor/c/one/x.c:#include \"../two/two.h\"\n#include \"_cgo_export.h\"", "vendor/c/two/two.h")
	for planned, want := range map[graph.Reach]graph.Reach{
		graph.ReachModule: graph.ReachModules, graph.ReachModules: graph.ReachModules, graph.ReachAll: graph.ReachAll,
	} {
		n := &graph.Node{Cgo: true, Src: &graph.Sources{Dir: "vendor/c/one", Files: []string{"vendor/c/one/x.c"}, Native: true, Vendored: true, Reach: planned, Sizes: map[string]int64{"vendor/c/one/x.c": 1}}}
		if err := LookAgain(&graph.Graph{Nodes: []*graph.Node{n}}, dir, filepath.Join(dir, "vendor"), []Module{{"c/one", "/store/one"}, {"c/two", "/store/two"}}); err != nil {
			t.Fatal(err)
		}
		if n.Src.Reach != want || !n.Src.Exports || n.Src.Sizes["vendor/c/one/x.c"] < 40 {
			t.Errorf("planned %q: got %+v", planned, n.Src)
		}
	}
}

// A path in nested modules belongs to the deepest one.
func TestModuleOf(t *testing.T) {
	modules := []Module{{Dir: "c"}, {Dir: "c/one"}, {Dir: "c/one/deep"}, {Dir: "c/on"}}
	for p, want := range map[string]int{
		"vendor/c": 0, "vendor/c/x.go": 0, "vendor/c/one": 1, "vendor/c/one/x": 1, "vendor/c/one/deep/x": 2, "vendor/c/one/deeper": 1,
		"vendor/c/on/x": 3, "vendor/d": -1, "vendor/cc": -1, "c/one": -1, "vendor": -1, "": -1,
	} {
		if got := ModuleOf(p, modules); got != want {
			t.Errorf("%q: %d, want %d", p, got, want)
		}
	}
}
