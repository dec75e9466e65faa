package page

import (
	"slices"
	"strings"

	"dgd/bench/internal/chart"
	"dgd/bench/internal/record"
)

// A picture is a chart that is a file beside the page.
type picture struct {
	File, Title string
	chart       interface{ SVG() (string, error) }
}

// overview are the charts that need no explanation: an edit, a first build, one
// with a binary cache, and growth.
func overview(list []record.Record) []picture {
	var all []picture
	add := func(file, title, scenario, program string) {
		r := find(list, scenario, program, "go build")
		if r == nil {
			return
		}
		bars := []chart.Bar{inSeconds("dgd", r.Seconds), inSeconds("go build", r.BaselineSeconds)}
		// Beside it, as the machine's speed is another one at another time.
		if single := find(alike(list, *r), scenario, program, "single"); single != nil {
			bars = append(bars, inSeconds("one derivation", single.BaselineSeconds))
		}
		all = append(all, picture{file, title, &chart.Bars{Title: title, Bars: bars}})
	}
	add("edit.svg", "An edit of caddy, 1,018 packages", "leaf", "caddy")
	add("first.svg", "A first build of caddy", "cold", "caddy")
	add("cache.svg", "A first build of caddy, with a binary cache that has the commit before (go build has no cache)", "ci", "caddy")
	if series := lines(list, seconds, baseSeconds); len(series) > 0 {
		all = append(all, picture{"cold.svg", "A first build, by size", &chart.Chart{Title: "A first build, by size", X: packagesAxis, Y: "seconds", LogY: true, Series: series}})
	}
	return all
}

// find is the record of a scenario beside a baseline, in the first of the modes that
// was measured, of how most people run it; or nil.
func find(list []record.Record, scenario, program, baseline string) *record.Record {
	for _, mode := range []string{"dyn", "ifd", "plan"} {
		for i, r := range list {
			if r.Scenario == scenario && r.Program == program && r.Baseline == baseline && r.Mode == mode && usual(r) {
				return &list[i]
			}
		}
	}
	return nil
}

// usual reports whether a record is of how most people run Nix: content-addressed, behind a
// daemon, with the slots that it has by default.
func usual(r record.Record) bool { return !r.InputAddressed && !r.OneProcess && r.MaxJobs == 0 }

// alike leaves the records of the machine and the Nix of one: seconds of several are
// not compared.
func alike(list []record.Record, one record.Record) []record.Record {
	return slices.DeleteFunc(slices.Clone(list), func(r record.Record) bool {
		return r.Versions.Machine != one.Versions.Machine || r.Versions.Nix != one.Versions.Nix
	})
}

// growth leaves the records of generated projects of different sizes, of the machine and
// the Nix of the first: those of the scenario growth, or if there are none, of cold.
func growth(list []record.Record) []record.Record {
	for _, scenario := range []string{"growth", "cold"} {
		sizes := slices.DeleteFunc(slices.Clone(list), func(r record.Record) bool {
			return r.Scenario != scenario || !strings.HasPrefix(r.Program, "gen-") || !usual(r)
		})
		if len(sizes) > 0 {
			return alike(sizes, sizes[0])
		}
	}
	return nil
}

func inSeconds(name string, seconds float64) chart.Bar {
	return chart.Bar{Name: name, Value: seconds, Text: amount(seconds) + " s"}
}

const packagesAxis = "packages, the standard library's included"

// details are the charts behind the tables: where a cold build's time goes, and plots
// of cost against size.
func details(list []record.Record) []picture {
	var all []picture
	if r := find(list, "cold", "caddy", "go build"); r != nil && len(r.Times) > 0 {
		const title = "Where a first build of caddy spends its time: seconds of derivations, of which several run at once"
		c := &chart.Bars{Title: title}
		for _, kind := range []string{"planning", "std", "compile", "c", "collect", "link", "install"} {
			if r.Times[kind] > 0 {
				c.Bars = append(c.Bars, inSeconds(kind, r.Times[kind]))
			}
		}
		all = append(all, picture{"where.svg", title, c})
	}
	if s := lines(list, per(seconds), per(baseSeconds)); len(s) > 0 {
		const title = "A first build, per package"
		all = append(all, picture{"per-package.svg", title, &chart.Chart{Title: title, X: packagesAxis, Y: "milliseconds per package", Series: s}})
	}
	if s := lines(list, nixPeak, nil); len(s) > 0 {
		const title = "Memory of Nix"
		all = append(all, picture{"memory.svg", title, &chart.Chart{Title: title, X: packagesAxis, Y: "MB at the peak", Series: s}})
	}
	return all
}

// lines are a line for each mode and, where base is given, for each baseline:
// that of one mode, as it does not depend on it.
func lines(list []record.Record, own, base func(record.Record) float64) []chart.Series {
	var all []chart.Series
	sizes := growth(list)
	add := func(name, mode, baseline string, value func(record.Record) float64) {
		s := chart.Series{Name: name}
		for _, r := range sizes {
			if r.Baseline == baseline && r.Mode == mode {
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
