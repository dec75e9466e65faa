package main

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/run"
	"dgd/internal/nix/ownstore"
)

// A stage is a command of dgd-plan, run outside of Nix.
type stage struct {
	command string
	config  map[string]any
	out     string
}

// run runs stages one after the other: their time, and the most memory that one
// of them takes.
func (b *bench) run(stages ...stage) (all run.Usage) {
	for _, s := range stages {
		check(ownstore.Remove(s.out)) // of an earlier run
		dir := b.unique("stage")
		config := filepath.Join(dir, "config")
		writeFile(config, string(must(json.Marshal(s.config))))
		cmd := exec.CommandContext(b.ctx, filepath.Join(b.planner, "bin/dgd-plan"), s.command)
		run.Gently(cmd)
		cmd.Env = []string{"configPath=" + config, "out=" + s.out, "NIX_BUILD_TOP=" + dir}
		usage := b.time(cmd)
		all.Add(usage)
		all.PeakKB = max(all.PeakKB, usage.PeakKB)
		check(ownstore.Remove(dir))
	}
	return all
}

// planning is the planning of one program, as lib/stages/planning.nix calls it.
type planning struct{ std, modules, skeleton, plan, bind stage }

func (b *bench) stages(w *workspace) planning {
	dir := b.unique("planning")
	check(os.Mkdir(dir, 0o777))
	out := func(name string) string { return filepath.Join(dir, name) }
	flags := []string{"-trimpath", "-buildvcs=false"}
	config := func(skeleton, vendor string, flags ...string) map[string]any {
		return map[string]any{
			"go": b.toolchain, "skeleton": skeleton, "env": map[string]string{"CGO_ENABLED": w.cgo()}, "probe": "", "envFile": "",
			"subPackages": []string{w.subPackage}, "flags": flags, "vendor": vendor,
		}
	}
	vendor := cmp.Or(w.vendor, filepath.Join(w.src(), "vendor"))
	p := planning{
		std:      stage{"plan", config("", "", flags...), out("std-plan")},
		modules:  stage{"modules", map[string]any{"vendor": vendor, "storeDir": "/nix/store"}, out("modules")},
		skeleton: stage{"skeleton", map[string]any{"src": w.src()}, out("skeleton")},
		plan:     stage{"plan", config(out("skeleton"), w.vendor, append(flags, "-ldflags=-buildid=")...), out("plan")},
	}
	p.bind = stage{"bind", map[string]any{
		"plan": p.plan.out, "stdPlan": p.std.out, "modules": p.modules.out, "src": w.src(),
		"name": "program", "storeDir": "/nix/store", "inner": map[string]any{"granularity": "auto", "contentAddressed": !b.opt.inputAddressed},
	}, out("derivations")}
	return p
}

// byPlan is the mode of a plan in a file, and the attribute of bench.nix.
const byPlan = "plan"

// planFile is the command that writes the plan in a file of a workspace, beside the
// source that has a vendor directory.
func (b *bench) planFile(w *workspace) *exec.Cmd {
	args := []string{"plan", "--builder", "buildWithIFD", "--package", w.subPackage, "--cgo=" + strconv.FormatBool(w.withC), "--tags", strings.Join(w.tags, ",")}
	if len(w.ldflags()) > 0 {
		args = append(args, "--ldflags", strings.Join(w.ldflags(), " "))
	}
	if !b.opt.inputAddressed {
		args = append(args, "--content-addressed")
	}
	cmd := b.goCommand(w, b.path("plan-cache"))
	cmd.Path = filepath.Join(b.dgd, "bin/dgd")
	cmd.Args = append([]string{"dgd"}, args...)
	cmd.Env = append(cmd.Env, "PATH="+filepath.Join(b.toolchain, "bin"))
	return cmd
}

func (b *bench) writePlan(w *workspace) {
	if out, err := b.planFile(w).CombinedOutput(); err != nil {
		fail("dgd plan: %w\n%s", err, out)
	}
}

// plan measures planning against `go build -n` alone, and binding. The modes plan in
// the same way; a plan in a file is made by dgd, and bound as it is made.
func plan(m *measurement) {
	w := m.workspace(m.name)
	p := m.stages(w)
	m.run(p.std, p.modules)
	for range m.opt.runs {
		planned := m.run(p.skeleton, p.plan)
		_, took := m.goBuild(w, m.unique("cache"), "-n")
		bound := m.run(p.bind)
		for _, mode := range m.opt.modes {
			if mode == byPlan {
				m.of(w, "plan", mode, "go build -n").pair(m.time(m.planFile(w)), took)
				continue
			}
			one, two := m.of(w, "plan", mode, "go build -n"), m.of(w, "bind", mode, "")
			one.pair(planned, took)
			two.pair(bound, run.Usage{})
			for _, s := range []*samples{one, two} { // the memory is the planner's
				s.PeakMB, s.NixPeakMB = max(s.PeakMB, s.NixPeakMB), 0
			}
		}
	}
	w.discard()
}

// handOver measures how long the derivations take on their way to Nix. In
// dynamic mode that is the derivation that binds, in a store which has none of
// what it adds, against binding without a store. With import from derivation it
// is to instantiate the program against to instantiate what Nix imports.
func handOver(m *measurement) {
	w := m.workspace(m.name)
	p := m.stages(w)
	m.run(p.std, p.modules, p.skeleton, p.plan)
	for range m.opt.runs {
		for _, mode := range m.opt.modes {
			if mode == byPlan {
				continue // there is no such list
			}
			store := m.cold(w)
			var s *samples
			var own, other run.Usage
			var added int
			if mode == "ifd" {
				s = m.of(w, m.scenario, mode, "evaluation of what is imported")
				m.build(w, store, "ifd.bound")
				other = m.evaluate(w, store, "ifd.bound")
				added = drvsAdded(store, func() { own = m.evaluate(w, store, "ifd") })
			} else {
				s = m.of(w, m.scenario, mode, "binding alone")
				other.Time = m.run(p.bind).Time
				m.build(w, store, "dyn.plan")
				added = drvsAdded(store, func() { own = m.bound(w, store) })
			}
			s.add(&nix.Build{Usage: own}, other)
			s.Counts["added"] = added
			check(ownstore.Remove(store.Root))
		}
	}
	w.discard()
}

// bound is what the derivation takes that binds in dynamic mode.
func (b *bench) bound(w *workspace, store *nix.Store) run.Usage {
	built := b.build(w, store, "dyn.drv")
	for _, d := range built.Derived {
		if d.Name == "program.drv" {
			return run.Usage{Time: d.Time, PeakKB: built.PeakKB}
		}
	}
	fail("nothing was bound")
	return run.Usage{}
}
