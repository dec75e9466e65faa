package graph

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestStdParts(t *testing.T) {
	std := &Graph{[]*Node{
		node("internal/cpu", true, ""),            // 0
		node("fmt", true, "", 0),                  // 1
		node("go/scanner", true, "", 1),           // 2
		node("crypto/tls", true, "", 1),           // 3
		node("go/format", true, "", 2),            // 4
		node("net/http", true, "", 3, 1),          // 5
		node("internal/shared", true, "", 0),      // 6
		node("internal/deep", true, "", 6),        // 7
		node("x/internal/alone", true, "", 7, 1),  // 8
		node("archive/zip", true, "", 8),          // 9
		node("net/http/cgi", true, "", 5, 6, 9),   // 10
		node("vendor/example.org/x", true, "", 5), // 11
		node("vendorless", true, "", 11, 6),       // 12
	}}
	all := []Part{
		{"std", []int{0, 1}}, {"std-go", []int{2, 4}}, {"std-tls", []int{3}}, {"std-http", []int{5}},
		{"std-internal/shared", []int{6}}, {"std-archive/zip", []int{7, 8, 9}}, {"std-net/http/cgi", []int{10}}, {"std-vendorless", []int{11, 12}},
	}
	for _, test := range []struct {
		used []int
		want []Part
	}{
		{nil, nil},
		{[]int{0}, all[:1]},
		{[]int{4}, all[:2]},
		{[]int{3}, []Part{all[0], all[2]}},
		{[]int{9}, []Part{all[0], all[4], all[5]}},
		{[]int{4, 10, 12}, all},
	} {
		used := make([]bool, len(std.Nodes))
		for _, n := range test.used {
			used[n] = true
		}
		got := usedParts(std, used)
		if !slices.EqualFunc(got, test.want, func(a, b Part) bool { return a.Name == b.Name && slices.Equal(a.Nodes, b.Nodes) }) {
			t.Errorf("where %v is used: %v, want %v", test.used, got, test.want)
		}
	}
}

// The parts of a real program's standard library are all of it, and each
// depends on those before it.
func TestStdPartsRecorded(t *testing.T) {
	file := "../buildscript/testdata/scripts/go1.26/linux-amd64-net.txt.gz"
	g := newGraphOf(t, readRecorded(t, file), recordedOptions(file))
	std := &Graph{}
	at := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Std {
			at[i] = std.add(n, at)
		}
	}
	partOf := map[int]int{}
	for i, p := range StdParts(std) {
		for _, n := range p.Nodes {
			if _, twice := partOf[n]; twice {
				t.Errorf("%s is in two parts", std.Nodes[n].Name)
			}
			partOf[n] = i
			for _, r := range std.Nodes[n].Refs {
				if needs, ok := partOf[r.Node]; !ok || needs > i {
					t.Errorf("%s of part %s refers to %s, which comes later", std.Nodes[n].Name, p.Name, std.Nodes[r.Node].Name)
				}
			}
		}
	}
	if len(partOf) != len(std.Nodes) {
		t.Errorf("%d of %d packages are in a part", len(partOf), len(std.Nodes))
	}
}

// A root that Go does not have is a mistake in the list.
func TestStdRoots(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(out))
	for _, p := range stdParts {
		for _, root := range p.roots {
			if !slices.Contains(known, root) {
				t.Errorf("the standard library has no package %s", root)
			}
		}
	}
}
