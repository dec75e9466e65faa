package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// A stage runs a command of dgd-plan outside of Nix.
type stage struct {
	command string
	config  map[string]any
	out     string
}

func (b *bench) stage(ctx context.Context, s stage) (run.Usage, error) {
	if err := nix.Remove(s.out); err != nil { // of an earlier run
		return run.Usage{}, err
	}
	dir := b.unique("stage")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return run.Usage{}, err
	}
	text, err := json.Marshal(s.config)
	if err != nil {
		return run.Usage{}, err
	}
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, text, 0o666); err != nil {
		return run.Usage{}, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(b.planner, "bin/dgd-plan"), s.command)
	run.Gently(cmd)
	cmd.Env = []string{"configPath=" + config, "out=" + s.out, "NIX_BUILD_TOP=" + dir}
	usage, err := b.measure(ctx, cmd)
	if err != nil {
		return run.Usage{}, fmt.Errorf("dgd-plan %s: %w", s.command, err)
	}
	return usage, nix.Remove(dir)
}

// planning is the planning of one program, as lib/stages/planning.nix calls it.
type planning struct{ std, modules, skeleton, plan, bind stage }

func (b *bench) stages(w *workspace) (planning, error) {
	dir := b.unique("planning")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return planning{}, err
	}
	out := func(name string) string { return filepath.Join(dir, name) }
	flags := []string{"-trimpath", "-buildvcs=false"}
	config := func(skeleton, vendor string, flags ...string) map[string]any {
		return map[string]any{
			"go": b.toolchain, "skeleton": skeleton, "env": w.env, "probe": "", "envFile": "",
			"subPackages": []string{w.subPackage}, "flags": flags, "vendor": vendor,
		}
	}
	vendor := w.vendor
	if vendor == "" {
		vendor = filepath.Join(w.src(), "vendor")
	}
	p := planning{
		std:      stage{"plan", config("", "", flags...), out("std-plan")},
		modules:  stage{"modules", map[string]any{"vendor": vendor, "storeDir": "/nix/store"}, out("modules")},
		skeleton: stage{"skeleton", map[string]any{"src": w.src()}, out("skeleton")},
		plan:     stage{"plan", config(out("skeleton"), w.vendor, append(flags, "-ldflags=-buildid=")...), out("plan")},
	}
	p.bind = stage{"bind", map[string]any{
		"plan": p.plan.out, "stdPlan": p.std.out, "modules": p.modules.out, "src": w.src(),
		"name": "program", "storeDir": "/nix/store", "inner": map[string]any{"granularity": "module", "contentAddressed": !b.opt.inputAddressed},
	}, out("derivations")}
	return p, nil
}

// run runs stages one after the other: their time, and the most memory that one
// of them takes.
func (b *bench) run(ctx context.Context, stages ...stage) (all run.Usage, err error) {
	for _, s := range stages {
		usage, err := b.stage(ctx, s)
		if err != nil {
			return all, err
		}
		all.Time += usage.Time
		all.CPU += usage.CPU
		all.PeakKB = max(all.PeakKB, usage.PeakKB)
	}
	return all, nil
}

// plan measures planning against `go build -n` alone, and binding. Both modes
// plan in the same way.
func plan(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	w, err := b.workspace(ctx, name)
	if err != nil {
		return nil, err
	}
	p, err := b.stages(w)
	if err != nil {
		return nil, err
	}
	if _, err := b.run(ctx, p.std, p.modules); err != nil {
		return nil, err
	}
	planned, bound := &samples{}, &samples{}
	for range b.opt.runs {
		usage, err := b.run(ctx, p.skeleton, p.plan)
		if err != nil {
			return nil, err
		}
		took, err := b.dryRun(ctx, w)
		if err != nil {
			return nil, err
		}
		planned.pair(usage, took)
		if usage, err = b.stage(ctx, p.bind); err != nil {
			return nil, err
		}
		bound.pair(usage, run.Usage{})
	}
	var list []record.Record
	for _, mode := range b.opt.modes {
		one := b.record("plan", w.program, mode, "go build -n", planned)
		one.PeakMB, one.NixPeakMB = one.NixPeakMB, 0 // it is the planner's
		two := b.record("bind", w.program, mode, "", bound)
		two.PeakMB, two.NixPeakMB = two.NixPeakMB, 0
		b.say("memory of dgd-plan: plan %.0f MB, bind %.0f MB", one.PeakMB, two.PeakMB)
		list = append(list, one, two)
	}
	return list, w.discard()
}

// dryRun is what `go build -n` takes with an empty cache.
func (b *bench) dryRun(ctx context.Context, w *workspace) (run.Usage, error) {
	cache := b.unique("cache")
	took, err := b.timeGo(ctx, w, cache, filepath.Join(w.dir, "bin"), "-n")
	if err != nil {
		return run.Usage{}, err
	}
	return took, os.RemoveAll(cache)
}

// handOver measures how long the derivations take on their way to Nix. In
// dynamic mode that is the derivation that binds, in a store which has none of
// what it adds, against binding without a store. With import from derivation it
// is to instantiate the program against to instantiate what Nix imports.
func handOver(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	w, err := b.workspace(ctx, name)
	if err != nil {
		return nil, err
	}
	p, err := b.stages(w)
	if err != nil {
		return nil, err
	}
	if _, err := b.run(ctx, p.std, p.modules, p.skeleton, p.plan); err != nil {
		return nil, err
	}
	all := map[string]*samples{}
	for range b.opt.runs {
		for _, mode := range b.opt.modes {
			store, err := b.cold(ctx, w)
			if err != nil {
				return nil, err
			}
			s := of(all, mode)
			if mode == "ifd" {
				err = b.handOverIFD(ctx, w, store, s)
			} else {
				err = b.handOverDyn(ctx, w, store, s, p.bind)
			}
			if err != nil {
				return nil, err
			}
			if err := nix.Remove(store.Root); err != nil {
				return nil, err
			}
		}
	}
	baseline := map[string]string{"ifd": "evaluation of what is imported", "dyn": "binding alone"}
	var list []record.Record
	for _, mode := range b.opt.modes {
		list = append(list, b.record("hand-over", w.program, mode, baseline[mode], all[mode]))
	}
	return list, w.discard()
}

func (b *bench) handOverIFD(ctx context.Context, w *workspace, store *nix.Store, s *samples) error {
	if _, err := b.build(ctx, w, store, "ifd.bound"); err != nil {
		return err
	}
	evaluate := func(attribute string) (took run.Usage, err error) {
		err = b.exclusive(ctx, func() error {
			took, err = store.Evaluate(ctx, b.expression(w.program, w.src()), attribute)
			return err
		})
		return took, err
	}
	less, err := evaluate("ifd.bound")
	if err != nil {
		return err
	}
	var all run.Usage
	added, err := drvsAdded(store, func() error {
		all, err = evaluate("ifd")
		return err
	})
	if err != nil {
		return err
	}
	s.add(&nix.Build{Usage: all}, less)
	s.counts["added"] = added
	return nil
}

func (b *bench) handOverDyn(ctx context.Context, w *workspace, store *nix.Store, s *samples, bind stage) error {
	usage, err := b.stage(ctx, bind)
	if err != nil {
		return err
	}
	if _, err := b.build(ctx, w, store, "dyn.plan"); err != nil {
		return err
	}
	var built *nix.Build
	added, err := drvsAdded(store, func() error {
		built, err = b.build(ctx, w, store, "dyn.drv")
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range built.Derived {
		if d.Name == "program.drv" {
			s.add(&nix.Build{Usage: run.Usage{Time: d.Time, PeakKB: built.PeakKB}}, run.Usage{Time: usage.Time})
			s.counts["added"] = added
			return nil
		}
	}
	return fmt.Errorf("%s: nothing was bound", w.name)
}
