package store

import (
	"fmt"

	"dgd/internal/source"
)

// An object is a tree or a derivation of a batch.
type object struct {
	path string
	name string
	refs []string
	tree *source.Hashed // or
	drv  *Derivation

	use    bool // the client's output refers to it
	proved bool // it is in the store, with all that it refers to
	added  bool // the client has added it, and so may use it
}

// objectsOf returns the objects of a batch, each after those it refers to, and
// none twice.
func objectsOf(storeDir string, b Batch) ([]*object, map[string]*object, error) {
	var objects []*object
	byPath := make(map[string]*object, len(b.Trees)+len(b.Derivations))
	add := func(o *object) {
		if byPath[o.path] == nil {
			byPath[o.path] = o
			objects = append(objects, o)
		}
	}
	for i := range b.Trees {
		t := &b.Trees[i]
		add(&object{path: t.StorePath(storeDir), name: t.Name, tree: t})
	}
	waiting := make(map[string]string) // path that has not come yet: who refers to it
	for i := range b.Derivations {
		d := &b.Derivations[i]
		o := &object{path: d.Path(storeDir), name: d.Name, refs: d.Refs, drv: d}
		if name, ok := waiting[o.path]; ok {
			return nil, nil, fmt.Errorf("derivation %s comes before %s, to which it refers", name, o.name)
		}
		for _, ref := range o.refs {
			if byPath[ref] == nil {
				waiting[ref] = o.name
			}
		}
		add(o)
	}
	for _, path := range b.Use {
		if o := byPath[path]; o != nil {
			o.use = true
		}
	}
	return objects, byPath, nil
}

// An adder brings the objects of a batch into a store in as few requests as it
// can.
//
// The store does not say whether it has a path, unless its client may use that
// path, and to add a path that it has is no faster than to add one that it has
// not: in both cases it mounts the path in the client's sandbox, which takes
// most of the time. But it refuses an object that refers to a path that it
// does not have, and names that path, in a fraction of the time. So the adder
// goes from the top down: what can be added proves that all below it is there,
// and after an edit there are about two requests for each derivation that
// changed, none for the others. If nothing is there yet, that would be slower
// than to add everything from the bottom up; after a number of refusals, that
// is what it does.
type adder struct {
	objects []*object
	byPath  map[string]*object

	// try adds an object. The refusal is nil if that worked; the error is
	// for what makes it useless to go on.
	try func(*object) (*refusal, error)
	// addAll adds objects, in that order.
	addAll func([]*object) error

	refusals int
	proved   int  // objects that were proved to be there without being added
	bottomUp bool // stop asking, add everything
}

// A refusal says why the store did not add an object.
type refusal struct {
	missing string // one of the object's references that the store does not have; or ""
	err     error
}

// minRefusals is how often the store may refuse an object before the adder
// gives up going from the top down. It is what a deep chain of derivations
// costs, the lowest of which was edited, before anything is proved.
const minRefusals = 64

func (a *adder) add() error {
	inner := make(map[string]bool)
	used := 0
	for _, o := range a.objects {
		for _, ref := range o.refs {
			inner[ref] = true
		}
		if o.use {
			used++
		}
	}
	a.bottomUp = used > len(a.objects)/2
	for i := len(a.objects) - 1; i >= 0; i-- {
		if o := a.objects[i]; !inner[o.path] {
			if err := a.ensure(o); err != nil {
				return err
			}
		}
	}
	var rest []*object
	for _, o := range a.objects {
		if !o.proved || o.use && !o.added {
			rest = append(rest, o)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return a.addAll(rest)
}

// ensure adds an object with all that it refers to and that the store does not
// have, unless the adder gives up.
func (a *adder) ensure(o *object) error {
	for !o.proved && !a.bottomUp {
		refused, err := a.try(o)
		if err != nil {
			return err
		}
		if refused == nil {
			o.added = true
			a.prove(o)
			a.proved-- // was added
			return nil
		}
		m := a.byPath[refused.missing]
		if m == nil || m.proved {
			// Not what is expected. If it is an error indeed, it comes
			// again from the bottom up.
			a.bottomUp = true
			return nil
		}
		a.refusals++
		if a.refusals > max(minRefusals, len(a.objects)/8)+a.proved/2 {
			a.bottomUp = true
			return nil
		}
		if err := a.ensure(m); err != nil {
			return err
		}
	}
	return nil
}

// prove notes that an object is in the store, and with it all below.
func (a *adder) prove(o *object) {
	if o == nil || o.proved {
		return
	}
	o.proved = true
	a.proved++
	for _, ref := range o.refs {
		a.prove(a.byPath[ref])
	}
}
