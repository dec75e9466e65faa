// Package page writes docs/benchmarks.md and its pictures.
package page

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"dgd/bench/internal/record"
)

//go:embed page.md.tmpl
var layout string

var page = template.Must(template.New("page.md.tmpl").Funcs(template.FuncMap{
	"amount": amount, "count": count, "mode": mode, "versions": versions,
}).Parse(layout))

var modes = []string{"ifd", "dyn", "plan"}

// Write writes the page and its pictures into a directory. Scenarios are names,
// each with what happens.
func Write(dir string, scenarios [][2]string, list []record.Record) error {
	first, pictures := overview(list), details(list)
	if err := os.MkdirAll(filepath.Join(dir, "benchmarks"), 0o777); err != nil {
		return err
	}
	for _, p := range slices.Concat(first, pictures) {
		svg, err := p.chart.SVG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "benchmarks", p.File), []byte(svg), 0o666); err != nil {
			return err
		}
	}
	verdicts := judge(list)
	var text strings.Builder
	err := page.Execute(&text, map[string]any{
		"Scenarios": scenarios, "Records": list, "Overview": first, "Pictures": pictures, "Verdicts": verdicts,
		"Met":      len(slices.DeleteFunc(slices.Clone(verdicts), func(v verdict) bool { return !v.Met })),
		"Problems": slices.DeleteFunc(slices.Clone(list), func(r record.Record) bool { return len(r.Problems) == 0 }),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(text.String()), 0o666)
}

// versions lists what the records say, most often one version.
func versions(list []record.Record, of string) string {
	var all []string
	for _, r := range list {
		v := map[string]string{"Nix": r.Versions.Nix, "Go": r.Versions.Go, "DGD": r.Versions.DGD, "Machine": r.Versions.Machine, "InMemory": "on disk"}
		if r.Versions.InMemory {
			v["InMemory"] = "in memory"
		}
		if v[of] != "" && !slices.Contains(all, v[of]) {
			all = append(all, v[of])
		}
	}
	return strings.Join(all, "; ")
}

// mode is a record's mode, the processor, and what is unusual about the run.
func mode(r record.Record) string {
	mode := r.Mode
	if parts := strings.Split(r.Versions.Machine, ", "); len(parts) > 1 {
		mode += ", " + parts[1]
	}
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

// count is how many there are of a kind, where that was counted. What is not
// among derivations is counted only where it is named.
func count(r record.Record, kind string) string {
	n, named := r.Counts[kind]
	if r.Counts == nil || kind == "added" && !named {
		return "–"
	}
	return fmt.Sprint(n)
}
