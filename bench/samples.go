package main

import (
	"slices"
	"time"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
)

// samples are paired runs: of dgd, and of what it is compared with.
type samples struct {
	seconds, baseline []float64
	built             *nix.Build // the last one
	peakKB            int
	counts            map[string]int
	problems          []string
}

func (s *samples) add(built *nix.Build, baseline time.Duration) {
	s.seconds = append(s.seconds, built.Time.Seconds())
	s.baseline = append(s.baseline, baseline.Seconds())
	s.built = built
	s.peakKB = max(s.peakKB, built.PeakKB)
	s.counts = kinds(built.Derived)
}

// must notes a problem, once, where something is not as it has to be.
func (s *samples) must(ok bool, problem string) {
	if !ok && !slices.Contains(s.problems, problem) {
		s.problems = append(s.problems, problem)
	}
}

// record makes a record of the samples.
func (b *bench) record(scenario string, p *program, mode, baseline string, s *samples) record.Record {
	var ratios, differences []float64
	for i := range s.seconds {
		if s.baseline[i] > 0 {
			ratios = append(ratios, s.seconds[i]/s.baseline[i])
		}
		differences = append(differences, s.seconds[i]-s.baseline[i])
	}
	r := record.Record{
		Scenario:        scenario,
		Program:         p.name,
		Mode:            mode,
		Seconds:         record.Median(s.seconds),
		Baseline:        baseline,
		BaselineSeconds: record.Median(s.baseline),
		Ratio:           record.Median(ratios),
		Difference:      record.Median(differences),
		NixPeakMB:       float64(s.peakKB) / 1024,
		Packages:        p.packages,
		Runs:            len(s.seconds),
		Counts:          s.counts,
		InputAddressed:  b.opt.inputAddressed,
		MaxJobs:         b.opt.maxJobs,
		Problems:        s.problems,
		Versions:        b.versions,
	}
	if s.built != nil {
		r.Derivations = len(s.built.Derived)
	}
	b.say("%s %s %s: %.2f s, %s %.2f s, ratio %.3f, difference %.2f s, %d derivations %v, %.0f MB %v",
		scenario, p.name, mode, r.Seconds, baseline, r.BaselineSeconds, r.Ratio, r.Difference, r.Derivations, r.Counts, r.NixPeakMB, r.Problems)
	return r
}
