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

// Outputs returns, by .drv path and name, the outputs of derivations that the
// store has and knows to be theirs. Where it has no record of a derivation, that
// of the resolved one counts, for which all inputs have to be known: since Nix
// 2.35 there is no other record of what is content-addressed or depends on such.
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

// records are what a store says of derivations, see Store.
type records interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Recorded(ctx context.Context, drvs []string) (map[string]map[string]string, error)
}

// findOutputs adds to known, by .drv path and name, the paths of outputs of
// derivations, and of those that it has to know for that. An output whose path
// is known may be absent from the store.
func findOutputs(ctx context.Context, r records, known map[string]map[string]string, drvs []string) error {
	f := &finder{r: r, known: known, waiting: map[string]waiting{}}
	for ask := f.newOnes(drvs); len(ask) > 0; {
		read, err := r.Derivations(ctx, ask)
		if err != nil {
			return err
		}
		made, err := f.say(ctx, read)
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

// A finder finds out what came out of derivations, of inputs first.
type finder struct {
	r       records
	known   map[string]map[string]string // outputs by .drv path: all that can be known
	waiting map[string]waiting           // by .drv path
}

// waiting is a derivation until what came out of its inputs is known.
type waiting struct {
	drv  *drvfile.Derivation
	made map[string]string // the outputs that are known without
}

// newOnes returns those of the derivations that are neither known nor waiting.
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

// settle finds out about what waits, as far as its inputs are known, and
// returns the inputs that nobody has asked for yet.
func (f *finder) settle(ctx context.Context) ([]string, error) {
	for {
		var missing []string
		forms := map[string]string{} // .drv paths of resolved derivations
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
		made, err := f.say(ctx, resolved)
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

// unknownInputs returns the derivations that have to be known before d can be
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

// say returns, by .drv path, the outputs that derivations themselves and the
// store's records of them tell.
func (f *finder) say(ctx context.Context, drvs map[string]*drvfile.Derivation) (map[string]map[string]string, error) {
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

// Resolve returns the derivation that Nix builds in place of one, see
// [drvfile.Derivation.Resolve], with its .drv path, or nil where an output that
// it needs is not in made. Outputs that are not content-addressed have their
// paths in it: these follow from its inputs.
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
