package graph

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

const tool = "/goroot/pkg/tool/linux_amd64/"

func options() Options {
	return Options{
		Goroot:    "/goroot",
		Src:       "/src",
		ModRoot:   "/src",
		Module:    "example.com/m",
		ToolEnv:   []string{"GOOS=linux"},
		Compilers: []string{"gcc", "g++"},
		CgoFlags:  func(string) ([]string, error) { return nil, nil },
	}
}

// parse parses a script in which TOOL stands for the directory of Go's tools.
func parse(t testing.TB, text string) *buildscript.Script {
	t.Helper()
	script, err := buildscript.Parse(replaceTool(text), buildscript.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func replaceTool(text string) string { return strings.ReplaceAll(text, "TOOL/", tool) }

// newGraph makes a graph, with all steps accounted for.
func newGraph(t *testing.T, text string, opt Options) *Graph {
	t.Helper()
	script := parse(t, text)
	g, err := New(script, opt)
	if err != nil {
		t.Fatal(err)
	}
	same, err := account(t, script, opt, true)
	if err != nil || !reflect.DeepEqual(g, same) {
		t.Fatalf("the accountant has another graph: %v", err)
	}
	checkTokens(t, g)
	return g
}

// checkNodes compares nodes, which are shown as JSON.
func checkNodes(t *testing.T, g *Graph, want ...*Node) {
	t.Helper()
	if len(g.Nodes) != len(want) {
		t.Errorf("%d nodes, want %d", len(g.Nodes), len(want))
	}
	for i := range min(len(g.Nodes), len(want)) {
		if !reflect.DeepEqual(g.Nodes[i], want[i]) {
			t.Errorf("node %d is\n%s\nwant\n%s", i, show(g.Nodes[i]), show(want[i]))
		}
	}
}

func show(n *Node) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	enc.Encode(n)
	return b.String()
}

func write(path, text string) action.Step {
	return action.Step{Write: &action.Write{Path: path, Text: text}}
}

// goTool is a run of a Go tool, in words separated by spaces.
func goTool(words string) action.Step {
	return action.Step{Run: &action.Run{
		Env:  []string{"GOOS=linux"},
		Args: strings.Split("${GOROOT}/pkg/tool/linux_amd64/"+words, " "),
	}}
}

func compile(words string) action.Step {
	s := goTool("compile -o ${EXPORT} -linkobj ${ARCHIVE} " + words)
	s.Run.Parallel = true
	return s
}

func linker(words string) action.Step {
	s := goTool("link -o ${PROGRAM} -importcfg ${OBJ}/importcfg.link " + words)
	s.Run.Env = append(s.Run.Env, "GOROOT=")
	return s
}

// cc is a run of the C compiler.
func cc(dir, words string) action.Run {
	args := strings.Split(words, " ")
	return action.Run{Dir: dir, Env: []string{"TERM=dumb"}, Args: args, Compiler: args[0]}
}

// goroot is a script of two packages of the standard library.
const goroot = `mkdir -p $WORK/b004/

#
# errors
#

echo '# import config' > $WORK/b004/importcfg # internal
cd /src
TOOL/compile -o $WORK/b004/_pkg_.a -trimpath "/goroot/src/errors=>errors;$WORK/b004=>" -p errors -lang=go1.26 -std -complete -buildid abc/abc -goversion go1.26.8 -c=4 -nolocalimports -importcfg $WORK/b004/importcfg -pack /goroot/src/errors/errors.go
go tool buildid -w $WORK/b004/_pkg_.a # internal
mkdir -p $WORK/b003/

#
# io
#

cat >$WORK/b003/importcfg << 'EOF' # internal
# import config
packagefile errors=$WORK/b004/_pkg_.a
EOF
TOOL/compile -o $WORK/b003/_pkg_.a -trimpath "/goroot/src/io=>io;$WORK/b003=>" -p io -lang=go1.26 -std -complete -buildid def/def -goversion go1.26.8 -c=4 -nolocalimports -importcfg $WORK/b003/importcfg -pack /goroot/src/io/io.go
go tool buildid -w $WORK/b003/_pkg_.a # internal
`

func gorootNodes() []*Node {
	return []*Node{
		{
			Kind: Package, Name: "errors", Std: true,
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-trimpath ${GOROOT}/src/errors=>errors;${OBJ}=> -p errors -lang=go1.26 -std -complete -goversion go1.26.8 -nolocalimports -importcfg ${OBJ}/importcfg -pack ${GOROOT}/src/errors/errors.go"),
			},
		},
		{
			Kind: Package, Name: "io", Std: true, Refs: []Ref{{0, Export}},
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\npackagefile errors=${R0}\n"),
				compile("-trimpath ${GOROOT}/src/io=>io;${OBJ}=> -p io -lang=go1.26 -std -complete -goversion go1.26.8 -nolocalimports -importcfg ${OBJ}/importcfg -pack ${GOROOT}/src/io/io.go"),
			},
		},
	}
}

// A program with a vendored package, names with dollars and spaces, and module
// information.
func TestProgram(t *testing.T) {
	g := newGraph(t, goroot+`mkdir -p $WORK/b002/

#
# example.org/$dep
#

cat >$WORK/b002/importcfg << 'EOF' # internal
# import config
importmap a$b=c
packagefile io=$WORK/b003/_pkg_.a
packagefile errors=$WORK/b004/_pkg_.a
EOF
cd /src
TOOL/compile -o $WORK/b002/_pkg_.a -trimpath "/src/vendor/example.org/$dep=>example.org/$dep;$WORK/b002=>" -p example.org/$dep -lang=go1.20 -complete -buildid x/x -goversion go1.26.8 -c=4 -nolocalimports -importcfg $WORK/b002/importcfg -pack ./vendor/example.org/$dep/a&b.go "/src/vendor/example.org/$dep/c d.go"
go tool buildid -w $WORK/b002/_pkg_.a # internal
mkdir -p $WORK/b001/

#
# example.com/m/cmd
#

cat >$WORK/b001/_gomod_.go << 'EOF' # internal
package main
import _ "unsafe"
//go:linkname __debug_modinfo__ runtime.modinfo
var __debug_modinfo__ = "$HOME"
EOF
cat >$WORK/b001/importcfg << 'EOF' # internal
# import config
packagefile example.org/$dep=$WORK/b002/_pkg_.a
EOF
TOOL/compile -o $WORK/b001/_pkg_.a -trimpath "$WORK/b001=>" -p main -lang=go1.26 -complete -buildid y/y -goversion go1.26.8 -c=4 -nolocalimports -importcfg $WORK/b001/importcfg -pack ./cmd/main.go $WORK/b001/_gomod_.go
go tool buildid -w $WORK/b001/_pkg_.a # internal
cat >$WORK/b001/importcfg.link << 'EOF' # internal
packagefile example.com/m/cmd=$WORK/b001/_pkg_.a
packagefile example.org/$dep=$WORK/b002/_pkg_.a
packagefile io=$WORK/b003/_pkg_.a
packagefile errors=$WORK/b004/_pkg_.a
modinfo "path\texample.com/m\n$x"
EOF
mkdir -p /out/bin/
mkdir -p $WORK/b001/exe/
cd .
GOROOT='' TOOL/link -o $WORK/b001/exe/a.out -importcfg $WORK/b001/importcfg.link -X=runtime.godebugDefault=a=b -buildmode=exe -buildid=Y5/xx/xx/Y5 -buildid= -extld=gcc $WORK/b001/_pkg_.a
go tool buildid -w $WORK/b001/exe/a.out # internal
mv $WORK/b001/exe/a.out /out/bin/my $tool
rm -rf $WORK/b001/
`, options())
	dep := compile("-trimpath ${SRC}/vendor/example.org/$$dep=>example.org/$$dep;${OBJ}=> -p example.org/$$dep -lang=go1.20 -complete -goversion go1.26.8 -nolocalimports -importcfg ${OBJ}/importcfg -pack ${SRC}/vendor/example.org/$$dep/a&b.go")
	dep.Run.Args = append(dep.Run.Args, "${SRC}/vendor/example.org/$$dep/c d.go")
	checkNodes(t, g, append(gorootNodes(),
		&Node{
			Kind: Package, Name: "example.org/$dep", Refs: []Ref{{1, Export}, {0, Export}},
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\nimportmap a$$b=c\npackagefile io=${R0}\npackagefile errors=${R1}\n"),
				dep,
			},
			Src: &Sources{
				Dir:      "vendor/example.org/$dep",
				Files:    []string{"vendor/example.org/$dep/a&b.go", "vendor/example.org/$dep/c d.go"},
				Vendored: true,
			},
		},
		&Node{
			Kind: Package, Name: "example.com/m/cmd", Refs: []Ref{{2, Export}},
			Steps: []action.Step{
				write("${OBJ}/_gomod_.go", "package main\nimport _ \"unsafe\"\n//go:linkname __debug_modinfo__ runtime.modinfo\nvar __debug_modinfo__ = \"$$HOME\"\n"),
				write("${OBJ}/importcfg", "# import config\npackagefile example.org/$$dep=${R0}\n"),
				compile("-trimpath ${OBJ}=> -p main -lang=go1.26 -complete -goversion go1.26.8 -nolocalimports -importcfg ${OBJ}/importcfg -pack ${SRC}/cmd/main.go ${OBJ}/_gomod_.go"),
			},
			Src: &Sources{Dir: "cmd", Files: []string{"cmd/main.go"}},
		},
		&Node{
			Kind: Link, Name: "example.com/m/cmd", Main: "my $tool",
			Refs: []Ref{{3, Archive}, {2, Archive}, {1, Archive}, {0, Archive}},
			Steps: []action.Step{
				write("${OBJ}/importcfg.link", "packagefile example.com/m/cmd=${R0}\npackagefile example.org/$$dep=${R1}\npackagefile io=${R2}\npackagefile errors=${R3}\nmodinfo \"path\\texample.com/m\\n$$x\"\n"),
				// The user's own -buildid is kept.
				linker("-X=runtime.godebugDefault=a=b -buildmode=exe -buildid= -extld=gcc ${R0}"),
			},
		},
	)...)
}

// small is the script of a program of one file, with the given object directory and
// name.
func small(objdir, name string) string {
	return strings.NewReplacer("OBJ", "$WORK/"+objdir, "NAME", name).Replace(`
#
# example.com/m/NAME
#

echo '# import config' > OBJ/importcfg # internal
cd /src
TOOL/compile -o OBJ/_pkg_.a -p main -buildid y/y -importcfg OBJ/importcfg -pack ./NAME/main.go
go tool buildid -w OBJ/_pkg_.a # internal
echo 'packagefile example.com/m/NAME=OBJ/_pkg_.a' > OBJ/importcfg.link # internal
mkdir -p OBJ/exe/
cd .
GOROOT='' TOOL/link -o OBJ/exe/a.out -importcfg OBJ/importcfg.link -buildid=a/b OBJ/_pkg_.a
go tool buildid -w OBJ/exe/a.out # internal
mv OBJ/exe/a.out /out/bin/NAME
rm -rf OBJ/
`)
}

func smallNodes(name string, at int) []*Node {
	return []*Node{
		{
			Kind: Package, Name: "example.com/m/" + name,
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-p main -importcfg ${OBJ}/importcfg -pack ${SRC}/" + name + "/main.go"),
			},
			Src: &Sources{Dir: name, Files: []string{name + "/main.go"}},
		},
		{
			Kind: Link, Name: "example.com/m/" + name, Main: name, Refs: []Ref{{at, Archive}},
			Steps: []action.Step{
				write("${OBJ}/importcfg.link", "packagefile example.com/m/"+name+"=${R0}\n"),
				linker("${R0}"),
			},
		},
	}
}

func TestTwoPrograms(t *testing.T) {
	g := newGraph(t, small("b001", "a")+small("b123", "b"), options())
	checkNodes(t, g, slices.Concat(smallNodes("a", 0), smallNodes("b", 2))...)
}

// A node does not depend on the directory in which it was planned.
func TestSameNode(t *testing.T) {
	opt := options()
	g := newGraph(t, small("b001", "a"), opt)
	elsewhere := func(path string) string { return "/build/else where" + path }
	text := strings.ReplaceAll(small("b777", "a"), "cd /src", "cd /build/else where/src")
	text = strings.ReplaceAll(text, "./a/main.go", `"/build/else where/src/a/main.go"`)
	text = strings.ReplaceAll(text, "TOOL/", elsewhere(tool))
	text = strings.ReplaceAll(text, "/build/else where/goroot/pkg/tool/linux_amd64/", `"/build/else where/goroot/pkg/tool/linux_amd64/`)
	text = strings.ReplaceAll(text, `/compile -o`, `/compile" -o`)
	text = strings.ReplaceAll(text, `/link -o`, `/link" -o`)
	opt.Goroot, opt.Src, opt.ModRoot = elsewhere(opt.Goroot), elsewhere(opt.Src), elsewhere(opt.ModRoot)
	h := newGraph(t, text, opt)
	if !reflect.DeepEqual(g, h) {
		t.Errorf("the nodes are\n%s%s\nor\n%s%s", show(g.Nodes[0]), show(g.Nodes[1]), show(h.Nodes[0]), show(h.Nodes[1]))
	}
}

// The vendored packages of a module below Src are in SRC/vendor, too.
func TestModuleBelow(t *testing.T) {
	opt := options()
	opt.ModRoot = "/src/tools"
	g := newGraph(t, `
#
# example.org/dep
#

echo '# import config' > $WORK/b002/importcfg # internal
cd /src/tools
TOOL/compile -o $WORK/b002/_pkg_.a -trimpath "/src/tools/vendor/example.org/dep=>example.org/dep@v1.0.0;$WORK/b002=>" -p example.org/dep -importcfg $WORK/b002/importcfg -pack ./vendor/example.org/dep/dep.go

#
# example.com/m/lib
#

echo '# import config' > $WORK/b001/importcfg # internal
TOOL/compile -o $WORK/b001/_pkg_.a -trimpath "/src/tools/lib=>example.com/m/lib;$WORK/b001=>" -p example.com/m/lib -importcfg $WORK/b001/importcfg -pack ./lib/lib.go
`, opt)
	checkNodes(t, g,
		&Node{
			Kind: Package, Name: "example.org/dep",
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-trimpath ${SRC}/vendor/example.org/dep=>example.org/dep@v1.0.0;${OBJ}=> -p example.org/dep -importcfg ${OBJ}/importcfg -pack ${SRC}/vendor/example.org/dep/dep.go"),
			},
			Src: &Sources{Dir: "vendor/example.org/dep", Files: []string{"vendor/example.org/dep/dep.go"}, Vendored: true},
		},
		&Node{
			Kind: Package, Name: "example.com/m/lib",
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-trimpath ${SRC}/tools/lib=>example.com/m/lib;${OBJ}=> -p example.com/m/lib -importcfg ${OBJ}/importcfg -pack ${SRC}/tools/lib/lib.go"),
			},
			Src: &Sources{Dir: "tools/lib", Files: []string{"tools/lib/lib.go"}},
		})
}

// newGraphOf is newGraph for scripts that the accountant cannot check.
func newGraphOf(t *testing.T, text string, opt Options) *Graph {
	t.Helper()
	g, err := New(parse(t, text), opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestReplacePath(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"/src", "S"},
		{"/src/a", "S/a"},
		{"/src/a:/src/b", "S/a:S/b"},
		{"/src=>x;/src", "S=>x;S"},
		{"-I/src/inc", "-IS/inc"},
		{"-isystem/src", "-isystemS"},
		{"-ldflags=-L/src/lib", "-ldflags=-LS/lib"},
		{`"-L/src/lib" "-Wl,-rpath,/src/lib"`, `"-LS/lib" "-Wl,-rpath,S/lib"`},
		{"-Wl,-L/src", "-Wl,-LS"},
		{"(/src)", "(S)"},
		{"a=/src,b='/src'", "a=S,b='S'"},
		// Parts of longer names.
		{"/src2", "/src2"},
		{"/srcs/src", "/srcs/src"},
		{"/goroot/src/a", "/goroot/src/a"},
		{"${GOROOT}/src/a", "${GOROOT}/src/a"},
		{"/a./src", "/a./src"},
		{"/a-b/src", "/a-b/src"},
		{"/1/src", "/1/src"},
		{"//src", "//src"},
		{"/ü/src", "/ü/src"},
		{"x-I/src", "x-I/src"},
		{"./src", "./src"},
		{"/src.go", "/src.go"},
		{"/goroot/src;/src", "/goroot/src;S"},
	} {
		if got := replacePath(test.in, "/src", "S"); got != test.want {
			t.Errorf("replacePath(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	if got := replacePath("/src", "", "S"); got != "/src" {
		t.Errorf("without a path to replace: %q", got)
	}
}
