package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// edit makes a scenario of an edit: the rebuild with dgd, and that of go build
// with the build cache that it has from before.
func edit(kind string, withSingle bool) func(context.Context, *bench, string) ([]record.Record, error) {
	return func(ctx context.Context, b *bench, name string) ([]record.Record, error) {
		w, err := b.warmed(ctx, name)
		if err != nil {
			return nil, err
		}
		if w.program.edits.leafFile == "" {
			return nil, fmt.Errorf("%s: it is not said what to edit", name)
		}
		var list []record.Record
		var whole []run.Usage // what a single derivation took, by run
		for _, mode := range b.opt.modes {
			if err := b.settle(ctx, w, mode); err != nil {
				return nil, err
			}
			plain, other := &samples{}, &samples{}
			for i := range b.opt.runs {
				if err := w.edit(kind); err != nil {
					return nil, err
				}
				built, err := b.pair(ctx, w, mode, i%2 == 1, plain)
				if err != nil {
					return nil, err
				}
				checkEdit(kind, plain, b.opt.inputAddressed)
				if !withSingle {
					continue
				}
				if len(whole) <= i {
					one, err := b.build(ctx, w, w.store, single)
					if err != nil {
						return nil, err
					}
					whole = append(whole, one.Usage)
				}
				other.add(built, whole[i])
			}
			list = append(list, b.record(kind, w.program, mode, goBuild, plain))
			if withSingle {
				list = append(list, b.record(kind, w.program, mode, single, other))
			}
		}
		return list, nil
	}
}

// pair builds a workspace with dgd and with go build, compares, and adds the two
// to the samples, with the number of .drv files that the store got.
func (b *bench) pair(ctx context.Context, w *workspace, mode string, goFirst bool, s *samples) (built *nix.Build, err error) {
	var made string
	var took run.Usage
	plain := func() error {
		made, took, err = b.goBuild(ctx, w, w.cache)
		return err
	}
	if goFirst {
		if err := plain(); err != nil {
			return nil, err
		}
	}
	added, err := drvsAdded(w.store, func() error {
		built, err = b.build(ctx, w, w.store, mode)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !goFirst {
		if err := plain(); err != nil {
			return nil, err
		}
	}
	if err := same(bin(w.store, built, mode), made); err != nil {
		return nil, fmt.Errorf("%s, mode %s: %w", w.name, mode, err)
	}
	s.add(built, took)
	s.counts["added"] = added
	return built, nil
}

// drvsAdded is how many .drv files a store gets while f runs.
func drvsAdded(store *nix.Store, f func() error) (int, error) {
	before, err := drvFiles(store)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := drvFiles(store)
	return after - before, err
}

// drvFiles counts the .drv files of a store.
func drvFiles(store *nix.Store) (int, error) {
	dir, err := os.Open(filepath.Join(store.Root, "nix/store"))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".drv") {
			n++
		}
	}
	return n, nil
}

// checkEdit notes where more, or less, has been built than an edit asks for.
// Input-addressed, what imports the edited package is built, too.
func checkEdit(kind string, s *samples, inputAddressed bool) {
	c := s.counts
	s.must(c["std"] == 0, "the standard library was built again")
	switch {
	case inputAddressed:
	case kind == deepBody, kind == leaf, kind == leafRev:
		s.must(c["compile"] == 1, "not exactly one package was compiled")
		s.must(c["link"] == 1, "not exactly one program was linked")
	case kind == comment:
		s.must(c["compile"] == 1, "not exactly one package was compiled")
		s.must(c["link"] == 0, "the program was linked again")
	}
	if kind != exported && kind != deepLines {
		s.must(c["plan"] == 0, "go build -n ran again")
	}
}

// evaluated measures the evaluation of a program that is built, against that
// of a trivial expression.
func evaluated(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	w, err := b.warmed(ctx, name)
	if err != nil {
		return nil, err
	}
	evaluate := func(attribute string) (used run.Usage, err error) {
		err = b.exclusive(ctx, func() error {
			used, err = w.store.Evaluate(ctx, b.expression(w.program, w.src()), attribute)
			return err
		})
		return used, err
	}
	var list []record.Record
	for _, mode := range b.opt.modes {
		if err := b.settle(ctx, w, mode); err != nil {
			return nil, err
		}
		s := &samples{}
		for range b.opt.runs {
			used, err := evaluate(mode)
			if err != nil {
				return nil, err
			}
			trivial, err := evaluate("trivial")
			if err != nil {
				return nil, err
			}
			s.pair(used, trivial)
		}
		list = append(list, b.record("eval", w.program, mode, "trivial", s))
	}
	return list, nil
}

// noop measures a build in which nothing has changed, against one of a trivial
// expression.
func noop(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	w, err := b.warmed(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := b.build(ctx, w, w.store, "trivial"); err != nil {
		return nil, err
	}
	var list []record.Record
	for _, mode := range b.opt.modes {
		if err := b.settle(ctx, w, mode); err != nil {
			return nil, err
		}
		s := &samples{}
		for range b.opt.runs {
			built, err := b.build(ctx, w, w.store, mode)
			if err != nil {
				return nil, err
			}
			trivial, err := b.build(ctx, w, w.store, "trivial")
			if err != nil {
				return nil, err
			}
			s.add(built, trivial.Usage)
			s.must(len(built.Derived) == 0, "something was built")
		}
		list = append(list, b.record("no-op", w.program, mode, "trivial", s))
	}
	return list, nil
}
