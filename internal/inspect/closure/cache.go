// Package closure names what a binary cache needs so that another store builds
// nothing of a program that is built here, and after an edit just what the
// edit changes.
//
// The result and what it refers to is not enough: the outputs of inner
// derivations are read while building and not referred to afterwards. Under
// content addressing there are also the realisations, which say what came out
// of a derivation. Before Nix 2.35 there are two of each: one for the derivation
// as it was evaluated or planned, and one for the derivation as it was built,
// when its inputs were known. The first is found as long as nothing below it has
// changed, the second is what an edit comes down to where it leaves a
// derivation's inputs as they were. Since Nix 2.35 there is the second alone.
package closure

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/store"
)

// A Store tells of derivations, see [store.Store].
type Store interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error)
	Recorded(ctx context.Context, drvs []string) (map[string]map[string]string, error)
}

// Installables names, in the form that `nix copy` takes, what a cache needs of
// derivations that have been built: these themselves, all that dgd's two
// programs have built for them, and what that was built with. Of each, it names
// the outputs that the store has. The list is sorted.
func Installables(ctx context.Context, st Store, drvs []string) ([]string, error) {
	for _, drv := range drvs {
		if !strings.HasSuffix(drv, ".drv") {
			return nil, fmt.Errorf("%s is not a .drv file: give what nix-instantiate prints", drv)
		}
	}
	read, err := closure(ctx, st, drvs)
	if err != nil {
		return nil, err
	}
	made, err := st.Outputs(ctx, slices.Collect(maps.Keys(read)))
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, drv := range drvs {
		if len(made[drv]) == 0 {
			return nil, fmt.Errorf("%s is not built in this store: build it first", drv)
		}
		wanted[drv] = true
	}
	for drv, d := range read {
		if !isOwn(d) {
			continue
		}
		wanted[drv] = true
		for _, input := range d.InputDrvs() {
			wanted[input] = true
		}
	}
	for _, drv := range slices.Collect(maps.Keys(wanted)) {
		if resolved, _ := store.Resolve(drv, read[drv], made); resolved != "" {
			wanted[resolved] = true
		}
	}
	recorded, err := st.Recorded(ctx, slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return nil, err
	}
	var list []string
	for drv, outputs := range recorded {
		if len(outputs) > 0 {
			list = append(list, drv+"^"+strings.Join(slices.Sorted(maps.Keys(outputs)), ","))
		}
	}
	slices.Sort(list)
	return list, nil
}

// closure reads derivations and all that they are made of, also what the
// planner has made, by .drv path.
func closure(ctx context.Context, st Store, drvs []string) (map[string]*drvfile.Derivation, error) {
	read := map[string]*drvfile.Derivation{}
	for level := drvs; len(level) > 0; {
		found, err := st.Derivations(ctx, level)
		if err != nil {
			return nil, err
		}
		next := map[string]bool{}
		planners := map[string]bool{}
		for _, drv := range level {
			d := found[drv]
			if d == nil {
				return nil, fmt.Errorf("%s is not in this store", drv)
			}
			read[drv] = d
			for _, input := range d.InputDrvs() {
				next[input] = true
			}
			for planner := range d.Dynamic {
				planners[planner] = true
			}
		}
		plans, err := st.Outputs(ctx, slices.Collect(maps.Keys(planners)))
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			for planner, outputs := range d.Dynamic {
				for name := range outputs {
					if plan := plans[planner][name]; plan != "" {
						next[plan] = true
					}
				}
			}
		}
		maps.DeleteFunc(next, func(drv string, _ bool) bool { return read[drv] != nil })
		level = slices.Sorted(maps.Keys(next))
	}
	return read, nil
}

// isOwn reports whether dgd-exec or dgd-plan builds the derivation.
func isOwn(d *drvfile.Derivation) bool {
	name := path.Base(d.Builder)
	return path.Base(path.Dir(d.Builder)) == "bin" && (name == "dgd-exec" || name == "dgd-plan")
}
