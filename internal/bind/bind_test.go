package bind

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// tree writes files. Their contents are the text after a colon in the name.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, ":")
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func one(t *testing.T, dir string, n *graph.Node, modules ...Module) Bound {
	t.Helper()
	n.Name = "example.com/m/p"
	bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", modules)
	if err != nil {
		t.Fatal(err)
	}
	return bound[0][0]
}

func TestGoPackage(t *testing.T) {
	dir := tree(t, "p/a.go", "p/b.go", "p/a_test.go", "p/README", "p/data/x", "p/sub/c.go")
	b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: "p", Files: []string{"p/b.go", "p/a.go", "p/data/x"}}})
	if b.At != "p" || b.Copy || b.Tree.Root != filepath.Join(dir, "p") || b.Tree.Name != "example.com-m-p" {
		t.Errorf("got %+v, %+v", b, b.Tree)
	}
	if want := []string{"a.go", "b.go", "data/x"}; !slices.Equal(b.Tree.Files, want) {
		t.Errorf("got %q, want %q", b.Tree.Files, want)
	}
}

func TestNativePackage(t *testing.T) {
	run := func(words ...string) []action.Step {
		return []action.Step{{Run: &action.Run{Args: append([]string{"gcc"}, words...)}}}
	}
	dir := tree(t,
		"p/a.go://#include \"near.h\"", "p/near.h", "p/x.c:#include \"inc/deep.h\"\n#include <stdio.h>", "p/x_test.go", "p/.hidden",
		"p/inc/deep.h", "p/inc/more/most.h", "p/pkg/other.go", "p/pkg/other.h", "p/pkg/plain/y.h",
		"q/far.h",
	)
	// Files that look like headers in a package's directory.
	near := "p/inc/deep.h p/inc/more/most.h p/near.h p/pkg/other.h p/pkg/plain/y.h"
	tests := []struct {
		name  string
		x     string // text of x.c
		steps []action.Step
		want  []string // nil: the tree of C that leaves the directory
	}{
		{"its directory and those without Go", "#include \"inc/deep.h\"", run("-I", "${SRC}/p"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
		{"an include in a package below", "# include \"pkg/other.h\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"an include that leaves the directory", "#include \"../q/far.h\"", nil, nil},
		{"an include that leads nowhere", "#include \"../q/nothing.h\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
		{"a flag that leaves the directory", "", run("-I", "${SRC}/q"), nil},
		{"a flag that leaves it within a word", "", run("-I${SRC}/p/../q"), nil},
		{"a relative flag that leaves it", "", run("-I../q"), nil},
		{"an include without a space", "#include\"../q/far.h\"", nil, nil},
		{"an include in a comment of Go", "// #include \"pkg/other.h\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"an include of a Go file", "#include \"pkg/other.go\"", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.go", "pkg/other.h", "x.c"}},
		{"an include by a path of the machine", "#include </usr/include/stdio.h>", nil, []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
		{"a directory with Go files that a flag names", "#include <other.h>", run("-I", "${SRC}/p/pkg", "-L${SRC}/p/none"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "pkg/plain/y.h", "x.c"}},
		{"an include that is found by a flag", "#include <../pkg/other.h>", run("-I${SRC}/p/inc"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"an include of an include's", "#include \"pkg/second.h\"", run("-I", "."), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "pkg/second.h", "sec/third.h", "sec/third.txt", "x.c"}},
		{"a flag of the linker that leaves it", "", run(`-ldflags="-O2" "-L${SRC}/lib" "-lx"`), nil},
		{"a word of the parent directory", "", run("-include", ".."), nil},
		{"a part of a flag that leaves it", "", run("-fprofile-use=../q/far.h"), nil},
		{"a flag for the assembler that leaves it", "", run("-Wa,-I,../q"), nil},
		{"a relative directory with Go files", "#if __has_include(<other.h>)\n#endif", run("-isystem", "pkg"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "pkg/plain/y.h", "x.c"}},
		{"a file beside Go files that a flag names", "", run("-include", "pkg/other.h"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"the same as a part of a flag", "", run("-fprofile-use=${SRC}/p/pkg/other.h"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "pkg/other.h", "x.c"}},
		{"a package whose name begins alike", "", run("-I${SRC}/pp"), nil},
		{"a flag within the directory", "", run("-I${SRC}/p/inc", "-ffile-prefix-map=${SRC}=/_/m"), []string{"a.go", "inc/deep.h", "inc/more/most.h", "near.h", "x.c"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "p/x.c"), []byte(test.x), 0o666); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.x, "second.h") {
				for name, text := range map[string]string{"pkg/second.h": "#include \"sec/third.h\"", "sec/third.h": "", "sec/third.txt": "", "sec/x.go": ""} {
					file := filepath.Join(dir, "p", name)
					if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
						t.Fatal(err)
					}
					defer os.RemoveAll(file)
				}
			}
			n := &graph.Node{Name: "example.com/m/p", Cgo: true, Steps: test.steps, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/x.c"}, Native: true}}
			bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", nil)
			if err != nil {
				t.Fatal(err)
			}
			b := bound[0][0]
			if !b.Copy {
				t.Error("a C compiler's sources must be a copy")
			}
			if test.name == "a flag of the linker that leaves it" {
				// The linker may open any file there.
				if b.At != "." || b.Tree.Root != dir || b.Tree.Files != nil {
					t.Errorf("got %+v, %+v, want the whole source", b, b.Tree)
				}
				return
			}
			if test.want == nil {
				var files []string
				for _, b := range bound[0] {
					if b.At != "." || b.Tree.Root != dir || !b.Copy {
						t.Errorf("got %+v, %+v", b, b.Tree)
					}
					files = append(files, b.Tree.Files...)
				}
				slices.Sort(files)
				want := near + " p/a.go p/x.c"
				if test.name != "a package whose name begins alike" {
					want += " q/far.h"
				}
				if sorted := strings.Fields(want); !slices.Equal(files, slices.Sorted(slices.Values(sorted))) {
					t.Errorf("got %q, want %q", files, sorted)
				}
				return
			}
			if b.At != "p" || !slices.Equal(b.Tree.Files, test.want) {
				t.Errorf("at %s, files %q, want %q", b.At, b.Tree.Files, test.want)
			}
		})
	}
}

// Nested modules, hidden directories, vendored code and test data are not parts of a
// package.
func TestOthersDirectories(t *testing.T) {
	dir := tree(t, "x.s", "x.go", "inc/x.h", "mod/go.mod", "mod/inc/m.h", ".git/config", "vendor/v/v.h", "testdata/t.h", "a b/$x.h", "go.mod", "sub/vendor/y.h")
	b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: ".", Files: []string{"x.s", "x.go"}, Native: true}})
	if want := []string{"a b/$x.h", "go.mod", "inc/x.h", "sub/vendor/y.h", "x.go", "x.s"}; !slices.Equal(b.Tree.Files, want) {
		t.Errorf("got %q, want %q", b.Tree.Files, want)
	}
	if b.At != "." || b.Copy || b.Tree.Root != dir {
		t.Errorf("got %+v, %+v", b, b.Tree)
	}
	b = one(t, dir, &graph.Node{
		Steps: []action.Step{{Run: &action.Run{Args: []string{"asm", "-I", "${SRC}/a b", "${SRC}/x.s"}}}},
		Src:   &graph.Sources{Dir: ".", Files: []string{"x.s", "mod/inc/m.h"}, Native: true},
	})
	if want := []string{"a b/$x.h", "go.mod", "inc/x.h", "mod/inc/m.h", "sub/vendor/y.h", "x.s"}; !slices.Equal(b.Tree.Files, want) {
		t.Errorf("got %q, want %q", b.Tree.Files, want)
	}
}

// A package with a symlink gets the target, too.
func TestLinks(t *testing.T) {
	link := func(dir, target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		target string
		files  []string
		native bool
		whole  bool
	}{
		{"p/shared.go", "../q/shared.go", []string{"p/shared.go", "p/x.go"}, false, true},
		{"p/shared.h", "../q/shared.h", []string{"p/x.go"}, true, true},
		{"p/inc", "../q", []string{"p/inc/shared.h"}, false, true},
		{"p/inc", "../q", []string{"p/x.c"}, true, true}, // includes inc/shared.h
		{"p/shared.h", "../q/shared.h", []string{"p/x.go"}, false, false},
		{"p/dangling.h", "nowhere", []string{"p/x.go"}, true, false},
		{"p/dir", "../q", []string{"p/x.go"}, true, false},
	} {
		dir := tree(t, "p/x.go", "q/shared.go", "q/shared.h")
		if slices.Contains(test.files, "p/x.c") {
			if err := os.WriteFile(filepath.Join(dir, "p/x.c"), []byte("#include \"inc/shared.h\""), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		link(dir, test.target, test.name)
		b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: "p", Files: test.files, Native: test.native}})
		if whole := b.At == "."; whole != test.whole || whole != (b.Tree.Files == nil) {
			t.Errorf("%s -> %s, reading %q: got %+v, %+v", test.name, test.target, test.files, b, b.Tree)
		}
	}

	dir := tree(t, "p/a.c")
	if err := os.RemoveAll(filepath.Join(dir, "p/a.c")); err != nil {
		t.Fatal(err)
	}
	link(dir, "nowhere", "p/a.c")
	_, err := Sources(&graph.Graph{Nodes: []*graph.Node{{Name: "m/p", Src: &graph.Sources{Dir: "p", Files: []string{"p/a.c"}, Native: true}}}}, dir, "vendor", nil)
	if err == nil || !strings.HasPrefix(err.Error(), "m/p: open ") {
		t.Errorf("got %v", err)
	}
}

func TestVendored(t *testing.T) {
	dir := tree(t)
	modules := []Module{{"example.org/a", "/store/a"}, {"example.org/a/sub", "/store/sub"}, {"example.org/ab", "/store/ab"}}
	for _, test := range []struct{ dir, at, path string }{
		{"vendor/example.org/a", "vendor/example.org/a", "/store/a"},
		{"vendor/example.org/a/b", "vendor/example.org/a", "/store/a"},
		{"vendor/example.org/a/sub/c", "vendor/example.org/a/sub", "/store/sub"},
		{"vendor/example.org/ab", "vendor/example.org/ab", "/store/ab"},
	} {
		b := one(t, dir, &graph.Node{Src: &graph.Sources{Dir: test.dir, Files: []string{test.dir + "/x.go"}, Vendored: true}}, modules...)
		if b.At != test.at || b.Path != test.path || b.Tree != nil {
			t.Errorf("%s: got %+v", test.dir, b)
		}
	}
}

// A vendored package with files outside of its module's tree gets all modules and the
// main module's source. That happens if `go mod vendor` did not make the vendor
// directory, or if an overlay names the file.
func TestVendoredBeyondModule(t *testing.T) {
	dir := tree(t, "p/a.go")
	modules := []Module{{"example.org/a", "/store/a"}, {"example.org/a/sub", "/store/sub"}, {"example.org/ab", "/store/ab"}}
	for _, src := range []graph.Sources{
		{Dir: "vendor/example.org/x", Vendored: true},
		{Dir: "vendor/example.org/a", Files: []string{"vendor/example.org/a/x.go", "vendor/example.org/ab/x.syso"}, Vendored: true},
		{Dir: "vendor/example.org/a", Files: []string{"vendor/example.org/a/sub/x.go"}, Vendored: true},
		{Dir: "vendor/example.org/a", Files: []string{"p/x.syso"}, Vendored: true},
	} {
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{{Name: "example.com/m/p", Src: &src}}}, dir, "vendor", modules)
		if err != nil {
			t.Fatal(err)
		}
		var at []string
		for _, b := range bound[0] {
			at = append(at, b.At)
		}
		if want := []string{".", "vendor/example.org/a", "vendor/example.org/a/sub", "vendor/example.org/ab"}; !slices.Equal(at, want) {
			t.Errorf("%+v sees %q, want %q", src, at, want)
		}
	}
}

func TestErrors(t *testing.T) {
	dir := tree(t, "p/a.go")
	for _, test := range []struct {
		src  graph.Sources
		want string
	}{
		{graph.Sources{Dir: "gone", Files: []string{"gone/a.s"}, Native: true}, "gone: no such file"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.go/b.c"}, Native: true}, "looking for includes"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/gone.go"}}, "gone.go"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/gone.go"}, Native: true}, "gone.go"},
	} {
		_, err := Sources(&graph.Graph{Nodes: []*graph.Node{{Name: "example.com/m/p", Src: &test.src}}}, dir, "vendor", nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "example.com/m/p") {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// A link gets the sources of a cgo package whose flags name files of them.
func TestLinkSources(t *testing.T) {
	dir := tree(t, "p/a.go", "q/b.go")
	g := &graph.Graph{Nodes: []*graph.Node{
		{Name: "p", LinkSrc: true, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go"}}},
		{Name: "q", Src: &graph.Sources{Dir: "q", Files: []string{"q/b.go"}}},
		{Name: "m", Kind: graph.Link, Refs: []graph.Ref{{Node: 0}, {Node: 1}}},
	}}
	bound, err := Sources(g, dir, "vendor", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(bound[2]) != 1 || bound[2][0].At != "p" || !bound[2][0].Copy {
		t.Errorf("the link sees %+v", bound[2])
	}
}

// A node that runs the go command, and one that may read any file, gets a copy of the
// whole source, with fetched modules or the sources' own vendor directory.
func TestEverything(t *testing.T) {
	dir, vendoring := tree(t, "go.mod", "p/a.go"), tree(t, "go.mod", "p/a.go", "vendor/modules.txt")
	m := Module{Dir: "example.org/a", Store: "/nix/store/a"}
	for _, test := range []struct {
		name    string
		dir     string
		node    graph.Node
		exclude []string
		modules int
	}{
		{"the go command", dir, graph.Node{Kind: graph.ByGo, Src: &graph.Sources{Dir: "."}}, []string{".git"}, 0},
		{"the go command and fetched modules", dir, graph.Node{Kind: graph.ByGo, Src: &graph.Sources{Dir: "."}, Inputs: []graph.Input{graph.Vendor}}, []string{".git", "vendor"}, 0},
		{"anything", dir, graph.Node{Src: &graph.Sources{Dir: "p", Whole: true}}, []string{".git", "vendor"}, 1},
		{"anything, the vendor directory too", vendoring, graph.Node{Src: &graph.Sources{Dir: "p", Whole: true}}, []string{".git"}, 0},
	} {
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{&test.node}}, test.dir, "vendor", []Module{m})
		if err != nil {
			t.Fatal(err)
		}
		list := bound[0]
		if len(list) != 1+test.modules || list[0].At != "." || list[0].Tree.Root != test.dir || !slices.Equal(list[0].Tree.Exclude, test.exclude) {
			t.Errorf("%s: %+v", test.name, list)
		}
		for _, b := range list {
			if !b.Copy {
				t.Errorf("%s: %s is not a copy", test.name, b.At)
			}
		}
		if test.modules == 1 && (list[1].At != "vendor/example.org/a" || list[1].Path != m.Store) {
			t.Errorf("%s: the module is %+v", test.name, list[1])
		}
	}
}

// A file behind a symlink out of the sources is an error, unless it is of another
// package.
func TestLinkOut(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"p", "q"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"p/a.go": "../../a.go", "p/a.s": "/nowhere/a.s", "q/b.go": "../q/real.go", "q/unused.h": "../../x.h", "q/used.h": "/etc/hostname"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"q/real.go", "q/c.c"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		src  graph.Sources
		want string
	}{
		{graph.Sources{Dir: "p", Files: []string{"p/a.go"}}, "m/x: p/a.go is a symlink to ../../a.go, which is not in src"},
		{graph.Sources{Dir: "p", Files: []string{"p/a.s"}, Native: true}, "m/x: p/a.s is a symlink to /nowhere/a.s, which is not in src"},
		{graph.Sources{Dir: "q", Files: []string{"q/b.go"}}, ""},
		{graph.Sources{Dir: "q", Files: []string{"q/real.go", "q/c.c"}, Native: true}, "m/x: q/used.h is a symlink to /etc/hostname, which is not in src"},
	} {
		_, err := Sources(&graph.Graph{Nodes: []*graph.Node{{Name: "m/x", Src: &test.src}}}, dir, "vendor", nil)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%q: the error is %v, want %q", test.src.Files, err, test.want)
		}
	}
}

// Files and directories that flags hand over to the compiler, and names in macros of
// flags, may lead to any file.
func TestFlagsOfC(t *testing.T) {
	const whole = "all"
	for _, test := range []struct {
		words string
		want  string // files outside of p, or all
	}{
		{"", ""},
		{"-B ../q", whole},
		{"-B../q", whole},
		{"-B/usr/lib", ""},
		{"-B../none", ""},
		{"-isysroot ../q", whole},
		{"-isysroot../q", whole},
		{"--sysroot=../q", whole},
		{"--sysroot=/usr", ""},
		{"-specs=../q/far.h", whole},
		{"@../q/far.h", whole},
		{"-Wa,@../q/far.h", whole},
		{"-iprefix ../ -iwithprefix q", whole},
		{"-iprefix../q -iwithprefix /x", whole},
		{"-fplugin=../q/far.h", whole},
		{"-fprofile-use=../q", whole},
		{"-fprofile-use=../q/far.h", "q/far.h"},
		{"-fauto-profile=../q/data.bin", "q/data.bin"},
		{"-imacros ../q/data.bin", "q/data.bin"},
		{"-iquote ../q", "q/far.h"},
		{"-idirafter../q", "q/far.h"},
		{"-Wl,-rpath,../q -fmessage-length=0", "q/far.h"}, // a flag of the linker, which reads no headers
		{"-DHAS=__has_include(<data.bin>) -I../q", "q/data.bin q/far.h"},
		{"-DHAS=__has_include(\"../q/data.bin\")", "q/data.bin"},
		{"-DHAS=__has_include(NAME)", whole},
		{"-D HAS(x)=__has_include(x)", whole},
		{"-Wp,-DHAS=__has_embed(NAME)", whole},
		{"-DHAS=1 -DNAME=q", ""},
	} {
		dir := tree(t, "p/a.go", "p/x.cc", "q/far.h", "q/data.bin", "q/other.c", "r/x")
		steps := []action.Step{{Run: &action.Run{Args: append([]string{"gcc"}, strings.Fields(test.words)...)}}}
		n := &graph.Node{Name: "example.com/m/p", Cgo: true, Steps: steps, Src: &graph.Sources{Dir: "p", Files: []string{"p/a.go", "p/x.cc"}, Native: true}}
		bound, err := Sources(&graph.Graph{Nodes: []*graph.Node{n}}, dir, "vendor", nil)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, b := range bound[0] {
			if b.Tree.Files == nil {
				files = append(files, whole)
			}
			for _, f := range b.Tree.Files {
				if f = path.Join(b.At, f); !InDir(f, "p") {
					files = append(files, f)
				}
			}
		}
		if got := strings.Join(slices.Sorted(slices.Values(files)), " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.words, got, test.want)
		}
		d, err := Divide(dir, "vendor", true)(n, []string{"p/x.cc"})
		if err == nil && d == nil { // one small file stays in the package
			d, err = Divide(dir, "vendor", true)(n, []string{"p/x.cc", "p/x.cc"})
		}
		if err != nil || d.Groups[0].Ask == (test.want == whole) {
			t.Errorf("%s: asks what is read: %+v, %v", test.words, d, err)
		}
	}
}
