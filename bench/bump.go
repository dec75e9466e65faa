package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dgd/bench/internal/record"
	"dgd/internal/nix/nar"
)

// bumped measures the build after one module's version was raised.
func bumped(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	w, err := b.warmed(ctx, name)
	if err != nil {
		return nil, err
	}
	if w.bump == nil {
		return nil, fmt.Errorf("%s: it is not said which module to raise", name)
	}
	next, err := b.raise(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("%s: raising %s: %w", name, w.bump.module, err)
	}
	affected, err := b.affected(ctx, next)
	if err != nil {
		return nil, err
	}
	var list []record.Record
	for _, mode := range b.opt.modes {
		if err := b.settle(ctx, w, mode); err != nil {
			return nil, err
		}
		s := &samples{}
		for i := range b.opt.runs {
			store, err := w.store.Clone(ctx, b.unique("store"))
			if err != nil {
				return nil, err
			}
			if err := store.Fill(ctx, b.onDisk(""), next.modules); err != nil {
				return nil, err
			}
			cache, err := b.copyCache(w.cache)
			if err != nil {
				return nil, err
			}
			if err := errors.Join(next.useStore(store), next.useCache(cache)); err != nil {
				return nil, err
			}
			built, err := b.pair(ctx, next, mode, i%2 == 1, s)
			if err != nil {
				return nil, err
			}
			for _, d := range built.Derived {
				s.must(kind(d.Name) != "compile" || affected[d.Name], d.Name+" was compiled, which does not depend on the module")
			}
			s.must(s.counts["std"] == 0, "the standard library was built again")
			s.must(s.counts["compile"] > 0, "nothing was compiled")
		}
		list = append(list, b.record("bump", w.program, mode, goBuild, s))
	}
	return list, next.discard()
}

// raise makes a workspace in which the module has its other version.
func (b *bench) raise(ctx context.Context, w *workspace) (*workspace, error) {
	up := w.bump
	p := *w.program
	p.src = b.unique("source")
	p.vendorHash = up.vendorHash
	if err := copyTree(w.program.src, p.src); err != nil {
		return nil, err
	}
	mod := filepath.Join(p.src, "go.mod")
	text, err := os.ReadFile(mod)
	if err != nil {
		return nil, err
	}
	before, after := up.module+" "+up.from, up.module+" "+up.to
	if strings.Count(string(text), before) != 1 {
		return nil, fmt.Errorf("go.mod does not have %s once", before)
	}
	if err := writeFile(mod, strings.Replace(string(text), before, after, 1)); err != nil {
		return nil, err
	}
	sums, err := os.ReadFile(filepath.Join(p.src, "go.sum"))
	if err != nil {
		return nil, err
	}
	more := fmt.Sprintf("%s %s\n%s/go.mod %s\n", after, up.sum[0], after, up.sum[1])
	if err := writeFile(filepath.Join(p.src, "go.sum"), string(sums)+more); err != nil {
		return nil, err
	}
	if p.modules, err = b.machine.Output(ctx, "nix-build", "--no-out-link", "-E", b.expression(&p, p.src), "-A", "goModules"); err != nil {
		return nil, err
	}
	p.vendor = b.onDisk(p.modules)
	next, err := b.newWorkspace(&p)
	if err != nil {
		return nil, err
	}
	next.edits = w.edits
	return next, next.render()
}

// affected are the names of derivations that a change of the module can reach:
// those of its packages, and of what imports them. Packages that share a
// derivation have it under their module's name.
func (b *bench) affected(ctx context.Context, w *workspace) (map[string]bool, error) {
	lines, err := b.goList(ctx, w, `{{.ImportPath}} {{with .Module}}{{.Path}}{{end}} {{join .Deps " "}}`)
	if err != nil {
		return nil, err
	}
	own, names := map[string]bool{}, map[string]bool{}
	for _, line := range lines {
		words := strings.Split(line, " ")
		if words[1] == w.bump.module {
			own[words[0]] = true
		}
	}
	for _, line := range lines {
		words := strings.Split(line, " ")
		if own[words[0]] || slices.ContainsFunc(words[2:], func(dep string) bool { return own[dep] }) {
			names[nar.Name(words[0])] = true
			names[nar.Name(words[1])] = true
		}
	}
	return names, nil
}
