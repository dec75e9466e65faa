package graph

import (
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
)

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
