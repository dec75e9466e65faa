package page

import (
	"fmt"
	"math"
	"slices"

	"dgd/bench/internal/record"
)

// A bar is what a scenario has to reach.
type bar struct {
	scenario, baseline, mode string // an empty one: any
	what                     string
	limit                    float64
	unit                     string
	value                    func(r record.Record) float64
}

func ratio(r record.Record) float64       { return r.Ratio }
func difference(r record.Record) float64  { return r.Difference }
func seconds(r record.Record) float64     { return r.Seconds }
func baseSeconds(r record.Record) float64 { return r.BaselineSeconds }
func ownPeak(r record.Record) float64     { return r.PeakMB }
func nixPeak(r record.Record) float64     { return r.NixPeakMB }
func problems(r record.Record) float64    { return float64(len(r.Problems)) }

var bars = []bar{
	{"cold", "go build", "", "time, of go build's", 1.05, "", ratio},
	{"second", "go build", "", "time, of go build's", 0.75, "", ratio},
	{"leaf", "go build", "", "time, of go build's", 1.2, "", ratio},
	{"leaf", "single", "", "time, of the single derivation's", 1.0 / 15, "", ratio},
	{"leaf", "go build", "", "more or less built than the edit asks for", 0, "", problems},
	{"deep-body", "", "", "time, of go build's", 0.35, "", ratio},
	{"deep-body", "", "", "more or less built than the edit asks for", 0, "", problems},
	{"deep-lines", "", "", "time, of go build's", 1.2, "", ratio},
	{"exported", "", "", "time, of go build's", 1.2, "", ratio},
	{"comment", "", "", "more or less built than the edit asks for", 0, "", problems},
	{"bump", "", "", "more or less built than the edit asks for", 0, "", problems},
	{"cgo-cold", "", "", "time, of go build's", 1.0, "", ratio},
	{"cgo-edit comment", "", "", "time, of go build's", 1.2, "", ratio},
	{"cgo-edit go", "", "", "time, of go build's", 0.25, "", ratio},
	{"cgo-edit go-ggml", "", "", "time, of go build's", 0.25, "", ratio},
	{"cgo-edit cpp", "", "", "time, of go build's", 0.4, "", ratio},
	{"cgo-edit comment", "", "", "more or less compiled than the edit asks for", 0, "", problems},
	{"cgo-edit cpp", "", "", "more or less compiled than the edit asks for", 0, "", problems},
	{"cgo-edit header", "", "", "more or less compiled than the edit asks for", 0, "", problems},
	{"cgo-edit page", "", "", "more or less compiled than the edit asks for", 0, "", problems},
	{"no-op", "", "", "more than a trivial expression", 1, " s", difference},
	{"plan", "", "", "more than `go build -n`", 0.4, " s", difference},
	{"plan", "", "", "memory of the planner", 200, " MB", ownPeak},
	{"bind", "", "", "time", 0.5, " s", seconds},
	{"hand-over", "", "ifd", "evaluation of the derivations", 0.6, " s", difference},
	{"hand-over", "", "dyn", "derivations into the store", 1.5, " s", difference},
	{"growth", "go build", "", "memory of Nix", 2048, " MB", nixPeak},
}

// A verdict is a bar on one record.
type verdict struct {
	Record       record.Record
	What         string
	Limit, Value string
	Met          bool
}

func (b *bar) verdict(r record.Record, value float64) verdict {
	return verdict{r, b.what, amount(b.limit) + b.unit, amount(value) + b.unit, value <= b.limit}
}

// judge compares the records with the bars; at the end, the cost per package of
// the largest project with that of the smallest.
func judge(list []record.Record) []verdict {
	var all []verdict
	for _, b := range bars {
		for _, r := range list {
			if b.scenario == r.Scenario && (b.baseline == "" || b.baseline == r.Baseline) && (b.mode == "" || b.mode == r.Mode) {
				all = append(all, b.verdict(r, b.value(r)))
			}
		}
	}
	for _, mode := range modes {
		growth := slices.DeleteFunc(slices.Clone(list), func(r record.Record) bool {
			return r.Scenario != "growth" || r.Mode != mode || r.Baseline != "go build"
		})
		if len(growth) < 2 {
			continue
		}
		slices.SortStableFunc(growth, func(a, b record.Record) int { return a.Packages - b.Packages })
		small, big := growth[0], growth[len(growth)-1]
		b := bar{what: "cost per package, of " + small.Program + "'s", limit: 4.0 / 3}
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
