// Package drvfile reads and writes .drv files, in which Nix keeps derivations,
// and computes Nix's placeholders for output paths that are not known yet.
//
// Nix's documentation: https://nix.dev/manual/nix/latest/protocols/derivation-aterm
package drvfile

import (
	"maps"
	"slices"
	"strings"
)

// A Derivation is the contents of a .drv file.
type Derivation struct {
	Outputs map[string]Output
	Inputs  map[string][]string // names of outputs, by .drv path
	// Dynamic are the dynamic inputs, outputs of a derivation that is itself the
	// output of another one: names of outputs, by the .drv path of the other
	// derivation and the name of its output. Deeper nesting is not supported, as
	// dgd does not need it.
	Dynamic map[string]map[string][]string
	Sources []string
	System  string
	Builder string
	Args    []string
	Env     map[string]string
}

// An Output is an output of a derivation. Its path is empty if it is not known
// before the build.
type Output struct {
	Path, Algo, Hash string
}

// Floating reports whether the output is content-addressed without a fixed hash.
func (o Output) Floating() bool { return o.Path == "" && o.Algo != "" && o.Hash == "" }

// InputDrvs returns the .drv paths of all inputs, sorted and without duplicates.
func (d *Derivation) InputDrvs() []string {
	drvs := slices.AppendSeq(slices.Collect(maps.Keys(d.Inputs)), maps.Keys(d.Dynamic))
	slices.Sort(drvs)
	return slices.Compact(drvs)
}

// Resolve returns the resolved derivation, which Nix builds in place of this one:
// its input derivations are replaced by their outputs, as input sources. The
// function outputs returns the known store paths of a derivation's outputs, by
// name. If one that is needed is not known, Resolve returns nil.
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
