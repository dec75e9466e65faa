package planfile

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// ref returns the name of an output of a node in the file.
func (w *writer) ref(r graph.Ref) string {
	if r.Output == graph.Export {
		return w.key(r.Node)
	}
	return w.key(r.Node) + ">" + string(r.Output)
}

// lists are the options whose value is a list of escaped elements.
const lists = "rtLPm"

// optionFields returns the fields at the end of a line, KEY=VALUE, sorted.
func optionFields(options map[string]string) string {
	fields := ""
	for _, k := range slices.Sorted(maps.Keys(options)) {
		value := options[k]
		if !strings.Contains(lists, k) {
			value = escape(value)
		}
		fields += " " + k + "=" + value
	}
	return fields
}

// partOfPackage writes the line of a Cgo, Objects or Ask node.
func (w *writer) partOfPackage(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	options := map[string]string{"c": "1"}
	switch {
	case len(node.Trees) > 0:
		options["T"] = strconv.Itoa(len(node.Trees))
	case node.Kind == graph.Cgo:
		options["c"] = "2" // it runs no C compiler itself
	}
	if err := w.trees(n, options); err != nil {
		return err
	}
	var refs []string
	for _, r := range node.Refs {
		refs = append(refs, w.ref(r))
	}
	line := w.kind(n, "node") + " " + w.key(n) + " " + w.template(steps) + " " + strings.Join(refs, ",")
	if len(refs) == 0 {
		line += "-"
	}
	w.f.Nodes = append(w.f.Nodes, line+optionFields(options))
	return nil
}

// trees sets the options for the sources of a node: t, a list of modules (@), files of a
// directory (+), and directories with exclusions (-); and y if they are copied.
func (w *writer) trees(n int, options map[string]string) error {
	node, bound := w.p.Graph.Nodes[n], w.p.Bound[n]
	var trees []string
	name := node.Name
	if node.Kind == graph.Test {
		name += "-testdata"
	}
	for _, b := range bound {
		if b.Copy != bound[0].Copy {
			return fmt.Errorf("some of its sources are links and others copies: leave out `plan`")
		}
		var fields []string
		switch m := w.moduleAt(b); {
		case m != nil:
			fields = []string{"@" + m.Dir}
		case b.Tree == nil || b.Tree.Name != nar.Name(name) || b.Tree.Root != filepath.Join(w.p.Src, filepath.FromSlash(b.At)):
			return fmt.Errorf("dgd cannot write its sources to a plan in a file: leave out `plan`")
		case b.Tree.Files != nil:
			fields = append([]string{"+" + b.At}, b.Tree.Files...)
		default:
			fields = append([]string{"-" + b.At}, b.Tree.Exclude...)
		}
		trees = append(trees, list(fields))
	}
	if len(trees) > 0 {
		options["t"] = strings.Join(trees, ";")
		if bound[0].Copy {
			options["y"] = "1"
		}
	}
	return nil
}
