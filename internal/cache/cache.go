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

	"dgd/internal/drvfile"
	"dgd/internal/store"
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
	w := &walk{ctx: ctx, store: st, drvs: map[string]*drvfile.Derivation{}, outputs: map[string]map[string]string{}}
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
	for drv, d := range w.drvs {
		if !isOwn(d) {
			continue
		}
		wanted[drv] = true
		for _, input := range d.InputDrvs() {
			wanted[input] = true
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
		resolved, err := resolved(drv, w.drvs[drv], w.made)
		if err != nil {
			return nil, err
		}
		if resolved == "" || wanted[resolved] {
			continue
		}
		if ok, err := st.Has(ctx, resolved); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		if err := add(resolved); err != nil {
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
	drvs    map[string]*drvfile.Derivation // by path
	outputs map[string]map[string]string   // that are there, by derivation
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
	d, err := drvfile.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", drv, err)
	}
	w.drvs[drv] = d
	for _, input := range d.InputDrvs() {
		if err := w.visit(input); err != nil {
			return err
		}
		if len(d.Dynamic[input]) == 0 {
			continue
		}
		made, err := w.made(input)
		if err != nil {
			return err
		}
		for name := range d.Dynamic[input] {
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
func isOwn(d *drvfile.Derivation) bool {
	name := path.Base(d.Builder)
	return path.Base(path.Dir(d.Builder)) == "bin" && (name == "dgd-exec" || name == "dgd-plan")
}

// resolved returns the store path of the derivation that Nix builds in place of
// one, or "" if that is not known.
func resolved(drv string, d *drvfile.Derivation, outputs func(drv string) (map[string]string, error)) (string, error) {
	r, err := d.Resolve(outputs)
	if r == nil {
		return "", err
	}
	_, name, _ := strings.Cut(path.Base(drv), "-")
	return store.Derivation{Name: name, ATerm: []byte(r.String()), Refs: r.Sources}.Path(path.Dir(drv)), nil
}
