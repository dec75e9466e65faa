package drvgen

import (
	"encoding/json"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// step is a step that runs a program with the given arguments.
func step(args ...string) action.Step { return action.Step{Run: &action.Run{Args: args}} }

// pkg is a package's node that refers to the export data of other nodes.
func pkg(name string, refs ...int) *graph.Node {
	n := &graph.Node{Kind: graph.Package, Name: name, Steps: []action.Step{step("compile", name)}}
	for _, r := range refs {
		n.Refs = append(n.Refs, graph.Ref{Node: r, Output: graph.Export})
	}
	return n
}

func std(name string, refs ...int) *graph.Node {
	n := pkg(name, refs...)
	n.Std = true
	return n
}

// link is the node of a program that is linked from archives.
func link(name, main string, refs ...int) *graph.Node {
	n := &graph.Node{Kind: graph.Link, Name: name, Main: main, Steps: []action.Step{step("link", name)}}
	for _, r := range refs {
		n.Refs = append(n.Refs, graph.Ref{Node: r, Output: graph.Archive})
	}
	return n
}

func generate(t *testing.T, opt Options, nodes ...*graph.Node) []Derivation {
	t.Helper()
	if opt.Goroot == "" {
		opt.Goroot = "share/go"
	}
	drvs, err := Generate(&graph.Graph{Nodes: nodes}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return drvs
}

// units returns the units of a derivation's spec.
func units(t *testing.T, d Derivation) []action.Unit {
	t.Helper()
	var spec action.Spec
	dec := json.NewDecoder(strings.NewReader(d.Spec))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&spec); err != nil {
		t.Fatal(err)
	}
	return spec.Units
}

func names(drvs []Derivation) []string {
	var list []string
	for _, d := range drvs {
		list = append(list, d.Name)
	}
	return list
}

// check compares a derivation; the spec is compared as a value.
func check(t *testing.T, got Derivation, want Derivation, wantUnits ...action.Unit) {
	t.Helper()
	gotUnits := units(t, got)
	if !reflect.DeepEqual(gotUnits, wantUnits) {
		t.Errorf("%s: the units are\n%+v, want\n%+v", want.Name, gotUnits, wantUnits)
	}
	got.Spec = ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the derivation is\n%+v, want\n%+v", got, want)
	}
}

func drv(i int, output string) Value { return Value{Drv: &i, Output: output} }

var goroot = Value{Input: Go, Suffix: "/share/go"}

func TestGenerate(t *testing.T) {
	p := pkg("example.com/m/p")
	p.Cgo = true
	p.Std = true
	profile := &graph.Node{Kind: graph.File, Name: "preprofile", Steps: []action.Step{step("preprofile", "${FILE}")}}
	main := pkg("example.com/m")
	main.Cgo = true
	main.Refs = []graph.Ref{{Node: 1, Output: graph.Whole}, {Node: 0, Output: graph.Export}}
	prog := link("example.com/m", "m $x", 0, 2)
	drvs := generate(t, Options{
		Name:   "m-1.0",
		StdEnv: map[int]bool{0: true},
		Sources: map[int][]Placed{
			0: {{At: ".", Path: "/s/p"}},
			2: {{At: "$a/b", Path: "/s/m", Copy: true}, {At: "c", Path: "/s/p"}, {At: "d", Files: []File{{"$x.go", "$"}, {"e/y", "${out}"}}}},
		},
	}, p, profile, main, prog)
	if len(drvs) != 4 {
		t.Fatalf("%d derivations: %q", len(drvs), names(drvs))
	}
	check(t, drvs[0], Derivation{
		Name:    "example.com-m-p",
		Outputs: []string{"out", "x"},
		Vars:    map[string]Value{"GOROOT": goroot, "CGOENV": {Input: StdEnv}, "V0": {Path: "/s/p"}},
	}, action.Unit{
		Name:    "example.com/m/p",
		Env:     "${CGOENV}",
		Sources: []action.Source{{At: "${SRC}", From: "${V0}"}},
		Vars:    action.Vars{"ARCHIVE": "${out}", "EXPORT": "${x}"},
		Steps:   p.Steps,
	})
	check(t, drvs[1], Derivation{
		Name:    "preprofile",
		Outputs: []string{"out"},
		Vars:    map[string]Value{"GOROOT": goroot},
	}, action.Unit{
		Name:  "preprofile",
		Vars:  action.Vars{"FILE": "${out}"},
		Steps: profile.Steps,
	})
	check(t, drvs[2], Derivation{
		Name:    "example.com-m",
		Outputs: []string{"out", "x"},
		Vars: map[string]Value{
			"GOROOT": goroot, "CGOENV": {Input: CgoEnv},
			"V0": drv(1, "out"), "V1": drv(0, "x"), "V2": {Path: "/s/m"}, "V3": {Path: "/s/p"},
		},
	}, action.Unit{
		Name: "example.com/m",
		Env:  "${CGOENV}",
		Sources: []action.Source{
			{At: "${SRC}/$$a/b", From: "${V2}", Copy: true},
			{At: "${SRC}/c", From: "${V3}"},
		},
		Vars: action.Vars{"ARCHIVE": "${out}", "EXPORT": "${x}", "R0": "${V0}", "R1": "${V1}"},
		Steps: append([]action.Step{
			{Mkdir: "${SRC}/d"},
			{Mkdir: "${SRC}/d/e"},
			{Write: &action.Write{Path: "${SRC}/d/$$x.go", Text: "$$"}},
			{Write: &action.Write{Path: "${SRC}/d/e/y", Text: "$${out}"}},
		}, main.Steps...),
	})
	check(t, drvs[3], Derivation{
		Name:    "m-1.0",
		Outputs: []string{"out"},
		Vars:    map[string]Value{"GOROOT": goroot, "V0": drv(0, "out"), "V1": drv(2, "out")},
	}, action.Unit{
		Name:  "example.com/m",
		Vars:  action.Vars{"PROGRAM": "${out}/bin/m $$x", "R0": "${V0}", "R1": "${V1}"},
		Steps: []action.Step{{Mkdir: "${out}/bin"}, prog.Steps[0]},
	})
}

// The packages of a group are one derivation, with a file for each in both outputs.
func TestGroup(t *testing.T) {
	errs := std("errors")
	errs.Cgo = true
	drvs := generate(t, Options{
		Name:   "m",
		Groups: []group.Group{{Name: "std lib", Nodes: []int{0, 1, 2}}},
		StdEnv: map[int]bool{0: true, 1: true, 2: true},
	}, errs, std("io/$fs", 0, 0), std("unused", 1), pkg("m", 1, 0), link("m", "m", 0, 1, 3))
	if want := []string{"std-lib", "m", "m"}; !slices.Equal(names(drvs), want) {
		t.Fatalf("the derivations are %q, want %q", names(drvs), want)
	}
	check(t, drvs[0], Derivation{
		Name:    "std-lib",
		Outputs: []string{"out", "x"},
		Vars:    map[string]Value{"GOROOT": goroot, "CGOENV": {Input: StdEnv}},
	}, action.Unit{
		Name:  "errors",
		Env:   "${CGOENV}",
		Vars:  action.Vars{"ARCHIVE": "${out}/errors@.a", "EXPORT": "${x}/errors@.x"},
		Steps: []action.Step{{Mkdir: "${out}"}, {Mkdir: "${x}"}, errs.Steps[0]},
	}, action.Unit{
		Name:  "io/$fs",
		Needs: []int{0},
		Vars:  action.Vars{"ARCHIVE": "${out}/io/$$fs@.a", "EXPORT": "${x}/io/$$fs@.x", "R0": "${x}/errors@.x", "R1": "${x}/errors@.x"},
		Steps: []action.Step{{Mkdir: "${out}/io"}, {Mkdir: "${x}/io"}, step("compile", "io/$fs")},
	}, action.Unit{
		Name:  "unused",
		Needs: []int{1},
		Vars:  action.Vars{"ARCHIVE": "${out}/unused@.a", "EXPORT": "${x}/unused@.x", "R0": "${x}/io/$$fs@.x"},
		Steps: []action.Step{{Mkdir: "${out}"}, {Mkdir: "${x}"}, step("compile", "unused")},
	})
	// One output of a group is one variable.
	check(t, drvs[1], Derivation{
		Name:    "m",
		Outputs: []string{"out", "x"},
		Vars:    map[string]Value{"GOROOT": goroot, "V0": drv(0, "x")},
	}, action.Unit{
		Name:  "m",
		Vars:  action.Vars{"ARCHIVE": "${out}", "EXPORT": "${x}", "R0": "${V0}/io/$$fs@.x", "R1": "${V0}/errors@.x"},
		Steps: []action.Step{step("compile", "m")},
	})
	check(t, drvs[2], Derivation{
		Name:    "m",
		Outputs: []string{"out"},
		Vars:    map[string]Value{"GOROOT": goroot, "V0": drv(0, "out"), "V2": drv(1, "out")},
	}, action.Unit{
		Name:  "m",
		Vars:  action.Vars{"PROGRAM": "${out}/bin/m", "R0": "${V0}/errors@.a", "R1": "${V0}/io/$$fs@.a", "R2": "${V2}"},
		Steps: []action.Step{{Mkdir: "${out}/bin"}, step("link", "m")},
	})
}

// A package may be in a directory that is named like another one's archive.
func TestDirectoryNamedAsArchive(t *testing.T) {
	g := &graph.Graph{Nodes: []*graph.Node{
		{Kind: graph.Package, Name: "m/foo"}, {Kind: graph.Package, Name: "m/foo.a/bar"}, {Kind: graph.Package, Name: "m/foo.x/bar"},
	}}
	drvs, err := Generate(g, Options{Groups: []group.Group{{Name: "m", Nodes: []int{0, 1, 2}}}, Libraries: true})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, u := range units(t, drvs[0]) {
		files[u.Vars["ARCHIVE"]], files[u.Vars["EXPORT"]] = true, true
	}
	if len(files) != 6 {
		t.Errorf("six files have the names %v", files)
	}
	for file := range files {
		for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
			if files[dir] {
				t.Errorf("%s is a file, and the directory of %s", dir, file)
			}
		}
	}
}

// The go command does not compile the whole standard library first, and a group
// of it may need a profile.
func TestGroupOrder(t *testing.T) {
	profile := &graph.Node{Kind: graph.File, Name: "preprofile", Steps: []action.Step{step("preprofile")}}
	late := std("net/http", 0)
	late.Refs = append(late.Refs, graph.Ref{Node: 2, Output: graph.Whole})
	drvs := generate(t, Options{
		Name:   "out",
		Groups: []group.Group{{Name: "std", Nodes: []int{0, 3}}},
	}, std("strings"), pkg("m/x", 0), profile, late, pkg("m", 1, 3), link("m", "m", 0, 1, 3, 4))
	if want := []string{"preprofile", "std", "m-x", "m", "out"}; !slices.Equal(names(drvs), want) {
		t.Fatalf("the derivations are %q, want %q", names(drvs), want)
	}
	for _, test := range []struct {
		drv  int
		want map[string]Value
	}{
		{1, map[string]Value{"GOROOT": goroot, "V0": drv(0, "out")}},
		{2, map[string]Value{"GOROOT": goroot, "V0": drv(1, "x")}},
		{3, map[string]Value{"GOROOT": goroot, "V0": drv(2, "x"), "V1": drv(1, "x")}},
		{4, map[string]Value{"GOROOT": goroot, "V0": drv(1, "out"), "V1": drv(2, "out"), "V3": drv(3, "out")}},
	} {
		if got := drvs[test.drv].Vars; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s refers to %+v, want %+v", drvs[test.drv].Name, got, test.want)
		}
	}
}

// Two programs with profiles of their own have each package twice.
func TestGroupSameName(t *testing.T) {
	drvs := generate(t, Options{
		Name:   "out",
		Groups: []group.Group{{Name: "std", Nodes: []int{0, 1, 2, 3}}},
	}, std("errors"), std("io", 0), std("errors"), std("io", 2), link("m", "m", 1), link("n", "n", 3))
	var exports, refs []string
	for _, u := range units(t, drvs[0]) {
		exports = append(exports, u.Vars["EXPORT"], u.Vars["ARCHIVE"])
		refs = append(refs, u.Vars["R0"])
	}
	if want := []string{
		"${x}/errors@.x", "${out}/errors@.a", "${x}/io@.x", "${out}/io@.a",
		"${x}/errors@2@.x", "${out}/errors@2@.a", "${x}/io@2@.x", "${out}/io@2@.a",
	}; !slices.Equal(exports, want) {
		t.Errorf("the files are %q, want %q", exports, want)
	}
	if want := []string{"", "${x}/errors@.x", "", "${x}/errors@2@.x"}; !slices.Equal(refs, want) {
		t.Errorf("the references are %q, want %q", refs, want)
	}
	for i, want := range map[int]string{1: "${V0}/io@.a", 2: "${V0}/io@2@.a"} {
		if got := units(t, drvs[i])[0].Vars["R0"]; got != want {
			t.Errorf("program %d is linked from %s, want %s", i, got, want)
		}
	}
}

func TestSeveralPrograms(t *testing.T) {
	drvs := generate(t, Options{Name: "tools"}, pkg("m/a"), link("m/a", "a", 0), pkg("m/b"), link("m/b", "b$c.exe", 2))
	if want := []string{"m-a", "a", "m-b", "b-c.exe", "tools"}; !slices.Equal(names(drvs), want) {
		t.Fatalf("the derivations are %q, want %q", names(drvs), want)
	}
	check(t, drvs[4], Derivation{
		Name:    "tools",
		Outputs: []string{"out"},
		Vars:    map[string]Value{"V0": drv(1, "out"), "V1": drv(3, "out")},
	}, action.Unit{
		Name: "programs",
		Steps: []action.Step{
			{Mkdir: "${out}/bin"},
			{Copy: &action.Copy{From: "${V0}/bin/a", To: "${out}/bin/a"}},
			{Copy: &action.Copy{From: "${V1}/bin/b$$c.exe", To: "${out}/bin/b$$c.exe"}},
		},
	})

	// If the program is not the last derivation, one is added that has it.
	drvs = generate(t, Options{Name: "a-1"}, pkg("m/a"), link("m/a", "a", 0), pkg("m/b"))
	if want := []string{"m-a", "a", "m-b", "a-1"}; !slices.Equal(names(drvs), want) {
		t.Errorf("the derivations are %q, want %q", names(drvs), want)
	}
}

// A toolchain can be its own GOROOT.
func TestGoroot(t *testing.T) {
	drvs := generate(t, Options{Goroot: "."}, pkg("m"), link("m", "m", 0))
	if got, want := drvs[0].Vars, (map[string]Value{"GOROOT": {Input: Go}}); !reflect.DeepEqual(got, want) {
		t.Errorf("the variables are %+v, want %+v", got, want)
	}
}

// The derivation of a package does not depend on other nodes of the graph.
func TestNamesOfVariables(t *testing.T) {
	nodes := func(before ...*graph.Node) []*graph.Node {
		n := len(before)
		return append(before, pkg("a"), pkg("b"), pkg("p", n+1, n), link("p", "p", n, n+1, n+2))
	}
	alone := generate(t, Options{Sources: map[int][]Placed{2: {{At: "p", Path: "/s/p"}}}}, nodes()...)
	after := generate(t, Options{Sources: map[int][]Placed{4: {{At: "p", Path: "/s/p"}}}}, nodes(pkg("x"), pkg("y"))...)
	for i := 1; i <= 2; i++ { // p and the program
		a, b := alone[len(alone)-i], after[len(after)-i]
		if a.Name != b.Name || a.Spec != b.Spec || !slices.Equal(a.Outputs, b.Outputs) {
			t.Errorf("the derivations differ:\n%+v\n%+v", a, b)
		}
		if len(a.Vars) != len(b.Vars) {
			t.Errorf("%s has %d variables, or %d", a.Name, len(a.Vars), len(b.Vars))
		}
		for name, v := range a.Vars {
			w := b.Vars[name]
			if v.Drv != nil && w.Drv != nil && alone[*v.Drv].Name == after[*w.Drv].Name {
				v.Drv, w.Drv = nil, nil
			}
			if !reflect.DeepEqual(v, w) {
				t.Errorf("%s: %s is %+v, or %+v", a.Name, name, v, w)
			}
		}
	}
}

// A spec has the form of builtins.toJSON: keys are sorted, and there are no escapes that
// JSON does not require, so that messages stay readable.
func TestSpecText(t *testing.T) {
	n := pkg("m")
	n.Steps = []action.Step{step("a<b>&c", "\"\\\n\x01é\u2028\\u2028")}
	drvs := generate(t, Options{}, n, link("m", "m", 0))
	want := `{"units":[{"name":"m","steps":[{"run":{"args":["a<b>&c","\"\\\n\u0001é` + "\u2028" + `\\u2028"]}}],"vars":{"ARCHIVE":"${out}","EXPORT":"${x}"}}]}`
	if drvs[0].Spec != want {
		t.Errorf("the spec is\n%s, want\n%s", drvs[0].Spec, want)
	}
}

func TestGenerateErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		opt   Options
		nodes []*graph.Node
		want  string
	}{
		{"nothing", Options{}, nil, "nothing is linked: there is no main package"},
		{"no program", Options{}, []*graph.Node{pkg("a")}, "nothing is linked: there is no main package"},
		{"same name", Options{}, []*graph.Node{pkg("m/x/cmd"), link("m/x/cmd", "cmd", 0), link("m/y/cmd", "cmd", 0)},
			"m/x/cmd and m/y/cmd are both programs of the name cmd"},
		{"later", Options{}, []*graph.Node{pkg("a", 1), pkg("b"), link("a", "a", 0)}, "a: refers to b, which comes later"},
		{"itself", Options{}, []*graph.Node{pkg("a", 0)}, "a: refers to a, which comes later"},
		{"later in the group", Options{Groups: []group.Group{{Name: "std", Nodes: []int{0, 1}}}}, []*graph.Node{std("a", 1), std("b")},
			"a: refers to b, which comes later"},
		{"group out of order", Options{Groups: []group.Group{{Name: "std", Nodes: []int{1, 0}}}}, []*graph.Node{std("a"), std("b", 0)},
			"b: refers to a, which comes later"},
		{"group and later", Options{Groups: []group.Group{{Name: "std", Nodes: []int{0}}}}, []*graph.Node{std("a", 1), std("b")},
			"a: refers to b, which comes later"},
		{"link in a group", Options{Groups: []group.Group{{Name: "std", Nodes: []int{0, 1}}}}, []*graph.Node{std("a"), link("a", "a", 0)},
			"a: only packages can share a derivation"},
		{"circle", Options{Groups: []group.Group{{Name: "std", Nodes: []int{0, 2}}}}, []*graph.Node{std("a"), pkg("b", 0), std("c", 1)},
			"the group std refers to a node that refers to its package a"},
	} {
		_, err := Generate(&graph.Graph{Nodes: test.nodes}, test.opt)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
}
