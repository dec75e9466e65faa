// Package drvfile reads and writes .drv files, in which Nix keeps derivations,
// and works out the placeholders in them for paths that are not known yet.
//
// Nix's documentation: https://nix.dev/manual/nix/latest/protocols/derivation-aterm
package drvfile

import (
	"maps"
	"slices"
	"strings"
)

// A Derivation is what a .drv file says.
type Derivation struct {
	Outputs map[string]Output
	Inputs  map[string][]string // names of outputs, by .drv path
	// Dynamic are inputs that are outputs of derivations yet to be known: by
	// the .drv path of the derivation that makes them, and by the name of its
	// output that is such a .drv file, the names of outputs of that one.
	// Deeper ones, the output of an output of an output, dgd does not make.
	Dynamic map[string]map[string][]string
	Sources []string
	System  string
	Builder string
	Args    []string
	Env     map[string]string
}

// An Output of a derivation has a path where that is known beforehand.
type Output struct {
	Path, Algo, Hash string
}

// Floating reports whether the output's path follows from its contents.
func (o Output) Floating() bool { return o.Path == "" && o.Algo != "" && o.Hash == "" }

// InputDrvs returns the .drv paths of all inputs, sorted.
func (d *Derivation) InputDrvs() []string {
	drvs := slices.AppendSeq(slices.Collect(maps.Keys(d.Inputs)), maps.Keys(d.Dynamic))
	slices.Sort(drvs)
	return slices.Compact(drvs)
}

// Resolve returns the derivation that Nix makes of this one once its inputs are
// known, and builds in its place: the outputs of its inputs are plain sources
// there. outputs returns the store paths of a derivation's outputs that are
// known. Where one is missing, Resolve returns nil.
func (d *Derivation) Resolve(outputs func(drv string) (map[string]string, error)) (*Derivation, error) {
	sources := slices.Clone(d.Sources)
	var replace []string
	for _, drv := range d.InputDrvs() {
		made, err := outputs(drv)
		if err != nil {
			return nil, err
		}
		for _, name := range d.Inputs[drv] {
			if made[name] == "" {
				return nil, nil
			}
			sources = append(sources, made[name])
			replace = append(replace, InputPlaceholder(drv, name), made[name])
		}
		for name, below := range d.Dynamic[drv] {
			if made[name] == "" {
				return nil, nil
			}
			madeBelow, err := outputs(made[name])
			if err != nil {
				return nil, err
			}
			for _, of := range below {
				if madeBelow[of] == "" {
					return nil, nil
				}
				sources = append(sources, madeBelow[of])
				replace = append(replace, DynamicPlaceholder(drv, name, of), madeBelow[of])
			}
		}
	}
	slices.Sort(sources)
	put := strings.NewReplacer(replace...)
	r := &Derivation{
		Outputs: d.Outputs,
		Sources: slices.Compact(sources),
		System:  d.System,
		Builder: put.Replace(d.Builder),
		Env:     map[string]string{},
	}
	for _, arg := range d.Args {
		r.Args = append(r.Args, put.Replace(arg))
	}
	for name, value := range d.Env {
		r.Env[put.Replace(name)] = put.Replace(value)
	}
	return r, nil
}
