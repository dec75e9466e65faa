package page

import (
	"fmt"
	"math"

	"dgd/bench/internal/record"
)

// A bar is what a scenario has to reach.
type bar struct {
	scenario, baseline, mode string // an empty one: any
	what                     string
	limit                    float64
	unit                     string
	value                    func(r *record.Record) float64
}

func ratio(r *record.Record) float64      { return r.Ratio }
func difference(r *record.Record) float64 { return r.Difference }
func seconds(r *record.Record) float64    { return r.Seconds }
func ownPeak(r *record.Record) float64    { return r.PeakMB }
func nixPeak(r *record.Record) float64    { return r.NixPeakMB }
func problems(r *record.Record) float64   { return float64(len(r.Problems)) }

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

func (b *bar) applies(r *record.Record) bool {
	return b.scenario == r.Scenario && (b.baseline == "" || b.baseline == r.Baseline) && (b.mode == "" || b.mode == r.Mode)
}

// A verdict is a bar on one record.
type verdict struct {
	record       *record.Record
	what         string
	limit, value string
	met          bool
}

// judge compares the records with the bars.
func judge(list []record.Record) []verdict {
	var all []verdict
	for i := range bars {
		b := &bars[i]
		for j := range list {
			r := &list[j]
			if !b.applies(r) {
				continue
			}
			v := b.value(r)
			all = append(all, verdict{r, b.what, amount(b.limit) + b.unit, amount(v) + b.unit, v <= b.limit})
		}
	}
	return append(all, judgeGrowth(list)...)
}

// judgeGrowth compares the cost per package of the largest project with that
// of the smallest.
func judgeGrowth(list []record.Record) []verdict {
	const limit = 4.0 / 3
	var all []verdict
	for _, mode := range modes {
		var small, big *record.Record
		for i := range list {
			r := &list[i]
			if r.Scenario != "growth" || r.Mode != mode || r.Baseline != "go build" {
				continue
			}
			if small == nil || r.Packages < small.Packages {
				small = r
			}
			if big == nil || r.Packages > big.Packages {
				big = r
			}
		}
		if small == big {
			continue
		}
		v := perPackage(big) / perPackage(small)
		all = append(all, verdict{big, "cost per package, of " + small.Program + "'s", amount(limit), amount(v), v <= limit})
	}
	return all
}

func perPackage(r *record.Record) float64 { return r.Seconds / float64(r.Packages) }

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
