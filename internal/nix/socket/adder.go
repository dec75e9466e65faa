package socket

import (
	"fmt"

	"dgd/internal/nix/nar"
)

// An object is a tree or a derivation of a batch.
type object struct {
	path string
	name string
	refs []string
	tree *nar.Hashed // or
	drv  *Derivation

	below []*object // of the batch, that it refers to
	above []*object // of the batch, that refer to it
	state state
	use   bool // the client's output refers to it
	mark  int  // of a walk
}

// A state says what is known of an object.
type state int

const (
	unknown state = iota
	present       // in the store, with all that is below it
	missing       // not in the store, nor is anything that is above it
)

// An adder brings the objects of a batch into a store.
//
// The store tells its client of no path that the client may not use already.
// To make a path usable, it mounts the path in the client's sandbox, which
// takes most of the time that it takes to add one, whether the store has it
// or not. But the store refuses an object that refers to what it has not, and
// names that path. Hence the probe: an object without a purpose that refers
// to some paths, to learn whether they are all there. After an edit, a few of
// these tell apart what has to be added and what not. If the batch is new
// they would go on for long, and after some the rest is added anyway.
type adder struct {
	objects []*object // each after those below it
	byPath  map[string]*object

	// probe returns a path that is not in the store, or "" if all are.
	// ok is false if that could not be learned.
	probe func(paths []string) (missing string, ok bool, err error)
	// addAll adds objects, in that order.
	addAll func([]*object) error

	probes int // so far
	marks  int // walks so far
}

const (
	// minProbes is how many probes are tried with no object found to be
	// present: one or two percent of what it takes to add 1,000.
	minProbes = 24
	// perProbe is how many objects have to be found present for another
	// probe. A probe takes as long as some additions.
	perProbe = 16
	// sample is about how many paths a probe asks for, apart from those
	// that prove the rest.
	sample = 64
	// minSaved is how many objects probes must be able to save to be tried.
	minSaved = 8
)

// newAdder returns an adder of a batch, but for its functions.
func newAdder(storeDir string, b Batch) (*adder, error) {
	a := &adder{byPath: make(map[string]*object, len(b.Trees)+len(b.Derivations))}
	for i := range b.Trees {
		t := &b.Trees[i]
		a.insert(&object{path: t.StorePath(storeDir), name: t.Name, tree: t})
	}
	waiting := make(map[string]string) // path that has not come yet: name of what refers to it
	for i := range b.Derivations {
		d := &b.Derivations[i]
		o := &object{path: d.Path(storeDir), name: d.Name, refs: d.Refs, drv: d}
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

// insert inserts an object that is not there yet.
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

// add adds what is not present, and what is of use.
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

// search finds out the state of objects, as long as that seems worth it.
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
		// Go down to a lowest object that is missing: it says most about
		// the others.
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
				return nil // not what was asked for
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

// walk returns the objects of unknown state that are reached from some, these
// first.
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

// ask returns the paths to ask for, to learn about objects that include, of
// each, all of unknown state below it. If the paths are there, the objects
// are. Paths from all over the objects are among them, so that the one that is
// found missing, if any is, tends to be somewhere in the middle.
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
