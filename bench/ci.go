package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"dgd/bench/internal/run"
)

// ci measures a machine that has nothing of a program but a binary cache with its last
// commit: it fetches from there, builds a leaf edit, and puts what is new there. The
// go command beside it has no build cache.
func ci(m *measurement) {
	w := m.workspace(m.name)
	w.mustHaveEdits()
	for _, mode := range m.opt.modes {
		if mode == byPlan {
			continue // its inner derivations are those of the other modes
		}
		w.use(m.cold(w), cmp.Or(w.cache, m.unique("cache")))
		m.settle(w, mode)
		cache := "file://" + m.unique("binary-cache") + "?compression=none"
		m.push(w, mode, cache)
		for range m.opt.runs {
			w.edit(leaf)
			made, took := m.goBuild(w, m.unique("cache"))
			w.use(m.cold(w), w.cache)
			w.store.Config = append(slices.Clone(w.store.Config), "substituters = "+cache, "require-sigs = false")
			built := m.build(w, w.store, mode)
			m.same(w, built, mode, made)
			built.Add(m.push(w, mode, cache))
			s := m.of(w, m.scenario, mode, goBuild)
			s.add(built, took)
			s.must(s.Counts["compile"] == 1, "not exactly one package was compiled")
		}
	}
	w.discard()
}

// push puts into a binary cache what another machine needs of a workspace's build.
func (b *bench) push(w *workspace, mode, cache string) run.Usage {
	store, expression, attribute := w.store, b.ofWorkspace(w, mode), mode+".cacheable"
	all := must(store.Build(b.ctx, expression, attribute)).Usage
	drv := must(store.Output(b.ctx, "nix-instantiate", "-E", expression, "-A", attribute))
	names := must(store.Output(b.ctx, filepath.Join(b.dgd, "bin/dgd"), "cache", drv))
	cmd := store.Command(b.ctx, "nix", "--extra-experimental-features", "nix-command", "copy", "--stdin", "--no-check-sigs", "--to", cache)
	cmd.Stdin = strings.NewReader(names)
	all.Add(b.time(cmd))
	return all
}
