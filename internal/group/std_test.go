package group

import (
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/graph"
)

func node(name string, refs ...int) *graph.Node {
	n := chain(refs).Nodes[0]
	n.Name, n.Std = name, true
	return n
}

func TestStd(t *testing.T) {
	std := &graph.Graph{Nodes: []*graph.Node{
		node("internal/cpu"),            // 0
		node("fmt", 0),                  // 1
		node("go/scanner", 1),           // 2
		node("crypto/tls", 1),           // 3
		node("go/format", 2),            // 4
		node("net/http", 3, 1),          // 5
		node("internal/shared", 0),      // 6
		node("internal/deep", 6),        // 7
		node("x/internal/alone", 7, 1),  // 8
		node("archive/zip", 8),          // 9
		node("net/http/cgi", 5, 6, 9),   // 10
		node("vendor/example.org/x", 5), // 11
		node("vendorless", 11, 6),       // 12
	}}
	want := []Group{
		{Name: "std", Nodes: []int{0, 1}}, {Name: "std-go", Nodes: []int{2, 4}}, {Name: "std-tls", Nodes: []int{3}}, {Name: "std-http", Nodes: []int{5}},
		{Name: "std-internal/shared", Nodes: []int{6}}, {Name: "std-archive/zip", Nodes: []int{7, 8, 9}},
		{Name: "std-net/http/cgi", Nodes: []int{10}}, {Name: "std-vendorless", Nodes: []int{11, 12}},
	}
	for i := range want {
		want[i].Std = true
	}
	if got := Std(std); !reflect.DeepEqual(got, want) {
		t.Errorf("the parts are %v, want %v", got, want)
	}
}

// The parts of Go's own standard library have all of its packages, and each depends on
// earlier parts only.
func TestStdIsWhole(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := &graph.Graph{}
	index := map[string]int{"unsafe": -1, "C": -1}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if words[0] == "unsafe" {
			continue
		}
		var refs []int
		for _, name := range words[1:] {
			r, ok := index[name]
			if !ok {
				t.Fatalf("%s imports %s, which comes later", words[0], name)
			}
			if r >= 0 {
				refs = append(refs, r)
			}
		}
		index[words[0]] = len(std.Nodes)
		std.Nodes = append(std.Nodes, node(words[0], refs...))
	}
	partOf := map[int]int{}
	for i, p := range Std(std) {
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
	if len(partOf) != len(std.Nodes) || len(partOf) < 200 {
		t.Errorf("%d of %d packages are in a part", len(partOf), len(std.Nodes))
	}
}

// Go has each package that the list of roots names.
func TestStdRoots(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(out))
	for _, p := range common {
		for _, root := range p.roots {
			if !slices.Contains(known, root) {
				t.Errorf("the standard library has no package %s", root)
			}
		}
	}
}
