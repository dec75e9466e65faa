// Package cache names what a binary cache needs so that another store builds
// nothing of a program that is built here, and after an edit just what the
// edit changes.
//
// The result and what it refers to is not enough: the outputs of inner
// derivations are read while building and not referred to afterwards. Under
// content addressing there are also the realisations, which say what came out
// of a derivation, of each in two forms: as it was evaluated or planned, and
// as it was built, when its inputs were known. The first is found as long as
// nothing below it has changed, the second is what an edit comes down to where
// it leaves a derivation's inputs as they were.
package cache

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A Store tells of derivations.
type Store interface {
	// Text returns the contents of a .drv file.
	Text(ctx context.Context, drv string) (string, error)
	// Outputs returns the store paths of those outputs of a derivation that
	// the store has, by their names.
	Outputs(ctx context.Context, drv string) (map[string]string, error)
	// Has reports whether the store has a path.
	Has(ctx context.Context, path string) (bool, error)
}

// Installables names, in the form that `nix copy` takes, what a cache needs of
// derivations that have been built: these themselves, all that dgd's two
// programs have built for them, and what that was built with. Of each, it names
// the outputs that the store has. The list is sorted.
func Installables(ctx context.Context, st Store, drvs []string) ([]string, error) {
	w := &walk{ctx: ctx, store: st, drvs: map[string]*derivation{}, outputs: map[string]map[string]string{}}
	wanted := map[string]bool{}
	for _, drv := range drvs {
		if !strings.HasSuffix(drv, ".drv") {
			return nil, fmt.Errorf("%s is not a .drv file: give what nix-instantiate prints", drv)
		}
		if made, err := w.made(drv); err != nil {
			return nil, err
		} else if len(made) == 0 {
			return nil, fmt.Errorf("%s is not built in this store: build it first", drv)
		}
		if err := w.visit(drv); err != nil {
			return nil, err
		}
		wanted[drv] = true
	}
	for _, d := range w.drvs {
		if !d.isOwn() {
			continue
		}
		wanted[d.path] = true
		for _, in := range d.inputs {
			wanted[in.drv] = true
		}
	}
	var list []string
	add := func(drv string) error {
		made, err := w.made(drv)
		if len(made) > 0 {
			list = append(list, drv+"^"+strings.Join(slices.Sorted(maps.Keys(made)), ","))
		}
		return err
	}
	for drv := range wanted {
		if err := add(drv); err != nil {
			return nil, err
		}
		// There is none where a derivation is not content-addressed.
		resolved, ok, err := w.drvs[drv].resolved(w.made)
		if ok && !wanted[resolved] {
			ok, err = st.Has(ctx, resolved)
			if ok {
				err = add(resolved)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// A walk goes from derivations to their inputs.
type walk struct {
	ctx     context.Context
	store   Store
	drvs    map[string]*derivation       // by path
	outputs map[string]map[string]string // that are there, by derivation
}

// made returns the outputs of a derivation that the store has.
func (w *walk) made(drv string) (map[string]string, error) {
	if made, ok := w.outputs[drv]; ok {
		return made, nil
	}
	made, err := w.store.Outputs(w.ctx, drv)
	if err == nil {
		w.outputs[drv] = made
	}
	return made, err
}

func (w *walk) visit(drv string) error {
	if w.drvs[drv] != nil {
		return nil
	}
	text, err := w.store.Text(w.ctx, drv)
	if err != nil {
		return err
	}
	d, err := read(drv, text)
	if err != nil {
		return err
	}
	w.drvs[drv] = d
	for _, in := range d.inputs {
		if err := w.visit(in.drv); err != nil {
			return err
		}
		if len(in.dynamic) == 0 {
			continue
		}
		made, err := w.made(in.drv)
		if err != nil {
			return err
		}
		for name := range in.dynamic {
			if made[name] == "" {
				continue
			}
			if err := w.visit(made[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOwn reports whether dgd-exec or dgd-plan builds the derivation.
func (d *derivation) isOwn() bool {
	name := path.Base(d.builder)
	return path.Base(path.Dir(d.builder)) == "bin" && (name == "dgd-exec" || name == "dgd-plan")
}
