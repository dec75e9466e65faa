package drvgen

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// linked is a graph of packages of one kind, and the link of all of them.
func linked(n int, vendored bool) []*graph.Node {
	var nodes []*graph.Node
	var refs []int
	for i := range n {
		p := pkg(fmt.Sprintf("m/p%d", i))
		p.Src = &graph.Sources{Dir: "p", Vendored: vendored}
		nodes = append(nodes, p)
		refs = append(refs, i)
	}
	return append(nodes, link("m", "m", refs...))
}

func TestCollectThirdParty(t *testing.T) {
	drvs := generate(t, Options{Name: "program"}, linked(group.MinCollected, true)...)
	if len(drvs) != group.MinCollected+2 {
		t.Fatalf("%d derivations: %v", len(drvs), names(drvs))
	}
	archives, last := drvs[group.MinCollected], drvs[group.MinCollected+1]
	if archives.Name != "archives" || len(archives.Vars) != group.MinCollected {
		t.Errorf("%s has %d variables", archives.Name, len(archives.Vars))
	}
	u := units(t, archives)
	want := action.Source{At: "${out}/m/p1@.a", From: "${V1}"}
	if len(u) != 1 || len(u[0].Sources) != group.MinCollected || u[0].Sources[1] != want {
		t.Errorf("the units are %+v", u)
	}
	// The link has nothing but the toolchain and the collection.
	index := group.MinCollected
	wantVars := map[string]Value{
		"GOROOT": {Input: Go, Suffix: "/share/go"},
		"V0":     {Drv: &index, Output: "out"},
	}
	if !reflect.DeepEqual(last.Vars, wantVars) {
		t.Errorf("the link's variables are %+v", last.Vars)
	}
	if got := units(t, last)[0].Vars["R1"]; got != "${V0}/m/p1@.a" {
		t.Errorf("the link finds an archive at %s", got)
	}
}

func TestCollectNot(t *testing.T) {
	for _, nodes := range [][]*graph.Node{linked(group.MinCollected-1, true), linked(group.MaxOwn, false)} {
		if drvs := generate(t, Options{Name: "program"}, nodes...); len(drvs) != len(nodes) {
			t.Errorf("%d nodes, %d derivations", len(nodes), len(drvs))
		}
	}
}

// The link of a program with many packages of its own refers to a few collections. A new
// package changes one of them.
func TestCollectOwn(t *testing.T) {
	few := generate(t, Options{Name: "program"}, linked(group.MaxOwn+200, false)...)
	more := generate(t, Options{Name: "program"}, linked(group.MaxOwn+201, false)...)
	var specs []string
	for _, d := range few {
		if d.Name == "archives" {
			specs = append(specs, d.Spec)
		}
	}
	if last := few[len(few)-1]; len(last.Vars) != len(specs)+1 || len(specs) > group.Buckets {
		t.Errorf("the link has %d variables for %d collections", len(last.Vars), len(specs))
	}
	changed := 0
	for _, d := range more {
		if d.Name == "archives" && !slices.Contains(specs, d.Spec) {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("a package more changes %d collections", changed)
	}
}

func TestCollectTwice(t *testing.T) {
	nodes := linked(group.MinCollected, true)
	nodes[1].Name = nodes[0].Name
	_, err := Generate(&graph.Graph{Nodes: nodes}, Options{Goroot: "share/go", Name: "program"})
	if err == nil || err.Error() != "m: a program with two packages m/p0" {
		t.Errorf("the error is %v", err)
	}
}

// An importer of a package in a split group gets the export data of that package only.
func TestSplitGroup(t *testing.T) {
	drvs := generate(t, Options{
		Name:   "program",
		Groups: []group.Group{{Name: "mod", Nodes: []int{0, 1}, Split: true}},
	}, pkg("mod/a"), pkg("mod/b", 0), pkg("c", 1), link("c", "c", 0, 1, 2))
	if got, want := names(drvs), []string{"mod", "c", "program"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if want := []string{"out", "x0", "x1"}; !reflect.DeepEqual(drvs[0].Outputs, want) {
		t.Errorf("the outputs are %v, want %v", drvs[0].Outputs, want)
	}
	u := units(t, drvs[0])
	if want := (action.Vars{"ARCHIVE": "${out}/mod/b@.a", "EXPORT": "${x1}", "R0": "${x0}"}); !reflect.DeepEqual(u[1].Vars, want) {
		t.Errorf("the variables of mod/b are %v, want %v", u[1].Vars, want)
	}
	group := 0
	if want := (Value{Drv: &group, Output: "x1"}); !reflect.DeepEqual(drvs[1].Vars["V0"], want) {
		t.Errorf("c refers to %+v, want %+v", drvs[1].Vars["V0"], want)
	}
	if got := units(t, drvs[2])[0].Vars; got["R0"] != "${V0}/mod/a@.a" || got["R1"] != "${V0}/mod/b@.a" {
		t.Errorf("the link finds the archives at %v", got)
	}
}

// A group with Apart has two outputs for each package, and one with symlinks to all
// archives. A link that needs all of them refers to that one only.
func TestApartGroup(t *testing.T) {
	drvs := generate(t, Options{
		Name:      "p",
		Groups:    []group.Group{{Name: "a+1", Nodes: []int{0, 1}, Split: true, Apart: true}},
		Libraries: true,
	}, pkg("a"), pkg("b"), pkg("m", 1), link("m", "m", 0, 1, 2), link("n", "n", 1, 2))
	if want := []string{"out", "a0", "x0", "a1", "x1"}; !slices.Equal(drvs[0].Outputs, want) {
		t.Errorf("the outputs are %q, want %q", drvs[0].Outputs, want)
	}
	u := units(t, drvs[0])
	want := []action.Unit{
		{Vars: action.Vars{"ARCHIVE": "${a0}", "EXPORT": "${x0}"}, Sources: []action.Source{{At: "${out}/a@.a", From: "${a0}"}}},
		{Vars: action.Vars{"ARCHIVE": "${a1}", "EXPORT": "${x1}"}, Sources: []action.Source{{At: "${out}/b@.a", From: "${a1}"}}},
	}
	for i, w := range want {
		if !reflect.DeepEqual(u[i].Vars, w.Vars) || !reflect.DeepEqual(u[i].Sources, w.Sources) {
			t.Errorf("unit %d has the variables %v and the sources %v, want %v and %v", i, u[i].Vars, u[i].Sources, w.Vars, w.Sources)
		}
	}
	for i, want := range []map[string]Value{
		1: {"GOROOT": goroot, "V0": drv(0, "x1")},
		2: {"GOROOT": goroot, "V0": drv(0, "out"), "V2": drv(1, "out")},
		3: {"GOROOT": goroot, "V0": drv(0, "a1"), "V1": drv(1, "out")},
	} {
		if want != nil && !reflect.DeepEqual(drvs[i].Vars, want) {
			t.Errorf("%s refers to %v, want %v", drvs[i].Name, drvs[i].Vars, want)
		}
	}
	if vars := units(t, drvs[2])[0].Vars; vars["R0"] != "${V0}/a@.a" || vars["R1"] != "${V0}/b@.a" {
		t.Errorf("the link of all finds the archives at %v", vars)
	}
}

// A collection of many packages of a group refers to the group once.
func TestCollectGroups(t *testing.T) {
	nodes := linked(group.MaxOwn+8, false)
	var groups []group.Group
	for i := 0; i < len(nodes)-1; i += 8 {
		g := group.Group{Name: "g", Split: true, Apart: true}
		for n := range 8 {
			g.Nodes = append(g.Nodes, i+n)
		}
		groups = append(groups, g)
	}
	drvs := generate(t, Options{Name: "program", Groups: groups}, nodes...)
	refs := 0
	for _, d := range drvs {
		if d.Name == "archives" {
			refs += len(d.Vars)
		}
	}
	if refs != len(groups) {
		t.Errorf("the collections refer to %d outputs of %d groups", refs, len(groups))
	}
}
