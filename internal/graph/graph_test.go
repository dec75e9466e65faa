package graph

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func options() Options {
	return Options{
		Goroot: "/goroot", Src: "/src", ModRoot: "/src", Module: "example.com/m",
		ToolEnv:   []string{"GOOS=linux"},
		Compilers: map[string]CompilerFlags{"gcc": {Before: []string{"-Wl,--no-gc-sections"}, After: []string{"-gno-record-gcc-switches"}, PrefixMap: "-ffile-prefix-map"}},
		CgoFlags:  func(string) ([]string, error) { return nil, nil },
	}
}

func build(t *testing.T, text string, opt Options) (*Graph, error) {
	t.Helper()
	script, err := buildscript.Parse(text, buildscript.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return New(script, opt)
}

const twoPackages = `mkdir -p $WORK/b002/

#
# example.org/lib
#

echo '# import config' > $WORK/b002/importcfg # internal
cd /src
/goroot/pkg/tool/linux_amd64/compile -o $WORK/b002/_pkg_.a -trimpath "/src/vendor/example.org/lib=>example.org/lib@v1.0.0;$WORK/b002=>" -p example.org/lib -buildid abc/abc -goversion go1.26.8 -c=2 -nolocalimports -importcfg $WORK/b002/importcfg -pack ./vendor/example.org/lib/lib.go
go tool buildid -w $WORK/b002/_pkg_.a # internal
mkdir -p $WORK/b001/

#
# example.com/m
#

cat >$WORK/b001/importcfg << 'EOF' # internal
# import config
packagefile example.org/lib=$WORK/b002/_pkg_.a
EOF
cat >$WORK/b001/embedcfg << 'EOF' # internal
{
	"Patterns": {
		"a $x": [
			"a $x"
		]
	},
	"Files": {
		"a $x": "/src/a $x"
	}
}EOF
/goroot/pkg/tool/linux_amd64/compile -o $WORK/b001/_pkg_.a -trimpath "/src=>example.com/m;$WORK/b001=>" -p main -buildid def/def -c=2 -importcfg $WORK/b001/importcfg -embedcfg $WORK/b001/embedcfg -pack ./main.go
go tool buildid -w $WORK/b001/_pkg_.a # internal
cat >$WORK/b001/importcfg.link << 'EOF' # internal
packagefile example.com/m=$WORK/b001/_pkg_.a
packagefile example.org/lib=$WORK/b002/_pkg_.a
modinfo "x"
EOF
mkdir -p $WORK/b001/exe/
cd .
GOROOT='' /goroot/pkg/tool/linux_amd64/link -o $WORK/b001/exe/a.out -importcfg $WORK/b001/importcfg.link -buildmode=exe -buildid=ghi/def/def/ghi -buildid= -extld=gcc $WORK/b001/_pkg_.a
go tool buildid -w $WORK/b001/exe/a.out # internal
mkdir -p bin/
mv $WORK/b001/exe/a.out bin/m
rm -rf $WORK/b001/
`

func TestTwoPackages(t *testing.T) {
	g, err := build(t, twoPackages, options())
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 3 {
		t.Fatalf("%d nodes", len(g.Nodes))
	}
	lib, main, link := g.Nodes[0], g.Nodes[1], g.Nodes[2]

	if lib.Kind != Package || lib.Name != "example.org/lib" || lib.Std || lib.Cgo || len(lib.Refs) != 0 {
		t.Errorf("lib is %s", marshal(t, lib))
	}
	if want := (Sources{Dir: "vendor/example.org/lib", Files: []string{"vendor/example.org/lib/lib.go"}, Vendored: true}); marshal(t, lib.Src) != marshal(t, &want) {
		t.Errorf("lib's sources are %s", marshal(t, lib.Src))
	}
	wantRun := &action.Run{
		Env: []string{"GOOS=linux"},
		Args: []string{"${GOROOT}/pkg/tool/linux_amd64/compile", "-o", "${EXPORT}", "-linkobj", "${ARCHIVE}",
			"-trimpath", "${SRC}/vendor/example.org/lib=>example.org/lib@v1.0.0;${OBJ}=>", "-p", "example.org/lib",
			"-goversion", "go1.26.8", "-nolocalimports", "-importcfg", "${OBJ}/importcfg", "-pack", "${SRC}/vendor/example.org/lib/lib.go"},
		Parallel: true,
	}
	if got := lib.Steps[1].Run; marshal(t, got) != marshal(t, wantRun) {
		t.Errorf("lib is compiled by\n%s\nwant\n%s", marshal(t, got), marshal(t, wantRun))
	}

	if !slices.Equal(main.Refs, []Ref{{0, Export}}) {
		t.Errorf("main refers to %v", main.Refs)
	}
	if want := "# import config\npackagefile example.org/lib=${R0}\n"; main.Steps[0].Write.Text != want {
		t.Errorf("main's import config is %q", main.Steps[0].Write.Text)
	}
	if want := `{"Patterns":{"a $$x":["a $$x"]},"Files":{"a $$x":"${SRC}/a $$x"}}`; main.Steps[1].Write.Text != want {
		t.Errorf("main's embed config is %s", main.Steps[1].Write.Text)
	}
	if !slices.Equal(main.Src.Files, []string{"a $x", "main.go"}) {
		t.Errorf("main reads %q", main.Src.Files)
	}

	if link.Kind != Link || link.Main != "m" || link.Name != "example.com/m" || link.Cgo {
		t.Errorf("the link is %s", marshal(t, link))
	}
	if !slices.Equal(link.Refs, []Ref{{1, Archive}, {0, Archive}}) {
		t.Errorf("the link refers to %v", link.Refs)
	}
	last := link.Steps[len(link.Steps)-1].Run
	wantArgs := []string{"${GOROOT}/pkg/tool/linux_amd64/link", "-o", "${PROGRAM}", "-importcfg", "${OBJ}/importcfg.link", "-buildmode=exe", "-buildid=", "-extld=gcc", "${R0}"}
	if !slices.Equal(last.Args, wantArgs) || !slices.Equal(last.Env, []string{"GOOS=linux", "GOROOT="}) {
		t.Errorf("the link runs %q with %q", last.Args, last.Env)
	}
}

// The number of an object directory is no part of a node.
func TestNumbersDoNotCount(t *testing.T) {
	a, err := build(t, twoPackages, options())
	if err != nil {
		t.Fatal(err)
	}
	b, err := build(t, strings.NewReplacer("b001", "b123", "b002", "b077", "-c=2", "-c=64").Replace(twoPackages), options())
	if err != nil {
		t.Fatal(err)
	}
	if marshal(t, a) != marshal(t, b) {
		t.Error("the graphs differ")
	}
}

// What a script must not do, each with a part of the message.
func TestErrors(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"reads what nothing made", "packagefile example.org/lib=$WORK/b002/_pkg_.a\nEOF", "packagefile example.org/lib=$WORK/b009/_pkg_.a\nEOF", "line 17: import config: example.org/lib is from $WORK/b009/_pkg_.a"},
		{"reads a file that nothing wrote", "-importcfg $WORK/b002/importcfg", "-importcfg $WORK/b002/other", "line 9: reads $WORK/b002/other"},
		{"a file of unknown use", "> $WORK/b002/importcfg", "> $WORK/b002/strange", "line 7: dgd does not know what the file strange is for"},
		{"a tool of unknown use", "go tool buildid -w $WORK/b002/_pkg_.a # internal", "/goroot/pkg/tool/linux_amd64/vet -x", "line 10: dgd does not know how to carry this out"},
		{"removes something else", "rm -rf $WORK/b001/", "rm -rf $WORK/b001/exe/", "removes what is not an object directory"},
		{"a build mode with more outputs", "-buildmode=exe", "-buildmode=c-shared", "does not support -buildmode=c-shared"},
		{"never linked", "mv $WORK/b001/exe/a.out bin/m\n", "", "what is made there has no use"},
		{"moves what is not there", "mv $WORK/b001/exe/a.out", "mv $WORK/b003/exe/a.out", "moves what no command before has linked"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(twoPackages, test.old, test.new, 1)
			if text == twoPackages {
				t.Fatal("the test changes nothing")
			}
			_, err := build(t, text, options())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

const cgoPackage = `mkdir -p $WORK/b001/
cd /src/sub
pkg-config --cflags -- zlib
pkg-config --libs -- zlib
TERM='dumb' CGO_LDFLAGS='' /goroot/pkg/tool/linux_amd64/cgo -objdir $WORK/b001/ -importpath example.com/m/sub "-ldflags=\"-O2\" \"-g\"" -- -I ./inc -I $WORK/b001/ -O2 -g ./s.go
cd $WORK
gcc -Wl,--no-gc-sections -O2 -g -x c - -o /dev/null || true
cd $WORK/b001
TERM='dumb' gcc -I /src/sub -fPIC -m64 -pthread -fmessage-length=0 -I ./ -O2 -g -o ./_x001.o -c _cgo_export.c
TERM='dumb' gcc -I /src/sub -fPIC -m64 -pthread -fmessage-length=0 -I ./ -O2 -g -o ./_cgo_main.o -c _cgo_main.c
cd /src/sub
TERM='dumb' gcc -I . -fPIC -m64 -pthread -fmessage-length=0 -I $WORK/b001/ -O2 -g -o $WORK/b001/_x002.o -c x.c

#
# example.com/m/sub
#

cd /src
TERM='dumb' gcc -I ./sub -fPIC -m64 -pthread -fmessage-length=0 -o $WORK/b001/_cgo_.o $WORK/b001/_cgo_main.o $WORK/b001/_x001.o $WORK/b001/_x002.o -O2 -g
gcc -I /src/sub -fPIC -m64 -pthread -fmessage-length=0 -o $WORK/b001/_cgo_.o $WORK/b001/_cgo_main.o $WORK/b001/_x001.o $WORK/b001/_x002.o -O2 -g # test for internal linking errors (succeeded)
TERM='dumb' /goroot/pkg/tool/linux_amd64/cgo -dynpackage sub -dynimport $WORK/b001/_cgo_.o -dynout $WORK/b001/_cgo_import.go
echo '# import config' > $WORK/b001/importcfg # internal
/goroot/pkg/tool/linux_amd64/compile -o $WORK/b001/_pkg_.a -trimpath "/src/sub=>example.com/m/sub;$WORK/b001=>" -p example.com/m/sub -importcfg $WORK/b001/importcfg -pack $WORK/b001/_cgo_gotypes.go $WORK/b001/s.cgo1.go $WORK/b001/_cgo_import.go
cd /src/sub
go tool pack r $WORK/b001/_pkg_.a $WORK/b001/_x001.o $WORK/b001/_x002.o ./lib.syso # internal
`

func TestCgo(t *testing.T) {
	g, err := build(t, cgoPackage, options())
	if err != nil {
		t.Fatal(err)
	}
	n := g.Nodes[0]
	if !n.Cgo || n.Name != "example.com/m/sub" || !n.Src.Native || n.Src.Dir != "sub" {
		t.Fatalf("got %s", marshal(t, n))
	}
	if want := []string{"sub/s.go", "sub/x.c", "sub/lib.syso"}; !slices.Equal(n.Src.Files, want) {
		t.Errorf("reads %q", n.Src.Files)
	}
	steps := n.Steps
	if steps[0].PkgConfig == nil || steps[0].PkgConfig.Libs || steps[1].PkgConfig == nil || !steps[1].PkgConfig.Libs || steps[0].PkgConfig.Run.Dir != "${SRC}/sub" {
		t.Errorf("pkg-config: %s", marshal(t, steps[:2]))
	}
	checks := []struct {
		name string
		got  []string
		want []string
	}{
		{"cgo", steps[2].Run.Args, []string{"${GOROOT}/pkg/tool/linux_amd64/cgo", "-objdir", "${OBJ}/", "-importpath", "example.com/m/sub",
			`-ldflags="-O2" "-g"${QUOTEDLIBS}`, "--", "-I", "${SRC}/sub/inc", "${CFLAGS}", "-I", "${OBJ}/", "-O2", "-g", "${SRC}/sub/s.go"}},
		{"_cgo_export.c", steps[3].Run.Args, []string{"gcc", "-I", "${SRC}/sub", "-fPIC", "-m64", "-pthread", "-Wl,--no-gc-sections", "-fmessage-length=0",
			"-ffile-prefix-map=${OBJ}=/tmp/go-build", "-gno-record-gcc-switches", "${CFLAGS}", "-I", "${OBJ}/", "-O2", "-g",
			"-ffile-prefix-map=${SRC}=/_/example.com/m", "-o", "${OBJ}/_x001.o", "-c", "_cgo_export.c"}},
		{"x.c", steps[5].Run.Args, []string{"gcc", "-I", "${SRC}/sub", "-fPIC", "-m64", "-pthread", "-Wl,--no-gc-sections", "-fmessage-length=0",
			"-ffile-prefix-map=${OBJ}=/tmp/go-build", "-gno-record-gcc-switches", "${CFLAGS}", "-I", "${OBJ}/", "-O2", "-g",
			"-ffile-prefix-map=${SRC}=/_/example.com/m", "-o", "${OBJ}/_x002.o", "-c", "x.c"}},
		{"the test's link", steps[6].DynImport.Link.Args, []string{"gcc", "-I", "${SRC}/sub", "-fPIC", "-m64", "-pthread", "-Wl,--no-gc-sections", "-fmessage-length=0",
			"-ffile-prefix-map=${OBJ}=/tmp/go-build", "-gno-record-gcc-switches", "-o", "${OBJ}/_cgo_.o", "${OBJ}/_cgo_main.o", "${OBJ}/_x001.o", "${OBJ}/_x002.o", "-O2", "-g", "${LIBS}"}},
		{"pack", steps[9].Pack.Files, []string{"${OBJ}/_x001.o", "${OBJ}/_x002.o", "${OBJ}/dynimportfail", "${SRC}/sub/lib.syso"}},
	}
	for _, c := range checks {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s:\n%q\nwant\n%q", c.name, c.got, c.want)
		}
	}
	if want := []string{"${OBJ}/_cgo_import.go"}; !slices.Equal(steps[8].Run.IfExists, want) {
		t.Errorf("the compile can do without %q", steps[8].Run.IfExists)
	}
	if steps[3].Run.Dir != "${OBJ}" || steps[5].Run.Dir != "${SRC}/sub" || steps[6].DynImport.Link.Dir != "${SRC}" {
		t.Error("working directories are wrong")
	}
}

// The directory that cmd/go hides from the C compiler depends on where the
// package is.
func TestPrefixMap(t *testing.T) {
	tests := []struct{ from, to, want string }{
		{"/src/sub", "/src/vendor/example.org/c", "-ffile-prefix-map=${SRC}/vendor=/_/vendor"},
		{"/src/sub", "/goroot/src/runtime/cgo", "-ffile-prefix-map=${GOROOT}=/_/GOROOT"},
	}
	for _, test := range tests {
		text := strings.ReplaceAll(strings.ReplaceAll(cgoPackage, "-I ./sub ", "-I "+test.from+" "), test.from, test.to)
		g, err := build(t, text, options())
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Nodes[0].Steps[3].Run.Args; !slices.Contains(got, test.want) {
			t.Errorf("%s: %q lacks %s", test.to, got, test.want)
		}
	}
}

// What stands between a cgo package's commands.
func TestCgoErrors(t *testing.T) {
	tests := []struct {
		name, old, new, want string
	}{
		{"a compiler that was not probed", "TERM='dumb' gcc -I . ", "TERM='dumb' clang -I . ", `not probed the compiler "clang"`},
		{"no linking test", "gcc -I /src/sub -fPIC -m64 -pthread -fmessage-length=0 -o $WORK/b001/_cgo_.o $WORK/b001/_cgo_main.o $WORK/b001/_x001.o $WORK/b001/_x002.o -O2 -g # test for internal linking errors (succeeded)\n", "", "was not tested"},
		{"an object of nowhere", "$WORK/b001/_x002.o ./lib.syso", "$WORK/b001/_x009.o ./lib.syso", "reads $WORK/b001/_x009.o"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(cgoPackage, test.old, test.new, 1)
			if text == cgoPackage {
				t.Fatal("the test changes nothing")
			}
			if _, err := build(t, text, options()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	pkg := func(name, flag string, refs ...Ref) *Node {
		return &Node{Kind: Package, Name: name, Std: true, Refs: refs, Steps: []action.Step{{Run: &action.Run{Args: []string{"compile", flag}}}}}
	}
	std := &Graph{Nodes: []*Node{pkg("a", ""), pkg("b", "", Ref{0, Export}), pkg("unused", "")}}
	main := &Node{Kind: Package, Name: "main", Refs: []Ref{{1, Export}}}
	same := &Graph{Nodes: []*Node{pkg("a", ""), pkg("b", "", Ref{0, Export}), main}}
	g, shared, own, err := Merge(std, same)
	if err != nil || len(g.Nodes) != 4 || !slices.Equal(shared, []int{0, 1, 2}) || len(own) != 0 {
		t.Fatalf("the same: %s, %v, %v, %v", marshal(t, g), shared, own, err)
	}
	if !slices.Equal(g.Nodes[3].Refs, []Ref{{1, Export}}) {
		t.Errorf("main refers to %v", g.Nodes[3].Refs)
	}

	// A package that differs takes those that import it along.
	other := &Graph{Nodes: []*Node{pkg("a", "-race"), pkg("b", "", Ref{0, Export}), pkg("unused", ""), {Kind: Package, Name: "main", Refs: []Ref{{1, Export}}}}}
	g, shared, own, err = Merge(std, other)
	if err != nil || len(shared) != 3 || !slices.Equal(own, []int{3, 4}) {
		t.Fatalf("a differs: %s, %v, %v, %v", marshal(t, g), shared, own, err)
	}
	if !slices.Equal(g.Nodes[4].Refs, []Ref{{3, Export}}) || !slices.Equal(g.Nodes[5].Refs, []Ref{{4, Export}}) {
		t.Errorf("b refers to %v, main to %v", g.Nodes[4].Refs, g.Nodes[5].Refs)
	}

	// Where nothing is the same, std is left out.
	g, shared, own, err = Merge(std, &Graph{Nodes: []*Node{pkg("a", "-race")}})
	if err != nil || len(g.Nodes) != 1 || len(shared) != 0 || !slices.Equal(own, []int{0}) {
		t.Fatalf("nothing: %s, %v, %v, %v", marshal(t, g), shared, own, err)
	}
}
