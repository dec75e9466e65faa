package drvdiff

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// A Report is the comparison of two states.
type Report struct {
	Old     string `json:"old"` // .drv paths
	New     string `json:"new"`
	Common  int    `json:"common"` // number of inner derivations in common
	Differ  []Pair `json:"differ"`
	OnlyOld []Item `json:"onlyOld"`
	OnlyNew []Item `json:"onlyNew"`
	// Unbuilt are the derivations that differ and have outputs that are not known:
	// derivations that depend on these count as different, too.
	Unbuilt  []Item   `json:"unbuilt"`
	Planning Planning `json:"planning"`
}

// Planning is the comparison of the planning derivations.
type Planning struct {
	Common int      `json:"common"`
	Differ []string `json:"differ"` // names
}

// Same reports whether the states have no differences.
func (r *Report) Same() bool { return len(r.Differ)+len(r.OnlyOld)+len(r.OnlyNew) == 0 }

// An Item is a derivation.
type Item struct {
	Name string `json:"name"` // for people
	Kind string `json:"kind"`
	Drv  string `json:"drv"`
}

// A Pair is a derivation that differs between the states.
type Pair struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Old  string `json:"old"` // .drv paths
	New  string `json:"new"`
	// Causes are the differences of the derivation itself. Because has the names of
	// its dependencies whose outputs differ.
	Causes  []Cause  `json:"causes"`
	Because []string `json:"because"`
	// Roots are the names of those pairs with causes of their own on which it depends.
	Roots []string `json:"roots"`
}

// Compare compares two derivations and their inputs, recursively.
func Compare(ctx context.Context, st Records, oldDrv, newDrv string) (*Report, error) {
	before, err := load(ctx, st, oldDrv)
	if err != nil {
		return nil, err
	}
	after, err := load(ctx, st, newDrv)
	if err != nil {
		return nil, err
	}
	resolve(before, after)
	r := &Report{Old: oldDrv, New: newDrv, Differ: []Pair{}, OnlyOld: []Item{}, OnlyNew: []Item{}, Unbuilt: []Item{}}
	r.Planning = comparePlanning(before, after)
	m := match(before, after)
	r.Common = m.common
	for _, p := range m.pairs {
		for _, n := range p {
			if n.role == inner && n.unbuilt {
				r.Unbuilt = append(r.Unbuilt, n.item())
			}
		}
	}
	for _, n := range m.onlyOld {
		r.OnlyOld = append(r.OnlyOld, n.item())
	}
	for _, n := range m.onlyNew {
		r.OnlyNew = append(r.OnlyNew, n.item())
	}
	e := newExplainer(ctx, st, m)
	for _, p := range m.pairs {
		pair, err := e.pair(p[0], p[1])
		if err != nil {
			return nil, err
		}
		r.Differ = append(r.Differ, *pair)
		e.byNew[p[1]] = pair
	}
	e.roots(m, r.Differ)
	return r, nil
}

// item returns the node as an Item.
func (n *node) item() Item {
	k := "other"
	if n.role == inner {
		k = string(n.kind)
	}
	return Item{Name: n.label(), Kind: k, Drv: n.path}
}

// A matching has the pairs of derivations of two states that correspond to each other.
type matching struct {
	common           int
	pairs            [][2]*node // those that differ, each after those that it refers to
	onlyOld, onlyNew []*node
	// All pairs, including those in common.
	newOf, oldOf map[*node]*node
}

// match finds the pairs of two states: first those with the same identity, then those
// that most likely make the same thing.
func match(before, after *closure) *matching {
	m := &matching{newOf: map[*node]*node{}, oldOf: map[*node]*node{}}
	compared := func(c *closure) []*node {
		return slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool { return n.role != inner && n != c.root })
	}
	oldNodes, newNodes := compared(before), compared(after)
	byIdentity := map[string]*node{}
	for _, n := range oldNodes {
		byIdentity[n.identity] = n
	}
	taken := map[*node]bool{}
	pair := func(o, n *node) {
		m.oldOf[n] = o
		taken[o] = true
		if m.newOf[o] == nil {
			m.newOf[o] = n
		}
	}
	var rest []*node
	for _, n := range newNodes {
		o := byIdentity[n.identity]
		if o == nil {
			rest = append(rest, n)
			continue
		}
		pair(o, n)
		if n.role == inner {
			m.common++
		}
	}
	if _, ok := m.oldOf[after.root]; !ok && !taken[before.root] {
		pair(before.root, after.root)
	}
	byKey := map[string][]*node{}
	for _, o := range oldNodes {
		byKey[o.key()] = append(byKey[o.key()], o)
	}
	// A closure of resolved derivations can have two derivations of one package, if the
	// outputs of both are used. So a node that is left at the end may be paired with one
	// that is in a pair already.
	alike := func(candidates func(n *node) []*node, again bool) {
		for _, n := range rest {
			if m.oldOf[n] != nil {
				continue
			}
			var best *node
			most := 0
			for _, o := range candidates(n) {
				if taken[o] && !again {
					continue
				}
				if score := likeness(o, n); score > most {
					best, most = o, score
				}
			}
			if best != nil {
				pair(best, n)
			}
		}
	}
	sameKey := func(n *node) []*node { return byKey[n.key()] }
	alike(sameKey, false)
	alike(func(*node) []*node { return oldNodes }, false)
	alike(sameKey, true)
	for _, n := range rest {
		if o := m.oldOf[n]; o != nil {
			m.pairs = append(m.pairs, [2]*node{o, n})
		} else {
			m.onlyNew = append(m.onlyNew, n)
		}
	}
	for _, o := range oldNodes {
		if !taken[o] {
			m.onlyOld = append(m.onlyOld, o)
		}
	}
	return m
}

// key returns a text that is equal for derivations that make the same thing.
func (n *node) key() string {
	if n.role != inner {
		return ""
	}
	if n.drv.Env["specPath"] != "" {
		// A part of the standard library is known by its name. Its spec is known only if
		// it has been built.
		return "part\x00" + n.drv.Env["name"]
	}
	key := string(n.kind) + "\x00" + strings.Join(n.names, "\x00")
	if n.kind != packages {
		key += "\x00" + n.drv.Env["name"]
	}
	return key
}

// likeness returns how likely two derivations make the same thing: 0 if they do not.
func likeness(o, n *node) int {
	if o.role != inner || n.role != inner || o.kind != n.kind {
		return 0
	}
	if o.key() == n.key() {
		return 1
	}
	if n.kind != packages && n.kind != archives {
		return 0
	}
	shared := 0
	for _, name := range n.names {
		if _, ok := slices.BinarySearch(o.names, name); ok {
			shared += 2
		}
	}
	if shared > 0 && n.drv.Env["name"] == o.drv.Env["name"] {
		shared++
	}
	return shared
}

// comparePlanning compares the planning derivations.
func comparePlanning(before, after *closure) Planning {
	p := Planning{Differ: []string{}}
	known := map[string]bool{}
	for _, n := range before.nodes {
		if n.role == planning {
			known[n.identity] = true
		}
	}
	names := map[string]bool{}
	for _, n := range after.nodes {
		switch {
		case n.role != planning:
		case len(known) == 0: // another mode
		case known[n.identity]:
			p.Common++
		default:
			names[strings.TrimSuffix(n.label(), ".drv")] = true
		}
	}
	p.Differ = append(p.Differ, slices.Sorted(maps.Keys(names))...)
	return p
}

// roots sets the Roots of all pairs.
func (e *explainer) roots(m *matching, pairs []Pair) {
	found := map[*node][]string{} // by new node
	for i, p := range m.pairs {
		n := p[1]
		roots := map[string]bool{}
		for _, to := range e.because[n] {
			if len(e.byNew[to].Causes) > 0 {
				roots[e.byNew[to].Name] = true
			}
			for _, r := range found[to] {
				roots[r] = true
			}
		}
		found[n] = slices.Sorted(maps.Keys(roots))
		pairs[i].Roots = append([]string{}, found[n]...)
	}
}
