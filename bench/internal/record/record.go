// Package record is what the bench hands on: one record for each scenario,
// program, mode and baseline, as JSON.
package record

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// A Record is the outcome of the paired runs of one scenario.
type Record struct {
	Scenario        string         `json:"scenario"`
	Program         string         `json:"program"`
	Mode            string         `json:"mode"`    // ifd or dyn
	Seconds         float64        `json:"seconds"` // median
	Baseline        string         `json:"baseline"`
	BaselineSeconds float64        `json:"baseline_seconds"` // median
	Ratio           float64        `json:"ratio"`            // median of the runs' ratios
	Difference      float64        `json:"difference"`       // in seconds, median of the runs' differences
	CPU             float64        `json:"cpu,omitempty"`    // seconds of all processes, user and system, median
	BaselineCPU     float64        `json:"baseline_cpu,omitempty"`
	CPURatio        float64        `json:"cpu_ratio,omitempty"`
	Derivations     int            `json:"derivations"` // that Nix built
	NixPeakMB       float64        `json:"nix_peak_mb"` // of nix-build, or of the daemon's process that builds
	PeakMB          float64        `json:"peak_mb,omitempty"`
	Packages        int            `json:"packages"` // of the program, the standard library's included
	Runs            int            `json:"runs"`
	Counts          map[string]int `json:"counts,omitempty"` // derivations by kind
	// Times are the seconds of the last run's derivations by kind, of which several
	// run at once.
	Times          map[string]float64 `json:"times,omitempty"`
	InputAddressed bool               `json:"input_addressed,omitempty"`
	OneProcess     bool               `json:"one_process,omitempty"` // nix-build builds by itself, without a daemon
	MaxJobs        int                `json:"max_jobs,omitempty"`    // where it is not the usual one
	Problems       []string           `json:"problems,omitempty"`    // what is not as it has to be
	Versions       Versions           `json:"versions"`
}

// Versions are what was measured, and where.
type Versions struct {
	DGD      string `json:"dgd"` // commit
	Nix      string `json:"nix"`
	Go       string `json:"go"`
	InMemory bool   `json:"in_memory"` // whether the stores and all else were
	Machine  string `json:"machine"`   // see ThisMachine
}

// key is what there is one record for.
func (r *Record) key() string {
	return fmt.Sprintf("%q", []any{r.Scenario, r.Program, r.Mode, r.Baseline, r.InputAddressed, r.OneProcess, r.MaxJobs, r.Versions.Nix, r.Versions.Machine})
}

// Read reads files of records. A later record stands for an earlier one of the
// same scenario, program, mode and baseline, and takes its place.
func Read(files ...string) ([]Record, error) {
	var all []Record
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list []Record
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, list...)
	}
	return merge(all), nil
}

// merge leaves the last record of each key, in the place of the first.
func merge(list []Record) []Record {
	var all []Record
	for _, r := range list {
		if i := slices.IndexFunc(all, func(other Record) bool { return other.key() == r.key() }); i >= 0 {
			all[i] = r
		} else {
			all = append(all, r)
		}
	}
	return all
}

// Write writes a file of records.
func Write(file string, list []Record) error {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o666)
}

// Median is the middle one of the values, or the mean of the two middle ones.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
