// Package drvdiff compares two states of a build: it finds the derivations that they
// have in common, and the reasons why the others differ.
//
// It compares resolved derivations, in which input derivations are replaced by their
// outputs: content-addressed derivations with different inputs are the same if these
// inputs have the same outputs.
package drvdiff

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"dgd/internal/nix/drvfile"
)

// A role is the kind of program that builds a derivation.
type role int

const (
	other    role = iota
	inner         // the executor: it compiles, links or tests
	planning      // the planner
)

// roleOf returns the role of a derivation, from its builder.
func roleOf(d *drvfile.Derivation) role {
	switch {
	case strings.HasSuffix(d.Builder, "-dgd-exec/bin/dgd-exec"):
		return inner
	case strings.HasSuffix(d.Builder, "-dgd-plan/bin/dgd-plan"):
		return planning
	}
	return other
}

// A node is a derivation of a closure.
type node struct {
	path string
	drv  *drvfile.Derivation
	role role
	deps []dep
	*work

	identity string            // equal for nodes with equal resolved derivations, see resolve
	put      *strings.Replacer // replaces placeholders and paths of outputs by resolved ones
	unbuilt  bool              // an output that others refer to is not known
}

// A dep is an output of another derivation that a node refers to.
type dep struct {
	to     *node
	output string
	text   string // the placeholder or path of the output in the node's derivation
	path   string // the path of the output, or "" if it is not known
}

// storeName returns the name of a store path, without the hash.
func storeName(p string) string {
	_, name, _ := strings.Cut(path.Base(p), "-")
	return name
}

// A closure is the derivations of one state.
type closure struct {
	root  *node
	nodes []*node // each after those that it refers to
	byDrv map[string]*node
}

// load reads a derivation and its inputs, recursively. It does not read the inputs of
// derivations that dgd's programs do not build.
func load(ctx context.Context, st Records, root string) (*closure, error) {
	c := &closure{byDrv: map[string]*node{}}
	found, err := st.Derivations(ctx, []string{root})
	if err != nil {
		return nil, err
	}
	if found[root] == nil {
		return nil, fmt.Errorf("%s is not in the store, or was removed from it: build that state again", root)
	}
	if c.root, err = c.add(root, found[root]); err != nil {
		return nil, err
	}
	for level := []*node{c.root}; len(level) > 0; {
		if level, err = c.grow(ctx, st, level); err != nil {
			return nil, err
		}
	}
	if err := c.findOutputs(ctx, st); err != nil {
		return nil, err
	}
	if err := c.readSpecs(ctx, st); err != nil {
		return nil, err
	}
	done := map[*node]bool{}
	c.sort(c.root, done)
	return c, nil
}

// readSpecs reads the specs that are files: long ones, and those of the standard
// library's parts, which are in outputs of other derivations. If the store does not have a
// spec, the units of the derivation stay unknown, so that it is compared as a whole.
func (c *closure) readSpecs(ctx context.Context, st Records) error {
	for _, n := range c.byDrv {
		if n.role != inner || n.drv.Env["specPath"] == "" {
			continue
		}
		dir, name := path.Split(n.drv.Env["specPath"])
		dir = path.Clean(dir)
		isOwn := slices.Contains(n.drv.Sources, n.drv.Env["specPath"])
		if isOwn {
			dir, name = n.drv.Env["specPath"], "."
		}
		// The directory may be the placeholder of an output.
		for _, d := range n.deps {
			if d.text != "" && d.text == dir {
				dir = d.path
			}
		}
		if dir == "" {
			continue
		}
		files, err := st.Files(ctx, dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		f, ok := files[name]
		if !ok {
			continue
		}
		if err := n.read(string(f.Text)); err != nil {
			return fmt.Errorf("%s: %w", n.path, err)
		}
		if isOwn {
			takeSpec(n.drv, string(f.Text))
		}
	}
	return nil
}

// takeSpec makes a derivation whose spec is a file of its own as it would be with a short
// spec, so that only the texts of specs are compared.
func takeSpec(d *drvfile.Derivation, text string) {
	file := d.Env["specPath"]
	d.Sources = slices.DeleteFunc(d.Sources, func(p string) bool { return p == file })
	delete(d.Env, "specPath")
	d.Env["spec"], d.Env["passAsFile"] = text, "spec vars"
}

// add adds a node.
func (c *closure) add(drv string, d *drvfile.Derivation) (*node, error) {
	n := &node{path: drv, drv: d, role: roleOf(d)}
	if n.role == inner {
		var err error
		if n.work, err = readWork(d); err != nil {
			return nil, fmt.Errorf("%s: %w", drv, err)
		}
	}
	c.byDrv[drv] = n
	return n, nil
}

// A level has the nodes that one step of load adds to a closure.
type level struct {
	*closure
	drvs  map[string]*drvfile.Derivation // derivations that nodes may refer to
	nodes []*node                        // the new nodes
}

// refer returns the node for a derivation that n refers to, and adds it if it is new.
func (l *level) refer(n *node, drv string) (*node, error) {
	if to := l.byDrv[drv]; to != nil {
		return to, nil
	}
	d := l.drvs[drv]
	if d == nil {
		return nil, fmt.Errorf("%s refers to %s, which is not in the store, or was removed from it: build that state again", n.path, drv)
	}
	to, err := l.add(drv, d)
	if err == nil {
		l.nodes = append(l.nodes, to)
	}
	return to, err
}

// grow adds the dependencies of the nodes of a level, and returns the next level.
func (c *closure) grow(ctx context.Context, st Records, nodes []*node) ([]*node, error) {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n.role == other && n != c.root })
	var inputs, planners, sources []string
	for _, n := range nodes {
		inputs = slices.AppendSeq(inputs, maps.Keys(n.drv.Inputs))
		planners = slices.AppendSeq(planners, maps.Keys(n.drv.Dynamic))
		if n.role != planning {
			sources = append(sources, n.drv.Sources...)
		}
	}
	plans, err := st.Outputs(ctx, distinct(planners))
	if err != nil {
		return nil, err
	}
	// A resolved derivation, as which a store knows the deriver of an output, has
	// paths in place of input derivations.
	derivers, err := st.Derivers(ctx, distinct(sources))
	if err != nil {
		return nil, err
	}
	ask := slices.Concat(inputs, planners, slices.Collect(maps.Values(derivers)))
	for _, outputs := range plans {
		for _, plan := range outputs {
			if strings.HasSuffix(plan, ".drv") {
				ask = append(ask, plan)
			}
		}
	}
	l := &level{closure: c}
	if l.drvs, err = st.Derivations(ctx, distinct(ask)); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := l.static(n); err != nil {
			return nil, err
		}
		if err := l.dynamic(n, plans); err != nil {
			return nil, err
		}
	}
	for _, n := range nodes {
		if n.role == planning {
			continue
		}
		if err := l.made(n, derivers); err != nil {
			return nil, err
		}
	}
	return l.nodes, nil
}

// static adds the dependencies of a node on input derivations.
func (l *level) static(n *node) error {
	for _, drv := range slices.Sorted(maps.Keys(n.drv.Inputs)) {
		to, err := l.refer(n, drv)
		if err != nil {
			return err
		}
		for _, output := range n.drv.Inputs[drv] {
			n.deps = append(n.deps, dep{to: to, output: output, text: drvfile.InputPlaceholder(drv, output)})
		}
	}
	return nil
}

// dynamic adds the dependencies of a node on derivations that the planner makes.
func (l *level) dynamic(n *node, plans map[string]map[string]string) error {
	for _, drv := range slices.Sorted(maps.Keys(n.drv.Dynamic)) {
		maker, err := l.refer(n, drv)
		if err != nil {
			return err
		}
		for _, output := range slices.Sorted(maps.Keys(n.drv.Dynamic[drv])) {
			n.deps = append(n.deps, dep{to: maker, output: output})
			at := plans[drv][output]
			if at == "" {
				return fmt.Errorf("%s is not planned yet: %s has not been built: build it first", n.path, drv)
			}
			to, err := l.refer(n, at)
			if err != nil {
				return err
			}
			for _, of := range n.drv.Dynamic[drv][output] {
				n.deps = append(n.deps, dep{to: to, output: of, text: drvfile.DynamicPlaceholder(drv, output, of)})
			}
		}
	}
	return nil
}

// made adds the dependencies of a resolved derivation: the inner derivations whose
// outputs are among its input sources.
func (l *level) made(n *node, derivers map[string]string) error {
	for _, source := range n.drv.Sources {
		drv := derivers[source]
		d := l.drvs[drv]
		if d == nil || roleOf(d) != inner {
			continue
		}
		to, err := l.refer(n, drv)
		if err != nil {
			return err
		}
		output := "out"
		if suffix, ok := strings.CutPrefix(storeName(source), d.Env["name"]+"-"); ok {
			output = suffix
		}
		n.deps = append(n.deps, dep{to: to, output: output, text: source, path: source})
	}
	return nil
}

// distinct returns the list sorted and without duplicates.
func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// findOutputs sets the paths of the outputs in all dependencies.
func (c *closure) findOutputs(ctx context.Context, st Records) error {
	var ask []string
	for drv, n := range c.byDrv {
		for _, o := range n.drv.Outputs {
			if o.Floating() || o.Path == "" && o.Hash == "" {
				ask = append(ask, drv)
				break
			}
		}
	}
	slices.Sort(ask)
	known, err := st.Outputs(ctx, ask)
	if err != nil {
		return err
	}
	for _, n := range c.byDrv {
		for i, d := range n.deps {
			if d.path != "" {
				continue
			}
			if n.deps[i].path = d.to.drv.Outputs[d.output].Path; n.deps[i].path != "" {
				n.deps[i].text = n.deps[i].path
			} else {
				n.deps[i].path = known[d.to.path][d.output]
			}
			if n.deps[i].path == "" {
				d.to.unbuilt = true
			}
		}
	}
	return nil
}

// sort appends a node to c.nodes, after those that it refers to.
func (c *closure) sort(n *node, done map[*node]bool) {
	if done[n] {
		return
	}
	done[n] = true
	for _, d := range n.deps {
		c.sort(d.to, done)
	}
	c.nodes = append(c.nodes, n)
}

// resolve sets the identity of the node, a hash of its resolved derivation. The nodes
// that it refers to must have theirs.
func (n *node) resolve() {
	var replace []string
	inputs := map[string]bool{}
	for _, s := range n.drv.Sources {
		inputs[s] = true
	}
	for _, d := range n.deps {
		if d.text == "" {
			continue
		}
		r := d.resolved()
		if d.text != r {
			replace = append(replace, d.text, r)
		}
		inputs[r] = true
	}
	n.put = strings.NewReplacer(replace...)
	fixed := true
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(n.drv.Outputs)) {
		o := n.drv.Outputs[name]
		fixed = fixed && o.Path != ""
		paths = append(paths, name+"="+o.Path+":"+o.Algo)
	}
	if fixed { // the paths already are hashes of the derivation or of the output
		n.identity = strings.Join(paths, " ")
		return
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q\n", paths, n.drv.System, n.put.Replace(n.drv.Builder), slices.Sorted(maps.Keys(inputs)))
	for _, a := range n.drv.Args {
		fmt.Fprintf(h, "%q\n", n.put.Replace(a))
	}
	for _, name := range slices.Sorted(maps.Keys(n.drv.Env)) {
		fmt.Fprintf(h, "%q=%q\n", name, n.put.Replace(n.drv.Env[name]))
	}
	n.identity = fmt.Sprintf("%x", h.Sum(nil))
}

// resolve sets the identities of the nodes of two states. The path of an output that
// is known in one state is used for nodes with the same identity in the other state,
// which may have another .drv path and may not have been built.
func resolve(before, after *closure) {
	type output struct{ identity, name string }
	known := map[output]string{}
	for _, c := range []*closure{before, after, before, after} {
		for _, n := range c.nodes {
			for i := range n.deps {
				d := &n.deps[i]
				o := output{d.to.identity, d.output}
				if d.path == "" {
					d.path = known[o]
				}
				if d.path != "" {
					known[o] = d.path
				}
			}
			n.resolve()
		}
	}
}

// resolved returns the path of the output, or a text that identifies the output if
// the path is not known.
func (d dep) resolved() string {
	if d.path != "" {
		return d.path
	}
	return "(" + d.to.identity + ")!" + d.output
}
