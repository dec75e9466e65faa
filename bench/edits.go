package main

import (
	"path/filepath"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/run"
)

// edit makes a scenario of an edit: the rebuild with dgd, and that of go build
// with the build cache that it has from before.
func edit(kind string, withSingle bool) func(*measurement) {
	return func(m *measurement) {
		w := m.warmed(m.name)
		w.mustHaveEdits()
		if kind == leafRev {
			w.edit(kind) // so that -X is there before, with another value
		}
		var whole []run.Usage // what a single derivation took, by run
		m.paired(w, func(mode string, i int) {
			w.edit(kind)
			s := m.of(w, kind, mode, goBuild)
			m.pair(w, s, i)
			checkEdit(kind, s, m.opt.inputAddressed)
			if !withSingle {
				return
			}
			if len(whole) <= i {
				whole = append(whole, m.build(w, w.store, single).Usage)
			}
			m.of(w, kind, mode, single).add(s.built, whole[i])
		})
	}
}

// checkEdit notes where more, or less, has been built than an edit asks for.
// Input-addressed, what imports the edited package is built, too.
func checkEdit(kind string, s *samples, inputAddressed bool) {
	c := s.Counts
	s.must(c["std"] == 0, "the standard library was built again")
	moved := kind == exported || kind == deepLines
	s.must(moved || c["plan"] == 0, "go build -n ran again")
	if moved || inputAddressed {
		return
	}
	s.must(c["compile"] == 1, "not exactly one package was compiled")
	if kind == comment {
		s.must(c["link"] == 0, "the program was linked again")
	} else {
		s.must(c["link"] == 1, "not exactly one program was linked")
	}
}

// drvsAdded is how many .drv files a store gets while f runs.
func drvsAdded(store *nix.Store, f func()) int {
	count := func() int { return len(must(filepath.Glob(store.Path("/nix/store/*.drv")))) }
	before := count()
	f()
	return count() - before
}
