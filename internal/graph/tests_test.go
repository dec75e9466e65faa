package graph

import (
	"slices"
	"strings"
	"testing"

	"dgd/internal/buildscript"
)

// compiles is the script of a package's compile.
func compiles(dir, name, path, imports, trim, files string) string {
	text := "#\n# " + name + "\n#\ncat >$WORK/" + dir + "/importcfg << 'EOF' # internal\n# import config\n"
	for _, i := range strings.Fields(imports) {
		text += "packagefile " + strings.Replace(i, "=", "=$WORK/", 1) + "/_pkg_.a\n"
	}
	return text + "EOF\nTOOL/compile -o $WORK/" + dir + "/_pkg_.a -trimpath \"" + trim + "$WORK/" + dir + "=>\" -p " + path +
		" -importcfg $WORK/" + dir + "/importcfg -pack " + files + "\n"
}

// testScript is an output of `go test -n`, shortened. q imports p, and p's external
// tests import q; r asks for its path; s has no tests and no importer.
func testScript(trim bool) string {
	of := func(dir string) string {
		if trim {
			return "/src/" + dir + "=>example.com/m/" + dir + ";"
		}
		return ""
	}
	return compiles("b1", "runtime", "runtime", "", "", "-std /goroot/src/runtime/a.go") +
		compiles("b2", "example.com/m/s", "example.com/m/s", "", of("s"), "/src/s/s.go") +
		compiles("b3", "example.com/m/p", "example.com/m/p", "", of("p"), "/src/p/p.go") +
		compiles("b4", "example.com/m/r", "example.com/m/r", "runtime=b1", of("r"), "/src/r/r.go") +
		compiles("b5", "example.com/m/u", "example.com/m/u", "", of("u"), "/src/u/u.go") +
		compiles("b6", "example.com/m/p", "example.com/m/p", "example.com/m/u=b5 example.com/m/p=b3", of("p"), "/src/p/p.go /src/p/p_test.go") +
		compiles("b7", "example.com/m/q", "example.com/m/q", "example.com/m/p=b6", of("q"), "/src/q/q.go") +
		compiles("b8", "example.com/m/p_test", "example.com/m/p_test", "example.com/m/p=b6 example.com/m/q=b7 example.com/m/r=b4", of("p"), "/src/p/x_test.go") +
		compiles("b9", "example.com/m/p.test", "main", "example.com/m/p=b6 example.com/m/p_test=b8", "", "$WORK/b9/_testmain.go") +
		`cat >$WORK/b9/importcfg.link << 'EOF' # internal
packagefile example.com/m/p.test=$WORK/b9/_pkg_.a
packagefile example.com/m/p=$WORK/b6/_pkg_.a
EOF
TOOL/link -o $WORK/b9/p.test -importcfg $WORK/b9/importcfg.link -s -w $WORK/b9/_pkg_.a
$WORK/b9/p.test -test.testlogfile=$WORK/b9/testlog.txt -test.paniconexit0 -test.run=^A$|B
rm -rf $WORK/b9/
`
}

func testOptions() Options {
	opt := options()
	opt.Tests = map[string]TestMain{"example.com/m/p.test": {Dir: "/src/p", Text: "package main // $\n"}}
	opt.TestArgs, opt.TestEnv = []string{"-test.more"}, []string{"MORE=1"}
	return opt
}

func ofScript(t *testing.T, text string, opt Options) (*Graph, error) {
	t.Helper()
	return New(parse(t, text), opt)
}

func TestTests(t *testing.T) {
	var both []*Graph
	for _, trim := range []bool{true, false} {
		g, err := ofScript(t, testScript(trim), testOptions())
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, g)
	}
	g, err := Tests(both[0], both[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	// The compiled packages, and whether they see the paths of their sources.
	var got []string
	for _, n := range g.Nodes {
		name := string(n.Kind) + " " + n.Name
		if n.Kind == Package && !n.Std {
			for _, s := range n.Steps {
				if s.Run != nil && !slices.ContainsFunc(s.Run.Args, func(w string) bool { return strings.HasPrefix(w, "${SRC}/") && strings.Contains(w, "=>") }) {
					name += ", kept"
				}
			}
		}
		got = append(got, name)
	}
	want := []string{
		"package runtime",
		"package example.com/m/r, kept",
		"package example.com/m/u",
		"package example.com/m/p [example.com/m/p.test], kept",
		"package example.com/m/q [example.com/m/p.test], kept",
		"package example.com/m/p_test [example.com/m/p.test], kept",
		"package example.com/m/p.test, kept",
		"link example.com/m/p.test",
		"test example.com/m/p",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the nodes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	test := g.Nodes[len(g.Nodes)-1]
	if c := test.Steps[0].Copy; c == nil || c.From != "${R0}" || c.To != "${OBJ}/p.test" || c.Tree {
		t.Errorf("copies %+v", c)
	}
	run := test.Steps[1].Test
	if want := []string{"${OBJ}/p.test", "-test.paniconexit0", "-test.run=^A$$|B", "-test.more"}; !slices.Equal(run.Args, want) || run.Dir != "${SRC}/p" {
		t.Errorf("runs %q in %s, want %q", run.Args, run.Dir, want)
	}
	if run.Env[len(run.Env)-1] != "MORE=1" || run.Result != "${RESULT}" || run.Modules != TestModules || run.Path != "${GOROOT}/bin" {
		t.Errorf("runs %+v", run)
	}
	if want := (Ref{Node: len(g.Nodes) - 2, Output: Program}); len(test.Refs) != 1 || test.Refs[0] != want {
		t.Errorf("refers to %v, want %v", test.Refs, want)
	}
	if want := []string{"p/p.go", "p/p_test.go", "p/x_test.go"}; test.Src.Dir != "p" || !slices.Equal(test.Src.Files, want) {
		t.Errorf("its sources are %+v", test.Src)
	}
	main := g.Nodes[len(g.Nodes)-3]
	if w := main.Steps[1].Write; w == nil || w.Path != "${OBJ}/_testmain.go" || w.Text != "package main // $$\n" {
		t.Errorf("the generated file is %+v", main.Steps)
	}
	if both[0].Nodes[5].Name != "example.com/m/p" {
		t.Error("the graphs that were given are changed")
	}
}

func TestTestsDiffer(t *testing.T) {
	g, err := ofScript(t, testScript(true), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	short := &Graph{Nodes: g.Nodes[:3]}
	if _, err := Tests(g, short, nil); err == nil || !strings.Contains(err.Error(), "actions with -trimpath, and 3 without") {
		t.Errorf("got %v", err)
	}
	other := &Graph{Nodes: slices.Clone(g.Nodes)}
	clone := *g.Nodes[2]
	clone.Name = "example.com/m/other"
	other.Nodes[2] = &clone
	if _, err := Tests(g, other, nil); err == nil || !strings.Contains(err.Error(), "different actions: example.com/m/p and example.com/m/other") {
		t.Errorf("got %v", err)
	}
}

func TestTestErrors(t *testing.T) {
	script := testScript(true)
	run := script[strings.Index(script, "$WORK/b9/p.test -test"):strings.Index(script, "rm -rf")]
	for _, test := range []struct {
		name   string
		text   string
		change func(*Options)
		want   string
	}{
		{"run without a link", strings.ReplaceAll(run, "b9", "b8"), nil, "runs what no earlier command has linked"},
		{"run twice", script + run, nil, "runs a test program for the second time"},
		{"no generated file", script, func(o *Options) { o.Tests = nil }, "_testmain.go, which no earlier command has written"},
		{"another module", script, func(o *Options) { o.Tests["example.com/m/p.test"] = TestMain{Dir: "/goroot/src/p"} }, "which is not in the main module"},
		{"a vendored module", script, func(o *Options) { o.Tests["example.com/m/p.test"] = TestMain{Dir: "/src/vendor/p"} }, "which is not in the main module"},
		{"a file of the work directory", strings.Replace(script, " -test.paniconexit0", " -test.cpuprofile=$WORK/b9/x", 1), nil, "does not support the flag -test.cpuprofile="},
	} {
		t.Run(test.name, func(t *testing.T) {
			opt := testOptions()
			if test.change != nil {
				test.change(&opt)
			}
			_, err := ofScript(t, test.text, opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := buildscript.Parse("$WORK/b9/p.test  -test.v=true\n", buildscript.Options{}); err == nil {
		t.Error("an empty word is read")
	}
}

// A package that two graphs have is added once.
func TestAdd(t *testing.T) {
	g, err := ofScript(t, testScript(true), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ofScript(t, testScript(false), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	all := &Graph{}
	for _, part := range []*Graph{g, g} {
		if at, err := all.Add(part); err != nil || at[len(at)-1] != len(g.Nodes)-1 || len(all.Nodes) != len(g.Nodes) {
			t.Fatalf("%d nodes, at %v: %v", len(all.Nodes), at, err)
		}
	}
	at, err := all.Add(kept)
	if err != nil || at[0] != 0 || at[1] < len(g.Nodes) {
		t.Errorf("runtime is at %d, s at %d: %v", at[0], at[1], err)
	}
}

// Packages without tests have to compile. Only those that nothing else needs have an
// Untested node.
func TestUntested(t *testing.T) {
	g, err := ofScript(t, testScript(true), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	names := func(g *Graph) (list []string) {
		for _, n := range g.Nodes {
			list = append(list, string(n.Kind)+" "+n.Name)
			if n.Kind == Untested {
				list = append(list, "which is "+g.Nodes[n.Refs[0].Node].Name)
			}
		}
		return list
	}
	// A test needs r and u; q imports p, and is not the variant of q for the test.
	if _, err := Tests(g, g, []string{"example.com/m/p", "example.com/m/q", "example.com/m/r", "example.com/m/s", "example.com/m/u"}); err == nil || !strings.Contains(err.Error(), "does not compile example.com/m/q") {
		t.Errorf("a package that is compiled for a test alone: %v", err)
	}
	tests, err := Tests(g, g, []string{"example.com/m/p", "example.com/m/r", "example.com/m/s", "example.com/m/u"})
	if err != nil {
		t.Fatal(err)
	}
	got := names(tests)
	want := []string{
		"package runtime", "package example.com/m/s", "package example.com/m/p", "package example.com/m/r", "package example.com/m/u",
		"package example.com/m/p [example.com/m/p.test]", "package example.com/m/q [example.com/m/p.test]",
		"package example.com/m/p_test [example.com/m/p.test]", "package example.com/m/p.test", "link example.com/m/p.test", "test example.com/m/p",
		"untested example.com/m/p", "which is example.com/m/p", "untested example.com/m/s", "which is example.com/m/s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the nodes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	// With a program that has s, which is compiled differently.
	kept, err := ofScript(t, testScript(false), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	all := &Graph{Nodes: kept.Nodes[:2]}
	if err := all.AddTests(tests); err != nil {
		t.Fatal(err)
	}
	got = names(all)
	want = slices.Concat(want[:13], []string{"untested example.com/m/s", "which is example.com/m/s"})
	if !slices.Equal(got, want) || len(all.Nodes[1].Steps) == 0 || all.Nodes[len(all.Nodes)-1].Refs[0].Node != 1 {
		t.Errorf("with a program, the nodes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
