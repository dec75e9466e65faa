package drvdiff

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/nix/store"
)

const (
	changed = "changed"
	added   = "new"
	removed = "gone"
)

// An explainer finds out why the derivations of a pair differ.
type explainer struct {
	ctx     context.Context
	st      Records
	match   *matching
	because map[*node][]*node // by new node, its dependencies whose outputs differ
	byNew   map[*node]*Pair
	trees   map[[2]string][]Cause // by two store paths: the result of compareTrees
}

func newExplainer(ctx context.Context, st Records, m *matching) *explainer {
	return &explainer{ctx: ctx, st: st, match: m, because: map[*node][]*node{}, byNew: map[*node]*Pair{}, trees: map[[2]string][]Cause{}}
}

// pair returns how two derivations differ, and why.
func (e *explainer) pair(o, n *node) (*Pair, error) {
	item := n.item()
	p := &Pair{Name: item.Name, Kind: item.Kind, Old: o.path, New: n.path, Causes: []Cause{}, Because: []string{}}
	inputs := e.inputs(o, n)
	for _, to := range e.because[n] {
		p.Because = append(p.Because, to.label())
	}
	var list causes
	if a, b := floating(o), floating(n); a != b {
		list.add(Cause{Kind: "setting", What: "contentAddressed", Old: strconv.FormatBool(a), New: strconv.FormatBool(b), Change: changed})
	}
	if o.drv.System != n.drv.System {
		list.add(Cause{Kind: "system", Old: o.drv.System, New: n.drv.System, Change: changed})
	}
	if o.role != inner || n.role != inner {
		list.process(o, n, blank)
	} else if err := e.works(&list, o, n); err != nil {
		return nil, fmt.Errorf("comparing %s and %s: %w", o.path, n.path, err)
	}
	if len(list.found) == 0 {
		list.found = append(list.found, inputs...)
	}
	if len(list.found) == 0 && len(p.Because) == 0 {
		list.rest(o, n)
	}
	p.Causes = append(p.Causes, list.found...)
	return p, nil
}

// floating reports whether the outputs are content-addressed.
func floating(n *node) bool {
	for _, o := range n.drv.Outputs {
		return o.Floating()
	}
	return false
}

// inputs adds to e.because the dependencies whose outputs differ, and returns those
// that only one of the nodes has.
func (e *explainer) inputs(o, n *node) []Cause {
	type key struct {
		to     *node
		output string
	}
	old := map[key]dep{}
	left := map[*node]bool{}
	for _, d := range o.deps {
		if d.to.role == inner {
			old[key{d.to, d.output}] = d
			left[d.to] = true
		}
	}
	var only []Cause
	seen := map[*node]bool{}
	for _, d := range n.deps {
		if d.to.role != inner {
			continue
		}
		x := e.match.oldOf[d.to]
		was, ok := old[key{x, d.output}]
		referred := left[x] || seen[d.to]
		delete(left, x)
		differs := x != nil && x.identity != d.to.identity && (ok && was.resolved() != d.resolved() || !ok && referred)
		if !referred {
			only = append(only, Cause{Kind: "input", What: d.to.label(), Change: added})
		}
		if differs && !seen[d.to] {
			e.because[n] = append(e.because[n], d.to)
		}
		seen[d.to] = seen[d.to] || differs || !ok
	}
	for _, d := range o.deps {
		if left[d.to] {
			delete(left, d.to)
			only = append(only, Cause{Kind: "input", What: d.to.label(), Change: removed})
		}
	}
	return only
}

// works compares the work of two derivations.
func (e *explainer) works(l *causes, o, n *node) error {
	if a, b := o.put.Replace(o.drv.Builder), n.put.Replace(n.drv.Builder); a != b {
		l.add(Cause{Kind: "executor", Old: storeBase(a), New: storeBase(b), Change: changed})
	}
	// Differences that follow from another toolchain are left out.
	follows := func(Cause) bool { return false }
	defer func() { l.found = slices.DeleteFunc(l.found, func(c Cause) bool { return follows(c) }) }()
	goOld, goNew := o.put.Replace(o.vars["GOROOT"]), n.put.Replace(n.vars["GOROOT"])
	if goOld != goNew && goOld != "" && goNew != "" {
		a, b := storeBase(goOld), storeBase(goNew)
		if storeName(a) != storeName(b) {
			a, b = storeName(a), storeName(b)
		}
		l.add(Cause{Kind: "toolchain", Old: a, New: b, Change: changed})
		std := o.isStd() && n.isStd()
		follows = func(c Cause) bool {
			switch c.Kind {
			case "import", "package", "flag", "variable":
				word := c.What + c.New
				return std || c.Kind != "flag" || strings.HasPrefix(word, "-goversion ") || strings.HasPrefix(word, "-lang=") || strings.HasPrefix(word, "-X=runtime.godebugDefault=")
			case "setting":
				return c.What == "DefaultGODEBUG"
			}
			return false
		}
	}
	for _, env := range []struct{ name, words string }{{"CGOENV", "of the C compiler"}, {"CHECKENV", "of tests"}} {
		a, b := o.put.Replace(o.vars[env.name]), n.put.Replace(n.vars[env.name])
		if a != b {
			if err := e.environments(l, env.words, a, b); err != nil {
				return err
			}
		}
	}
	newUnits := map[string]*action.Unit{}
	for i := range n.units {
		newUnits[n.units[i].Name] = &n.units[i]
	}
	oldNames := map[string]bool{}
	for i := range o.units {
		u := &o.units[i]
		oldNames[u.Name] = true
		v := newUnits[u.Name]
		if o.kind == result {
			v = &n.units[0]
		}
		if v == nil {
			l.add(Cause{Kind: "package", What: u.Name, Change: removed})
			continue
		}
		if err := e.sources(l, o, n, u, v); err != nil {
			return err
		}
		if err := e.steps(l, o, n, u, v); err != nil {
			return err
		}
	}
	for _, u := range n.units {
		if !oldNames[u.Name] && n.kind != result {
			l.add(Cause{Kind: "package", What: u.Name, Change: added})
		}
	}
	return nil
}

// storeBase returns the base name of the store path that a path is below, or the path
// itself if it is not in a store.
func storeBase(p string) string {
	if part := store.Base(p); part != "" {
		return path.Base(part)
	}
	return p
}

// steps compares the steps of two units.
func (e *explainer) steps(l *causes, o, n *node, u, v *action.Unit) error {
	a, err := e.read(o, u)
	if err != nil {
		return err
	}
	b, err := e.read(n, v)
	if err != nil {
		return err
	}
	for _, tool := range union(a.runs, b.runs) {
		words(l, "flag", a.runs[tool], b.runs[tool])
	}
	words(l, "variable", a.env, b.env)
	for _, name := range union(a.writes, b.writes) {
		was, is := a.writes[name], b.writes[name]
		switch {
		case was == is:
		case strings.HasPrefix(name, "importcfg"):
			importConfigs(l, o.kind, was, is)
		case name == "embedcfg" || strings.HasPrefix(name, "_cgo_") || name == "go_asm.h":
			// It follows from differences of files and flags.
		default:
			l.add(Cause{Kind: "file", What: name + " (generated)", Change: changed})
		}
	}
	return nil
}

// A reading has the words in the steps of a unit, in a form that is the same in both
// states for equal steps.
type reading struct {
	runs   map[string][]string // arguments by program
	env    []string
	writes map[string]string // texts by base name of the file
}

// read returns the reading of a unit. It has the name of a derivation in place of its
// outputs.
func (e *explainer) read(n *node, u *action.Unit) (*reading, error) {
	var atVersions []string
	for _, s := range placed(u) {
		if _, v, ok := strings.Cut(s.At, "@"); ok {
			atVersions = append(atVersions, "@"+v, "@")
		}
	}
	versions := strings.NewReplacer(atVersions...)
	expand := func(text string) (string, error) {
		text, err := action.Expand(text, func(name string) (string, bool) {
			if strings.HasPrefix(name, "R") && u.Vars[name] != "" {
				return e.reference(n, u.Vars[name]), true
			}
			if value, ok := n.vars[name]; ok && strings.HasPrefix(name, "V") {
				return e.reference(n, value), true
			}
			return "${" + name + "}", true
		})
		return versions.Replace(text), err
	}
	r := &reading{runs: map[string][]string{}, writes: map[string]string{}}
	run := func(run *action.Run) error {
		var tool string
		for i, arg := range run.Args {
			word, err := expand(arg)
			if err != nil {
				return err
			}
			if i == 0 {
				tool = path.Base(word)
				continue
			}
			// A flag and its value are one word.
			if prev := run.Args[i-1]; i > 1 && slices.Contains(withValue, prev) {
				list := r.runs[tool]
				list[len(list)-1] += " " + word
				continue
			}
			r.runs[tool] = append(r.runs[tool], word)
		}
		for _, v := range run.Env {
			word, err := expand(v)
			if err != nil {
				return err
			}
			r.env = append(r.env, word)
		}
		return nil
	}
	for _, s := range u.Steps {
		var runs []*action.Run
		switch {
		case s.Run != nil:
			runs = []*action.Run{s.Run}
		case s.DynImport != nil:
			runs = []*action.Run{&s.DynImport.Link, &s.DynImport.Import}
		case s.PkgConfig != nil:
			runs = []*action.Run{&s.PkgConfig.Run}
		case s.Write != nil && !ofSources(s.Write):
			text, err := expand(s.Write.Text)
			if err != nil {
				return nil, err
			}
			r.writes[path.Base(s.Write.Path)] += text
		}
		for _, x := range runs {
			if err := run(x); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// withValue are the flags whose value is the next argument.
var withValue = []string{"-X", "-D", "-p", "-lang", "-goversion"}

// reference returns the name of the derivation that a value refers to.
func (e *explainer) reference(n *node, value string) string {
	value, err := action.Expand(value, func(name string) (string, bool) {
		if v, ok := n.vars[name]; ok {
			return v, true
		}
		return "${" + name + "}", true
	})
	if err != nil {
		return value
	}
	for _, d := range n.deps {
		if d.text != "" && strings.HasPrefix(value, d.text) {
			to := d.to
			if is := e.match.newOf[to]; is != nil {
				to = is
			}
			return "<" + to.label() + ">"
		}
	}
	return "<a file>"
}
