package planfile

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// langOf returns the value of -lang with which a package is compiled, or "".
func langOf(n *graph.Node) string {
	if c := compileOf(n); c != nil {
		for _, a := range c.Args {
			if l, ok := strings.CutPrefix(a, "-lang="); ok {
				return l
			}
		}
	}
	return ""
}

// compileOf returns the run of the Go compiler of a package, or nil.
func compileOf(n *graph.Node) *action.Run {
	for _, s := range n.Steps {
		if s.Run != nil && path.Base(s.Run.Args[0]) == "compile" {
			return s.Run
		}
	}
	return nil
}

// dirOf returns the directory of a package as in steps.
func dirOf(n *graph.Node) string {
	if n.Src.Dir == "." {
		return "${SRC}"
	}
	return "${SRC}/" + action.Escape(n.Src.Dir)
}

// once replaces old by word and reports true, if old occurs exactly once in text.
func once(text, old, word string) (string, bool) {
	if strings.Count(text, old) != 1 {
		return text, false
	}
	return strings.Replace(text, old, word, 1), true
}

// inner returns a string as JSON without the quotes.
func inner(s string) string {
	text, err := drvgen.Canonical(s)
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(text[1 : len(text)-1])
}

// pkg writes the line of a package.
func (w *writer) pkg(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	c := compileOf(node)
	prefix, m := w.prefixOf(n)
	if c == nil || node.Src == nil || node.Src.Vendored && m == nil {
		return fmt.Errorf("dgd cannot write how it is compiled to a plan in a file: leave out `plan`")
	}
	if m == nil {
		prefix = w.mainOf(node.Name)
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(node.Name, prefix), "/")
	options := map[string]string{}

	dir := dirOf(node)
	files, quoted := compiledFiles(c, dir)
	steps, ok := once(steps, strings.Join(quoted, ","), "@FILES@")
	if !ok || len(files) == 0 { // cgo or cover has made other files, which are in the template
		files = nil
	}
	imports, others, config, err := w.refersTo(n)
	if err != nil {
		return err
	}
	if config != "" {
		if steps, ok = once(steps, inner(config), "@IMPORTS@"); !ok {
			return fmt.Errorf("its import config does not agree with its references: leave out `plan`")
		}
	}
	as := importName(node)
	if m != nil {
		as = prefix + w.versions[prefix]
		if rel != "" {
			as += "/" + rel
		}
	}
	steps = strings.ReplaceAll(steps, `"-trimpath","`+inner(dir+"=>"+action.Escape(as))+";", `"-trimpath","@TRIM@;`)
	steps = strings.ReplaceAll(steps, `"-p","`+inner(action.Escape(importName(node)))+`"`, `"-p","@NAME@"`)
	lang := langOf(node)
	if lang != "" {
		steps, _ = once(steps, `"-lang=`+inner(lang)+`"`, `"-lang=@LANG@"`)
		if lang != w.lang[prefix] {
			options["l"] = lang
		}
	}
	steps = embedded(node, dir, steps, options)
	if len(others) > 0 {
		options["r"] = strings.Join(others, ",")
	}
	if node.Cgo {
		options["c"] = "1"
	}
	if node.LinkSrc {
		options["L"] = "1"
	}
	steps = strings.ReplaceAll(steps, `"`+inner(dir)+"/", `"@DIR@/`)
	if err := w.sources(n, m, files, options); err != nil {
		return err
	}
	if native, ok := w.p.Native[node.Name]; ok {
		options["n"], options["N"] = native.Digest, native.Dir
	}
	if w.label[n] != "" {
		options["g"] = w.label[n]
	}
	for _, dir := range []string{options["s"], options["v"]} {
		if dir != "" {
			options["d"] = w.digest(n, dir)
		}
	}
	line := w.kind(n, "package") + " " + w.key(n) + " " + w.template(steps) + " " + list(goNames(files)) + " " + strings.Join(imports, ",")
	if len(imports) == 0 {
		line += "-"
	}
	w.f.Nodes = append(w.f.Nodes, line+optionFields(options))
	return nil
}

// compiledFiles returns the files of the directory dir among the arguments of the compile
// c: their names, and the arguments as JSON.
func compiledFiles(c *action.Run, dir string) (files, quoted []string) {
	for _, a := range c.Args[slices.Index(c.Args, "-pack")+1:] {
		f, ok := strings.CutPrefix(a, dir+"/")
		if (!ok || strings.Contains(f, "/")) && len(files) == 0 {
			continue // a flag after -pack
		}
		if !ok || strings.Contains(f, "/") {
			break
		}
		files = append(files, strings.ReplaceAll(f, "$$", "$"))
		quoted = append(quoted, `"`+inner(a)+`"`)
	}
	return files, quoted
}

// packageFile returns the line of an import config for reference i.
func (w *writer) packageFile(i int, r graph.Ref) string {
	return "packagefile " + action.Escape(importName(w.p.Graph.Nodes[r.Node])) + "=${R" + strconv.Itoa(i) + "}\n"
}

// refersTo returns the names of the packages that a node imports, those of its other
// references, and the import config. The other references must come last.
func (w *writer) refersTo(n int) (imports, others []string, config string, err error) {
	for i, r := range w.p.Graph.Nodes[n].Refs {
		if r.Output != graph.Export {
			others = append(others, w.ref(r))
			continue
		}
		if len(others) > 0 {
			return nil, nil, "", fmt.Errorf("dgd cannot write the order of its references to a plan in a file: leave out `plan`")
		}
		imports = append(imports, within(w.key(r.Node), w.key(n)))
		config += w.packageFile(i, r)
	}
	return imports, others, config, nil
}

// embedded moves the embed configuration of a node from the steps to the options: as
// patterns if they are enough, else in full.
func embedded(node *graph.Node, dir, steps string, options map[string]string) string {
	for _, s := range node.Steps {
		if s.Write == nil || s.Write.Path != "${OBJ}/embedcfg" {
			continue
		}
		var ok bool
		if steps, ok = once(steps, inner(s.Write.Text), "@EMBED@"); !ok {
			continue
		}
		if options["P"], ok = patterns(s.Write.Text, dir); !ok {
			delete(options, "P")
			options["E"] = s.Write.Text
		}
	}
	return steps
}

// sources sets the options for the sources of a package that are not Go files in its
// directory. It is an error if they have no form in the file.
func (w *writer) sources(n int, m *Module, files []string, options map[string]string) error {
	node, bound := w.p.Graph.Nodes[n], w.p.Bound[n]
	switch {
	case !node.Src.Vendored:
		options["s"] = node.Src.Dir
	case m != nil && m.Root != "":
		options["v"] = path.Join(m.Root, strings.TrimPrefix(node.Src.Dir, "vendor/"+m.Dir))
	}
	if len(bound) == 1 && !bound[0].Copy {
		b := bound[0]
		if m != nil && m.is(b) {
			return nil
		}
		if b.Tree != nil && b.At == node.Src.Dir && b.Tree.Name == nar.Name(node.Name) && b.Tree.Exclude == nil && b.Tree.Files != nil &&
			b.Tree.Root == filepath.Join(w.p.Src, filepath.FromSlash(node.Src.Dir)) {
			var more []string
			for _, f := range b.Tree.Files {
				if !slices.Contains(files, f) {
					more = append(more, f)
				}
			}
			if len(more)+len(files) != len(b.Tree.Files) {
				return fmt.Errorf("it is not compiled from the files of its tree: leave out `plan`")
			}
			if len(more) > 0 {
				options["e"] = list(more)
			}
			return nil
		}
	}
	return w.trees(n, options)
}

// link writes the line of a program.
func (w *writer) link(n int, steps string) error {
	node := w.p.Graph.Nodes[n]
	config := ""
	linked := map[int]bool{}
	for i, r := range node.Refs {
		if r.Output != graph.Archive {
			return fmt.Errorf("dgd cannot write the files that it links to a plan in a file: leave out `plan`")
		}
		linked[r.Node] = true
		config += w.packageFile(i, r)
	}
	steps, ok := once(steps, inner(config), "@IMPORTS@")
	if !ok {
		return fmt.Errorf("its import config does not agree with its references: leave out `plan`")
	}
	main := slices.IndexFunc(node.Refs, func(r graph.Ref) bool { return w.p.Graph.Nodes[r.Node].Name == node.Name })
	if main < 0 {
		return fmt.Errorf("its main package is not linked: leave out `plan`")
	}
	steps, ok = once(steps, `"${R`+strconv.Itoa(main)+`}"]`, `"@MAIN@"]`)
	if !ok {
		return fmt.Errorf("dgd does not understand how it is linked: leave out `plan`")
	}
	// The main package, and packages that are linked although it does not depend on them.
	closed := map[int]bool{}
	w.close(node.Refs[main].Node, closed)
	roots := []string{w.key(node.Refs[main].Node)}
	for _, r := range node.Refs {
		if !closed[r.Node] {
			w.close(r.Node, closed)
			roots = append(roots, w.key(r.Node))
		}
	}
	for c := range closed {
		if !linked[c] {
			return fmt.Errorf("%s is imported and not linked: leave out `plan`", w.p.Graph.Nodes[c].Name)
		}
	}
	if w.isTest(n) {
		steps = strings.ReplaceAll(steps, inner(action.Escape(node.Name)), "@PROGRAM@")
	}
	line := w.kind(n, "link") + " " + w.key(n) + " " + w.template(steps) + " " + escape(node.Main) + " " + strings.Join(roots, ",")
	options := map[string]string{}
	if node.Cgo {
		options["c"] = "1"
	}
	// Packages whose linker flags name files of their sources.
	var withSources []string
	for _, r := range node.Refs {
		if w.p.Graph.Nodes[r.Node].LinkSrc {
			withSources = append(withSources, w.key(r.Node))
		}
	}
	if len(withSources) > 0 {
		options["L"] = strings.Join(withSources, ",")
	}
	w.f.Nodes = append(w.f.Nodes, line+optionFields(options))
	return nil
}

// close adds a package and all packages that it depends on to closed.
func (w *writer) close(n int, closed map[int]bool) {
	if closed[n] {
		return
	}
	closed[n] = true
	for _, r := range w.p.Graph.Nodes[n].Refs {
		if r.Output == graph.Export {
			w.close(r.Node, closed)
		}
	}
}
