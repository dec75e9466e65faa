package drvgen

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// tested is a graph with the tests of a and of b$.
func tested() *graph.Graph {
	test := func(name string, program int) *graph.Node {
		run := &action.Test{Dir: "${SRC}/" + action.Escape(name), Path: "${GOROOT}/bin", Env: []string{"A=$$1"}, Args: []string{"${OBJ}/x.test", "-test.run=$$"}}
		return &graph.Node{Kind: graph.Test, Name: name, Steps: []action.Step{step("${R0}"), {Test: run}}, Refs: []graph.Ref{{Node: program, Output: graph.Program}}}
	}
	return &graph.Graph{Nodes: []*graph.Node{
		pkg("a"), link("a.test", "a.test", 0), test("a", 1),
		pkg("unneeded"), link("unneeded", "unneeded", 3),
		pkg("b$"), link("b$.test", "b$.test", 5), test("b$", 6),
	}}
}

// config is the configuration of the stage that a derivation runs.
func config(t *testing.T, d Derivation, stage string, cfg any) action.Unit {
	t.Helper()
	u := units(t, d)[0]
	if len(u.Steps) < 2 || u.Steps[0].Write == nil || u.Steps[1].Run == nil || !slices.Equal(u.Steps[1].Run.Args, []string{"${PLANNER}/bin/dgd-plan", stage}) {
		t.Fatalf("%s does not run the stage %s: %+v", d.Name, stage, u)
	}
	if err := json.Unmarshal([]byte(u.Steps[0].Write.Text), cfg); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestGenerateTests(t *testing.T) {
	g := tested()
	opt := Options{Goroot: "share/go", Name: "tests", Sources: map[int][]Placed{2: {{At: ".", Path: "/s/a", Copy: true}}}}
	opt.Tests = TestOptions{Modules: VendorDirectory, Vendor: "m$/vendor"}
	drvs, tests, err := GenerateTests(g, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(drvs), []string{"a", "a.test", "test-a", "b-", "b-.test", "test-b-", "needs-of-tests", "tests"}; !slices.Equal(got, want) {
		t.Fatalf("the derivations are %q, want %q", got, want)
	}
	if len(tests) > 0 {
		t.Errorf("the tests that stand alone are %v", tests)
	}
	check(t, drvs[2], Derivation{
		Name:    "test-a",
		Outputs: []string{"out"},
		Vars:    map[string]Value{"GOROOT": goroot, "CHECKENV": {Input: CheckEnv}, "V0": drv(1, "out"), "V1": {Path: "/s/a"}},
	}, action.Unit{
		Name:    "a",
		Env:     "${CHECKENV}",
		Sources: []action.Source{{At: "${SRC}", From: "${V1}", Copy: true}},
		Vars:    action.Vars{"RESULT": "${out}", "R0": "${V0}/bin/a.test"},
		Steps:   g.Nodes[2].Steps,
	})

	var needs NeedsConfig
	config(t, drvs[6], "needs", &needs)
	if want := (NeedsConfig{Src: "${SOURCE}", Vendor: "m$$/vendor", Form: "vendor", Modules: "${MODULES}", Tests: []NeedsTest{
		{Name: "a", Result: "${V1}", Program: "${V0}/bin/a.test"},
		{Name: "b$$", Result: "${V3}", Program: "${V2}/bin/b$$.test"},
	}}); !reflect.DeepEqual(needs, want) {
		t.Errorf("the needs are of\n%+v\nwant\n%+v", needs, want)
	}
	if want := map[string]Value{
		"PLANNER": {Input: Planner}, "SOURCE": {Input: Src}, "MODULES": {Input: Modules},
		"V0": drv(1, "out"), "V1": drv(2, "out"), "V2": drv(4, "out"), "V3": drv(5, "out"),
	}; !reflect.DeepEqual(drvs[6].Vars, want) {
		t.Errorf("the needs refer to %v, want %v", drvs[6].Vars, want)
	}

	var again RetestConfig
	u := config(t, drvs[7], "retest", &again)
	args := []string{"-test.run=$$"}
	if want := (RetestConfig{Needs: "${V0}", Src: "${SRC}", Modules: "${OBJ}/modules", Tests: map[string]RetestRun{
		"a":   {Dir: "${SRC}/a", Path: "${GOROOT}/bin", Args: args},
		"b$$": {Dir: "${SRC}/b$$", Path: "${GOROOT}/bin", Args: args},
	}}); !reflect.DeepEqual(again, want) {
		t.Errorf("it runs again\n%+v\nwant\n%+v", again, want)
	}
	if want := []string{"configPath=${OBJ}/config.json", "out=${out}", "A=$$1"}; !slices.Equal(u.Steps[1].Run.Env, want) || u.Env != "${CHECKENV}" {
		t.Errorf("it runs again with %q, %q", u.Env, u.Steps[1].Run.Env)
	}
	if w := u.Steps[len(u.Steps)-1].Write; w == nil || *w != (action.Write{Path: "${out}", Text: "ok  \ta\nok  \tb$$\n"}) {
		t.Errorf("it leaves behind %+v", w)
	}
	if want := map[string]Value{"PLANNER": {Input: Planner}, "GOROOT": goroot, "CHECKENV": {Input: CheckEnv}, "V0": drv(6, "out")}; !reflect.DeepEqual(drvs[7].Vars, want) {
		t.Errorf("it refers to %v, want %v", drvs[7].Vars, want)
	}

	twice := &graph.Graph{Nodes: append(g.Nodes, g.Nodes[2])}
	if _, _, err := GenerateTests(twice, Options{}); err == nil || err.Error() != "two tests of a" {
		t.Errorf("got %v", err)
	}
}

// Each package can have derivations of its own, and there may be no tests.
func TestGenerateTestsAlone(t *testing.T) {
	drvs, tests, err := GenerateTests(tested(), Options{Name: "tests", Goroot: ".", Tests: TestOptions{Alone: true}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(drvs)[6:], []string{"needs-of-tests-a", "tests-a", "needs-of-tests-b-", "tests-b-", "needs-of-tests", "tests"}; !slices.Equal(got, want) {
		t.Fatalf("the derivations are %q, want %q", got, want)
	}
	if want := map[string]int{"a": 7, "b$": 9}; !reflect.DeepEqual(tests, want) {
		t.Errorf("the tests are %v, want %v", tests, want)
	}
	var needs NeedsConfig
	config(t, drvs[8], "needs", &needs)
	if len(needs.Tests) != 1 || needs.Tests[0].Name != "b$$" || needs.Modules != "" || len(drvs[8].Vars) != 4 {
		t.Errorf("the needs of one package are %+v, %v", needs, drvs[8].Vars)
	}
	// Packages without tests have to compile for all tests to pass.
	g := tested()
	g.Nodes = append(g.Nodes, pkg("lib"), &graph.Node{Kind: graph.Untested, Name: "lib", Refs: []graph.Ref{{Node: 8, Output: graph.Export}}})
	drvs, _, err = GenerateTests(g, Options{Name: "tests", Goroot: ".", Tests: TestOptions{Alone: true}})
	if err != nil {
		t.Fatal(err)
	}
	if last := drvs[len(drvs)-1]; !reflect.DeepEqual(last.Vars["V1"], drv(6, "x")) || drvs[6].Name != "lib" || len(drvs[8].Vars) != 4 {
		t.Errorf("with a package without tests, %q, all tests depend on %v, and those of a on %v", names(drvs), last.Vars, drvs[8].Vars)
	}
	g = &graph.Graph{Nodes: g.Nodes[8:]}
	g.Nodes[1].Refs[0].Node = 0
	drvs, _, err = GenerateTests(g, Options{Name: "tests", Goroot: "."})
	if err != nil || len(drvs) != 2 || !reflect.DeepEqual(drvs[1].Vars, map[string]Value{"V0": drv(0, "x")}) {
		t.Errorf("without a test: %+v, %v", drvs, err)
	}
	drvs, _, err = GenerateTests(&graph.Graph{}, Options{Name: "tests"})
	if err != nil || len(drvs) != 1 {
		t.Fatalf("without tests: %v, %v", drvs, err)
	}
	check(t, drvs[0], Derivation{Name: "tests", Outputs: []string{"out"}, Vars: map[string]Value{}},
		action.Unit{Name: "tests", Steps: []action.Step{{Write: &action.Write{Path: "${out}"}}}})
}
