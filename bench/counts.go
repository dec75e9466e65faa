package main

import (
	"regexp"

	"dgd/bench/internal/nix"
)

// kindsByName are the kinds of derivations. The first whose expression matches
// the name is a derivation's kind.
var kindsByName = []struct {
	kind string
	name *regexp.Regexp
}{
	// These plan a build and compile nothing.
	{"planning", regexp.MustCompile(`^(skeleton|plan|std-plan|std-specs|std\.drv|modules|program\.drv|derivations|cgo-probe|cgo-env|0-check-plan)$`)},
	{"std", regexp.MustCompile(`^std(-|$)`)},
	{"link", regexp.MustCompile(`^program$`)},
	{"install", regexp.MustCompile(`^go-program$`)},
	{"collect", regexp.MustCompile(`^archives$`)},
	{"c", regexp.MustCompile(`-objects-`)}, // see internal/graph.Apart
	{"cgo", regexp.MustCompile(`-ask-|-cgo-cgo$`)},
	{"compile", regexp.MustCompile(``)},
}

func kind(name string) string {
	for _, k := range kindsByName {
		if k.name.MatchString(name) {
			return k.kind
		}
	}
	return ""
}

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

// times are the seconds that Nix's derivations took, by kind.
func times(built []nix.Derivation) map[string]float64 {
	seconds := map[string]float64{}
	for _, d := range built {
		seconds[kind(d.Name)] += d.Time.Seconds()
	}
	return seconds
}
