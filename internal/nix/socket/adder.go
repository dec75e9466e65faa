package socket

import (
	"fmt"

	"dgd/internal/nix/nar"
)

// An object is a tree or a text file of a batch.
type object struct {
	path string
	name string
	refs []string
	tree *nar.Hashed // or
	file *TextFile

	below []*object // objects of the batch that it refers to
	above []*object // objects of the batch that refer to it
	state state
	use   bool // the client's output refers to it
	mark  int  // the last walk that reached it
}

// A state says whether the store has an object.
type state int

const (
	unknown state = iota
	present       // in the store, with all that is below it
	missing       // not in the store, nor is anything that is above it
)

// An adder adds the objects of a batch to a store, but for those that the store
// has.
//
// The daemon does not tell the client whether the store has a path that the client
// cannot use yet. Making a path usable mounts it in the sandbox, which takes most of
// the time of adding an object, even if the store has it. But the daemon refuses an
// object that refers to a path that the store does not have, and names that path.
// Hence the probe: an additional object that refers to some paths, to find out
// whether the store has all of them. After an edit, a few probes tell which objects
// have to be added. For a new batch there would be many, so that after some of
// them the adder adds all other objects.
type adder struct {
	objects []*object // each after those below it
	byPath  map[string]*object

	// probe returns a path that is not in the store, or "" if all of them are.
	// ok is false if it could not find out.
	probe func(paths []string) (missing string, ok bool, err error)
	// addAll adds objects, in that order.
	addAll func([]*object) error

	probes int // so far
	marks  int // walks so far
}

const (
	// minProbes is the number of probes that are made even if they find no object
	// to be present. They take one or two percent of the time of adding 1,000
	// objects.
	minProbes = 24
	// perProbe is the number of objects that have to be found present for each
	// further probe, which takes as long as adding a few objects.
	perProbe = 16
	// sample is roughly the number of paths in a probe, apart from those that are
	// needed to cover all objects.
	sample = 64
	// minSaved is the number of objects that may turn out to be present for
	// probing to begin.
	minSaved = 8
)

// newAdder returns an adder for a batch. Its functions probe and addAll are not
// set.
func newAdder(storeDir string, b Batch) (*adder, error) {
	a := &adder{byPath: make(map[string]*object, len(b.Trees)+len(b.Files))}
	for i := range b.Trees {
		t := &b.Trees[i]
		a.insert(&object{path: t.StorePath(storeDir), name: t.Name, tree: t})
	}
	waiting := make(map[string]string) // by a path that has not come yet: the name of an object that refers to it
	for i := range b.Files {
		f := &b.Files[i]
		o := &object{path: f.Path(storeDir), name: f.Name, refs: f.Refs, file: f}
		if name, ok := waiting[o.path]; ok {
			return nil, fmt.Errorf("derivation %s comes before %s, to which it refers", name, o.name)
		}
		for _, ref := range o.refs {
			if a.byPath[ref] == nil {
				waiting[ref] = o.name
			}
		}
		a.insert(o)
	}
	for _, path := range b.Use {
		if o := a.byPath[path]; o != nil {
			o.use = true
		}
	}
	return a, nil
}

// insert inserts an object, unless it is a duplicate.
func (a *adder) insert(o *object) {
	if a.byPath[o.path] != nil {
		return
	}
	a.byPath[o.path] = o
	a.objects = append(a.objects, o)
	for _, ref := range o.refs {
		if b := a.byPath[ref]; b != nil {
			o.below = append(o.below, b)
			b.above = append(b.above, o)
		}
	}
}

// add adds the objects that are not present, and those that the client's output
// refers to.
func (a *adder) add() error {
	others := 0
	for _, o := range a.objects {
		if !o.use {
			others++
		}
	}
	if others >= minSaved {
		if err := a.search(); err != nil {
			return err
		}
	}
	var rest []*object
	for _, o := range a.objects {
		if o.state != present || o.use {
			rest = append(rest, o)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return a.addAll(rest)
}

// search finds out the states of objects by probes, as long as these are worth
// their time.
func (a *adder) search() error {
	for {
		var rest []*object
		found := 0
		for _, o := range a.objects {
			switch o.state {
			case unknown:
				rest = append(rest, o)
			case present:
				found++
			}
		}
		// Find a lowest missing object: it tells most about the others.
		var lowest *object
		for len(rest) > 0 {
			if a.probes >= minProbes+found/perProbe {
				return nil
			}
			a.probes++
			path, ok, err := a.probe(a.ask(rest))
			if err != nil || !ok {
				return err
			}
			if path == "" {
				for _, o := range rest {
					o.state = present
				}
				break
			}
			o := a.byPath[path]
			if o == nil || o.state != unknown {
				return nil // not a path of this probe
			}
			lowest = o
			rest = a.walk([]*object{o}, func(o *object) []*object { return o.below })[1:]
		}
		if lowest == nil {
			return nil
		}
		for _, o := range a.walk([]*object{lowest}, func(o *object) []*object { return o.above }) {
			o.state = missing
		}
	}
}

// walk returns the given objects, followed by the objects of unknown state that are
// reachable from them.
func (a *adder) walk(from []*object, next func(*object) []*object) []*object {
	a.marks++
	for _, o := range from {
		o.mark = a.marks
	}
	for i := 0; i < len(from); i++ {
		for _, o := range next(from[i]) {
			if o.mark != a.marks && o.state == unknown {
				o.mark = a.marks
				from = append(from, o)
			}
		}
	}
	return from
}

// ask returns the paths for a probe about objects, which must include all objects
// of unknown state below them: if the store has these paths, it has all of the
// objects. Some paths are spread over all objects, so that a missing one that the
// daemon names tends to be in the middle.
func (a *adder) ask(objects []*object) []string {
	a.marks++
	for _, o := range objects {
		for _, b := range o.below {
			b.mark = a.marks
		}
	}
	var paths []string
	step := max(1, len(objects)/sample)
	for i, o := range objects {
		if o.mark != a.marks || i%step == 0 {
			paths = append(paths, o.path)
		}
	}
	return paths
}
