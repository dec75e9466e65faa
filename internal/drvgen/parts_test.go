package drvgen

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// A package divided by graph.Apart has derivations that run cgo, find out which files a
// compile reads, compile objects, and compile the package. Each has the outputs that the
// others refer to.
func TestApart(t *testing.T) {
	compile := action.Step{Run: &action.Run{Args: []string{"cc", "a.c"}, Compiler: "gcc"}}
	part := func(kind graph.Kind, name string, cgo bool, steps ...action.Step) *graph.Node {
		return &graph.Node{Kind: kind, Name: "example.com/m/p", Part: name, Cgo: cgo, Steps: steps}
	}
	cgo := part(graph.Cgo, "cgo", false, step("cgo"))
	ask := part(graph.Ask, "a.c", true, action.Step{Trace: &action.Trace{}}, action.Step{Trace: &action.Trace{}})
	ask.Trees = [][]string{{"a.c"}, {"b.c"}}
	objects := part(graph.Objects, "b.c", true, compile)
	objects.Refs = []graph.Ref{{Node: 1, Output: graph.Tree(1)}, {Node: 0, Output: graph.Header}}
	p := pkg("example.com/m/p")
	p.Cgo = true
	p.Refs = []graph.Ref{{Node: 2, Output: graph.Whole}, {Node: 0, Output: graph.GoFiles}, {Node: 0, Output: graph.CFiles}, {Node: 1, Output: graph.Tree(0)}}
	main := pkg("example.com/m", 3)
	prog := link("example.com/m", "m", 4, 3)
	prog.Cgo = true
	prog.Inputs = []graph.Input{graph.UserEnv, graph.Vendor}
	drvs := generate(t, Options{Name: "m"}, cgo, ask, objects, p, main, prog)
	check(t, drvs[0], Derivation{
		Name: "example.com-m-p-cgo-cgo", Outputs: []string{"out", "x", "h"}, Vars: map[string]Value{"GOROOT": goroot},
	}, action.Unit{
		Name:  "example.com/m/p",
		Vars:  action.Vars{"CFILES": "${out}", "GOFILES": "${x}", "HEADER": "${h}"},
		Steps: []action.Step{{Mkdir: "${h}"}, {Mkdir: "${out}"}, {Mkdir: "${x}"}, step("cgo")},
	})
	check(t, drvs[1], Derivation{
		Name: "example.com-m-p-ask-a.c", Outputs: []string{"t0", "t1"},
		Vars: map[string]Value{"GOROOT": goroot, "CGOENV": {Input: CgoEnv}, "COMPILERS": {Input: Compilers}},
	}, action.Unit{
		Name: "example.com/m/p", Env: "${CGOENV}", Compilers: "${COMPILERS}",
		Vars:  action.Vars{"TREE0": "${t0}", "TREE1": "${t1}"},
		Steps: append([]action.Step{{Mkdir: "${t0}"}, {Mkdir: "${t1}"}}, ask.Steps...),
	})
	check(t, drvs[2], Derivation{
		Name: "example.com-m-p-objects-b.c", Outputs: []string{"out"},
		Vars: map[string]Value{"GOROOT": goroot, "CGOENV": {Input: CgoEnv}, "COMPILERS": {Input: Compilers}, "V0": drv(1, "t1"), "V1": drv(0, "h")},
	}, action.Unit{
		Name: "example.com/m/p", Env: "${CGOENV}", Compilers: "${COMPILERS}",
		Vars:  action.Vars{"FILE": "${out}", "R0": "${V0}", "R1": "${V1}"},
		Steps: []action.Step{{Mkdir: "${out}"}, compile},
	})
	for name, want := range map[string]Value{"V0": drv(2, "out"), "V1": drv(0, "x"), "V2": drv(0, "out"), "V3": drv(1, "t0")} {
		if got := drvs[3].Vars[name]; got.Drv == nil || *got.Drv != *want.Drv || got.Output != want.Output {
			t.Errorf("the package's %s is %+v, want %+v", name, got, want)
		}
	}
	last := drvs[len(drvs)-1]
	for name, want := range map[string]Input{"CGOENV": LinkEnv, "USERENV": graph.UserEnv, "VENDOR": graph.Vendor} {
		if last.Vars[name].Input != want {
			t.Errorf("the link's %s is %+v, want %s", name, last.Vars[name], want)
		}
	}
	if env := units(t, last)[0].Env; env != "${USERENV}" {
		t.Errorf("the link runs in %s", env)
	}
}

// A part of the standard library has its spec in a file of an input: GenerateStd makes
// the specs, and a program's derivations name them.
func TestOfStd(t *testing.T) {
	g := &graph.Graph{Nodes: []*graph.Node{std("errors"), std("fmt", 0), std("net")}}
	opt := Options{Goroot: "share/go", Groups: []group.Group{{Name: "std", Nodes: []int{0, 1}, Std: true}, {Name: "std-net", Nodes: []int{2}, Std: true}}}
	drvs, specs, err := GenerateStd(g, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names(drvs), []string{"std", "std-net"}) || len(specs) != 2 {
		t.Fatalf("the derivations are %q, the specs %q", names(drvs), specs)
	}
	for _, d := range drvs {
		if d.Spec != "" || d.SpecFile == nil || *d.SpecFile != (Value{Input: StdSpecs, Suffix: "/" + d.Name}) {
			t.Errorf("%s has the spec %q, in %+v", d.Name, d.Spec, d.SpecFile)
		}
	}
	if list := units(t, Derivation{Spec: specs["std"]}); len(list) != 2 || list[1].Name != "fmt" {
		t.Errorf("std is of %+v", list)
	}

	env := Environment{StoreDir: "/nix/store", System: "x86_64-linux", Executor: "/nix/store/x", Inputs: map[Input]string{Go: "/nix/store/go"}}
	if _, err := Encode(drvs, env); err == nil || err.Error() != "derivation std: needs stdSpecs, which the build does not have" {
		t.Errorf("without the specs: %v", err)
	}
	env.Inputs[StdSpecs] = "/nix/store/specs"
	encoded, err := Encode(drvs, env)
	if err != nil {
		t.Fatal(err)
	}
	text := string(encoded[0].Text)
	if !strings.Contains(text, `("passAsFile","vars"),("specPath","/nix/store/specs/std")`) || strings.Contains(text, `("spec",`) {
		t.Errorf("the derivation is %s", text)
	}
	if !slices.Contains(encoded[0].Refs, "/nix/store/specs") {
		t.Errorf("it refers to %q", encoded[0].Refs)
	}
}

// builtins.toJSON gives the same text of a spec: keys are sorted, and there are no escapes
// that JSON does not require.
func TestCanonical(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{map[string]any{"b": 1, "a": []string{"<&>"}}, `{"a":["<&>"],"b":1}`},
		{"\u2028 and \u2029", "\"\u2028 and \u2029\""},
		{"\\u2028 and \\\u2029", "\"\\\\u2028 and \\\\\u2029\""},
		{"tab\tand \x01", `"tab\tand \u0001"`},
		{struct {
			Z int `json:"z"`
			A int `json:"a"`
		}{1, 2}, `{"a":2,"z":1}`},
		{9007199254740993, "9007199254740993"}, // a float64 cannot hold it
	} {
		if got, err := Canonical(test.value); err != nil || string(got) != test.want {
			t.Errorf("%v: %s (%v), want %s", test.value, got, err, test.want)
		}
	}
	if _, err := Canonical(func() {}); err == nil {
		t.Error("a function is no error")
	}
	long := action.Step{Run: &action.Run{Args: append([]string{"link"}, slices.Repeat([]string{strings.Repeat("x", 1000)}, 200)...)}}
	got, err := CanonicalSteps([]action.Step{step("a", "b"), long})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"run":{"args":["a","b"]}},`; !strings.HasPrefix(got, want) || strings.HasSuffix(got, "]") || !strings.Contains(got, `"write"`) {
		t.Errorf("the steps are %s", fmt.Sprintf("%.200s", got))
	}
}
