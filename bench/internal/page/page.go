// Package page writes docs/benchmarks.md and its pictures.
package page

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dgd/bench/internal/chart"
	"dgd/bench/internal/record"
)

var modes = []string{"ifd", "dyn"}

// Write writes the page and its pictures into a directory.
func Write(dir string, m Machine, list []record.Record) error {
	pictures := filepath.Join(dir, "benchmarks")
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		return err
	}
	var shown []string
	for _, c := range charts(list) {
		if err := os.WriteFile(filepath.Join(pictures, c.file), []byte(c.SVG()), 0o666); err != nil {
			return err
		}
		shown = append(shown, fmt.Sprintf("![%s](benchmarks/%s)", c.Title, c.file))
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(text(m, list, shown)), 0o666)
}

// text is the page.
func text(m Machine, list []record.Record, pictures []string) string {
	var b strings.Builder
	b.WriteString(introduction)
	b.WriteString("\n## What was measured on\n\n| | |\n|---|---|\n")
	row(&b, "machine", fmt.Sprintf("%s, %s, %d cores, %d GB of memory", m.System, m.CPU, m.Cores, m.MemoryGB))
	row(&b, "Nix", versions(list, func(v record.Versions) string { return v.Nix }))
	row(&b, "Go", versions(list, func(v record.Versions) string { return v.Go }))
	row(&b, "dgd", versions(list, func(v record.Versions) string { return v.DGD }))
	row(&b, "stores, sandboxes and Go's build cache", versions(list, func(v record.Versions) string {
		if v.InMemory {
			return "in memory"
		}
		return "on disk"
	}))
	b.WriteString(method)
	b.WriteString("\n## The bars\n\n")
	verdicts := judge(list)
	fmt.Fprintf(&b, "%d of %d are met.\n\n", met(verdicts), len(verdicts))
	b.WriteString("| scenario | program | mode | what | at most | measured | met |\n|---|---|---|---|---|---|---|\n")
	for _, v := range verdicts {
		answer := "yes"
		if !v.met {
			answer = "**no**"
		}
		row(&b, v.record.Scenario, v.record.Program, modeOf(v.record), v.what, v.limit, v.value, answer)
	}
	if notes := problemNotes(list); notes != "" {
		b.WriteString("\nBuilt more or less than an edit asks for:\n\n" + notes)
	}
	b.WriteString("\n## All measurements\n\n")
	b.WriteString("| scenario | program | mode | dgd | baseline | its time | ratio | CPU ratio | compiled | linked | derivations | new .drv files | Nix's memory | runs |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range list {
		r := &list[i]
		row(&b, r.Scenario, r.Program, modeOf(r), amount(r.Seconds)+" s", orNone(r.Baseline), ofBaseline(r, amount(r.BaselineSeconds)+" s"), ofBaseline(r, amount(r.Ratio)), cpuRatio(r),
			count(r, "compile"), count(r, "link"), fmt.Sprint(r.Derivations), added(r), memory(r), fmt.Sprint(r.Runs))
	}
	if len(pictures) > 0 {
		b.WriteString("\n## Cost and size\n\nGenerated projects of 1,000 to 10,000 packages, cold:\n\n" + strings.Join(pictures, "\n\n") + "\n")
	}
	return b.String()
}

const introduction = `# Benchmarks

What a build with dgd takes, compared with ` + "`go build`" + ` and with a derivation that runs ` + "`go build`" + ` whole. This page is
written by ` + "`go run ./bench -doc`" + `, see [api.md](api.md#the-bench).
`

const method = `
## How it was measured

Each scenario and its baseline run in turn, several times; the figures are medians, the ratios medians of the runs'
ratios. After each run the programs are compared byte for byte with what ` + "`go build`" + ` made.

- **go build**: with the toolchain, the flags and the vendor directory that dgd uses, outside of Nix. Its cache is empty
  in cold, second and growth; else it holds the last state.
- **single**: one derivation in the same store that runs ` + "`go build`" + ` whole, as buildGoModule does.
- Where the table below says nothing else, what is timed is ` + "`nix-build`" + ` from its start to its end: evaluation, planning,
  compiling, linking, and for edits the copy of the source into the store. Not in it, because it is there beforehand:
  the toolchain, the fetched modules, dgd's own two programs and the package set; in a cold build the source, too.
- The stores are made for the bench and hold just that. Nothing is substituted.
- ` + "`nix-build`" + ` asks a daemon of the store to build, as in most installations, where the mode does not say one process.
- CPU seconds are user and system time of all processes: of ` + "`nix-build`" + `, of the daemon and of what it builds.
- Nix's memory is the peak of the process that builds, without the compilers that it starts.

| scenario | what happens |
|---|---|
| cold | nothing has been planned or compiled |
| second | the same, but a small program has been built in the store |
| second-small | a small program, when a large one has been built in the store |
| leaf | an edit in a package that main alone imports |
| leaf-rev | the same edit, and another revision in ` + "`-ldflags=-X`" + `, as each commit has it |
| deep-body | an edit inside a function of the package that nearly all others import; no line moves |
| deep-lines | the same edit, adding a line |
| exported | a field is added to an exported struct of that package |
| comment | a comment is added at a file's end |
| bump | a module's version is raised |
| cgo-cold | cold, of programs with C++ |
| cgo-edit WHAT | an edit of these: a comment in a package without C, a line of Go beside C++, a C++ file, a header that nobody includes, a page beside C++ |
| no-op | nothing has changed; the baseline is a trivial derivation that is built already |
| eval | the evaluation alone, of what is built already; the baseline is that of a trivial derivation |
| plan | the skeleton of the source and the plan, made outside of Nix |
| bind | the plan bound to the source, outside of Nix |
| hand-over | how long the list of derivations takes on its way to Nix |
| growth | cold, with generated projects of different sizes |

compiled and linked count derivations of packages and programs; packages of one module can share a derivation. The whole
standard library is one, which is not among them. New .drv files are those that the store got, whether built or not.
`

// versions lists what the records say, most often one version.
func versions(list []record.Record, of func(record.Versions) string) string {
	var all []string
	for i := range list {
		if v := of(list[i].Versions); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return strings.Join(all, ", ")
}

func met(list []verdict) int {
	n := 0
	for _, v := range list {
		if v.met {
			n++
		}
	}
	return n
}

// modeOf is a record's mode, and what is unusual about the run.
func modeOf(r *record.Record) string {
	mode := r.Mode
	if r.InputAddressed {
		mode += ", input-addressed"
	}
	if r.OneProcess {
		mode += ", one process"
	}
	if r.MaxJobs > 0 {
		mode += fmt.Sprintf(", max-jobs %d", r.MaxJobs)
	}
	return mode
}

func problemNotes(list []record.Record) string {
	var b strings.Builder
	for i := range list {
		r := &list[i]
		for _, p := range r.Problems {
			fmt.Fprintf(&b, "- %s, %s, %s: %s\n", r.Scenario, r.Program, modeOf(r), p)
		}
	}
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func ofBaseline(r *record.Record, s string) string {
	if r.Baseline == "" {
		return "–"
	}
	return s
}

func count(r *record.Record, kind string) string {
	if r.Counts == nil {
		return "–"
	}
	return fmt.Sprint(r.Counts[kind])
}

// cpuRatio is the ratio of CPU seconds, where they were counted.
func cpuRatio(r *record.Record) string {
	if r.CPURatio == 0 {
		return "–"
	}
	return amount(r.CPURatio)
}

// added is how many .drv files the store got, where that was counted.
func added(r *record.Record) string {
	if n, ok := r.Counts["added"]; ok {
		return fmt.Sprint(n)
	}
	return "–"
}

// memory is Nix's, where it was looked at.
func memory(r *record.Record) string {
	if r.NixPeakMB == 0 {
		return "–"
	}
	return amount(r.NixPeakMB) + " MB"
}

func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

type picture struct {
	file string
	chart.Chart
}

// charts are the plots of cost against size, where there is something to plot.
func charts(list []record.Record) []picture {
	const packages = "packages, the standard library's included"
	per := func(seconds func(*record.Record) float64) func(*record.Record) float64 {
		return func(r *record.Record) float64 { return 1000 * seconds(r) / float64(r.Packages) }
	}
	base := func(r *record.Record) float64 { return r.BaselineSeconds }
	all := []picture{
		{"cold.svg", chart.Chart{Title: "A cold build", X: packages, Y: "seconds", LogY: true, Series: lines(list, seconds, base)}},
		{"per-package.svg", chart.Chart{Title: "A cold build, per package", X: packages, Y: "milliseconds per package", Series: lines(list, per(seconds), per(base))}},
		{"memory.svg", chart.Chart{Title: "Memory of Nix", X: packages, Y: "MB at the peak", Series: lines(list, nixPeak, nil)}},
	}
	return slices.DeleteFunc(all, func(p picture) bool { return len(p.Series) == 0 })
}

// lines are a line for each mode and, where base is given, for each baseline.
func lines(list []record.Record, own, base func(*record.Record) float64) []chart.Series {
	var all []chart.Series
	add := func(name, mode, baseline string, value func(*record.Record) float64) {
		var points []chart.Point
		for i := range list {
			r := &list[i]
			if r.Scenario == "growth" && !r.InputAddressed && !r.OneProcess && r.Baseline == baseline && r.Mode == mode {
				points = append(points, chart.Point{X: float64(r.Packages), Y: value(r)})
			}
		}
		slices.SortFunc(points, func(a, b chart.Point) int { return int(a.X - b.X) })
		if len(points) > 0 {
			all = append(all, chart.Series{Name: name, Points: points})
		}
	}
	for _, mode := range modes {
		add("dgd, "+mode, mode, "go build", own)
	}
	if base == nil {
		return all
	}
	for _, baseline := range []string{"go build", "single"} {
		for _, mode := range modes {
			before := len(all)
			add(baseline, mode, baseline, base)
			if len(all) > before {
				break
			}
		}
	}
	return all
}
