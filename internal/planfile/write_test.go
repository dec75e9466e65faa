package planfile

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
)

// compile is a package with the steps that graph makes: an import config, and a compile
// of the files.
func compile(name, dir, lang string, imports []string, refs []graph.Ref, files ...string) *graph.Node {
	src := "${SRC}"
	if dir != "." {
		src += "/" + dir
	}
	of, _, _ := strings.Cut(name, " ")
	as, vendored := strings.CutPrefix(dir, "vendor/")
	if !vendored {
		as = of
	}
	args := []string{"${GOROOT}/pkg/tool/linux_amd64/compile", "-o", "${EXPORT}", "-trimpath", src + "=>" + as + ";${OBJ}=>", "-p", of, "-lang=" + lang, "-embedcfg", "${OBJ}/embedcfg", "-pack"}
	for _, f := range files {
		args = append(args, src+"/"+f)
	}
	return &graph.Node{
		Kind: graph.Package, Name: name, Refs: refs, Src: &graph.Sources{Dir: dir, Vendored: vendored},
		Steps: []action.Step{
			{Write: &action.Write{Path: "${OBJ}/importcfg", Text: "# import config\n" + config(imports)}},
			{Run: &action.Run{Env: []string{"GOAMD64=v1", "GOARCH=amd64"}, Args: args}},
		},
	}
}

// config is an import config of the packages, which are R0, R1, and so on.
func config(imports []string) string {
	text := ""
	for i, name := range imports {
		text += fmt.Sprintf("packagefile %s=${R%d}\n", name, i)
	}
	return text
}

// linkOf is a program of its main package, which is the reference with that number.
func linkOf(name, main string, imports []string, refs []graph.Ref, ofMain int) *graph.Node {
	return &graph.Node{
		Kind: graph.Link, Name: name, Main: main, Refs: refs,
		Steps: []action.Step{
			{Write: &action.Write{Path: "${OBJ}/importcfg.link", Text: config(imports) + "modinfo of " + name + "\n"}},
			{Run: &action.Run{Args: []string{"${GOROOT}/pkg/tool/linux_amd64/link", "-o", "${PROGRAM}", fmt.Sprintf("${R%d}", ofMain)}}},
		},
	}
}

func exports(nodes ...int) []graph.Ref  { return refsTo(graph.Export, nodes) }
func archives(nodes ...int) []graph.Ref { return refsTo(graph.Archive, nodes) }

func refsTo(output graph.Output, nodes []int) (refs []graph.Ref) {
	for _, n := range nodes {
		refs = append(refs, graph.Ref{Node: n, Output: output})
	}
	return refs
}

// The nodes of project.
const (
	nodeA = iota // of the standard library
	nodeRuntime
	nodeFmt
	nodeUnused
	nodeSub // of the module example.org/lib/v2
	nodeLib
	nodePage // of the sources
	nodeCgo
	nodeAsk
	nodeObjects
	nodeC
	nodeMain
	nodeLink
	nodePageAgain // of the tests
	nodeTestMain
	nodeTestLink
	nodeTest
)

// project has every form of a plan in a file: packages of a lock and of the sources, of
// which one embeds files and one is divided, a program, and a test.
func project() *Project {
	std := func(name string, imports ...int) *graph.Node {
		return &graph.Node{Kind: graph.Package, Name: name, Std: true, Refs: exports(imports...)}
	}
	g := &graph.Graph{Nodes: []*graph.Node{
		nodeA:       std("internal/a"),
		nodeRuntime: std("runtime", nodeA),
		nodeFmt:     std("fmt", nodeRuntime, nodeA),
		nodeUnused:  std("unused", nodeA),
		nodeSub:     compile("example.org/lib/v2/sub", "vendor/example.org/lib/v2@v2.1.0/sub", "go1.21", []string{"runtime"}, exports(nodeRuntime), "a.go", "b.c.go"),
		nodeLib:     compile("example.org/lib/v2", "vendor/example.org/lib/v2@v2.1.0", "go1.21", []string{"example.org/lib/v2/sub", "fmt"}, exports(nodeSub, nodeFmt), "lib.go"),
		nodePage:    compile("example.com/mod/page", "page", "go1.24", []string{"fmt"}, exports(nodeFmt), "page.go"),
		nodeCgo:     {Kind: graph.Cgo, Name: "example.com/mod/c", Cgo: true, Trees: [][]string{{"c/one.h"}}, Src: &graph.Sources{Dir: "c"}, Steps: []action.Step{{Mkdir: "${CFILES}"}}},
		nodeAsk:     {Kind: graph.Ask, Name: "example.com/mod/c", Part: "0", Cgo: true, Trees: [][]string{{"c/c.cc"}, {"c/d.cc"}}, Src: &graph.Sources{Dir: "c"}, Steps: []action.Step{{Mkdir: "${OBJ}/ask"}}},
		nodeObjects: {Kind: graph.Objects, Name: "example.com/mod/c", Part: "c.cc", Cgo: true, Refs: []graph.Ref{{Node: nodeAsk, Output: graph.Tree(0)}}, Steps: []action.Step{{Mkdir: "${FILE}"}}},
		nodeC:       compile("example.com/mod/c", "c", "go1.20", []string{"runtime"}, append(exports(nodeRuntime), graph.Ref{Node: nodeCgo, Output: graph.GoFiles}, graph.Ref{Node: nodeObjects, Output: graph.Whole})),
		nodeMain:    compile("example.com/mod", ".", "go1.24", []string{"example.org/lib/v2", "example.com/mod/page", "example.com/mod/c"}, exports(nodeLib, nodePage, nodeC), "main.go"),
		nodeLink: linkOf("example.com/mod", "mod", []string{"example.com/mod", "example.com/mod/c", "example.com/mod/page", "example.org/lib/v2", "example.org/lib/v2/sub", "fmt", "internal/a", "runtime"},
			archives(nodeMain, nodeC, nodePage, nodeLib, nodeSub, nodeFmt, nodeA, nodeRuntime), 0),
		nodePageAgain: compile("example.com/mod/page [example.com/mod/page.test]", "page", "go1.24", []string{"fmt"}, exports(nodeFmt), "page.go", "page_test.go"),
		nodeTestMain: {Kind: graph.Package, Name: "example.com/mod/page.test", Refs: exports(nodePageAgain), Steps: []action.Step{
			{Write: &action.Write{Path: "${OBJ}/importcfg", Text: config([]string{"example.com/mod/page"})}},
			{Write: &action.Write{Path: "${OBJ}/main.go", Text: "import _test \"example.com/mod/page\"\n" +
				"\t{\"TestA\", _test.TestA},\n\t{\"TestB\", _test.TestB},\nbenchmarks:\n\t{\"BenchmarkÄ\", _xtest.BenchmarkÄ},\nothers:\n\t{\"TestOther\", _test.TestC},\n"}},
		}},
		nodeTestLink: linkOf("example.com/mod/page.test", "page.test", []string{"example.com/mod/page", "example.com/mod/page.test", "fmt", "internal/a", "runtime"},
			archives(nodePageAgain, nodeTestMain, nodeFmt, nodeA, nodeRuntime), 1),
		nodeTest: {Kind: graph.Test, Name: "example.com/mod/page", Refs: refsTo(graph.Program, []int{nodeTestLink}), Src: &graph.Sources{Dir: "page"}, Steps: []action.Step{
			{Test: &action.Test{Dir: "${SRC}/page", Args: []string{"${OBJ}/page.test"}}}}},
	}}
	embed := action.Step{Write: &action.Write{Path: "${OBJ}/embedcfg", Text: `{"Patterns":{"*.txt":["a.txt","b c.txt"]},"Files":{"a.txt":"${SRC}/page/a.txt","b c.txt":"${SRC}/page/b c.txt"}}`}}
	g.Nodes[nodePage].Steps = append([]action.Step{embed}, g.Nodes[nodePage].Steps...)
	c := g.Nodes[nodeC] // its Go files are made by cgo
	c.Cgo, c.LinkSrc = true, true
	c.Steps[1].Run.Args = append(c.Steps[1].Run.Args, "${R1}/c.cgo1.go")
	g.Nodes[nodeLink].Cgo = true

	own := func(name, dir string, files ...string) []bind.Bound {
		return []bind.Bound{{At: dir, Tree: &nar.Tree{Name: nar.Name(name), Root: path.Join("/src", dir), Files: files}}}
	}
	module := []bind.Bound{{At: "vendor/example.org/lib/v2@v2.1.0", Path: "/nix/store/lib"}}
	copied := func(tree *nar.Tree) bind.Bound { return bind.Bound{At: "c", Tree: tree, Copy: true} }
	zero := 0
	return &Project{
		Settings: map[string]any{"toolEnv": []string{"GOAMD64=v1", "GOARCH=amd64"}, "packages": []string{"."}},
		Graph:    g,
		Std: []drvgen.Derivation{
			{Name: "std", Outputs: []string{"out", "x"}, Vars: map[string]drvgen.Value{"GOROOT": {Input: "go"}}},
			{Name: "std-text", Outputs: []string{"out", "x"}, Vars: map[string]drvgen.Value{"GOROOT": {Input: "go"}, "V0": {Drv: &zero, Output: "x"}}},
			{Name: "std-net", Outputs: []string{"out", "x"}, Vars: map[string]drvgen.Value{}},
		},
		Groups: []group.Group{
			{Name: "std", Nodes: []int{nodeA, nodeRuntime}, Std: true},
			{Name: "std-text", Nodes: []int{nodeFmt}, Std: true},
			{Name: "std-net", Nodes: []int{nodeUnused}, Std: true},
			{Name: "example.org/lib/v2", Nodes: []int{nodeLib, nodeSub}, Split: true},
		},
		Bound: map[int][]bind.Bound{
			nodeSub:  module,
			nodeLib:  module,
			nodePage: own("example.com/mod/page", "page", "page.go", "a.txt", "b c.txt"),
			nodeCgo:  {copied(&nar.Tree{Name: "example.com-mod-c", Root: "/src/c", Files: []string{"c.go", "one.h"}})},
			nodeAsk:  {copied(&nar.Tree{Name: "example.com-mod-c", Root: "/src/c", Exclude: []string{"big file"}})},
			nodeC:    {copied(&nar.Tree{Name: "example.com-mod-c", Root: "/src/c", Files: []string{"c.go"}})},
			nodeMain: own("example.com/mod", ".", "main.go"), nodePageAgain: own("example.com/mod/page [example.com/mod/page.test]", "page", "page.go", "page_test.go"),
			nodeTest: {{At: "page", Tree: &nar.Tree{Name: "example.com-mod-page-testdata", Root: "/src/page", Files: []string{"testdata"}}}},
		},
		Src:     "/src",
		Mains:   []string{"example.com/mod"},
		Modules: []Module{{Store: "/nix/store/lib", Dir: "example.org/lib/v2@v2.1.0"}},
		Tools:   "linux_amd64", Target: "linux_amd64",
		Digests: map[string]string{".": "d0", "page": "d1", "c": "d2"}, Rest: "r0",
		Native: map[string]Native{"example.com/mod/c": {Dir: "c", Digest: "n0"}},
		Tests:  &Tests{First: nodePageAgain, Digests: map[string]string{"page": "t1"}, Rest: "t0"},
	}
}

// The lines of project have the form that lib/stages/plan-file.nix reads. Templates are
// named by letters here, in the order in which the lines of nodes name them.
var projectLines = []string{
	`set packages ["."]`, `set toolEnv ["GOAMD64=v1","GOARCH=amd64"]`, "set digest r0", "set testdigest t0",
	// The used packages of the standard library: not "unused" and its part. fmt imports
	// internal/a through runtime.
	"std internal/a std -", "std runtime std internal/a", "std fmt std-text runtime",
	`part std-text out,x {"GOROOT":"go","V0":"!std!x"}`, `part std out,x {"GOROOT":"go"}`,
	"module mod example.com/mod - go1.24", "module lib/v2 example.org/lib/v2 example.org/lib/v2@v2.1.0 go1.21",
	// In the group 1 the second package refers to the first one.
	"package lib/v2:sub A a,b.c runtime g=1.0", "package lib/v2: A lib .:sub,fmt g=1.1",
	`package mod:page B page fmt P=*.txt,a.txt,b%20c.txt d=d1 e=a.txt%2Cb%2520c.txt s=page`,
	"node cgo!mod:c! C - T=1 c=1 t=+c,c.go,one.h y=1", "node ask!mod:c!0 D - T=2 c=1 t=-c,big%20file y=1", "node objects!mod:c!c.cc E ask!mod:c!0>tree0 c=1",
	"package mod:c F - runtime L=1 N=c c=1 d=d2 l=go1.20 n=n0 r=cgo!mod:c!>go,objects!mod:c!c.cc>file s=c t=+c,c.go y=1",
	"package mod: A main lib/v2:,.:page,.:c d=d0 s=.",
	"link link!example.com/mod G mod mod: L=mod:c c=1 k=" + factsOf("C", "files of mod:c", "module example.com/mod", "module example.org/lib/v2"),
	"testpackage ^mod:page%20[example.com/mod/page.test] A page,page_test fmt d=t1 s=page",
	"testpackage ^mod:page.test H - .:page%20[example.com/mod/page.test] m=_test.TestA,_test.TestB;_xtest.BenchmarkÄ",
	"testlink link!^example.com/mod/page.test I page.test ^mod:page.test k=" + factsOf("module example.com/mod"),
	"test example.com/mod/page J page.test d=t1 s=page t=+page,testdata",
}

var projectTemplates = map[string]string{
	"A": `{"write":{"path":"${OBJ}/importcfg","text":"# import config\n@IMPORTS@"}},` + compileTemplate + `@FILES@],"env":[@ENV@]}}`,
	"B": `{"write":{"path":"${OBJ}/embedcfg","text":"@EMBED@"}},{"write":{"path":"${OBJ}/importcfg","text":"# import config\n@IMPORTS@"}},` + compileTemplate + `@FILES@],"env":[@ENV@]}}`,
	"C": `{"mkdir":"${CFILES}"}`, "D": `{"mkdir":"${OBJ}/ask"}`, "E": `{"mkdir":"${FILE}"}`,
	"F": `{"write":{"path":"${OBJ}/importcfg","text":"# import config\n@IMPORTS@"}},` + compileTemplate + `"${R1}/c.cgo1.go"],"env":[@ENV@]}}`,
	"G": `{"write":{"path":"${OBJ}/importcfg.link","text":"@IMPORTS@modinfo of example.com/mod\n"}},{"run":{"args":["${GOROOT}/pkg/tool/@TOOLS@/link","-o","${PROGRAM}","@MAIN@"]}}`,
	"H": `{"write":{"path":"${OBJ}/importcfg","text":"@IMPORTS@"}},{"write":{"path":"${OBJ}/main.go","text":"import _test \"@OF@\"\n@TESTS@benchmarks:\n@TESTS@others:\n\t{\"TestOther\", _test.TestC},\n"}}`,
	"I": `{"write":{"path":"${OBJ}/importcfg.link","text":"@IMPORTS@modinfo of @PROGRAM@\n"}},{"run":{"args":["${GOROOT}/pkg/tool/@TOOLS@/link","-o","${PROGRAM}","@MAIN@"]}}`,
	"J": `{"test":{"args":["${OBJ}/@MAIN@"],"dir":"@DIR@","env":null,"modules":"","path":"","result":""}}`,
}

const compileTemplate = `{"run":{"args":["${GOROOT}/pkg/tool/@TOOLS@/compile","-o","${EXPORT}","-trimpath","@TRIM@;${OBJ}=>","-p","@NAME@","-lang=@LANG@","-embedcfg","${OBJ}/embedcfg","-pack",`

// letters gives the templates of a file letters in place of their names, in the order of
// its lines, and returns them.
func letters(t *testing.T, f *File) (lines []string, templates map[string]string) {
	t.Helper()
	texts := map[string]string{}
	for _, line := range f.Templates {
		words := strings.SplitN(line, " ", 3)
		texts[words[1]] = words[2]
	}
	templates = map[string]string{}
	names := map[string]string{}
	for _, line := range f.Nodes {
		fields := strings.Split(line, " ")
		name := fields[2]
		if names[name] == "" {
			names[name] = string(rune('A' + len(names)))
			templates[names[name]] = texts[name]
		}
		fields[2] = names[name]
		lines = append(lines, strings.Join(fields, " "))
	}
	if len(names) != len(texts) {
		t.Errorf("%d templates are named, and there are %d", len(names), len(texts))
	}
	return lines, templates
}

func TestMake(t *testing.T) {
	f, err := Make(project())
	if err != nil {
		t.Fatal(err)
	}
	nodes, templates := letters(t, f)
	got := slices.Sorted(slices.Values(slices.Concat(f.Settings, f.Std, f.Modules, nodes)))
	if want := slices.Sorted(slices.Values(projectLines)); !slices.Equal(got, want) {
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Errorf("there is %s", line)
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("there is no %s", line)
			}
		}
	}
	for letter, want := range projectTemplates {
		if templates[letter] != want {
			t.Errorf("the template %s is\n%s, want\n%s", letter, templates[letter], want)
		}
	}
}

// A package of a vendor directory is named after its module, which has a tree there. Only
// the file names that the compiler writes have the version; packages share a template.
func TestVendoredModules(t *testing.T) {
	p := project()
	sub, lib := p.Graph.Nodes[nodeSub], p.Graph.Nodes[nodeLib]
	for _, n := range []*graph.Node{sub, lib} {
		n.Src.Dir = strings.Replace(n.Src.Dir, "@v2.1.0", "", 1)
		args := n.Steps[1].Run.Args
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "/vendor/example.org/lib/v2@v2.1.0", "/vendor/example.org/lib/v2")
		}
	}
	p.Modules = []Module{
		{Store: "/nix/store/lib", Dir: "example.org/lib/v2", Root: "vendor/example.org/lib/v2", Name: "example.org-lib-v2", Exclude: []string{"nested"}},
		{Store: "/nix/store/c", Dir: "example.org/c", Root: "vendor/example.org/c", Name: "example.org-c", Exclude: []string{"-"}},
	}
	module := []bind.Bound{{At: "vendor/example.org/lib/v2", Path: "/nix/store/lib"}}
	p.Bound[nodeSub], p.Bound[nodeLib] = module, module
	// C of one module reads another module, of which no package is in the plan.
	p.Bound[nodeLib] = append(slices.Clone(module), bind.Bound{At: "vendor/example.org/c", Path: "/nix/store/c"})
	p.Digests["vendor/example.org/lib/v2"] = "d3"
	f, err := Make(p)
	if err != nil {
		t.Fatal(err)
	}
	nodes, templates := letters(t, f)
	if got, want := templates["A"], projectTemplates["A"]; got != want {
		t.Errorf("the template of packages is\n%s, want\n%s", got, want)
	}
	for _, want := range []string{
		"module lib/v2 example.org/lib/v2 example.org/lib/v2 go1.21 vendor/example.org/lib/v2 example.org-lib-v2 nested @v2.1.0",
		"module example.org/c example.org/c example.org/c - vendor/example.org/c example.org-c %2D -",
		"package lib/v2: A lib .:sub,fmt d=d3 g=1.1 t=@example.org/lib/v2;@example.org/c v=vendor/example.org/lib/v2",
	} {
		if !slices.Contains(f.Modules, want) && !slices.Contains(nodes, want) {
			t.Errorf("there is no %s, but\n%s", want, strings.Join(append(f.Modules, nodes...), "\n"))
		}
	}
}

// A node that runs the go command is one line. The directory in which that installs
// programs depends on the machine that builds.
func TestMakeByGo(t *testing.T) {
	p := &Project{
		Settings: map[string]any{}, Src: "/src", Tools: "linux_amd64", Target: "linux_arm64", Rest: "r0",
		Graph: &graph.Graph{Nodes: []*graph.Node{{
			Kind: graph.ByGo, Name: "m", Src: &graph.Sources{Dir: ".", Whole: true}, Inputs: []graph.Input{graph.Toolchain, graph.ModCache},
			Steps: []action.Step{{Copy: &action.Copy{From: "${OBJ}/gopath/bin/linux_arm64", To: "${out}/bin", Tree: true}}},
		}}},
		Bound: map[int][]bind.Bound{0: {{At: ".", Tree: &nar.Tree{Name: "m", Root: "/src"}, Copy: true}}},
	}
	for _, from := range []string{"${OBJ}/gopath/bin/linux_arm64", "${OBJ}/gopath/bin"} {
		p.Graph.Nodes[0].Steps[0].Copy.From = from
		f, err := Make(p)
		if err != nil {
			t.Fatal(err)
		}
		nodes, templates := letters(t, f)
		if want := []string{"bygo m A go,modCache t=-. y=1"}; !slices.Equal(nodes, want) {
			t.Errorf("%s: the lines are %q, want %q", from, nodes, want)
		}
		if want := `{"copy":{"from":"@BIN@","to":"${out}/bin","tree":true}}`; templates["A"] != want {
			t.Errorf("%s: the template is %s, want %s", from, templates["A"], want)
		}
	}
	p.Bound[0][0].Tree.Name = "other"
	if _, err := Make(p); err == nil || err.Error() != "m: dgd cannot write its sources to a plan in a file: leave out `plan`" {
		t.Errorf("of other sources the error is %v", err)
	}
}

// An embed config that is more than its patterns is there in full; a package whose files
// are in another tree lists it; a name without a module is there in full.
func TestOptions(t *testing.T) {
	p := project()
	page := p.Graph.Nodes[nodePage]
	page.Steps[0].Write.Text = `{"Patterns":{"a.txt":["a.txt"]},"Files":{"a.txt":"${SRC}/else/a.txt"}}`
	p.Bound[nodePage][0].At, p.Bound[nodePage][0].Tree.Root = ".", "/src"
	p.Mains = nil
	f, err := Make(p)
	if err != nil {
		t.Fatal(err)
	}
	nodes, _ := letters(t, f)
	want := `package :example.com/mod/page B page fmt E={"Patterns":{"a.txt":["a.txt"]}%2C"Files":{"a.txt":"${SRC}/else/a.txt"}} d=d1 l=go1.24 s=page t=+.,page.go,a.txt,b%20c.txt`
	if !slices.Contains(nodes, want) {
		t.Errorf("there is no\n%s, but\n%s", want, strings.Join(nodes, "\n"))
	}
}

// A node without a form in the file is an error that names it and says what to do.
func TestMakeErrors(t *testing.T) {
	const noForm = "a plan in a file has no form for "
	for _, test := range []struct {
		name string
		of   int // the node that is changed
		do   func(p *Project, n *graph.Node)
		want string
	}{
		{"no compile", nodeMain, func(_ *Project, n *graph.Node) { n.Steps = n.Steps[:1] }, "dgd cannot write how it is compiled to a plan in a file"},
		{"of no sources", nodeMain, func(_ *Project, n *graph.Node) { n.Src = nil }, "dgd cannot write how it is compiled to a plan in a file"},
		{"of no module", nodeLib, func(_ *Project, n *graph.Node) { n.Src.Dir = "vendor/example.net/x" }, "dgd cannot write how it is compiled to a plan in a file"},
		{"exports last", nodeC, func(_ *Project, n *graph.Node) { slices.Reverse(n.Refs) }, "dgd cannot write the order of its references to a plan in a file"},
		{"other imports", nodeMain, func(_ *Project, n *graph.Node) { n.Refs = n.Refs[1:] }, "its import config does not agree with its references"},
		{"a file of another tree", nodeMain, func(p *Project, _ *graph.Node) { p.Bound[nodeMain][0].Tree.Files = []string{"other.go"} }, "it is not compiled from the files of its tree"},
		{"links and copies", nodeMain, func(p *Project, _ *graph.Node) {
			p.Bound[nodeMain] = append(p.Bound[nodeMain], bind.Bound{At: "c", Copy: true})
		}, "some of its sources are links and others copies"},
		{"a tree of another place", nodeCgo, func(p *Project, _ *graph.Node) { p.Bound[nodeCgo][0].Tree.Root = "/else" }, "dgd cannot write its sources to a plan in a file"},
		{"a marker in a step", nodeMain, func(_ *Project, n *graph.Node) { n.Steps[0].Write.Text += "# @FILES@\n" }, "its steps have @FILES@, which is a placeholder in a plan in a file"},
		{"a profile", nodeMain, func(_ *Project, n *graph.Node) { n.Kind = graph.File }, noForm + "profiles: for a build without one, GOFLAGS=-pgo=off"},
		{"another standard library", nodeFmt, func(p *Project, _ *graph.Node) { p.Groups[1].Std = false }, noForm + "a standard library that flags such as -gcflags change for this program alone"},
		{"a header", nodeMain, func(_ *Project, n *graph.Node) { n.Header = true }, noForm + "-buildmode=c-archive and -buildmode=c-shared"},
		{"a link in the sources", nodeLink, func(_ *Project, n *graph.Node) { n.Src = &graph.Sources{Dir: "."} }, noForm + "-ldflags that name files of the sources"},
		{"an input", nodeMain, func(_ *Project, n *graph.Node) { n.Inputs = []graph.Input{graph.Toolchain} }, noForm + "programs that the go command builds by itself"},
		{"another kind", nodeMain, func(_ *Project, n *graph.Node) { n.Kind = "new" }, noForm + "nodes of the kind new"},
		{"export data is linked", nodeLink, func(_ *Project, n *graph.Node) { n.Refs[0].Output = graph.Export }, "dgd cannot write the files that it links to a plan in a file"},
		{"other packages are linked", nodeLink, func(_ *Project, n *graph.Node) { n.Refs = n.Refs[1:] }, "its import config does not agree with its references"},
		{"another main package", nodeLink, func(_ *Project, n *graph.Node) { n.Name = "example.com/other" }, "its main package is not linked"},
		{"another program", nodeLink, func(_ *Project, n *graph.Node) { n.Steps[1].Run.Args[3] = "${R1}" }, "dgd does not understand how it is linked"},
		{"less is linked", nodeLink, func(_ *Project, n *graph.Node) {
			n.Refs, n.Steps[0].Write.Text = n.Refs[:1], config([]string{"example.com/mod"})
		}, "is imported and not linked"},
		{"a test's main package imports otherwise", nodeTestMain, func(_ *Project, n *graph.Node) { n.Steps[0].Write.Text = "" }, "its import config does not agree with its references"},
		{"a test's main package with more", nodeTestMain, func(_ *Project, n *graph.Node) { slices.Reverse(n.Refs); n.Refs[0].Output = graph.Archive }, "its import config does not agree with its references"},
		{"a test of two programs", nodeTest, func(_ *Project, n *graph.Node) { n.Refs = append(n.Refs, n.Refs[0]) }, "dgd does not understand how its tests are run"},
		{"a test with other sources", nodeTest, func(p *Project, _ *graph.Node) { p.Bound[nodeTest][0].Tree.Name = "other" }, "dgd cannot write its sources to a plan in a file"},
	} {
		p := project()
		n := p.Graph.Nodes[test.of]
		test.do(p, n)
		if _, err := Make(p); err == nil || !strings.HasPrefix(err.Error(), n.Name+": ") || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), ": leave out ") {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
	p := project()
	p.Graph.Nodes[nodeFmt].Refs[0].Output = graph.Archive
	if _, err := Make(p); err == nil || err.Error() != "fmt: a package of the standard library must refer to packages only" {
		t.Errorf("the error is %v", err)
	}
	p = project()
	p.Settings["packages"] = func() {}
	if _, err := Make(p); err == nil {
		t.Error("a setting that is no JSON is no error")
	}
}

// Groups of packages of a module are numbered in the order of their first names; those of
// tests have numbers of their own. The label of a group of several modules is a hash of its
// last name (that of SHA-256's own example), and unique.
func TestGroupNames(t *testing.T) {
	nodes := []*graph.Node{}
	for _, name := range []string{"b", "a", "c", "abc", "aa", "d [d.test]", "e [d.test]", "abc"} {
		nodes = append(nodes, &graph.Node{Name: name})
	}
	nodes[1].Refs, nodes[3].Refs, nodes[6].Refs = exports(0), exports(4), exports(5)
	w := &writer{p: &Project{Graph: &graph.Graph{Nodes: nodes}, Tests: &Tests{First: 5}, Groups: []group.Group{
		{Name: "m", Nodes: []int{2}, Split: true}, {Name: "m", Nodes: []int{0, 1}, Split: true}, {Name: "m", Nodes: []int{5, 6}, Split: true},
		{Name: "m", Nodes: []int{3}, Split: true, Several: true}, {Name: "m", Nodes: []int{7}, Split: true, Apart: true}, {Name: "std", Nodes: []int{4}, Std: true},
	}}}
	w.setLabels()
	if want := []string{"1.0", "1.1", "2.0", "+ba7816.0", "", "1.0", "1.1", "+ba7816x.0"}; !slices.Equal(w.label, want) {
		t.Errorf("the groups are %q, want %q", w.label, want)
	}
}

// Names of templates are unique, and do not change when others are added.
func TestTemplateNames(t *testing.T) {
	w := &writer{f: &File{}, templates: map[string]string{}}
	texts := map[string]string{}
	for i := range 2000 { // there are 65,536 sums, so that some occur twice
		text := fmt.Sprint("steps ", i)
		name := w.template(text)
		if texts[name] != "" {
			t.Fatalf("%q and %q are both called %s", texts[name], text, name)
		}
		texts[name] = text
	}
	for name, text := range maps.All(texts) {
		if again := w.template(text); again != name {
			t.Errorf("%q is called %s, and then %s", text, name, again)
		}
	}
	if len(w.f.Templates) != 2000 {
		t.Errorf("there are %d templates, want 2000", len(w.f.Templates))
	}
}
