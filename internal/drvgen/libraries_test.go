package drvgen

import (
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// Packages that no program needs are built with the programs, and are not in the output.
func TestLibraries(t *testing.T) {
	opt := Options{Libraries: true, Name: "all", Groups: []group.Group{{Name: "std", Nodes: []int{0}}}}
	nodes := []*graph.Node{std("a"), pkg("used", 0), pkg("m", 1), link("m", "m", 1, 2), pkg("below"), pkg("unused", 4)}
	drvs := generate(t, opt, nodes...)
	if want := []string{"std", "used", "m", "m", "below", "unused", "all"}; !slices.Equal(names(drvs), want) {
		t.Fatalf("the derivations are %q, want %q", names(drvs), want)
	}
	m, unused := 3, 5
	check(t, drvs[6], Derivation{
		Name: "all", Outputs: []string{"out"},
		Vars: map[string]Value{"V0": {Drv: &unused, Output: "x"}, "V1": {Drv: &m, Output: "out"}},
	}, action.Unit{Name: "programs", Vars: nil, Steps: []action.Step{
		{Mkdir: "${out}/bin"},
		{Copy: &action.Copy{From: "${V1}/bin/m", To: "${out}/bin/m"}},
	}})

	// Without such packages the program itself is the last one; without a program the
	// last one is empty.
	if drvs := generate(t, opt, nodes[:4]...); len(drvs) != 4 || drvs[3].Name != "all" || len(drvs[3].Vars) < 2 {
		t.Errorf("a program alone: %+v", drvs)
	}
	drvs = generate(t, opt, std("a"), pkg("lib"))
	lib := 1
	check(t, drvs[2], Derivation{Name: "all", Outputs: []string{"out"}, Vars: map[string]Value{"V0": {Drv: &lib, Output: "x"}}},
		action.Unit{Name: "programs", Steps: []action.Step{{Mkdir: "${out}"}}})
	// A module with tests only.
	drvs = generate(t, Options{Libraries: true, Name: "all"})
	check(t, drvs[0], Derivation{Name: "all", Outputs: []string{"out"}, Vars: map[string]Value{}},
		action.Unit{Name: "programs", Steps: []action.Step{{Mkdir: "${out}"}}})
}

// The header of a C library is an output of its own, also if archives are collected.
func TestHeader(t *testing.T) {
	var nodes []*graph.Node
	var refs []int
	for i := range group.MinCollected {
		n := pkg("example.org/m" + string(rune('a'+i)))
		n.Src = &graph.Sources{Dir: ".", Vendored: true}
		nodes, refs = append(nodes, n), append(refs, i)
	}
	main := nodes[group.MinCollected-1]
	main.Header = true
	library := link(main.Name, "lib.a", refs...)
	library.Refs = append(library.Refs, graph.Ref{Node: group.MinCollected - 1, Output: graph.Header})
	drvs := generate(t, Options{}, append(nodes, library)...)
	if len(drvs) != group.MinCollected+2 {
		t.Fatalf("the derivations are %q", names(drvs))
	}
	d := drvs[group.MinCollected-1]
	if want := []string{"out", "x", "h"}; !slices.Equal(d.Outputs, want) {
		t.Errorf("the outputs are %q, want %q", d.Outputs, want)
	}
	u := units(t, d)[0]
	if u.Vars["HEADER"] != "${h}" || !slices.ContainsFunc(u.Steps, func(s action.Step) bool { return s.Mkdir == "${h}" }) {
		t.Errorf("the header's directory is not made: %+v", u)
	}
	last := drvs[len(drvs)-1]
	u = units(t, last)[0]
	token := strings.Trim(u.Vars["R16"], "${}")
	if v := last.Vars[token]; v.Drv == nil || *v.Drv != group.MinCollected-1 || v.Output != "h" || u.Vars["BIN"] != "${out}/bin" {
		t.Errorf("the link has %+v, %+v", u.Vars, last.Vars)
	}
	_, err := Generate(&graph.Graph{Nodes: nodes}, Options{Groups: []group.Group{{Name: "m", Nodes: refs}}})
	if err == nil || !strings.Contains(err.Error(), "a package with a header cannot share a derivation") {
		t.Errorf("the error is %v", err)
	}
}
