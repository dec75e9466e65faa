package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/nix/nar"
)

// bumped measures the build after one module's version was raised.
func bumped(m *measurement) {
	w := m.warmed(m.name)
	if w.bump == nil {
		fail("it is not said which module to raise")
	}
	next := m.raise(w)
	affected := m.affected(next)
	m.paired(w, func(mode string, i int) {
		store := must(w.store.Clone(m.ctx, m.unique("store")))
		check(store.Fill(m.ctx, &m.machine.Store, m.onDisk(""), next.modules))
		cache := m.unique("cache")
		copyTree(w.cache, cache)
		next.use(store, cache)
		s := m.of(w, m.scenario, mode, goBuild)
		m.pair(next, s, i)
		for _, d := range s.built.Derived {
			s.must(kind(d.Name) != "compile" || affected[d.Name], d.Name+" was compiled, which does not depend on the module")
		}
		s.must(s.Counts["std"] == 0, "the standard library was built again")
		s.must(s.Counts["compile"] > 0, "nothing was compiled")
	})
	next.discard()
}

// raise makes a workspace in which the module has its other version.
func (b *bench) raise(w *workspace) *workspace {
	up := w.bump
	p := *w.program
	p.src, p.vendorHash = b.unique("source"), up.vendorHash
	copyTree(w.program.src, p.src)
	mod, sum := filepath.Join(p.src, "go.mod"), filepath.Join(p.src, "go.sum")
	text, before, after := readFile(mod), up.module+" "+up.from, up.module+" "+up.to
	if strings.Count(text, before) != 1 {
		fail("go.mod does not have %s once", before)
	}
	writeFile(mod, strings.Replace(text, before, after, 1))
	writeFile(sum, readFile(sum)+fmt.Sprintf("%s %s\n%s/go.mod %s\n", after, up.sum[0], after, up.sum[1]))
	b.fetchModules(&p)
	next := b.newWorkspace(&p)
	next.edits = w.edits
	next.render()
	return next
}

// affected are the names of derivations that a change of the module can reach:
// those of its packages, and of what imports them. Packages that share a
// derivation have it under their module's name.
func (b *bench) affected(w *workspace) map[string]bool {
	own, names := map[string]bool{}, map[string]bool{}
	lines := b.goList(w, `{{.ImportPath}} {{with .Module}}{{.Path}}{{end}} {{join .Deps " "}}`)
	for _, line := range lines {
		words := strings.Split(line, " ")
		own[words[0]] = words[1] == w.bump.module
	}
	for _, line := range lines {
		words := strings.Split(line, " ")
		if own[words[0]] || slices.ContainsFunc(words[2:], func(dep string) bool { return own[dep] }) {
			names[nar.Name(words[0])], names[nar.Name(words[1])] = true, true
		}
	}
	return names
}
