package drvdiff

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/nixstore"
)

// A Cause is one thing that makes a derivation differ by itself.
type Cause struct {
	// Kind is one of toolchain, executor, builder, argument, system,
	// environment, file, module, flag, variable, import, package, setting,
	// output, input and other.
	Kind string `json:"kind"`
	What string `json:"what"`
	// Old and New are its values, where it has such. What is only in one of the
	// states has none in the other.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Change is changed, new or gone.
	Change string `json:"change"`
}

const (
	changed = "changed"
	added   = "new"
	removed = "gone"
)

// String is the cause in people's words.
func (c Cause) String() string {
	text := c.Kind
	if c.What != "" {
		text += " " + c.What
	}
	switch {
	case c.Kind == "other":
		return c.What
	case c.Change == changed && c.Old+c.New != "":
		sep := ": "
		if c.What == "" {
			sep = " "
		}
		return text + sep + or(c.Old, "none") + " → " + or(c.New, "none")
	case c.Change == changed:
		return text + " changed"
	}
	return text + " is " + c.Change
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// An explainer finds out why the derivations of a pair differ.
type explainer struct {
	ctx     context.Context
	st      Store
	match   *matching
	because map[*node][]*node // by new node: those it refers to whose outputs differ
	byNew   map[*node]*Pair
	trees   map[[2]string][]Cause // by store paths
}

func newExplainer(ctx context.Context, st Store, m *matching) *explainer {
	return &explainer{ctx: ctx, st: st, match: m, because: map[*node][]*node{}, byNew: map[*node]*Pair{}, trees: map[[2]string][]Cause{}}
}

// pair explains how two derivations differ.
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

// floating reports whether the outputs' paths follow from their contents.
func floating(n *node) bool {
	for _, o := range n.drv.Outputs {
		return o.Floating()
	}
	return false
}

// inputs finds the outputs of other derivations that differ, and returns those
// that only one of the nodes refers to.
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

// causes is a list in which nothing is twice.
type causes struct {
	found []Cause
	seen  map[Cause]bool
}

func (l *causes) add(c Cause) {
	if l.seen[c] {
		return
	}
	if l.seen == nil {
		l.seen = map[Cause]bool{}
	}
	l.seen[c] = true
	l.found = append(l.found, c)
}

// rest says how derivations differ that nothing else tells apart.
func (l *causes) rest(o, n *node) {
	if n.put.Replace(n.drv.Env["spec"]) != o.put.Replace(o.drv.Env["spec"]) {
		l.add(Cause{Kind: "other", What: "its steps differ", Change: changed})
		return
	}
	l.process(o, n, func(text string, _ *node) string { return text })
	l.inputs(o, n)
	if len(l.found) == 0 {
		l.add(Cause{Kind: "other", What: "the same work on the same inputs, which Nix takes for another: without content addressing the way to an input counts", Change: changed})
	}
}

// process compares what Nix starts: program, arguments and variables. Of a text
// that a node has resolved, seen returns what counts.
func (l *causes) process(o, n *node, seen func(text string, n *node) string) {
	was := func(text string) string { return seen(o.put.Replace(text), o) }
	is := func(text string) string { return seen(n.put.Replace(text), n) }
	if a, b := was(o.drv.Builder), is(n.drv.Builder); a != b {
		l.add(Cause{Kind: "builder", Old: a, New: b, Change: changed})
	}
	for i := range max(len(o.drv.Args), len(n.drv.Args)) {
		c := Cause{Kind: "argument", What: strconv.Itoa(i + 1), Change: changed}
		switch {
		case i >= len(o.drv.Args):
			c.Change = added
		case i >= len(n.drv.Args):
			c.Change = removed
		case was(o.drv.Args[i]) == is(n.drv.Args[i]):
			continue
		}
		l.add(c)
	}
	for _, name := range union(o.drv.Env, n.drv.Env) {
		if _, ok := n.drv.Outputs[name]; ok {
			continue
		}
		a, hadIt := o.drv.Env[name]
		b, hasIt := n.drv.Env[name]
		switch {
		case !hadIt:
			l.add(Cause{Kind: "variable", What: name, Change: added})
		case !hasIt:
			l.add(Cause{Kind: "variable", What: name, Change: removed})
		case was(a) != is(b):
			l.add(Cause{Kind: "variable", What: name, Change: changed})
		}
	}
	for _, name := range union(o.drv.Outputs, n.drv.Outputs) {
		a, hadIt := o.drv.Outputs[name]
		b, hasIt := n.drv.Outputs[name]
		switch {
		case !hadIt:
			l.add(Cause{Kind: "output", What: name, Change: added})
		case !hasIt:
			l.add(Cause{Kind: "output", What: name, Change: removed})
		case a.Floating() == b.Floating() && (a.Algo != b.Algo || a.Hash != b.Hash):
			l.add(Cause{Kind: "output", What: name, Old: strings.TrimSpace(a.Algo + " " + a.Hash), New: strings.TrimSpace(b.Algo + " " + b.Hash), Change: changed})
		}
	}
}

// inputs compares the store paths that derivations read, as far as they do not
// come from other derivations of dgd's.
func (l *causes) inputs(o, n *node) {
	read := func(n *node) map[string]bool {
		list := map[string]bool{}
		for _, path := range n.drv.Sources {
			list[path] = true
		}
		for _, d := range n.deps {
			if d.to.role == inner {
				delete(list, d.resolved()) // said elsewhere
			} else if d.text != "" {
				list[d.resolved()] = true
			}
		}
		return list
	}
	a, b := read(o), read(n)
	for _, path := range union(a, b) {
		switch {
		case !a[path]:
			l.add(Cause{Kind: "input", What: path, Change: added})
		case !b[path]:
			l.add(Cause{Kind: "input", What: path, Change: removed})
		}
	}
}

// blank leaves out the outputs of inner derivations: that they differ is said
// elsewhere.
func blank(text string, n *node) string {
	for _, d := range n.deps {
		if d.to.role == inner {
			text = strings.ReplaceAll(text, d.resolved(), "")
		}
	}
	return text
}

func union[V any](a, b map[string]V) []string {
	all := map[string]bool{}
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// works compares what two derivations carry out.
func (e *explainer) works(l *causes, o, n *node) error {
	if a, b := o.put.Replace(o.drv.Builder), n.put.Replace(n.drv.Builder); a != b {
		l.add(Cause{Kind: "executor", Old: storeBase(a), New: storeBase(b), Change: changed})
	}
	// What follows from another toolchain does not need to be said.
	follows := func(Cause) bool { return false }
	defer func() { l.found = slices.DeleteFunc(l.found, func(c Cause) bool { return follows(c) }) }()
	goOld, goNew := o.put.Replace(o.vars["GOROOT"]), n.put.Replace(n.vars["GOROOT"])
	if goOld != goNew && goOld != "" && goNew != "" {
		a, b := storeBase(goOld), storeBase(goNew)
		if nameOf(a) != nameOf(b) {
			a, b = nameOf(a), nameOf(b)
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

// storeBase is the last part of the store path that a path begins with.
func storeBase(p string) string {
	if part := nixstore.Base(p); part != "" {
		return path.Base(part)
	}
	return p
}

func nameOf(base string) string { _, name, _ := strings.Cut(base, "-"); return name }

// sources compares the trees that two units read.
func (e *explainer) sources(l *causes, o, n *node, u, v *action.Unit) error {
	if o.kind == archives {
		return nil
	}
	places := func(w *node, u *action.Unit) (map[string]string, error) {
		list := map[string]string{}
		for _, s := range u.Sources {
			from, err := action.Expand(s.From, func(name string) (string, bool) {
				value, ok := w.vars[name]
				return value, ok
			})
			if err != nil {
				return nil, err
			}
			at, err := action.Expand(s.At, func(string) (string, bool) { return ".", true })
			if err != nil {
				return nil, err
			}
			list[path.Clean(at)] = w.put.Replace(from)
		}
		return list, nil
	}
	a, err := places(o, u)
	if err != nil {
		return err
	}
	b, err := places(n, v)
	if err != nil {
		return err
	}
	was, is := written(u), written(v)
	// What one derivation holds, the other may have as a tree.
	if err := errors.Join(e.unpack(a, b, is, was), e.unpack(b, a, was, is)); err != nil {
		return err
	}
	for _, file := range union(was, is) {
		c := Cause{Kind: "file", What: strings.ReplaceAll(file, "$$", "$"), Change: changed}
		if _, ok := was[file]; !ok {
			c.Change = added
		} else if _, ok := is[file]; !ok {
			c.Change = removed
		} else if was[file] == is[file] {
			continue
		}
		l.add(c)
	}
	byModule := func(at string) string {
		m, _, _ := strings.Cut(at, "@")
		return m
	}
	for _, at := range slices.Sorted(maps.Keys(a)) {
		from := a[at]
		if _, ok := b[at]; ok {
			continue
		}
		for other, to := range b { // the same module in another version has another place
			if _, ok := a[other]; !ok && at != other && byModule(at) == byModule(other) {
				l.add(Cause{Kind: "module", What: strings.TrimPrefix(byModule(at), "vendor/"), Old: version(at, from), New: version(other, to), Change: changed})
				delete(a, at)
				delete(b, other)
			}
		}
	}
	for _, at := range union(a, b) {
		from, hadIt := a[at]
		to, hasIt := b[at]
		switch {
		case !hadIt:
			l.add(Cause{Kind: "file", What: at, Change: added})
		case !hasIt:
			l.add(Cause{Kind: "file", What: at, Change: removed})
		case from != to:
			if was, is := version(at, from), version(at, to); was != is {
				l.add(Cause{Kind: "module", What: strings.TrimPrefix(at, "vendor/"), Old: was, New: is, Change: changed})
				continue
			}
			found, ok := e.trees[[2]string{from, to}]
			if !ok {
				if found, err = e.compareTrees(from, to); err != nil {
					return err
				}
				e.trees[[2]string{from, to}] = found
			}
			for _, c := range found {
				c.What = path.Join(at, c.What)
				l.add(c)
			}
		}
	}
	return nil
}

// written are the sources that a unit's derivation holds itself, by path; dollar
// signs are doubled in both.
func written(u *action.Unit) map[string]string {
	files := map[string]string{}
	for _, s := range u.Steps {
		if s.Write != nil && ofSources(s.Write) {
			files[strings.TrimPrefix(s.Write.Path, "${SRC}/")] = s.Write.Text
		}
	}
	return files
}

// ofSources reports whether a file is one of the sources, not one that Go has made.
func ofSources(w *action.Write) bool { return strings.HasPrefix(w.Path, "${SRC}/") }

// unpack moves those trees of a state that the other has as single files to the
// state's single files.
func (e *explainer) unpack(trees, otherTrees, otherFiles, to map[string]string) error {
	for at, from := range trees {
		if _, ok := otherTrees[at]; ok || !holds(otherFiles, at) {
			continue
		}
		list, err := e.st.Files(e.ctx, from)
		if errors.Is(err, fs.ErrNotExist) { // collected as garbage
			continue
		}
		if err != nil {
			return err
		}
		for name, f := range list {
			to[action.Escape(path.Join(at, name))] = action.Escape(string(f.Text))
		}
		delete(trees, at)
	}
	return nil
}

// holds reports whether there is a file in a directory.
func holds(files map[string]string, dir string) bool {
	for name := range files {
		if dir == "." || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// steps compares what two units do.
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
			// Files and flags say it.
		default:
			l.add(Cause{Kind: "file", What: name + ", which is written for it,", Change: changed})
		}
	}
	return nil
}

// A reading is what a unit does, in words that do not depend on the state.
type reading struct {
	runs   map[string][]string // words by program
	env    []string
	writes map[string]string // texts by file
}

// read reads the steps of a unit. In place of an output of another derivation
// there is that one's name.
func (e *explainer) read(n *node, u *action.Unit) (*reading, error) {
	var atVersions []string
	for _, s := range u.Sources {
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
			// The words behind these belong to them.
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

// withValue are flags whose value is the next word.
var withValue = []string{"-X", "-D", "-p", "-lang", "-goversion"}

// reference is the name of the derivation that a value refers to.
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

// words adds the words that only one of two lists has.
func words(l *causes, kind string, old, new []string) {
	gone, came := without(old, new), without(new, old)
	for _, w := range came {
		name, _, _ := strings.Cut(w, "=")
		i := slices.IndexFunc(gone, func(g string) bool { return g != "" && strings.HasPrefix(g, name+"=") })
		if i >= 0 && strings.Contains(w, "=") {
			l.add(Cause{Kind: kind, Old: gone[i], New: w, Change: changed})
			gone[i] = ""
			continue
		}
		l.add(Cause{Kind: kind, What: w, Change: added})
	}
	for _, w := range gone {
		if w != "" {
			l.add(Cause{Kind: kind, What: w, Change: removed})
		}
	}
}

// without returns the words of a list that are not in the other, and no names of
// files: these are compared as such.
func without(list, other []string) []string {
	left := map[string]int{}
	for _, w := range other {
		left[w]++
	}
	var out []string
	for _, w := range list {
		if left[w]--; left[w] < 0 && !strings.HasPrefix(w, "${") && !strings.HasPrefix(w, "./") && !strings.HasPrefix(w, "<") {
			out = append(out, w)
		}
	}
	return out
}

// importConfigs compares the packages that are imported, or linked, and what a
// program will say of its modules.
func importConfigs(l *causes, k kind, old, new string) {
	what := "import"
	if k == link {
		what = "package"
	}
	parse := func(text string) (files map[string]string, info *debug.BuildInfo) {
		files = map[string]string{}
		for line := range strings.Lines(text) {
			verb, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch verb {
			case "packagefile":
				name, file, _ := strings.Cut(rest, "=")
				files[name] = file
			case "modinfo":
				if text, err := strconv.Unquote(rest); err == nil && len(text) > 32 {
					info, _ = debug.ParseBuildInfo(text[16 : len(text)-16])
				}
			}
		}
		return files, info
	}
	a, was := parse(old)
	b, is := parse(new)
	for _, name := range union(a, b) {
		_, hadIt := a[name]
		_, hasIt := b[name]
		switch {
		case !hadIt:
			l.add(Cause{Kind: what, What: name, Change: added})
		case !hasIt:
			l.add(Cause{Kind: what, What: name, Change: removed})
		}
	}
	if was == nil || is == nil {
		return
	}
	modules := func(info *debug.BuildInfo) map[string]string {
		list := map[string]string{}
		for _, m := range append(info.Deps, &info.Main) {
			text := m.Version
			if m.Replace != nil {
				text += " => " + strings.TrimSpace(m.Replace.Path+" "+m.Replace.Version)
			}
			list[m.Path] = text
		}
		return list
	}
	compare(l, "module", modules(was), modules(is))
	settings := func(info *debug.BuildInfo) map[string]string {
		list := map[string]string{}
		for _, s := range info.Settings {
			list[s.Key] = s.Value
		}
		return list
	}
	compare(l, "setting", settings(was), settings(is))
}

func compare(l *causes, kind string, old, new map[string]string) {
	for _, name := range union(old, new) {
		a, hadIt := old[name]
		b, hasIt := new[name]
		switch {
		case !hadIt:
			l.add(Cause{Kind: kind, What: name, New: b, Change: added})
		case !hasIt:
			l.add(Cause{Kind: kind, What: name, Old: a, Change: removed})
		case a != b:
			l.add(Cause{Kind: kind, What: name, Old: a, New: b, Change: changed})
		}
	}
}
