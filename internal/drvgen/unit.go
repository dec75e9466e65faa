package drvgen

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// unit returns the unit of a node, and adds the variables that it needs to the
// derivation. UnitOf has the indices of earlier units of the derivation, by node.
func (gen *generator) unit(d *Derivation, n int, unitOf map[int]int) (action.Unit, error) {
	node := gen.g.Nodes[n]
	vars, dirs := gen.results(n)
	u := action.Unit{Name: node.Name, Vars: vars, Env: gen.environment(d, n)}
	d.Vars["GOROOT"] = gen.goroot()
	if slices.ContainsFunc(node.Steps, compilesC) {
		d.Vars["COMPILERS"] = Value{Input: Compilers}
		u.Compilers = "${COMPILERS}"
	}
	for i, ref := range node.Refs {
		token := "R" + strconv.Itoa(i)
		if need, ok := unitOf[ref.Node]; ok {
			if !slices.Contains(u.Needs, need) {
				u.Needs = append(u.Needs, need)
			}
			u.Vars[token] = gen.at[ref.Node].file(ref.Output).token()
			continue
		}
		var err error
		if u.Vars[token], err = gen.reference(d, ref); err != nil {
			return u, err
		}
	}
	slices.Sort(u.Needs)
	var writes []action.Step
	for _, s := range gen.opt.Sources[n] {
		for _, f := range s.Files {
			file := srcToken(path.Join(s.At, f.Name))
			dirs = append(dirs, path.Dir(file))
			writes = append(writes, action.Step{Write: &action.Write{Path: file, Text: action.Escape(f.Text)}})
		}
		if s.Path != "" {
			v := gen.variable(d, Value{Path: s.Path})
			u.Sources = append(u.Sources, action.Source{At: srcToken(s.At), From: "${" + v + "}", Copy: s.Copy})
		}
	}
	if at := gen.at[n]; at.together.output != "" {
		u.Sources = append(u.Sources, action.Source{At: at.together.token(), From: at.archive.token()})
	}
	slices.Sort(dirs)
	var mkdirs []action.Step
	for _, dir := range slices.Compact(dirs) {
		mkdirs = append(mkdirs, action.Step{Mkdir: dir})
	}
	u.Steps = slices.Concat(mkdirs, writes, respond(node.Steps))
	return u, nil
}

// results returns the variables for the outputs of a node, and the directories that have
// to exist before its steps run.
func (gen *generator) results(n int) (vars action.Vars, dirs []string) {
	node, at := gen.g.Nodes[n], gen.at[n]
	switch node.Kind {
	case graph.Package:
		vars = action.Vars{"ARCHIVE": at.archive.token(), "EXPORT": at.export.token()}
		for _, f := range []file{at.archive, at.export} {
			if f.path != "" {
				dirs = append(dirs, path.Dir(f.token()))
			}
		}
		if node.Header {
			vars["HEADER"] = at.header.token()
			dirs = append(dirs, at.header.token())
		}
	case graph.Link:
		vars = action.Vars{"PROGRAM": at.archive.token()}
		dirs = []string{"${out}/bin"}
		if slices.ContainsFunc(node.Refs, func(r graph.Ref) bool { return r.Output == graph.Header }) {
			vars["BIN"] = "${out}/bin"
		}
	case graph.File:
		vars = action.Vars{"FILE": "${out}"}
	case graph.Objects:
		vars = action.Vars{"FILE": "${out}"}
		dirs = []string{"${out}"}
	case graph.Cgo:
		vars = action.Vars{"CFILES": "${out}", "GOFILES": "${x}", "HEADER": "${h}"}
		dirs = []string{"${out}", "${x}", "${h}"}
	case graph.Test:
		vars = action.Vars{"RESULT": "${out}"}
	default:
		vars = action.Vars{}
	}
	for i := range node.Trees {
		tree := "${" + treeOutput(i) + "}"
		vars["TREE"+strconv.Itoa(i)] = tree
		dirs = append(dirs, tree)
	}
	return vars, dirs
}

// environment adds the inputs of a node and its environments to the derivation, and
// returns the token of the environment in which the unit runs, or "".
func (gen *generator) environment(d *Derivation, n int) (env string) {
	node := gen.g.Nodes[n]
	if node.Cgo {
		in := CgoEnv
		switch {
		case gen.opt.StdEnv[n]:
			in = StdEnv
		case node.Kind == graph.Link:
			in = LinkEnv
		}
		d.Vars["CGOENV"] = Value{Input: in}
		env = "${CGOENV}"
	}
	if node.Kind == graph.Test {
		d.Vars["CHECKENV"] = Value{Input: CheckEnv}
		env = "${CHECKENV}"
	}
	for _, in := range node.Inputs {
		d.Vars[in.Token()] = Value{Input: in}
		if in == graph.UserEnv || in == graph.CheckEnv {
			env = "${" + in.Token() + "}"
		}
	}
	return env
}

// compilesC reports whether a step runs a C compiler.
func compilesC(s action.Step) bool {
	return s.Run != nil && s.Run.Compiler != "" || s.DynImport != nil || s.Trace != nil
}

// goroot returns the value of GOROOT.
func (gen *generator) goroot() Value {
	if gen.opt.Goroot == "." { // tools compare paths as text
		return Value{Input: Go}
	}
	return Value{Input: Go, Suffix: "/" + gen.opt.Goroot}
}

// srcToken returns a path relative to SRC with the token.
func srcToken(rel string) string {
	if rel == "." {
		return "${SRC}"
	}
	return "${SRC}/" + action.Escape(rel)
}

// reference returns the path of an output of another derivation, with a token of d, to
// which it adds the variable. It is an error if the other derivation is not made yet.
func (gen *generator) reference(d *Derivation, ref graph.Ref) (string, error) {
	at, ok := gen.collected[ref.Node]
	if !ok || ref.Output != graph.Archive {
		at = gen.at[ref.Node]
	}
	if !at.done {
		return "", fmt.Errorf("refers to %s, which comes later", gen.g.Nodes[ref.Node].Name)
	}
	f := at.file(ref.Output)
	return f.below("${" + gen.variable(d, Value{Drv: &at.drv, Output: f.output}) + "}"), nil
}

// variable returns the name of a value in the derivation: V and the number of references
// before the first one to this value. Names with the index of a node would make equal
// derivations of two programs differ.
func (gen *generator) variable(d *Derivation, v Value) string {
	key := v.Path
	if v.Drv != nil {
		key = strconv.Itoa(*v.Drv) + "!" + v.Output
	}
	gen.referred++
	if name, ok := gen.vars[key]; ok {
		return name
	}
	name := "V" + strconv.Itoa(gen.referred-1)
	gen.vars[key] = name
	d.Vars[name] = v
	return name
}

// join adds a derivation with all programs if there are several, or packages that no
// program needs. It depends on these packages, as they have to compile, although no part
// of them is in its output.
func (gen *generator) join() error {
	var links, unused []int
	needed := make([]bool, len(gen.g.Nodes))
	for _, node := range gen.g.Nodes {
		for _, ref := range node.Refs {
			needed[ref.Node] = true
		}
	}
	names := map[string]string{}
	for n, node := range gen.g.Nodes {
		if node.Kind != graph.Link {
			if gen.opt.Libraries && node.Kind == graph.Package && !node.Std && !needed[n] {
				unused = append(unused, n)
			}
			continue
		}
		if other, ok := names[node.Main]; ok {
			return fmt.Errorf("%s and %s are both programs of the name %s", other, node.Name, node.Main)
		}
		names[node.Main] = node.Name
		links = append(links, n)
	}
	switch {
	case len(gen.g.Nodes) == 1 && gen.g.Nodes[0].Kind == graph.ByGo:
		return nil
	case len(links) == 0 && !gen.opt.Libraries:
		return fmt.Errorf("nothing is linked: there is no main package")
	case len(links) == 1 && len(unused) == 0 && gen.at[links[0]].drv == len(gen.drvs)-1:
		return nil
	}
	gen.collected = nil
	d := gen.begin("")
	u := action.Unit{Name: "programs", Vars: action.Vars{}, Steps: []action.Step{{Mkdir: "${out}"}}}
	byName := func(a, b int) int { return strings.Compare(gen.g.Nodes[a].Name, gen.g.Nodes[b].Name) }
	slices.SortStableFunc(unused, byName)
	slices.SortStableFunc(links, byName)
	for _, n := range unused {
		// An edit inside a function does not change the export data.
		if _, err := gen.reference(&d, graph.Ref{Node: n, Output: graph.Export}); err != nil {
			return err
		}
	}
	if len(links) > 0 {
		u.Steps[0].Mkdir += "/bin"
	}
	for _, n := range links {
		v := gen.variable(&d, Value{Drv: &gen.at[n].drv, Output: "out"})
		file := "/bin/" + action.Escape(gen.g.Nodes[n].Main)
		u.Steps = append(u.Steps, action.Step{Copy: &action.Copy{From: "${" + v + "}" + file, To: "${out}" + file}})
	}
	return gen.add(d, u)
}
