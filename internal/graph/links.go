package graph

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/action"
)

// linkConfig is the path of a link's import config.
const linkConfig = "${OBJ}/importcfg.link"

// SortLinks sorts the import configs of links, and with them the references, by
// import path. The linker does not depend on the order. Sorted, the list follows from
// the packages' imports, so that a plan in a file can do without it.
func SortLinks(g *Graph) error {
	for _, n := range g.Nodes {
		if n.Kind != Link {
			continue
		}
		if err := sortLink(n); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

var refToken = regexp.MustCompile(`\$\$|\$\{R(\d+)\}`)

func sortLink(n *Node) error {
	i := slices.IndexFunc(n.Steps, func(s action.Step) bool { return s.Write != nil && s.Write.Path == linkConfig })
	if i < 0 {
		return nil
	}
	lines := strings.SplitAfter(n.Steps[i].Write.Text, "\n")
	slices.SortStableFunc(lines, func(a, b string) int {
		p, isA := packageFile(a)
		q, isB := packageFile(b)
		switch {
		case isA && isB:
			return strings.Compare(p, q)
		case isA:
			return -1
		case isB:
			return 1
		}
		return 0
	})
	sorted := slices.Clone(n.Steps)
	sorted[i].Write = &action.Write{Path: linkConfig, Text: strings.Join(lines, "")}
	return n.renumber(sorted)
}

// packageFile returns the import path in a packagefile line of an import config.
func packageFile(line string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, "packagefile ")
	name, _, _ = strings.Cut(rest, "=")
	return name, ok
}

// renumber sets the node's steps, and sorts its references by their first use in
// these.
func (n *Node) renumber(steps []action.Step) error {
	text, err := json.Marshal(steps)
	if err != nil {
		return err
	}
	var refs []Ref
	token := map[string]string{}
	text = refToken.ReplaceAllFunc(text, func(t []byte) []byte {
		if string(t) == "$$" {
			return t
		}
		if token[string(t)] == "" {
			var old int
			if _, err := fmt.Sscanf(string(t), "${R%d}", &old); err != nil || old >= len(n.Refs) {
				return t
			}
			token[string(t)] = fmt.Sprintf("${R%d}", len(refs))
			refs = append(refs, n.Refs[old])
		}
		return []byte(token[string(t)])
	})
	if len(refs) != len(n.Refs) {
		return fmt.Errorf("its steps name %d of %d references", len(refs), len(n.Refs))
	}
	n.Refs, n.Steps = refs, nil
	return json.Unmarshal(text, &n.Steps)
}
