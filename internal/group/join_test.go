package group

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/bind"
	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// Joined sets of any graph do not depend on each other in a circle, and every node is
// in one set.
func TestJoinHasNoCircle(t *testing.T) {
	for seed := range uint64(500) {
		g, modules := random(seed)
		r := rand.New(rand.NewPCG(seed, 1))
		p := partitionOf(g, clusters(g, modules, none))
		for range 2 { // the second time, joined sets are joined
			chosen := make([]bool, len(p.sets))
			for i := range chosen {
				chosen[i] = r.IntN(3) > 0
			}
			p = p.join(chosen, grain{every: 1 + r.Uint32N(8), limit: int64(r.IntN(40))})
			if left := circle(p); left != nil {
				t.Fatalf("seed %d: %v depend on each other in a circle", seed, left)
			}
			if all := slices.Sorted(slices.Values(slices.Concat(p.sets...))); len(all) != len(g.Nodes) || len(slices.Compact(all)) != len(all) {
				t.Fatalf("seed %d: %v are not %d nodes", seed, all, len(g.Nodes))
			}
		}
	}
}

func TestJoin(t *testing.T) {
	const never = 1 << 31 // no name here ends a set with this grain
	for _, test := range []struct {
		name   string
		g      *graph.Graph
		sets   [][]int
		chosen string // by set, "x" if it is chosen; sets of one node come last
		limit  int64
		want   [][]int
	}{
		{"side by side", chain(nil, nil, nil), nil, "xxx", 3, [][]int{{0, 1, 2}}},
		{"not chosen", chain(nil, nil, nil), nil, "x-x", 3, [][]int{{1}, {0, 2}}},
		{"too heavy together", chain(nil, nil, nil), nil, "xxx", 2, [][]int{{0, 1}, {2}}},
		{"heavy alone", chain(nil, nil), nil, "xx", 0, [][]int{{0}, {1}}},
		{"one on the other", chain(nil, []int{0}), nil, "xx", 9, [][]int{{0}, {1}}},
		{"on another by way of what is not chosen", chain(nil, []int{0}, []int{1}), nil, "x-x", 9, [][]int{{1}, {0}, {2}}},
		{"on what is not chosen", chain(nil, []int{0}, nil), nil, "-xx", 9, [][]int{{0}, {1, 2}}},
		{"sets", chain(nil, []int{0}, nil, []int{2}), [][]int{{0, 1}, {2, 3}}, "xx", 9, [][]int{{0, 1, 2, 3}}},
	} {
		for i, n := range test.g.Nodes {
			n.Name, n.Weight = fmt.Sprint("p", i), 1
		}
		var chosen []bool
		for _, c := range test.chosen {
			chosen = append(chosen, c == 'x')
		}
		if got := partitionOf(test.g, test.sets).join(chosen, grain{every: never, limit: test.limit}); !reflect.DeepEqual(got.sets, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got.sets, test.want)
		}
	}
}

// large returns a main module with count packages in ten layers, each of which imports
// some of the layer below, and their sources. The package without is left out.
func large(count int, without string) (*graph.Graph, map[int][]bind.Bound) {
	g, bound := &graph.Graph{}, map[int][]bind.Bound{}
	index := map[string]int{}
	r := rand.New(rand.NewPCG(uint64(count), 0))
	for i := range count {
		layer, at := i*10/count, i%(count/10)
		n := &graph.Node{Kind: graph.Package, Name: fmt.Sprintf("m/layer%d/p%05d", layer, at), Src: &graph.Sources{}, Weight: 700}
		n.Src.Dir = strings.TrimPrefix(n.Name, "m/")
		for range 3 {
			below := fmt.Sprintf("m/layer%d/p%05d", layer-1, r.IntN(count/10))
			if j, ok := index[below]; ok {
				n.Refs = append(n.Refs, graph.Ref{Node: j, Output: graph.Export})
			}
		}
		if n.Name == without {
			continue
		}
		index[n.Name] = len(g.Nodes)
		bound[len(g.Nodes)] = []bind.Bound{{At: n.Src.Dir, Tree: &nar.Tree{Files: []string{"a.go"}}}}
		g.Nodes = append(g.Nodes, n)
	}
	return g, bound
}

// Many packages of a main module share derivations, and never so many that the text of
// one, of which Nix keeps a copy for each output, is long.
func TestOwnPackages(t *testing.T) {
	for count, most := range map[int]int{250: 250, 1000: 140, 10000: 900} {
		g, bound := large(count, "")
		groups, err := Packages(g, bound, "auto")
		if err != nil {
			t.Fatal(err)
		}
		derivations := count
		for _, group := range groups {
			derivations -= len(group.Nodes) - 1
			if len(group.Nodes) > mostOwn {
				t.Errorf("%s has %d packages", group.Name, len(group.Nodes))
			}
			if !group.Split || !group.Apart || group.Several {
				t.Errorf("%s: %+v", group.Name, group)
			}
		}
		if derivations > most {
			t.Errorf("%d packages make %d derivations, want at most %d", count, derivations, most)
		}
		if groups, err := Packages(g, bound, "module"); err != nil || groups != nil {
			t.Errorf("by modules, groups are %v, %v", groups, err)
		}
	}
}

// Light third-party modules share derivations if there are many. Heavy ones never do.
func TestLightModules(t *testing.T) {
	for _, test := range []struct {
		count, derivations int
		weight             int64
	}{
		{manyLight, manyLight, 100},
		{2 * manyLight, 20, 100},
		{2 * manyLight, 2 * manyLight, lightLimit/4 + 1},
		{lightGroups, lightGroups, 64 << 10},
		// Of so much, what is twice as heavy counts as light.
		{4 * lightGroups, lightGroups + 100, 64 << 10},
		{16 * lightGroups, lightGroups + 400, 64 << 10},
	} {
		g, bound := &graph.Graph{}, map[int][]bind.Bound{}
		for i := range test.count {
			name := fmt.Sprintf("example.org/m%d", i)
			n := third(name)
			n.Weight = test.weight
			g.Nodes = append(g.Nodes, n)
			bound[i] = []bind.Bound{{At: "vendor/" + name, Path: "/store/" + name}}
		}
		groups, err := Packages(g, bound, "auto")
		if err != nil {
			t.Fatal(err)
		}
		derivations := test.count
		for _, group := range groups {
			derivations -= len(group.Nodes) - 1
			if !group.Split || !group.Several || group.Apart || !strings.Contains(group.Name, "+") {
				t.Errorf("%+v", group)
			}
		}
		if derivations > test.derivations || test.derivations == test.count && groups != nil {
			t.Errorf("%d modules of %d bytes make %d derivations, want %d", test.count, test.weight, derivations, test.derivations)
		}
	}
}

// A new package moves few others.
func TestOwnPackagesStay(t *testing.T) {
	sets := func(without string) map[string]bool {
		g, bound := large(1000, without)
		groups, err := Packages(g, bound, "auto")
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, group := range groups {
			var names []string
			for _, n := range group.Nodes {
				names = append(names, g.Nodes[n].Name)
			}
			all[strings.Join(names, " ")] = true
		}
		return all
	}
	after := sets("")
	moved, tries := 0, 0
	for i := 0; i < 1000; i += 13 {
		before := sets(fmt.Sprintf("m/layer%d/p%05d", i/100, i%100))
		for set := range after {
			if !before[set] {
				moved++
			}
		}
		tries++
	}
	if most := 5 * tries / 2; moved > most {
		t.Errorf("%d new packages change %d of %d groups, want at most %d", tries, moved, len(after), most)
	}
}
