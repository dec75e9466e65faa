// Package closure lists what a binary cache needs so that another store builds
// nothing of a program that was built here, and after an edit only what the edit
// changes.
//
// The closure of the result is not enough: the outputs of inner derivations are
// inputs of the build, and the result does not refer to them. For content-addressed
// derivations a cache also needs realisations, which map the output of a derivation
// to its path. Before Nix 2.35 there are two for each output: one for the derivation
// as it was evaluated or planned, and one for the resolved derivation, which was
// built. Nix finds the first one if nothing below the derivation has changed, and
// the second one also after an edit that leaves the outputs of the inputs as they
// were. Since Nix 2.35 there is only the second one.
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

// Records is the part of [store.Store] that this package needs.
type Records interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error)
	Recorded(ctx context.Context, drvs []string) (map[string]map[string]string, error)
}

// Installables returns, sorted and in the form that `nix copy` takes, what a cache
// needs of derivations that have been built: the derivations themselves, all those in
// their closures that dgd-exec or dgd-plan has built, and the inputs of these. Of
// each derivation it lists the outputs that the store has.
func Installables(ctx context.Context, st Records, drvs []string) ([]string, error) {
	for _, drv := range drvs {
		if !strings.HasSuffix(drv, ".drv") {
			return nil, fmt.Errorf("%s is not a .drv file: give the path that nix-instantiate prints", drv)
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

// closure returns derivations and all their inputs, including derivations that the
// planner has made, by .drv path.
func closure(ctx context.Context, st Records, drvs []string) (map[string]*drvfile.Derivation, error) {
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

// isOwn reports whether the builder of a derivation is dgd-exec or dgd-plan.
func isOwn(d *drvfile.Derivation) bool {
	name := path.Base(d.Builder)
	return path.Base(path.Dir(d.Builder)) == "bin" && (name == "dgd-exec" || name == "dgd-plan")
}
