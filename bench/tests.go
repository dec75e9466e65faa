package main

import (
	"os"
	"slices"

	"dgd/bench/internal/nix"
	"dgd/internal/nix/ownstore"
)

// tested measures the tests of all packages, of a program that nobody has built
// and after an edit in a package that main alone imports, beside `go test`. The
// plan in a file that the bench writes is the program's alone.
func tested(m *measurement) {
	w := m.workspace(m.name)
	w.mustHaveEdits()
	modes := slices.DeleteFunc(slices.Clone(m.opt.modes), func(mode string) bool { return mode == byPlan })
	for range m.opt.runs {
		cache := m.unique("cache")
		stores := map[string]*nix.Store{}
		for _, mode := range modes {
			stores[mode] = m.cold(w)
		}
		for _, scenario := range []string{m.scenario, m.scenario + " leaf"} {
			args := slices.Concat([]string{"test", "-vet=off"}, goFlags(w.program))
			args[len(args)-1] = "./..."
			took := m.time(m.goCommand(w, cache, args...))
			for _, mode := range modes {
				m.of(w, scenario, mode, "go test").add(m.build(w, stores[mode], "tests."+mode), took)
			}
			w.edit(leaf)
		}
		for _, store := range stores {
			check(ownstore.Remove(store.Root))
		}
		check(os.RemoveAll(cache))
	}
	w.discard()
}
