package graph

import (
	"strings"
	"testing"
)

// If only the standard library has C, its linking tests decide how a program is
// linked. So they have to be the same as those of the go command.
func TestLinkedWithSources(t *testing.T) {
	std := func(linkSrc bool) *Node {
		return &Node{Kind: Package, Name: "net", Std: true, Cgo: true, LinkSrc: linkSrc}
	}
	own := &Node{Kind: Package, Name: "example.com/c", Cgo: true, LinkSrc: true}
	plain := &Node{Kind: Package, Name: "example.com/p"}
	for _, test := range []struct {
		name     string
		packages []*Node
		cgo      bool
		wrong    bool
	}{
		{"without C", []*Node{plain}, false, false},
		{"the standard library's alone", []*Node{std(false), plain}, true, false},
		{"with files of the sources", []*Node{std(true), plain}, true, true},
		{"beside a package with C, which is linked by the C compiler in any case", []*Node{std(true), own}, true, false},
	} {
		b := newBuilder(Options{})
		link := &Node{Kind: Link, Name: "example.com/main"}
		for i, n := range test.packages {
			b.graph.Nodes = append(b.graph.Nodes, n)
			link.Refs = append(link.Refs, Ref{Node: i, Output: Archive})
		}
		b.graph.Nodes = append(b.graph.Nodes, link)
		err := b.markCgoLinks()
		if test.wrong != (err != nil) || err != nil && !strings.Contains(err.Error(), "which net is linked with for a test") {
			t.Errorf("%s: %v", test.name, err)
		}
		if link.Cgo != test.cgo {
			t.Errorf("%s: the link has the C compiler: %v", test.name, link.Cgo)
		}
	}
}
