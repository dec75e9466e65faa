package main

import (
	"slices"
	"strings"

	"dgd/bench/internal/nix"
)

// planningStages are the derivations that plan a build and compile nothing.
var planningStages = []string{"skeleton", "plan", "std-plan", "std-specs", "std.drv", "modules", "program.drv", "derivations", "cgo-probe", "cgo-env"}

// kinds counts what Nix built, by kind.
func kinds(built []nix.Derivation) map[string]int {
	counts := map[string]int{}
	for _, d := range built {
		counts[kind(d.Name)]++
		if d.Name == "plan" {
			counts["plan"]++
		}
	}
	return counts
}

func kind(name string) string {
	switch {
	case slices.Contains(planningStages, name):
		return "planning"
	case name == "std" || strings.HasPrefix(name, "std-"):
		return "std"
	case name == "program":
		return "link"
	case name == "go-program":
		return "install"
	case name == "archives":
		return "collect"
	// See internal/graph.Apart.
	case strings.Contains(name, "-objects-"):
		return "c"
	case strings.Contains(name, "-ask-"), strings.HasSuffix(name, "-cgo-cgo"):
		return "cgo"
	}
	return "compile"
}
