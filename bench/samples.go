package main

import (
	"slices"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// samples are paired runs: of dgd, and of what it is compared with.
type samples struct {
	own, baseline []run.Usage
	built         *nix.Build // the last one
	peakKB        int
	counts        map[string]int
	problems      []string
}

func (s *samples) add(built *nix.Build, baseline run.Usage) {
	s.pair(built.Usage, baseline)
	s.built = built
	s.counts = kinds(built.Derived)
}

// pair adds what a run and its baseline have used.
func (s *samples) pair(own, baseline run.Usage) {
	s.own = append(s.own, own)
	s.baseline = append(s.baseline, baseline)
	s.peakKB = max(s.peakKB, own.PeakKB)
}

// wall and cpu are the seconds of a run.
func wall(u run.Usage) float64 { return u.Time.Seconds() }
func cpu(u run.Usage) float64  { return u.CPU.Seconds() }

// medians are those of the runs, of the baselines, of the ratios and of the
// differences of what a function says of a run.
func (s *samples) medians(of func(run.Usage) float64) (own, baseline, ratio, difference float64) {
	var owns, baselines, ratios, differences []float64
	for i := range s.own {
		a, b := of(s.own[i]), of(s.baseline[i])
		owns, baselines, differences = append(owns, a), append(baselines, b), append(differences, a-b)
		if b > 0 {
			ratios = append(ratios, a/b)
		}
	}
	return record.Median(owns), record.Median(baselines), record.Median(ratios), record.Median(differences)
}

// must notes a problem, once, where something is not as it has to be.
func (s *samples) must(ok bool, problem string) {
	if !ok && !slices.Contains(s.problems, problem) {
		s.problems = append(s.problems, problem)
	}
}

// record makes a record of the samples.
func (b *bench) record(scenario string, p *program, mode, baseline string, s *samples) record.Record {
	r := record.Record{
		Scenario:       scenario,
		Program:        p.name,
		Mode:           mode,
		Baseline:       baseline,
		NixPeakMB:      float64(s.peakKB) / 1024,
		Packages:       p.packages,
		Runs:           len(s.own),
		Counts:         s.counts,
		InputAddressed: b.opt.inputAddressed,
		OneProcess:     b.opt.oneProcess,
		MaxJobs:        b.opt.maxJobs,
		Problems:       s.problems,
		Versions:       b.versions,
	}
	r.Seconds, r.BaselineSeconds, r.Ratio, r.Difference = s.medians(wall)
	r.CPU, r.BaselineCPU, r.CPURatio, _ = s.medians(cpu)
	if s.built != nil {
		r.Derivations = len(s.built.Derived)
	}
	b.say("%s %s %s: %.2f s, %s %.2f s, ratio %.3f, difference %.2f s; CPU %.2f s, %.2f s, ratio %.3f; %d derivations %v, %.0f MB %v",
		scenario, p.name, mode, r.Seconds, baseline, r.BaselineSeconds, r.Ratio, r.Difference, r.CPU, r.BaselineCPU, r.CPURatio, r.Derivations, r.Counts, r.NixPeakMB, r.Problems)
	return r
}
