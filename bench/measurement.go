package main

import (
	"slices"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// A measurement is that of a scenario with a program.
type measurement struct {
	*bench
	scenario, name string
	list           []*samples
}

// samples are paired runs: of dgd, and of what it is compared with. What they
// become is a record.
type samples struct {
	record.Record
	own, others []run.Usage
	built       *nix.Build // the last one
}

// of is the measurement's samples in a mode, beside a baseline.
func (m *measurement) of(w *workspace, scenario, mode, baseline string) *samples {
	for _, s := range m.list {
		if s.Scenario == scenario && s.Mode == mode && s.Baseline == baseline {
			return s
		}
	}
	s := &samples{Record: record.Record{
		Scenario: scenario, Program: w.name, Mode: mode, Baseline: baseline, Packages: w.packages,
		InputAddressed: m.opt.inputAddressed, OneProcess: m.opt.oneProcess, MaxJobs: m.opt.maxJobs, Versions: m.versions,
	}}
	m.list = append(m.list, s)
	return s
}

// paired calls step for each mode and each run, with the mode's builds up to
// date beforehand. What runs first takes turns.
func (m *measurement) paired(w *workspace, step func(mode string, i int)) {
	for _, mode := range m.opt.modes {
		m.settle(w, mode)
		for i := range m.opt.runs {
			step(mode, i)
		}
	}
}

// pair builds a workspace with dgd and with go build, compares, and adds the two
// to the samples, with the number of .drv files that the store got.
func (m *measurement) pair(w *workspace, s *samples, i int) {
	var made string
	var took run.Usage
	var built *nix.Build
	var added int
	order := []func(){
		func() { added = drvsAdded(w.store, func() { built = m.build(w, w.store, s.Mode) }) },
		func() { made, took = m.goBuild(w, w.cache) },
	}
	if i%2 == 1 {
		slices.Reverse(order)
	}
	for _, f := range order {
		f()
	}
	m.same(w, built, s.Mode, made)
	s.add(built, took)
	s.Counts["added"] = added
}

func (s *samples) add(built *nix.Build, other run.Usage) {
	s.pair(built.Usage, other)
	s.built = built
	s.Counts, s.Times, s.Derivations = kinds(built.Derived), times(built.Derived), len(built.Derived)
}

// pair adds what a run and its baseline have used.
func (s *samples) pair(own, other run.Usage) {
	s.own, s.others = append(s.own, own), append(s.others, other)
	s.NixPeakMB = max(s.NixPeakMB, float64(own.PeakKB)/1024)
}

// must notes a problem, once, where something is not as it has to be.
func (s *samples) must(ok bool, problem string) {
	if !ok && !slices.Contains(s.Problems, problem) {
		s.Problems = append(s.Problems, problem)
	}
}

// medians are those of the runs, of the baselines, of the ratios and of the
// differences of what a function says of a run.
func (s *samples) medians(of func(run.Usage) float64) (own, other, ratio, difference float64) {
	var owns, others, ratios, differences []float64
	for i := range s.own {
		a, b := of(s.own[i]), of(s.others[i])
		owns, others, differences = append(owns, a), append(others, b), append(differences, a-b)
		if b > 0 {
			ratios = append(ratios, a/b)
		}
	}
	return record.Median(owns), record.Median(others), record.Median(ratios), record.Median(differences)
}

// records are made of the samples, mode by mode.
func (m *measurement) records() []record.Record {
	var list []record.Record
	for _, mode := range m.opt.modes {
		for _, s := range m.list {
			if s.Mode == mode {
				s.Runs = len(s.own)
				s.Seconds, s.BaselineSeconds, s.Ratio, s.Difference = s.medians(func(u run.Usage) float64 { return u.Time.Seconds() })
				s.CPU, s.BaselineCPU, s.CPURatio, _ = s.medians(func(u run.Usage) float64 { return u.CPU.Seconds() })
				list = append(list, s.Record)
				m.say("%s %s %s: %.2f s, %s %.2f s, ratio %.3f, difference %.2f s; CPU %.2f s, %.2f s, ratio %.3f; %d derivations %v, %.0f MB %v",
					s.Scenario, s.Program, s.Mode, s.Seconds, s.Baseline, s.BaselineSeconds, s.Ratio, s.Difference, s.CPU, s.BaselineCPU, s.CPURatio, s.Derivations, s.Counts, max(s.NixPeakMB, s.PeakMB), s.Problems)
			}
		}
	}
	return list
}
