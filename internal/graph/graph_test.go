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

// Assembly, with headers named for the target and a system object.
func TestAssembly(t *testing.T) {
	g := newGraph(t, `mkdir -p $WORK/b002/

#
# example.com/m/add
#

echo -n > $WORK/b002/go_asm.h # internal
cd /src/add
TOOL/asm -p example.com/m/add -trimpath "/src/add=>example.com/m/add;$WORK/b002=>" -I $WORK/b002/ -I /goroot/pkg/include -D GOOS_linux -gensymabis -o $WORK/b002/symabis ./add_amd64.s "/src/add/b c.s"
echo '# import config' > $WORK/b002/importcfg # internal
cd /src
TOOL/compile -o $WORK/b002/_pkg_.a -p example.com/m/add -buildid m/m -symabis $WORK/b002/symabis -c=4 -importcfg $WORK/b002/importcfg -pack -asmhdr $WORK/b002/go_asm.h ./add/add.go
cp /src/add/a b_linux.h $WORK/b002/a b_GOOS.h
cd /src/add
TOOL/asm -p example.com/m/add -I $WORK/b002/ -o $WORK/b002/add_amd64.o ./add_amd64.s
TOOL/asm -p example.com/m/add -I $WORK/b002/ -o "$WORK/b002/b c.o" "/src/add/b c.s"
go tool pack r $WORK/b002/_pkg_.a $WORK/b002/add_amd64.o "$WORK/b002/b c.o" ./x.syso # internal
go tool buildid -w $WORK/b002/_pkg_.a # internal
`, options())
	spaced := func(s action.Step, last ...string) action.Step {
		s.Run.Args = append(s.Run.Args, last...)
		return s
	}
	checkNodes(t, g, &Node{
		Kind: Package, Name: "example.com/m/add",
		Steps: []action.Step{
			write("${OBJ}/go_asm.h", ""),
			spaced(goTool("asm -p example.com/m/add -trimpath ${SRC}/add=>example.com/m/add;${OBJ}=> -I ${OBJ}/ -I ${GOROOT}/pkg/include -D GOOS_linux -gensymabis -o ${OBJ}/symabis ${SRC}/add/add_amd64.s"), "${SRC}/add/b c.s"),
			write("${OBJ}/importcfg", "# import config\n"),
			compile("-p example.com/m/add -symabis ${OBJ}/symabis -importcfg ${OBJ}/importcfg -pack -asmhdr ${OBJ}/go_asm.h ${SRC}/add/add.go"),
			{Copy: &action.Copy{From: "${SRC}/add/a b_linux.h", To: "${OBJ}/a b_GOOS.h"}},
			goTool("asm -p example.com/m/add -I ${OBJ}/ -o ${OBJ}/add_amd64.o ${SRC}/add/add_amd64.s"),
			beside(spaced(goTool("asm -p example.com/m/add -I ${OBJ}/ -o"), "${OBJ}/b c.o", "${SRC}/add/b c.s")),
			{Pack: &action.Pack{Archive: "${ARCHIVE}", Files: []string{"${OBJ}/add_amd64.o", "${OBJ}/b c.o", "${SRC}/add/x.syso"}}},
		},
		Src: &Sources{
			Dir:    "add",
			Files:  []string{"add/add_amd64.s", "add/b c.s", "add/add.go", "add/a b_linux.h", "add/x.syso"},
			Native: true,
		},
	})
}

func TestEmbed(t *testing.T) {
	g := newGraph(t, `
#
# example.com/m
#

cat >$WORK/b001/embedcfg << 'EOF' # internal
{
	"Patterns": {
		"a$HOME.txt": [
			"a$HOME.txt"
		],
		"all:dir": [
			"dir/.hidden",
			"dir/x\u003cy\"z\u00fc.txt"
		]
	},
	"Files": {
		"a$HOME.txt": "/src/a$HOME.txt",
		"dir/.hidden": "/src/dir/.hidden",
		"dir/x\u003cy\"z\u00fc.txt": "/src/dir/x\u003cy\"z\u00fc.txt",
		"vendored": "/src/vendor/example.org/v/vendored"
	}
}EOF
echo '# import config' > $WORK/b001/importcfg # internal
cd /src
TOOL/compile -o $WORK/b001/_pkg_.a -p example.com/m -importcfg $WORK/b001/importcfg -embedcfg $WORK/b001/embedcfg -pack ./main.go
`, options())
	checkNodes(t, g, &Node{
		Kind: Package, Name: "example.com/m",
		Steps: []action.Step{
			write("${OBJ}/embedcfg", `{"Patterns":{"a$$HOME.txt":["a$$HOME.txt"],"all:dir":["dir/.hidden","dir/x\u003cy\"zü.txt"]},`+
				`"Files":{"a$$HOME.txt":"${SRC}/a$$HOME.txt","dir/.hidden":"${SRC}/dir/.hidden","dir/x\u003cy\"zü.txt":"${SRC}/dir/x\u003cy\"zü.txt","vendored":"${SRC}/vendor/example.org/v/vendored"}}`),
			write("${OBJ}/importcfg", "# import config\n"),
			compile("-p example.com/m -importcfg ${OBJ}/importcfg -embedcfg ${OBJ}/embedcfg -pack ${SRC}/main.go"),
		},
		Src: &Sources{Dir: ".", Files: []string{"a$HOME.txt", "dir/.hidden", "dir/x<y\"zü.txt", "vendor/example.org/v/vendored", "main.go"}},
	})
}

// Embedded files do not decide which directory is the package's.
func TestEmbedBelow(t *testing.T) {
	g := newGraph(t, `
#
# example.com/m/p
#

cat >$WORK/b001/embedcfg << 'EOF' # internal
{"Files":{"web/a.html":"/src/p/web/a.html"}}
EOF
cd /src
TOOL/compile -o $WORK/b001/_pkg_.a -p example.com/m/p -embedcfg $WORK/b001/embedcfg -pack ./p/p.go
`, options())
	want := &Sources{Dir: "p", Files: []string{"p/web/a.html", "p/p.go"}}
	if got := g.Nodes[0].Src; !reflect.DeepEqual(got, want) {
		t.Errorf("the sources are %+v, want %+v", got, want)
	}
}

// A profile is a node of its own, to which packages of std refer, too.
func TestProfile(t *testing.T) {
	g := newGraph(t, `mkdir -p $WORK/b003/
cd /src
TOOL/preprofile -o $WORK/b003/pgo.preprofile -i ./default.pgo

#
# errors
#

echo '# import config' > $WORK/b002/importcfg # internal
TOOL/compile -o $WORK/b002/_pkg_.a -p errors -std -buildid x/x -pgoprofile=$WORK/b003/pgo.preprofile -c=4 -importcfg $WORK/b002/importcfg -pack /goroot/src/errors/errors.go
`, options())
	checkNodes(t, g,
		&Node{
			Kind: File, Name: "preprofile",
			Steps: []action.Step{goTool("preprofile -o ${FILE} -i ${SRC}/default.pgo")},
			Src:   &Sources{Dir: ".", Files: []string{"default.pgo"}},
		},
		&Node{
			Kind: Package, Name: "errors", Std: true, Refs: []Ref{{0, Whole}},
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-p errors -std -pgoprofile=${R0} -importcfg ${OBJ}/importcfg -pack ${GOROOT}/src/errors/errors.go"),
			},
		})
}

// cgoScript is the script of one cgo package in the directory DIR, which the
// module root /src is above, with a C file.
const cgoScript = `mkdir -p $WORK/b002/
cd DIR
PKGCONFIGTERM='dumb' CGO_LDFLAGS='' TOOL/cgo -objdir $WORK/b002/ -importpath PATH EXTRA-- -I $WORK/b002/ -DA=$x ./c.go
cd $WORK
gcc -fno-caret-diagnostics -c -x c - -o /dev/null || true
cd $WORK/b002
TERM='dumb' gcc -I DIR -fPIC -fmessage-length=0 -I ./ -DA=$x -o ./_x001.o -c _cgo_export.c
TERM='dumb' gcc -I DIR -fPIC -fmessage-length=0 -I ./ -DA=$x -o ./_x002.o -c c.cgo2.c
cd DIR
TERM='dumb' gcc -I . -fPIC -fmessage-length=0 -I $WORK/b002/ -DA=$x -o $WORK/b002/_x003.o -c a$b.c

#
# PATH
#

cd $WORK/b002
TERM='dumb' gcc -I DIR -fPIC -fmessage-length=0 -I ./ -DA=$x -o ./_cgo_main.o -c _cgo_main.c
cd /src
TERM='dumb' gcc -I DIR -fPIC -fmessage-length=0 -o $WORK/b002/_cgo_.o $WORK/b002/_cgo_main.o $WORK/b002/_x001.o $WORK/b002/_x002.o $WORK/b002/_x003.o -lm
gcc -I DIR -fPIC -fmessage-length=0 -o $WORK/b002/_cgo_.o $WORK/b002/_cgo_main.o $WORK/b002/_x001.o $WORK/b002/_x002.o $WORK/b002/_x003.o -lm # test for internal linking errors (succeeded)
TERM='dumb' TOOL/cgo -dynpackage c -dynimport $WORK/b002/_cgo_.o -dynout $WORK/b002/_cgo_import.go
echo '# import config' > $WORK/b002/importcfg # internal
TOOL/compile -o $WORK/b002/_pkg_.a -p PATH -buildid x/x -importcfg $WORK/b002/importcfg -pack $WORK/b002/_cgo_gotypes.go $WORK/b002/c.cgo1.go $WORK/b002/_cgo_import.go
go tool pack r $WORK/b002/_pkg_.a $WORK/b002/_x001.o $WORK/b002/_x002.o $WORK/b002/_x003.o DIR/z.syso # internal
go tool buildid -w $WORK/b002/_pkg_.a # internal
`

func cgoText(dir, path, pkgConfig, ldflags string) string {
	return strings.NewReplacer("DIR", dir, "PATH", path, "PKGCONFIG", pkgConfig, "EXTRA", ldflags).Replace(cgoScript)
}

// beside is a step that does not depend on the one before it.
func beside(s action.Step) action.Step {
	s.Beside = true
	return s
}

// cgoNode is the node of cgoText. Src is the token for the package's directory, from
// and to are the prefix map. The others are the output of pkg-config.
func cgoNode(path, src, from, to, cflags, libs string) *Node {
	maps := " ${BEFORE} -fmessage-length=0 ${PREFIXMAP}=${OBJ}=/tmp/go-build ${AFTER} "
	file := func(dir, i, o, c string) action.Step {
		run := cc(dir, "gcc -I "+i+" -fPIC"+maps+cflags+"-I ${OBJ}/ -DA=$$x ${PREFIXMAP}="+from+"=/_/"+to+" -o ${OBJ}/"+o+" -c "+c)
		return action.Step{Run: &run}
	}
	test := action.DynImport{
		Link:   cc("${SRC}", "gcc -I "+src+" -fPIC"+maps+"-o ${OBJ}/_cgo_.o ${OBJ}/_cgo_main.o ${OBJ}/_x001.o ${OBJ}/_x002.o ${OBJ}/_x003.o -lm"+libs),
		Import: action.Run{Dir: "${SRC}", Env: []string{"GOOS=linux", "TERM=dumb"}, Args: strings.Split("${GOROOT}/pkg/tool/linux_amd64/cgo -dynpackage c -dynimport ${OBJ}/_cgo_.o -dynout ${OBJ}/_cgo_import.go", " ")},
		Fail:   "${OBJ}/dynimportfail",
	}
	comp := compile("-p " + path + " -importcfg ${OBJ}/importcfg -pack ${OBJ}/_cgo_gotypes.go ${OBJ}/c.cgo1.go ${OBJ}/_cgo_import.go")
	comp.Run.IfExists = []string{"${OBJ}/_cgo_import.go"}
	return &Node{
		Kind: Package, Name: path, Cgo: true,
		Steps: []action.Step{
			{}, // cgo itself
			file("${OBJ}", src, "_x001.o", "_cgo_export.c"),
			beside(file("${OBJ}", src, "_x002.o", "c.cgo2.c")),
			beside(file(src, src, "_x003.o", "a$$b.c")),
			beside(file("${OBJ}", src, "_cgo_main.o", "_cgo_main.c")),
			{DynImport: &test},
			write("${OBJ}/importcfg", "# import config\n"),
			comp,
			{Pack: &action.Pack{
				Archive:  "${ARCHIVE}",
				Files:    []string{"${OBJ}/_x001.o", "${OBJ}/_x002.o", "${OBJ}/_x003.o", "${OBJ}/dynimportfail", src + "/z.syso"},
				IfExists: []string{"${OBJ}/dynimportfail"},
			}},
		},
	}
}

func cgoTool(dir, path, ldflags, cflags string) action.Step {
	words := "${GOROOT}/pkg/tool/linux_amd64/cgo -objdir ${OBJ}/ -importpath " + path + " " + ldflags + "-- " + cflags + "-I ${OBJ}/ -DA=$$x " + dir + "/c.go"
	return action.Step{Run: &action.Run{Dir: dir, Env: []string{"GOOS=linux", "TERM=dumb", "CGO_LDFLAGS="}, Args: strings.Split(words, " ")}}
}

func TestCgo(t *testing.T) {
	for _, test := range []struct {
		dir, src, path, from, to string
		sources                  *Sources
	}{
		{"/src/c", "${SRC}/c", "example.com/m/c", "${SRC}", "example.com/m",
			&Sources{Dir: "c", Files: []string{"c/c.go", "c/a$b.c", "c/z.syso"}, Native: true}},
		{"/src/vendor/example.org/v/c", "${SRC}/vendor/example.org/v/c", "example.org/v/c", "${SRC}/vendor", "vendor",
			&Sources{Dir: "vendor/example.org/v/c", Files: []string{"vendor/example.org/v/c/c.go", "vendor/example.org/v/c/a$b.c", "vendor/example.org/v/c/z.syso"}, Native: true, Vendored: true}},
		{"/goroot/src/runtime/cgo", "${GOROOT}/src/runtime/cgo", "runtime/cgo", "${GOROOT}", "GOROOT", nil},
	} {
		t.Run(test.path, func(t *testing.T) {
			want := cgoNode(test.path, test.src, test.from, test.to, "", "")
			want.Steps[0] = cgoTool(test.src, test.path, "", "")
			want.Src = test.sources
			g := newGraph(t, cgoText(test.dir, test.path, "", ""), options())
			checkNodes(t, g, want)
		})
	}

	t.Run("module below", func(t *testing.T) {
		opt := options()
		opt.ModRoot = "/src/$tools"
		want := cgoNode("example.com/m/c", "${SRC}/$$tools/c", "${SRC}/$$tools", "example.com/m", "", "")
		want.Steps[0] = cgoTool("${SRC}/$$tools/c", "example.com/m/c", "", "")
		want.Src = &Sources{Dir: "$tools/c", Files: []string{"$tools/c/c.go", "$tools/c/a$b.c", "$tools/c/z.syso"}, Native: true}
		checkNodes(t, newGraph(t, cgoText("/src/$tools/c", "example.com/m/c", "", ""), opt), want)
	})
}

func TestCgoPkgConfig(t *testing.T) {
	const calls = "pkg-config --cflags --static -- zlib $x\npkg-config --libs --static -- zlib $x\n"
	answers := func(dir string) []action.Step {
		return []action.Step{
			{PkgConfig: &action.PkgConfig{Run: action.Run{Dir: dir, Args: []string{"pkg-config", "--cflags", "--static", "--", "zlib", "$$x"}}}},
			{PkgConfig: &action.PkgConfig{Run: action.Run{Dir: dir, Args: []string{"pkg-config", "--libs", "--static", "--", "zlib", "$$x"}}, Libs: true}},
		}
	}
	sources := &Sources{Dir: "c", Files: []string{"c/c.go", "c/a$b.c", "c/z.syso"}, Native: true}

	want := cgoNode("example.com/m/c", "${SRC}/c", "${SRC}", "example.com/m", "${CFLAGS} ", " ${LIBS}")
	want.Steps[0] = cgoTool("${SRC}/c", "example.com/m/c", `-ldflags="-O2"${QUOTEDLIBS} `, "${CFLAGS} ")
	want.Steps = slices.Concat(answers("${SRC}/c"), want.Steps)
	want.Src = sources
	checkNodes(t, newGraph(t, cgoText("/src/c", "example.com/m/c", calls, `"-ldflags=\"-O2\"" `), options()), want)

	// The go command omits an empty -ldflags.
	want = cgoNode("example.com/m/c", "${SRC}/c", "${SRC}", "example.com/m", "${CFLAGS} ", " ${LIBS}")
	want.Steps[0] = cgoTool("${SRC}/c", "example.com/m/c", "-ldflags=${QUOTEDLIBS} ", "${CFLAGS} ")
	want.Steps[0].Run.Env = append(want.Steps[0].Run.Env, "CGO_LDFLAGS=")
	want.Steps = slices.Concat(answers("${SRC}/c"), want.Steps)
	want.Src = sources
	checkNodes(t, newGraph(t, cgoText("/src/c", "example.com/m/c", calls, ""), options()), want)
}

// linkedWithC is the end of a script: the program a, which imports the package c.
const linkedWithC = `
#
# example.com/m/a
#

cat >$WORK/b001/importcfg << 'EOF' # internal
packagefile example.com/m/c=$WORK/b002/_pkg_.a
EOF
TOOL/compile -o $WORK/b001/_pkg_.a -p main -importcfg $WORK/b001/importcfg -pack ./a/main.go
cat >$WORK/b001/importcfg.link << 'EOF' # internal
packagefile example.com/m/a=$WORK/b001/_pkg_.a
packagefile example.com/m/c=$WORK/b002/_pkg_.a
EOF
cd .
GOROOT='' TOOL/link -o $WORK/b001/exe/a.out -importcfg $WORK/b001/importcfg.link $WORK/b001/_pkg_.a
mv $WORK/b001/exe/a.out a
`

// Linker flags that name a directory of the sources, and the link of a program with
// C. Only the main package of a library has a header of its exported functions.
func TestCgoLink(t *testing.T) {
	opt := options()
	text := cgoText("/src/c", "example.com/m/c", "", `-exportheader=$WORK/b002/_cgo_install.h "-ldflags=\"-L/src/c/lib\" \"-lx\"" `)
	g := newGraph(t, text+linkedWithC, opt)
	if len(g.Nodes) != 3 {
		t.Fatalf("%d nodes", len(g.Nodes))
	}
	want := strings.Split(`${GOROOT}/pkg/tool/linux_amd64/cgo -objdir ${OBJ}/ -importpath example.com/m/c -ldflags="-L${SRC}/c/lib"_"-lx" -- -I ${OBJ}/ -DA=$$x ${SRC}/c/c.go`, " ")
	want[5] = strings.ReplaceAll(want[5], "_\"", " \"")
	if got := g.Nodes[0].Steps[0].Run.Args; !slices.Equal(got, want) {
		t.Errorf("cgo runs\n%q, want\n%q", got, want)
	}
	if c, a, prog := g.Nodes[0], g.Nodes[1], g.Nodes[2]; !c.Cgo || !c.LinkSrc || a.Cgo || a.LinkSrc || !prog.Cgo {
		t.Errorf("Cgo, LinkSrc are %v %v, %v %v and %v", c.Cgo, c.LinkSrc, a.Cgo, a.LinkSrc, prog.Cgo)
	}
}

// If flags in a #cgo line name a file relative to ModRoot, the linking test and the
// link run there, with all of the sources.
func TestCgoLinkInModRoot(t *testing.T) {
	opt := options()
	opt.InModRoot = func(flag string) bool { return flag == "lib/a b.a" }
	script := func(dir, flag string) string {
		return cgoText(dir, "example.com/m/c", "", `"-ldflags=\"-O2\" \"`+flag+`\"" `) + linkedWithC
	}
	for flag, want := range map[string]bool{"lib/a b.a": true, "-lx": false} {
		g := newGraphOf(t, script("/src/c", flag), opt)
		c, prog := g.Nodes[0], g.Nodes[2]
		run := prog.Steps[len(prog.Steps)-1].Run
		if c.Src.Whole != want || (prog.Src != nil && prog.Src.Whole) != want || (run.Dir == "${SRC}") != want {
			t.Errorf("%s: the package's sources are %+v, the program's %+v, and it is linked in %q", flag, c.Src, prog.Src, run.Dir)
		}
	}
	// The standard library is shared with other programs.
	_, err := New(parse(t, script("/goroot/src/net", "lib/a b.a")), opt)
	if err == nil || !strings.Contains(err.Error(), "CGO_LDFLAGS name a file relative to modRoot") {
		t.Errorf("of the standard library: %v", err)
	}
}

// Without -trimpath, C names its sources, but for the standard library's, and
// the program names the toolchain.
func TestKeepPaths(t *testing.T) {
	opt := options()
	for _, test := range []struct {
		dir  string
		keep bool
		want string
	}{
		{"/src/c", false, "${PREFIXMAP}=${SRC}=/_/example.com/m"},
		{"/src/c", true, ""},
		{"/goroot/src/runtime/cgo", true, "${PREFIXMAP}=${GOROOT}=/_/GOROOT"},
	} {
		opt.KeepPaths = test.keep
		calls := 0
		for _, s := range newGraph(t, cgoText(test.dir, "c", "", ""), opt).Nodes[0].Steps {
			if s.Run == nil || !slices.Contains(s.Run.Args, "-c") {
				continue
			}
			calls++
			got := ""
			for _, w := range s.Run.Args {
				if strings.Contains(w, "=/_/") {
					got += w
				}
			}
			if got != test.want {
				t.Errorf("%s, %v: the paths are mapped by %q, want %q", test.dir, test.keep, got, test.want)
			}
		}
		if calls == 0 {
			t.Errorf("%s: no call of the C compiler", test.dir)
		}
	}
	text := small("b001", "a")
	if !strings.Contains(text, "GOROOT='' ") {
		t.Fatal(text)
	}
	g := newGraph(t, strings.ReplaceAll(text, "GOROOT='' ", "GOROOT='/goroot' "), opt)
	link := g.Nodes[len(g.Nodes)-1]
	if env := link.Steps[len(link.Steps)-1].Run.Env; !slices.Contains(env, "GOROOT=${GOROOT}") {
		t.Errorf("the linker's environment is %q", env)
	}
}

// A library whose main package has no C has no header. A shared library is linked in a
// directory below OBJ, with the name that the go command gives it.
func TestLibraryWithoutHeader(t *testing.T) {
	for _, mode := range []string{"c-archive", "c-shared"} {
		text := strings.ReplaceAll(small("b001", "a"), " -buildid=a/b ", " -buildmode="+mode+" -buildid=a/b ")
		name, steps := "$WORK/b001/exe/a.out", 2
		if mode == "c-shared" {
			text = strings.ReplaceAll(text, "cd .\n", "cd $WORK/b001/exe/\n")
			text = strings.ReplaceAll(text, "link -o "+name, "link -o a.out")
			name, steps = "a.out", 5
		}
		if !strings.Contains(text, "link -o "+name+" ") || !strings.Contains(text, mode) {
			t.Fatal(text)
		}
		g := newGraph(t, text, options())
		main, link := g.Nodes[0], g.Nodes[1]
		if main.Header || len(link.Refs) != 1 || len(link.Steps) != steps {
			t.Errorf("%s: %+v is linked by %+v", mode, main, link)
		}
	}
}

// In module mode the module for the C compiler's prefix map is that of the compile's
// -trimpath.
func TestModuleRoot(t *testing.T) {
	opt := options()
	opt.ModCache = "/mods"
	opt.Modules = map[string]string{"/src/near": "a.b/near@v0.0.0"}
	for _, test := range []struct{ dir, trim, want string }{
		{"/src/c", "/src/c=>example.com/m/c", "${PREFIXMAP}=${SRC}=/_/example.com/m"},
		{"/src/near/c", "/src/near/c=>a.b/near@v0.0.0/c", "${PREFIXMAP}=${SRC}/near=/_/a.b/near@v0.0.0"},
		{"/mods/a.b/!c@v1.0.0", "/mods/a.b/!c@v1.0.0=>a.b/C@v1.0.0", "${PREFIXMAP}=${SRC}/vendor/a.b/!c@v1.0.0=/_/a.b/C@v1.0.0"},
		{"/mods/a.b/fork@v2.0.0/d/e", "/mods/a.b/fork@v2.0.0/d/e=>a.b/c@v1.0.0/d/e", "${PREFIXMAP}=${SRC}/vendor/a.b/fork@v2.0.0=/_/a.b/c@v1.0.0"},
		{"/mods/a.b/c@v1.0.0/d", "/mods/a.b/c@v1.0.0/d=>a.b/c@v1.0.0/e", "dgd cannot tell the root of the module from -trimpath /mods/a.b/c@v1.0.0/d=>a.b/c@v1.0.0/e"},
		{"/mods/a.b/c@v1.0.0/d", "/mods/a.b/c@v1.0.0/d=>a.b/c/d", "a module whose root the -trimpath of the compile does not name"},
	} {
		text := cgoText(test.dir, "c", "", "")
		const compile = "/compile -o $WORK/b002/_pkg_.a "
		if !strings.Contains(text, compile) {
			t.Fatal(text)
		}
		text = strings.Replace(text, compile, compile+`-trimpath "`+test.trim+`;$WORK/b002=>" `, 1)
		g, err := New(parse(t, text), opt)
		if err != nil {
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: the error is %v, want %s", test.trim, err, test.want)
			}
			continue
		}
		calls := 0
		for _, s := range g.Nodes[0].Steps {
			if s.Run != nil && slices.Contains(s.Run.Args, "-c") {
				calls++
				if !slices.Contains(s.Run.Args, test.want) {
					t.Errorf("%s: %q lacks %s", test.trim, s.Run.Args, test.want)
				}
			}
		}
		if calls == 0 {
			t.Errorf("%s: no call of the C compiler", test.trim)
		}
	}
}

// A C++ package is linked by its own compiler, and gets that one's flags.
func TestCgoCompiler(t *testing.T) {
	text := strings.ReplaceAll(cgoText("/src/c", "example.com/m/c", "", ""), "' gcc ", "' g++ ")
	text = strings.ReplaceAll(text, "\ngcc -I", "\ng++ -I")
	g := newGraph(t, text, options())
	run := g.Nodes[0].Steps[3].Run
	want := "g++ -I ${SRC}/c -fPIC ${BEFORE} -fmessage-length=0 ${PREFIXMAP}=${OBJ}=/tmp/go-build ${AFTER} -I ${OBJ}/ -DA=$$x ${PREFIXMAP}=${SRC}=/_/example.com/m -o ${OBJ}/_x003.o -c a$$b.c"
	if got := strings.Join(run.Args, " "); got != want || run.Compiler != "g++" {
		t.Errorf("the compiler %s runs\n%s, want\n%s", run.Compiler, got, want)
	}
}

// A system object of a package takes part in the linking test of the packages
// that import it.
func TestCgoSystemObject(t *testing.T) {
	text := strings.ReplaceAll(cgoText("/src/c", "example.com/m/c", "", ""), "$WORK/b002/_x003.o -lm", "$WORK/b002/_x003.o /src/other/o.syso /goroot/src/runtime/race/r.syso -lm")
	g := newGraph(t, text, options())
	want := []string{"c/c.go", "c/a$b.c", "other/o.syso", "c/z.syso"}
	if got := g.Nodes[0].Src.Files; !slices.Equal(got, want) {
		t.Errorf("the sources are %q, want %q", got, want)
	}
	link := strings.Join(g.Nodes[0].Steps[5].DynImport.Link.Args, " ")
	if want := " ${SRC}/other/o.syso ${GOROOT}/src/runtime/race/r.syso -lm"; !strings.HasSuffix(link, want) {
		t.Errorf("the test is\n%s, want …%s", link, want)
	}
}

// Paths of #cgo lines are told from paths that were shortened.
func TestCgoRelativePaths(t *testing.T) {
	opt := options()
	opt.CgoFlags = func(dir string) ([]string, error) {
		if dir != "/src/c" {
			t.Errorf("the flags of %s are asked for", dir)
		}
		return []string{"-include", "./config.h", "-I", "/src/c/inc"}, nil
	}
	text := strings.ReplaceAll(cgoText("/src/c", "example.com/m/c", "", ""), "-DA=$x", "-I ./inc -include ./config.h")
	// An absolute path of another directory is printed in full.
	text = strings.ReplaceAll(text, "-I ./ -I ./inc", "-I ./ -I /src/c/inc")
	g := newGraphOf(t, text, opt)
	for i, want := range map[int]string{
		1: "gcc -I ${SRC}/c -fPIC ${BEFORE} -fmessage-length=0 ${PREFIXMAP}=${OBJ}=/tmp/go-build ${AFTER} -I ${OBJ}/ -I ${SRC}/c/inc -include ./config.h ${PREFIXMAP}=${SRC}=/_/example.com/m -o ${OBJ}/_x001.o -c _cgo_export.c",
		3: "gcc -I ${SRC}/c -fPIC ${BEFORE} -fmessage-length=0 ${PREFIXMAP}=${OBJ}=/tmp/go-build ${AFTER} -I ${OBJ}/ -I ${SRC}/c/inc -include ./config.h ${PREFIXMAP}=${SRC}=/_/example.com/m -o ${OBJ}/_x003.o -c a$$b.c",
	} {
		if got := strings.Join(g.Nodes[0].Steps[i].Run.Args, " "); got != want {
			t.Errorf("the compiler runs\n%s, want\n%s", got, want)
		}
	}
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
