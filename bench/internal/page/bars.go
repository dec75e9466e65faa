package page

import (
	"fmt"
	"math"
	"slices"

	"dgd/bench/internal/record"
)

// A bar is what a scenario has to reach.
type bar struct {
	scenario, program, baseline, mode string // an empty one: any
	what                              string
	limit                             float64
	newer                             float64 // the limit from Nix 2.35 on, whose scheduler is another; 0 where it is the same
	unit                              string
	value                             func(r record.Record) float64
}

func ratio(r record.Record) float64       { return r.Ratio }
func cpuRatio(r record.Record) float64    { return r.CPURatio }
func difference(r record.Record) float64  { return r.Difference }
func seconds(r record.Record) float64     { return r.Seconds }
func baseSeconds(r record.Record) float64 { return r.BaselineSeconds }
func ownPeak(r record.Record) float64     { return r.PeakMB }
func nixPeak(r record.Record) float64     { return r.NixPeakMB }
func problems(r record.Record) float64    { return float64(len(r.Problems)) }

const (
	ofGoBuild = "time, of go build's"
	cpuOfGo   = "CPU seconds, of go build's"
	ofEdit    = "more or less built than the edit asks for"
	ofC       = "more or less compiled than the edit asks for"
)

var bars = []bar{
	{"cold", "caddy", "go build", "", ofGoBuild, 1.1, 1.03, "", ratio},
	{"cold", "caddy", "go build", "", cpuOfGo, 1.1, 1.03, "", cpuRatio},
	{"cold", "gofumpt", "go build", "", ofGoBuild, 1.4, 1.3, "", ratio},
	{"cold", "gen-1000", "go build", "", ofGoBuild, 1.8, 1.4, "", ratio},
	{"cold", "gen-10000", "go build", "", ofGoBuild, 2.2, 1.6, "", ratio},
	{"cold", "gen-10000", "go build", "", "memory of Nix", 1024, 0, " MB", nixPeak},
	{"cold", "k9s", "go build", "", ofGoBuild, 1.1, 1.03, "", ratio},
	{"second-small", "", "go build", "", ofGoBuild, 0.5, 0, "", ratio},
	{"second", "", "go build", "", ofGoBuild, 0.92, 0.85, "", ratio},
	{"leaf", "caddy", "go build", "", ofGoBuild, 1.1, 1.05, "", ratio},
	{"leaf", "caddy", "single", "", "time, of the single derivation's", 1.0 / 15, 0, "", ratio},
	{"leaf", "", "go build", "", ofEdit, 0, 0, "", problems},
	{"leaf-rev", "caddy", "go build", "", ofGoBuild, 1.2, 1.15, "", ratio},
	{"deep-body", "caddy", "", "", ofGoBuild, 0.25, 0.22, "", ratio},
	{"deep-body", "", "", "", ofEdit, 0, 0, "", problems},
	{"deep-lines", "caddy", "", "", ofGoBuild, 1.1, 1.05, "", ratio},
	{"exported", "caddy", "", "", ofGoBuild, 1.1, 1.05, "", ratio},
	{"comment", "", "", "", ofEdit, 0, 0, "", problems},
	{"bump", "", "", "", ofEdit, 0, 0, "", problems},
	{"cgo-cold", "ollama", "", "", ofGoBuild, 1.0, 0, "", ratio},
	{"cgo-cold", "ollama", "", "", cpuOfGo, 1.1, 0, "", cpuRatio},
	{"cgo-cold", "hugo-extended", "", "", ofGoBuild, 1.05, 0, "", ratio},
	{"cgo-edit comment", "", "", "", ofGoBuild, 1.2, 0, "", ratio},
	{"cgo-edit go", "", "", "", ofGoBuild, 0.25, 0, "", ratio},
	{"cgo-edit go-ggml", "", "", "", ofGoBuild, 0.25, 0, "", ratio},
	{"cgo-edit cpp", "", "", "", ofGoBuild, 0.4, 0, "", ratio},
	{"cgo-edit comment", "", "", "", ofC, 0, 0, "", problems},
	{"cgo-edit cpp", "", "", "", ofC, 0, 0, "", problems},
	{"cgo-edit header", "", "", "", ofC, 0, 0, "", problems},
	{"cgo-edit page", "", "", "", ofC, 0, 0, "", problems},
	{"tests leaf", "", "", "", "time, of go test's", 1.2, 1.1, "", ratio},
	{"no-op", "", "", "", "more than a trivial expression", 1, 0, " s", difference},
	{"plan", "", "", "ifd", "more than `go build -n`", 0.4, 0, " s", difference},
	{"plan", "", "", "dyn", "more than `go build -n`", 0.4, 0, " s", difference},
	{"plan", "", "", "plan", "more than `go build -n`", 1, 0, " s", difference},
	{"plan", "", "", "", "memory of the planner", 200, 0, " MB", ownPeak},
	{"bind", "", "", "", "time", 0.5, 0, " s", seconds},
	{"hand-over", "", "", "ifd", "evaluation of the derivations", 0.6, 0, " s", difference},
	{"hand-over", "", "", "dyn", "derivations into the store", 1.2, 0.3, " s", difference},
	{"growth", "gen-10000", "go build", "", ofGoBuild, 2.2, 1.6, "", ratio},
	{"growth", "", "go build", "", "memory of Nix", 1024, 0, " MB", nixPeak},
}

// A verdict is a bar on one record.
type verdict struct {
	Record       record.Record
	What         string
	Limit, Value string
	Met          bool
}

func (b *bar) verdict(r record.Record, value float64) verdict {
	limit := b.limit
	if b.newer != 0 && newer(r.Versions.Nix) {
		limit = b.newer
	}
	return verdict{r, b.what, amount(limit) + b.unit, amount(value) + b.unit, value <= limit}
}

// newer reports whether a version of Nix is 2.35 or later.
func newer(nix string) bool {
	var major, minor int
	n, _ := fmt.Sscanf(nix, "%d.%d", &major, &minor)
	return n == 2 && (major > 2 || major == 2 && minor >= 35)
}

// judge compares the records with the bars; at the end, the cost per package of
// the largest project with that of the smallest.
func judge(list []record.Record) []verdict {
	var all []verdict
	for _, b := range bars {
		for _, r := range list {
			if b.scenario == r.Scenario && (b.program == "" || b.program == r.Program) && (b.baseline == "" || b.baseline == r.Baseline) && (b.mode == "" || b.mode == r.Mode) {
				all = append(all, b.verdict(r, b.value(r)))
			}
		}
	}
	grown := growth(list)
	for _, mode := range modes {
		sizes := slices.DeleteFunc(slices.Clone(grown), func(r record.Record) bool { return r.Mode != mode || r.Baseline != "go build" })
		if len(sizes) < 2 {
			continue
		}
		slices.SortStableFunc(sizes, func(a, b record.Record) int { return a.Packages - b.Packages })
		small, big := sizes[0], sizes[len(sizes)-1]
		b := bar{what: "cost per package, of " + small.Program + "'s", limit: 4.0 / 3, newer: 1.2}
		all = append(all, b.verdict(big, per(seconds)(big)/per(seconds)(small)))
	}
	return all
}

// per is a value per thousand packages.
func per(of func(record.Record) float64) func(record.Record) float64 {
	return func(r record.Record) float64 { return 1000 * of(r) / float64(r.Packages) }
}

// amount is a number with three digits or so; small whole numbers are counts.
func amount(v float64) string {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 100:
		return fmt.Sprintf("%.0f", v)
	case v < 0.1 && v > -0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
