package main

import (
	"context"
	"fmt"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// A scenario is something that a user does, with dgd and without.
type scenario struct {
	name     string
	programs []string // where the flags name none
	run      func(ctx context.Context, b *bench, program string) ([]record.Record, error)
}

var scenarios = []scenario{
	{"cold", []string{small, large, generated[0]}, func(ctx context.Context, b *bench, p string) ([]record.Record, error) {
		return b.fresh(ctx, "cold", p, "", false)
	}},
	{"second", []string{large}, func(ctx context.Context, b *bench, p string) ([]record.Record, error) {
		return b.fresh(ctx, "second", p, small, false)
	}},
	{"second-small", []string{small}, func(ctx context.Context, b *bench, p string) ([]record.Record, error) {
		return b.fresh(ctx, "second-small", p, large, false)
	}},
	{"leaf", []string{large}, edit(leaf, true)},
	{leafRev, []string{large}, edit(leafRev, false)},
	{"deep-body", []string{large}, edit(deepBody, false)},
	{"deep-lines", []string{large}, edit(deepLines, false)},
	{"exported", []string{large}, edit(exported, false)},
	{"comment", []string{large}, edit(comment, false)},
	{"bump", []string{large}, bumped},
	{"cgo-cold", cPrograms, func(ctx context.Context, b *bench, p string) ([]record.Record, error) {
		return b.fresh(ctx, "cgo-cold", p, "", false)
	}},
	{"cgo-edit", cPrograms, cgoEdits},
	{"no-op", []string{large}, noop},
	{"eval", []string{large}, evaluated},
	{"plan", []string{large}, plan},
	{"hand-over", generated[:1], handOver},
	{"growth", generated, func(ctx context.Context, b *bench, p string) ([]record.Record, error) {
		return b.fresh(ctx, "growth", p, "", true)
	}},
}

// Baselines.
const (
	goBuild = "go build"
	single  = "single"
)

// fresh measures builds in a store that knows nothing of the program, but maybe
// of another one.
func (b *bench) fresh(ctx context.Context, scenario, name, before string, withSingle bool) ([]record.Record, error) {
	w, err := b.workspace(ctx, name)
	if err != nil {
		return nil, err
	}
	var other *workspace
	if before != "" {
		if other, err = b.workspace(ctx, before); err != nil {
			return nil, err
		}
		if err := b.fill(ctx, other); err != nil {
			return nil, err
		}
	}
	plain, whole := map[string]*samples{}, map[string]*samples{}
	for i := range b.opt.runs {
		b.say("%s %s: run %d of %d", scenario, name, i+1, b.opt.runs)
		if err := b.freshRun(ctx, w, other, plain); err != nil {
			return nil, err
		}
		if !withSingle {
			continue
		}
		took, err := b.singleRun(ctx, w)
		if err != nil {
			return nil, err
		}
		for _, mode := range b.opt.modes {
			of(whole, mode).add(plain[mode].built, took)
		}
	}
	var list []record.Record
	for _, mode := range b.opt.modes {
		list = append(list, b.record(scenario, w.program, mode, goBuild, plain[mode]))
		if withSingle {
			list = append(list, b.record(scenario, w.program, mode, single, whole[mode]))
		}
	}
	if other != nil {
		if err := other.discard(); err != nil {
			return nil, err
		}
	}
	return list, b.adopt(w)
}

// freshRun runs go build once and dgd once in each mode. The workspace keeps
// the last store and the build cache.
func (b *bench) freshRun(ctx context.Context, w, other *workspace, all map[string]*samples) error {
	cache := b.unique("cache")
	made, took, err := b.goBuild(ctx, w, cache)
	if err != nil {
		return err
	}
	if err := w.useCache(cache); err != nil {
		return err
	}
	for _, mode := range b.opt.modes {
		store, err := b.cold(ctx, w)
		if err != nil {
			return err
		}
		if err := w.useStore(store); err != nil {
			return err
		}
		if other != nil {
			if _, err := b.build(ctx, other, store, mode); err != nil {
				return err
			}
		}
		built, err := b.build(ctx, w, store, mode)
		if err != nil {
			return err
		}
		if err := same(bin(store, built, mode), made); err != nil {
			return fmt.Errorf("%s, mode %s: %w", w.name, mode, err)
		}
		of(all, mode).add(built, took)
	}
	return nil
}

// singleRun is what the whole build takes as one derivation.
func (b *bench) singleRun(ctx context.Context, w *workspace) (run.Usage, error) {
	store, err := b.cold(ctx, w)
	if err != nil {
		return run.Usage{}, err
	}
	built, err := b.build(ctx, w, store, single)
	if err != nil {
		return run.Usage{}, err
	}
	return built.Usage, nix.Remove(store.Root)
}

// of is the samples of a mode.
func of(all map[string]*samples, mode string) *samples {
	if all[mode] == nil {
		all[mode] = &samples{}
	}
	return all[mode]
}
