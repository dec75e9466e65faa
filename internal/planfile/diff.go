package planfile

import (
	"fmt"
	"slices"
	"strings"
)

// A Difference is a line that two plans do not have alike.
type Difference struct {
	Kind  string `json:"kind"`  // what the line is about: package, link, module, set, …
	Name  string `json:"name"`  // of it
	State string `json:"state"` // stale, missing or superfluous
}

func (d Difference) String() string { return fmt.Sprintf("%s %s: %s", d.Kind, d.Name, d.State) }

// Differences compares the lines of a plan with those that it should have.
func Differences(have, want []string) []Difference {
	index := func(lines []string) map[[2]string]string {
		found := map[[2]string]string{}
		for _, line := range lines {
			of := ""
			if strings.HasPrefix(line, mark) {
				of, line, _ = strings.Cut(line, " ")
			}
			fields := strings.SplitN(line+" ", " ", 3) // some lines are a name alone
			if len(fields) == 3 {
				key := [2]string{fields[0], fields[1]}
				found[key] += of + fields[2] + "\n" // of each target
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
