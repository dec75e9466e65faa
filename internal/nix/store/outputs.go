package store

import (
	"context"
	"crypto/sha256"
	"maps"
	"path"
	"slices"
	"strings"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/nar"
)

// Outputs returns, by .drv path and output name, the outputs of derivations that
// the store has. If the store has no record of a derivation's outputs, it uses the
// record of the resolved derivation, for which the outputs of all inputs must be
// known. Since Nix 2.35 there is no other record of derivations that are
// content-addressed or depend on such derivations.
func (s *Store) Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error) {
	if err := findOutputs(ctx, s, s.made, drvs); err != nil {
		return nil, err
	}
	found := map[string]map[string]string{}
	for _, drv := range drvs {
		found[drv] = maps.Clone(s.made[drv])
	}
	return found, s.dropAbsent(ctx, found)
}

// records is the part of Store that findOutputs needs.
type records interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Recorded(ctx context.Context, drvs []string) (map[string]map[string]string, error)
}

// findOutputs adds to known, by .drv path and output name, the paths of the outputs
// of derivations, and of the inputs that it needs to find these. The store may lack
// an output whose path is known.
func findOutputs(ctx context.Context, r records, known map[string]map[string]string, drvs []string) error {
	f := &finder{r: r, known: known, waiting: map[string]waiting{}}
	for ask := f.newOnes(drvs); len(ask) > 0; {
		read, err := r.Derivations(ctx, ask)
		if err != nil {
			return err
		}
		made, err := f.direct(ctx, read)
		if err != nil {
			return err
		}
		for _, drv := range ask {
			if d := read[drv]; d == nil || len(made[drv]) == len(d.Outputs) || len(d.InputDrvs()) == 0 {
				known[drv] = made[drv]
			} else {
				f.waiting[drv] = waiting{d, made[drv]}
			}
		}
		if ask, err = f.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A finder finds the outputs of derivations, those of inputs first.
type finder struct {
	r       records
	known   map[string]map[string]string // finished derivations, by .drv path: the known outputs
	waiting map[string]waiting           // derivations whose inputs are not finished, by .drv path
}

// waiting is a derivation whose inputs are not finished.
type waiting struct {
	drv  *drvfile.Derivation
	made map[string]string // the outputs that are known without the inputs
}

// newOnes returns those derivations that are neither finished nor waiting.
func (f *finder) newOnes(drvs []string) []string {
	var list []string
	for _, drv := range slices.Compact(slices.Sorted(slices.Values(drvs))) {
		_, known := f.known[drv]
		_, waiting := f.waiting[drv]
		if !known && !waiting {
			list = append(list, drv)
		}
	}
	return list
}

// settle finishes those waiting derivations whose inputs are finished, and returns
// the inputs that have not been read yet.
func (f *finder) settle(ctx context.Context) ([]string, error) {
	for {
		var missing []string
		forms := map[string]string{} // by .drv path, that of the resolved derivation or ""
		resolved := map[string]*drvfile.Derivation{}
		for drv, w := range f.waiting {
			if inputs := f.unknownInputs(w.drv); len(inputs) > 0 {
				missing = append(missing, inputs...)
				continue
			}
			forms[drv] = ""
			if form, r := Resolve(drv, w.drv, f.known); r != nil {
				forms[drv], resolved[form] = form, r
			}
		}
		if len(forms) == 0 {
			return f.newOnes(missing), nil
		}
		made, err := f.direct(ctx, resolved)
		if err != nil {
			return nil, err
		}
		for drv, form := range forms {
			f.known[drv] = f.waiting[drv].made
			maps.Copy(f.known[drv], made[form])
			delete(f.waiting, drv)
		}
	}
}

// unknownInputs returns the derivations that have to be finished before d can be
// resolved.
func (f *finder) unknownInputs(d *drvfile.Derivation) []string {
	var list []string
	look := func(drv string) (made map[string]string) {
		made, ok := f.known[drv]
		if !ok {
			list = append(list, drv)
		}
		return made
	}
	for _, drv := range d.InputDrvs() {
		made := look(drv)
		for output := range d.Dynamic[drv] {
			if made[output] != "" {
				look(made[output])
			}
		}
	}
	return list
}

// direct returns, by .drv path and output name, the outputs whose paths are in the
// derivations themselves or in the store's records.
func (f *finder) direct(ctx context.Context, drvs map[string]*drvfile.Derivation) (map[string]map[string]string, error) {
	made := map[string]map[string]string{}
	var ask []string
	for drv, d := range drvs {
		made[drv] = map[string]string{}
		for name, o := range d.Outputs {
			if o.Path != "" {
				made[drv][name] = o.Path
			}
		}
		if len(made[drv]) < len(d.Outputs) {
			ask = append(ask, drv)
		}
	}
	slices.Sort(ask)
	recorded, err := f.r.Recorded(ctx, ask)
	if err != nil {
		return nil, err
	}
	for drv, outputs := range recorded {
		maps.Copy(made[drv], outputs)
	}
	return made, nil
}

// Resolve returns the resolved derivation (see [drvfile.Derivation.Resolve]) of d,
// whose .drv path is drv, with its .drv path, or nil if an output that it needs is
// not in made. It has the paths of outputs that are not content-addressed, which
// follow from its inputs.
func Resolve(drv string, d *drvfile.Derivation, made map[string]map[string]string) (string, *drvfile.Derivation) {
	r, _ := d.Resolve(func(drv string) (map[string]string, error) { return made[drv], nil })
	if r == nil {
		return "", nil
	}
	dir := path.Dir(drv)
	_, file, _ := strings.Cut(path.Base(drv), "-")
	modulo := sha256.Sum256([]byte(r.String()))
	r.Outputs = maps.Clone(r.Outputs)
	for name, o := range r.Outputs {
		if o == (drvfile.Output{}) {
			o.Path = nar.OutputPath(dir, strings.TrimSuffix(file, ".drv"), name, modulo)
			r.Outputs[name], r.Env[name] = o, o.Path
		}
	}
	return nar.TextPath(dir, file, []byte(r.String()), r.Sources), r
}
