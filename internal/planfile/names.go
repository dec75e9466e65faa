package planfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/graph"
)

// prefixOf returns the import path of a vendored package's module, and the module. For
// other nodes it returns "" and nil.
func (w *writer) prefixOf(n int) (prefix string, m *Module) {
	of, ok := w.module[n]
	if !ok {
		of.prefix, of.module = findModule(w.p.Graph.Nodes[n], w.p.Modules)
		w.module[n] = of
	}
	return of.prefix, of.module
}

// A moduleOf is a result of prefixOf.
type moduleOf struct {
	prefix string
	module *Module
}

// findModule is prefixOf for a node. Modules are sorted with the longest Dir first.
func findModule(node *graph.Node, modules []Module) (prefix string, m *Module) {
	if node.Src == nil || !node.Src.Vendored {
		return "", nil
	}
	rel := strings.TrimPrefix(node.Src.Dir, "vendor/")
	name, _, _ := strings.Cut(node.Name, " ")
	for i := range modules {
		m := &modules[i]
		if !bind.InDir(rel, m.Dir) {
			continue
		}
		below := strings.TrimPrefix(rel[len(m.Dir):], "/")
		if below == "" {
			return name, m
		}
		if prefix, ok := strings.CutSuffix(name, "/"+below); ok {
			return prefix, m
		}
	}
	return "", nil
}

// modules writes the modules that packages come from, with short names.
func (w *writer) modules() {
	w.versions, w.lang = map[string]string{}, map[string]string{}
	slices.SortStableFunc(w.p.Modules, func(a, b Module) int { return len(b.Dir) - len(a.Dir) })
	used := map[string]*Module{}
	langs := map[string]map[string]int{}
	for n, node := range w.p.Graph.Nodes {
		prefix, m := w.prefixOf(n)
		if m == nil {
			prefix = w.mainOf(node.Name)
		}
		if node.Kind == graph.Package && !node.Std && prefix != "" {
			if langs[prefix] == nil {
				langs[prefix] = map[string]int{}
			}
			langs[prefix][langOf(node)]++
		}
		if m != nil {
			used[prefix] = m
			w.versions[prefix] = cmp.Or(w.versions[prefix], m.version(node, prefix))
		}
	}
	w.useBound(used)
	prefixes := slices.AppendSeq(slices.Clone(w.p.Mains), maps.Keys(used))
	slices.Sort(prefixes)
	prefixes = slices.Compact(prefixes)
	for prefix, alias := range aliases(prefixes) {
		w.alias[prefix] = alias
		lang := ""
		for l, count := range langs[prefix] {
			if best := langs[prefix][lang]; count > best || count == best && l > lang {
				lang = l
			}
		}
		w.lang[prefix] = lang
		line := "module " + alias + " " + escape(prefix) + " "
		if m := used[prefix]; m != nil {
			line += escape(m.Dir)
		} else {
			line += "-"
		}
		if lang == "" {
			lang = "-"
		}
		line += " " + lang
		if m := used[prefix]; m != nil && m.Root != "" {
			line += " " + escape(m.Root) + " " + escape(m.Name) + " " + list(m.Exclude) + " " + cmp.Or(escape(w.versions[prefix]), "-")
		}
		w.f.Modules = append(w.f.Modules, line)
	}
}

// version returns the version with an "@", or "" if a directory replaces the module. It
// is the text after the module's path in the file names that the compiler writes for a
// package. The Dir of a fetched module has it; in a vendor directory only -trimpath does.
func (m *Module) version(node *graph.Node, prefix string) string {
	if m.Root == "" {
		if i := strings.Index(m.Dir, "@"); i >= 0 {
			return m.Dir[i:]
		}
		return ""
	}
	c := compileOf(node)
	if c == nil {
		return ""
	}
	i := slices.Index(c.Args, "-trimpath")
	if i < 0 || i+1 == len(c.Args) {
		return ""
	}
	as, ok := strings.CutPrefix(c.Args[i+1], dirOf(node)+"=>"+action.Escape(prefix)+"@")
	if !ok {
		return ""
	}
	return "@" + as[:strings.IndexAny(as+";", "/;")]
}

// useBound adds modules of a vendor directory that nodes read, but that have no package
// in the plan.
func (w *writer) useBound(used map[string]*Module) {
	known := map[*Module]bool{}
	for _, m := range used {
		known[m] = true
	}
	for _, bound := range w.p.Bound {
		for _, b := range bound {
			if m := w.moduleAt(b); m != nil && m.Root != "" && !known[m] {
				used[m.Dir], known[m] = m, true
			}
		}
	}
}

// moduleAt returns the module that a bound source is, or nil.
func (w *writer) moduleAt(b bind.Bound) *Module {
	for i := range w.p.Modules {
		if m := &w.p.Modules[i]; m.is(b) {
			return m
		}
	}
	return nil
}

// is reports whether a bound source is the module.
func (m *Module) is(b bind.Bound) bool {
	return b.Tree == nil && b.Path == m.Store && b.At == "vendor/"+m.Dir
}

// aliases returns the short name of each module: the shortest end of its path, in whole
// elements, that no other module has. It does not change when modules with other ends are
// added.
func aliases(paths []string) map[string]string {
	end := func(p string, n int) string {
		elems := strings.Split(p, "/")
		return strings.Join(elems[max(0, len(elems)-n):], "/")
	}
	count := map[string]int{}
	for _, p := range paths {
		for n := 1; n <= strings.Count(p, "/")+1; n++ {
			count[end(p, n)]++
		}
	}
	names := map[string]string{}
	for _, p := range paths {
		n := 1
		for n <= strings.Count(p, "/") && (count[end(p, n)] > 1 || len(end(p, n)) < 3) {
			n++
		}
		names[p] = escape(end(p, n))
	}
	return names
}

// mainOf returns the path of the main module that a package belongs to, or "".
func (w *writer) mainOf(name string) string {
	best := ""
	for _, m := range w.p.Mains {
		if bind.InDir(name, m) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// key returns the name of a node in the file.
func (w *writer) key(n int) string {
	node := w.p.Graph.Nodes[n]
	switch node.Kind {
	case graph.Package:
	case graph.Cgo, graph.Ask, graph.Objects:
		return string(node.Kind) + "!" + w.key(w.owner[n]) + "!" + escape(node.Part)
	default:
		return string(node.Kind) + "!" + w.mark(n) + escape(node.Name)
	}
	if node.Std {
		return escape(node.Name)
	}
	return w.mark(n) + w.ofModule(n)
}

// ofModule returns the name of a package in the file: the short name of its module, and
// the path below that.
func (w *writer) ofModule(n int) string {
	node := w.p.Graph.Nodes[n]
	prefix, m := w.prefixOf(n)
	if m == nil {
		prefix = w.mainOf(node.Name)
	}
	alias, ok := w.alias[prefix]
	if !ok {
		return ":" + escape(node.Name)
	}
	rel := strings.TrimPrefix(node.Name, prefix)
	if rel != "" && rel[0] != '/' { // the module's root package compiled for a test: p [p.test]
		return ":" + escape(node.Name)
	}
	rel = strings.TrimPrefix(rel, "/")
	return alias + ":" + escape(rel)
}
