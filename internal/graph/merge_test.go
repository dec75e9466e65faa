package graph

import (
	"reflect"
	"slices"
	"testing"

	"dgd/internal/action"
)

func node(name string, std bool, flag string, refs ...int) *Node {
	n := &Node{Kind: Package, Name: name, Std: std, Steps: []action.Step{{Run: &action.Run{Args: []string{"compile", flag}}}}}
	for _, r := range refs {
		n.Refs = append(n.Refs, Ref{Node: r, Output: Export})
	}
	if !std {
		n.Src = &Sources{Dir: ".", Files: []string{"x.go"}}
	}
	return n
}

func TestMerge(t *testing.T) {
	std := []*Node{node("errors", true, ""), node("io", true, "", 0), node("unused", true, "", 1)}
	file := &Node{Kind: File, Name: "preprofile"}
	cgo := node("io", true, "", 0)
	cgo.Cgo = true
	link := node("io", true, "", 0)
	link.Kind = Link
	archive := node("io", true, "")
	archive.Refs = []Ref{{0, Archive}}
	src := node("io", true, "", 0)
	src.Src = &Sources{Dir: "."}
	for _, test := range []struct {
		name        string
		std, nodes  []*Node
		want        []*Node
		shared, own []int
	}{
		{name: "empty"},
		{
			name:  "the same, in another order",
			std:   std,
			nodes: []*Node{node("m/first", false, ""), node("errors", true, ""), node("io", true, "", 1), node("m", false, "", 2, 0, 1)},
			want:  append(slices.Clone(std[:2]), node("m/first", false, ""), node("m", false, "", 1, 2, 0)),

			shared: []int{0, 1},
		},
		{
			name:  "nothing is the same",
			std:   std,
			nodes: []*Node{node("errors", true, "-race"), node("io", true, "", 0), node("m", false, "", 1, 0)},
			want:  []*Node{node("errors", true, "-race"), node("io", true, "", 0), node("m", false, "", 1, 0)},
			own:   []int{0, 1},
		},
		{
			name:   "a package that nothing below is based on",
			std:    std,
			nodes:  []*Node{node("errors", true, ""), node("io", true, "-tags", 0), node("m", false, "", 1, 0)},
			want:   append(slices.Clone(std[:2]), node("io", true, "-tags", 0), node("m", false, "", 2, 0)),
			shared: []int{0, 1},
			own:    []int{2},
		},
		{
			name:   "a package that is not in std",
			std:    std,
			nodes:  []*Node{node("errors", true, ""), node("runtime/race", true, "", 0)},
			want:   append(slices.Clone(std[:2]), node("runtime/race", true, "", 0)),
			shared: []int{0, 1},
			own:    []int{2},
		},
		{
			name:   "the author's own package of the same name and steps",
			std:    std,
			nodes:  []*Node{node("errors", true, ""), node("io", false, "", 0)},
			want:   append(slices.Clone(std[:2]), node("io", false, "", 0)),
			shared: []int{0, 1},
		},
		{
			name:   "other refs",
			std:    std,
			nodes:  []*Node{node("errors", true, ""), node("io", true, "", 0, 0), cgo, link, archive, src},
			want:   append(slices.Clone(std[:2]), node("io", true, "", 0, 0), cgo, link, archive, src),
			shared: []int{0, 1},
			own:    []int{2, 3, 4, 5, 6},
		},
		{
			name:   "a package of a rest",
			std:    std,
			nodes:  []*Node{node("errors", true, ""), node("io", true, "", 0), node("unused", true, "", 1)},
			want:   std,
			shared: []int{0, 1, 2},
		},
		{
			name:  "no std",
			nodes: []*Node{file, node("errors", true, ""), node("m", false, "", 1)},
			want:  []*Node{file, node("errors", true, ""), node("m", false, "", 1)},
			own:   []int{1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := &Graph{test.nodes}
			before := show(&Node{Steps: nil}) + showAll(program)
			parts := []Part{{"std", []int{0, 1}}, {"std-unused", []int{2}}}
			if test.std == nil {
				parts = nil
			}
			g, parts, own, err := Merge(&Graph{test.std}, program, parts)
			if err != nil {
				t.Fatal(err)
			}
			shared := nodesOf(parts)
			checkNodes(t, g, test.want...)
			if !slices.Equal(shared, test.shared) || !slices.Equal(own, test.own) {
				t.Errorf("%v are shared and %v own, want %v and %v", shared, own, test.shared, test.own)
			}
			if after := show(&Node{Steps: nil}) + showAll(program); after != before {
				t.Errorf("the program's graph was changed from\n%s to\n%s", before, after)
			}
		})
	}

	_, _, _, err := Merge(&Graph{std}, &Graph{[]*Node{node("a", false, "", 1), node("b", false, "")}}, eachAlone(std))
	if want := "a refers to a node that comes later"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// A program that is built with the flags of std shares all of std, and a program with
// other flags shares nothing.
func TestMergeRecorded(t *testing.T) {
	load := func(name string) *Graph {
		t.Helper()
		file := "../buildscript/testdata/scripts/go1.26/linux-amd64-" + name + ".txt.gz"
		return newGraphOf(t, readRecorded(t, file), recordedOptions(file))
	}
	std := func(g *Graph) *Graph {
		var out Graph
		at := map[int]int{}
		for i, n := range g.Nodes {
			if !n.Std {
				continue
			}
			n := *n
			n.Refs = slices.Clone(n.Refs)
			for j := range n.Refs {
				n.Refs[j].Node = at[n.Refs[j].Node]
			}
			at[i] = len(out.Nodes)
			out.Nodes = append(out.Nodes, &n)
		}
		return &out
	}
	pure, race := load("pure"), load("pure-race")
	base := std(pure)
	g, parts, own, err := Merge(base, pure, eachAlone(base.Nodes))
	if err != nil {
		t.Fatal(err)
	}
	shared := nodesOf(parts)
	if len(shared) != len(base.Nodes) || len(own) != 0 || len(g.Nodes) != len(pure.Nodes) {
		t.Errorf("of %d packages %d are shared, %d are not", len(base.Nodes), len(shared), len(own))
	}
	checkGraph(t, g)
	if embed := load("embed"); true {
		g, _, own, err := Merge(base, embed, eachAlone(base.Nodes))
		if err != nil {
			t.Fatal(err)
		}
		// The packages that only embed needs.
		for _, i := range own {
			for _, n := range base.Nodes {
				if n.Name == g.Nodes[i].Name {
					t.Errorf("%s is there twice", n.Name)
				}
			}
		}
		checkGraph(t, g)
	}
	g, parts, own, err = Merge(base, race, eachAlone(base.Nodes))
	if err != nil || len(parts) != 0 || len(own) != len(std(race).Nodes) || !reflect.DeepEqual(g.Nodes, race.Nodes) {
		t.Errorf("with -race %d parts are shared, %d packages are not (%v)", len(parts), len(own), err)
	}
}

// A part is used if one of its nodes is, or another part needs one.
func TestUsedParts(t *testing.T) {
	std := &Graph{[]*Node{
		node("internal/cpu", true, ""),           // 0
		node("fmt", true, "", 0),                 // 1
		node("go/scanner", true, "", 1),          // 2
		node("crypto/tls", true, "", 1),          // 3
		node("go/format", true, "", 2),           // 4
		node("internal/shared", true, "", 0),     // 5
		node("internal/deep", true, "", 5),       // 6
		node("x/internal/alone", true, "", 6, 1), // 7
		node("archive/zip", true, "", 7),         // 8
		node("net/http/cgi", true, "", 3, 5, 8),  // 9
	}}
	all := []Part{
		{"std", []int{0, 1}}, {"std-go", []int{2, 4}}, {"std-tls", []int{3}},
		{"std-internal/shared", []int{5}}, {"std-archive/zip", []int{6, 7, 8}}, {"std-net/http/cgi", []int{9}},
	}
	for _, test := range []struct {
		used []int
		want []Part
	}{
		{nil, nil},
		{[]int{0}, all[:1]},
		{[]int{4}, all[:2]},
		{[]int{3}, []Part{all[0], all[2]}},
		{[]int{8}, []Part{all[0], all[3], all[4]}},
		{[]int{4, 9}, all},
	} {
		used := make([]bool, len(std.Nodes))
		for _, n := range test.used {
			used[n] = true
		}
		if got := usedParts(std, all, used); !reflect.DeepEqual(got, test.want) {
			t.Errorf("where %v is used: %v, want %v", test.used, got, test.want)
		}
	}
}

// eachAlone makes a part of each node.
func eachAlone(nodes []*Node) []Part {
	var parts []Part
	for i, n := range nodes {
		parts = append(parts, Part{n.Name, []int{i}})
	}
	return parts
}

// nodesOf are the nodes of all parts, sorted.
func nodesOf(parts []Part) []int {
	var nodes []int
	for _, p := range parts {
		nodes = append(nodes, p.Nodes...)
	}
	slices.Sort(nodes)
	return nodes
}

func showAll(g *Graph) string {
	s := ""
	for _, n := range g.Nodes {
		s += show(n)
	}
	return s
}
