package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dgd/bench/internal/chart"
	"dgd/bench/internal/record"
)

var list = []record.Record{
	{Scenario: "cold", Program: "caddy", Mode: "ifd", Seconds: 120, Baseline: "go build", BaselineSeconds: 118, Ratio: 1.02, CPURatio: 0.98, Packages: 1018, Counts: map[string]int{"compile": 790}, Versions: record.Versions{Nix: "2.34.8", Go: "1.26.8", DGD: "abc", Machine: "linux/amd64, Some, 2 cores, 24 GB of memory"}},
	{Scenario: "cold", Program: "caddy", Mode: "dyn", Seconds: 141, Baseline: "go build", BaselineSeconds: 118, Ratio: 1.2, CPURatio: 1.12, Packages: 1018, Times: map[string]float64{"std": 20, "compile": 100.5}},
	{Scenario: "leaf", Program: "caddy", Mode: "dyn", Ratio: 0.06, Baseline: "single"},
	{Scenario: "deep-body", Program: "caddy", Mode: "dyn", Ratio: 0.3, Baseline: "go build", Problems: []string{"go build -n ran again"}},
	{Scenario: "growth", Program: "gen-1000", Mode: "dyn", Seconds: 40, Baseline: "go build", BaselineSeconds: 41, Packages: 1100, NixPeakMB: 150},
	{Scenario: "growth", Program: "gen-1000", Mode: "dyn", Seconds: 40, Baseline: "single", BaselineSeconds: 43, Packages: 1100, NixPeakMB: 150},
	{Scenario: "growth", Program: "gen-10000", Mode: "dyn", Seconds: 600, Baseline: "go build", BaselineSeconds: 400, Ratio: 1.5, Packages: 10_100, NixPeakMB: 3000},
}

func TestJudge(t *testing.T) {
	var got []string
	for _, v := range judge(list) {
		met := "no"
		if v.Met {
			met = "yes"
		}
		got = append(got, strings.Join([]string{v.Record.Scenario, v.Record.Mode, v.What, v.Value, met}, "|"))
	}
	want := []string{
		"cold|ifd|time, of go build's|1.02|yes",
		"cold|dyn|time, of go build's|1.20|no",
		"cold|ifd|CPU seconds, of go build's|0.98|yes",
		"cold|dyn|CPU seconds, of go build's|1.12|no",
		"leaf|dyn|time, of the single derivation's|0.060|yes",
		"deep-body|dyn|time, of go build's|0.30|no",
		"deep-body|dyn|more or less built than the edit asks for|1|no",
		"growth|dyn|time, of go build's|1.50|yes",
		"growth|dyn|memory of Nix|150 MB|yes",
		"growth|dyn|memory of Nix|3000 MB|no",
		"growth|dyn|cost per package, of gen-1000's|1.63|no",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	scenarios := [][2]string{{"cold", "nothing has been planned"}}
	if err := Write(dir, scenarios, list); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2 cores, 24 GB of memory", "| cold | nothing has been planned |\n\ncompiled", "| Nix | 2.34.8 |", "5 of 11 are met",
		"| cold | caddy | ifd, Some | 2.34.8 | 120 s | go build | 118 s | 1.02 | 0.98 | 790 | 0 | 0 | – | – | 0 |",
		"| cold | caddy | dyn |  | 141 s | go build | 118 s | 1.20 | 1.12 | – | – | 0 | – | – | 0 |",
		"- deep-body, caddy, dyn: go build -n ran again", "](benchmarks/cold.svg)", "\n![A first build of caddy](benchmarks/first.svg)\n", "](benchmarks/where.svg)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not on the page:\n%s", want, text)
		}
	}
	for _, name := range []string{"cold.svg", "first.svg", "where.svg", "per-package.svg", "memory.svg"} {
		if _, err := os.Stat(filepath.Join(dir, "benchmarks", name)); err != nil {
			t.Error(err)
		}
	}
	if err := Write(t.TempDir(), nil, nil); err != nil {
		t.Errorf("without records: %v", err)
	}
}

// Figures of one machine are not compared with those of another.
func TestMachines(t *testing.T) {
	on := func(machine string, r record.Record) record.Record {
		r.Versions.Machine = machine
		return r
	}
	const a, b = "linux/amd64, A, 2 cores, 24 GB of memory", "linux/amd64, B, 2 cores, 24 GB of memory"
	small, large := list[4], list[6]
	var got []string
	for _, v := range judge([]record.Record{on(a, small), on(b, large)}) {
		got = append(got, v.What)
	}
	if want := "memory of Nix"; strings.Contains(strings.Join(got, "|"), "cost per package") || !strings.Contains(strings.Join(got, "|"), want) {
		t.Errorf("a size on each of two machines: %q", got)
	}
	if n := len(lines([]record.Record{on(a, small), on(b, large), on(a, large)}, seconds, nil)[0].Points); n != 2 {
		t.Errorf("the line of a machine with two sizes has %d points", n)
	}
	leaf := list[2]
	of := record.Record{Scenario: "leaf", Program: "caddy", Mode: "dyn", Seconds: 3, Baseline: "go build", BaselineSeconds: 2}
	leaf.BaselineSeconds = 80
	for _, test := range []struct {
		machine string
		bars    int
	}{{a, 3}, {b, 2}} {
		pictures := overview([]record.Record{on(a, of), on(test.machine, leaf)})
		if n := len(pictures[0].chart.(*chart.Bars).Bars); n != test.bars {
			t.Errorf("one derivation measured on %s: %d bars, want %d", test.machine, n, test.bars)
		}
	}
}

// From Nix 2.35 on, other bars hold, and no figure is compared with one of an older Nix.
func TestVersionsOfNix(t *testing.T) {
	for version, want := range map[string]bool{"2.34.8": false, "2.35.0": true, "2.36.0pre20260809_adee431": true, "3.0": true, "1.90": false, "": false} {
		if newer(version) != want {
			t.Errorf("%q is newer than 2.34: %v", version, !want)
		}
	}
	by := func(nix string, r record.Record) record.Record {
		r.Versions.Nix = nix
		return r
	}
	caddy := list[0]
	caddy.Ratio, caddy.CPURatio = 1.05, 1.05
	var got []string
	for _, v := range judge([]record.Record{by("2.34.8", caddy), by("2.36.0", caddy), by("2.34.8", list[4]), by("2.36.0", list[6])}) {
		got = append(got, fmt.Sprint(v.What, " at most ", v.Limit, ": ", v.Met))
	}
	want := []string{
		"time, of go build's at most 1.10: true", "time, of go build's at most 1.03: false",
		"CPU seconds, of go build's at most 1.10: true", "CPU seconds, of go build's at most 1.03: false",
		"time, of go build's at most 1.60: true",
		"memory of Nix at most 1024 MB: true", "memory of Nix at most 1024 MB: false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Where nothing was measured for growth alone, first builds of generated projects show it,
// with the slots that Nix has by default.
func TestGrowth(t *testing.T) {
	var cold []record.Record
	for _, r := range list[4:] {
		r.Scenario = "cold"
		cold = append(cold, r)
	}
	slots := cold[2]
	slots.MaxJobs, slots.Seconds = 32, 500
	cold = append(cold, slots, list[0])
	sizes := growth(cold)
	if len(sizes) != 3 || sizes[2].Seconds != 600 {
		t.Errorf("%+v", sizes)
	}
	verdicts := judge(cold)
	if v := verdicts[len(verdicts)-1]; v.What != "cost per package, of gen-1000's" || v.Value != "1.63" {
		t.Errorf("%+v", v)
	}
	if sizes := growth(append(cold, list[4:]...)); len(sizes) != 3 || sizes[0].Scenario != "growth" {
		t.Errorf("beside those of growth: %+v", sizes)
	}
	if sizes := growth(list[:1]); sizes != nil {
		t.Errorf("without generated projects: %+v", sizes)
	}
}
