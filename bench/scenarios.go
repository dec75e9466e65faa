package main

import (
	"dgd/internal/nix/ownstore"
)

// A scenario is something that a user does, with dgd and without.
type scenario struct {
	name     string
	what     string
	programs []string // where the flags name none
	run      func(m *measurement)
}

var scenarios = []scenario{
	{"cold", "nothing has been planned or compiled", []string{small, large, generated[0], "k9s"}, fresh("", false)},
	{"second", "the same, but a small program has been built in the store", []string{large}, fresh(small, false)},
	{"second-small", "a small program, when a large one has been built in the store", []string{small}, fresh(large, false)},
	{leaf, "an edit in a package that main alone imports", []string{large}, edit(leaf, true)},
	{leafRev, "the same edit, and another revision in `-ldflags=-X`, as each commit has it", []string{large}, edit(leafRev, false)},
	{deepBody, "an edit inside a function of the package that nearly all others import; no line moves", []string{large}, edit(deepBody, false)},
	{deepLines, "the same edit, adding a line", []string{large}, edit(deepLines, false)},
	{exported, "a field is added to an exported struct of that package", []string{large}, edit(exported, false)},
	{comment, "a comment is added at a file's end", []string{large}, edit(comment, false)},
	{"bump", "a module's version is raised", []string{large}, bumped},
	{"cgo-cold", "cold, of programs with C++", cPrograms, fresh("", false)},
	{"cgo-edit", "an edit of these: a comment in a package without C, a line of Go beside C++, a C++ file, a header that nobody includes, a page beside C++", cPrograms, cgoEdits},
	{"ci", "a binary cache has the last commit: what is fetched from it, built after an edit in a package that main alone imports, and put there; go build has no cache", []string{large}, ci},
	{"tests", "the tests of all packages, of which nothing has been planned or compiled, and after an edit in a package that main alone imports", []string{large}, tested},
	{"no-op", "nothing has changed; the baseline is a trivial derivation that is built already", []string{large}, noop},
	{"eval", "the evaluation alone, of what is built already; the baseline is that of a trivial derivation", []string{large}, evaluated},
	{"plan", "the skeleton of the source and the plan, made outside of Nix; and bind: the plan bound to the source, outside of Nix", []string{large}, plan},
	{"hand-over", "how long the list of derivations takes on its way to Nix", generated[:1], handOver},
	{"growth", "cold, with generated projects of different sizes", generated, fresh("", true)},
}

// Baselines that are built. Attributes of bench.nix are single and trivial.
const (
	goBuild = "go build"
	single  = "single"
	trivial = "trivial"
)

// fresh measures builds in a store that knows nothing of the program, but maybe
// of another one. The workspace keeps the last store and the build cache.
func fresh(before string, withSingle bool) func(*measurement) {
	return func(m *measurement) {
		w := m.workspace(m.name)
		var other *workspace
		if before != "" {
			other = m.workspace(before)
			m.fill(other)
		}
		for i := range m.opt.runs {
			m.say("%s %s: run %d of %d", m.scenario, m.name, i+1, m.opt.runs)
			made, took := m.goBuild(w, m.unique("cache"))
			for _, mode := range m.opt.modes {
				w.use(m.cold(w), w.cache)
				if other != nil {
					m.build(other, w.store, mode)
				}
				built := m.build(w, w.store, mode)
				m.same(w, built, mode, made)
				m.of(w, m.scenario, mode, goBuild).add(built, took)
			}
			if !withSingle {
				continue
			}
			store := m.cold(w)
			whole := m.build(w, store, single).Usage
			check(ownstore.Remove(store.Root))
			for _, mode := range m.opt.modes {
				m.of(w, m.scenario, mode, single).add(m.of(w, m.scenario, mode, goBuild).built, whole)
			}
		}
		if other != nil {
			other.discard()
		}
		if m.warm[w.name] != nil {
			w.discard()
		} else { // for the edits
			m.warm[w.name] = w
		}
	}
}

// noop measures a build in which nothing has changed, against one of a trivial
// expression.
func noop(m *measurement) {
	w := m.warmed(m.name)
	m.build(w, w.store, trivial)
	m.paired(w, func(mode string, _ int) {
		s := m.of(w, m.scenario, mode, trivial)
		s.add(m.build(w, w.store, mode), m.build(w, w.store, trivial).Usage)
		s.must(len(s.built.Derived) == 0, "something was built")
	})
}

// evaluated measures the evaluation of a program that is built, against that
// of a trivial expression.
func evaluated(m *measurement) {
	w := m.warmed(m.name)
	m.paired(w, func(mode string, _ int) {
		m.of(w, m.scenario, mode, trivial).pair(m.evaluate(w, w.store, mode), m.evaluate(w, w.store, trivial))
	})
}
