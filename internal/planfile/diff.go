package planfile

import (
	"fmt"
	"slices"
	"strings"
)

// A Difference is a line in which two plans differ.
type Difference struct {
	Kind  string `json:"kind"`  // the first word of the line: package, link, module, set, …
	Name  string `json:"name"`  // the second word
	State string `json:"state"` // stale, missing or superfluous
}

func (d Difference) String() string { return fmt.Sprintf("%s %s: %s", d.Kind, d.Name, d.State) }

// Differences compares the lines of a plan with those that it should have, and returns
// the differences, sorted.
func Differences(have, want []string) []Difference {
	index := func(lines []string) map[[2]string]string {
		found := map[[2]string]string{}
		for _, line := range lines {
			of := ""
			if strings.HasPrefix(line, mark) {
				of, line, _ = strings.Cut(line, " ")
			}
			fields := strings.SplitN(line+" ", " ", 3) // some lines have two words
			if len(fields) == 3 {
				key := [2]string{fields[0], fields[1]}
				found[key] += of + fields[2] + "\n" // there can be a line for each target
			}
		}
		return found
	}
	before, after := index(have), index(want)
	var list []Difference
	for key, text := range after {
		if old, ok := before[key]; !ok {
			list = append(list, Difference{key[0], key[1], "missing"})
		} else if old != text {
			list = append(list, Difference{key[0], key[1], "stale"})
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			list = append(list, Difference{key[0], key[1], "superfluous"})
		}
	}
	slices.SortFunc(list, func(a, b Difference) int { return strings.Compare(a.String(), b.String()) })
	return list
}
