package page

import (
	"slices"

	"dgd/bench/internal/chart"
	"dgd/bench/internal/record"
)

type picture struct {
	File string
	chart.Chart
}

// charts are the plots of cost against size, where there is something to plot.
func charts(list []record.Record) []picture {
	const packages = "packages, the standard library's included"
	all := []picture{
		{"cold.svg", chart.Chart{Title: "A cold build", X: packages, Y: "seconds", LogY: true, Series: lines(list, seconds, baseSeconds)}},
		{"per-package.svg", chart.Chart{Title: "A cold build, per package", X: packages, Y: "milliseconds per package", Series: lines(list, per(seconds), per(baseSeconds))}},
		{"memory.svg", chart.Chart{Title: "Memory of Nix", X: packages, Y: "MB at the peak", Series: lines(list, nixPeak, nil)}},
	}
	return slices.DeleteFunc(all, func(p picture) bool { return len(p.Series) == 0 })
}

// lines are a line for each mode and, where base is given, for each baseline:
// that of one mode, as it does not depend on it.
func lines(list []record.Record, own, base func(record.Record) float64) []chart.Series {
	var all []chart.Series
	add := func(name, mode, baseline string, value func(record.Record) float64) {
		s := chart.Series{Name: name}
		for _, r := range list {
			if r.Scenario == "growth" && !r.InputAddressed && !r.OneProcess && r.Baseline == baseline && r.Mode == mode {
				s.Points = append(s.Points, chart.Point{X: float64(r.Packages), Y: value(r)})
			}
		}
		slices.SortFunc(s.Points, func(a, b chart.Point) int { return int(a.X - b.X) })
		if len(s.Points) > 0 && !slices.ContainsFunc(all, func(s chart.Series) bool { return s.Name == name }) {
			all = append(all, s)
		}
	}
	for _, mode := range modes {
		add("dgd, "+mode, mode, "go build", own)
	}
	for _, baseline := range []string{"go build", "single"} {
		for _, mode := range modes {
			if base != nil {
				add(baseline, mode, baseline, base)
			}
		}
	}
	return all
}
