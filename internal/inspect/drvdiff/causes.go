package drvdiff

import (
	"cmp"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// A Cause is a difference of a derivation that does not follow from its dependencies.
type Cause struct {
	// Kind is one of toolchain, executor, builder, argument, system,
	// environment, file, module, flag, variable, import, package, setting,
	// output, input and other.
	Kind string `json:"kind"`
	What string `json:"what"`
	// Old and New are the values in the two states, if there are any. Something that is
	// only in one of the states has no value in the other.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Change is changed, new or gone.
	Change string `json:"change"`
}

// String returns the cause for people.
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
		return text + sep + cmp.Or(c.Old, "none") + " → " + cmp.Or(c.New, "none")
	case c.Change == changed:
		return text + " changed"
	}
	return text + " is " + c.Change
}

// causes is a list of causes without duplicates.
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

// rest adds the causes for two derivations for which there are no other causes.
func (l *causes) rest(o, n *node) {
	if n.put.Replace(n.drv.Env["spec"]) != o.put.Replace(o.drv.Env["spec"]) {
		l.add(Cause{Kind: "other", What: "its steps differ", Change: changed})
		return
	}
	l.process(o, n, func(text string, _ *node) string { return text })
	l.inputs(o, n)
	if len(l.found) == 0 {
		l.add(Cause{Kind: "other", What: "the steps and the inputs are the same: an input-addressed derivation also differs if the derivations of its inputs do", Change: changed})
	}
}

// process compares the processes that Nix starts, builder, arguments and variables,
// and the outputs. seen maps each resolved text of a node to the text that is compared.
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
		change := changeOf(o.drv.Env, n.drv.Env, name)
		if change != changed || was(o.drv.Env[name]) != is(n.drv.Env[name]) {
			l.add(Cause{Kind: "variable", What: name, Change: change})
		}
	}
	for _, name := range union(o.drv.Outputs, n.drv.Outputs) {
		a, b := o.drv.Outputs[name], n.drv.Outputs[name]
		change := changeOf(o.drv.Outputs, n.drv.Outputs, name)
		switch {
		case change != changed:
			l.add(Cause{Kind: "output", What: name, Change: change})
		case a.Floating() == b.Floating() && (a.Algo != b.Algo || a.Hash != b.Hash):
			l.add(Cause{Kind: "output", What: name, Old: strings.TrimSpace(a.Algo + " " + a.Hash), New: strings.TrimSpace(b.Algo + " " + b.Hash), Change: change})
		}
	}
}

// inputs compares the store paths that derivations read, without outputs of inner
// derivations.
func (l *causes) inputs(o, n *node) {
	read := func(n *node) map[string]bool {
		list := map[string]bool{}
		for _, path := range n.drv.Sources {
			list[path] = true
		}
		for _, d := range n.deps {
			if d.to.role == inner {
				delete(list, d.resolved())
			} else if d.text != "" {
				list[d.resolved()] = true
			}
		}
		return list
	}
	a, b := read(o), read(n)
	for _, path := range union(a, b) {
		if change := changeOf(a, b, path); change != changed {
			l.add(Cause{Kind: "input", What: path, Change: change})
		}
	}
}

// blank returns a text without the outputs of inner derivations, whose differences are
// reported otherwise.
func blank(text string, n *node) string {
	for _, d := range n.deps {
		if d.to.role == inner {
			text = strings.ReplaceAll(text, d.resolved(), "")
		}
	}
	return text
}

// union returns the names that at least one of two maps has, sorted.
func union[V any](a, b map[string]V) []string {
	return distinct(slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b)))
}

// changeOf returns the change of a name that at least one of two states has: changed
// if both have it, with the same value or not.
func changeOf[V any](old, new map[string]V, name string) string {
	if _, ok := old[name]; !ok {
		return added
	}
	if _, ok := new[name]; !ok {
		return removed
	}
	return changed
}

// words adds a cause for each word that only one of two lists has.
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

// without returns the words of a list that are not in the other one. It leaves out
// file names, which are compared as files.
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

// importConfigs compares two import configs: the packages that are imported or linked,
// and the module information of a program.
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
		if change := changeOf(a, b, name); change != changed {
			l.add(Cause{Kind: what, What: name, Change: change})
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

// compare adds a cause for each name that has different values in two maps, or is only
// in one of them.
func compare(l *causes, kind string, old, new map[string]string) {
	for _, name := range union(old, new) {
		if change := changeOf(old, new, name); change != changed || old[name] != new[name] {
			l.add(Cause{Kind: kind, What: name, Old: old[name], New: new[name], Change: change})
		}
	}
}
