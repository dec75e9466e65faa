package cache

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"dgd/internal/store"
)

// A derivation is a .drv file.
type derivation struct {
	path    string // store path
	body    []term // of the file: outputs, inputs, sources, system, builder, arguments, environment
	builder string
	inputs  []input
	sources []string
}

// An input is a derivation whose outputs another one reads. What these are is
// known either now, or once an output of the input is there, which is a .drv
// file in turn (a dynamic derivation).
type input struct {
	drv     string
	outputs []string
	dynamic map[string][]string // output of drv: outputs of the .drv file that it is
}

// The places in a derivation's body.
const (
	outputsAt = iota
	inputsAt
	sourcesAt
	systemAt
	builderAt
	argumentsAt
	environmentAt
	bodySize
)

// read reads the .drv file of a store path.
func read(path, text string) (*derivation, error) {
	d, err := readBody(path, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func readBody(path, text string) (*derivation, error) {
	t, err := parse(text)
	if err != nil {
		return nil, err
	}
	body := t.terms
	switch {
	case t.open == '(' && t.text == "Derive":
	case t.open == '(' && t.text == "DrvWithVersion" && len(body) > 0 && body[0].text == "xp-dyn-drv":
		body = body[1:]
	default:
		return nil, fmt.Errorf("a .drv file of a form that dgd-plan does not know")
	}
	if len(body) != bodySize || body[inputsAt].open != '[' || body[sourcesAt].open != '[' || body[builderAt].open != '"' {
		return nil, fmt.Errorf("no derivation: it has other parts")
	}
	d := &derivation{path: path, body: body, builder: body[builderAt].text}
	if d.sources, err = body[sourcesAt].strings(); err != nil {
		return nil, err
	}
	for _, t := range body[inputsAt].terms {
		in, err := readInput(t)
		if err != nil {
			return nil, err
		}
		d.inputs = append(d.inputs, in)
	}
	return d, nil
}

// readInput reads ("DRV",["OUTPUT",…]) or, with dynamic derivations,
// ("DRV",(["OUTPUT",…],[("OUTPUT",["OUTPUT",…]),…])).
func readInput(t term) (in input, err error) {
	wrong := fmt.Errorf("an input of a form that dgd-plan does not know: %s", t)
	if len(t.terms) != 2 || t.terms[0].open != '"' {
		return in, wrong
	}
	in.drv = t.terms[0].text
	outputs := t.terms[1]
	if outputs.open == '(' {
		if len(outputs.terms) != 2 {
			return in, wrong
		}
		in.dynamic = map[string][]string{}
		for _, below := range outputs.terms[1].terms {
			// Deeper ones, the output of an output, dgd does not make.
			if len(below.terms) != 2 || below.terms[1].open != '[' {
				return in, wrong
			}
			if in.dynamic[below.terms[0].text], err = below.terms[1].strings(); err != nil {
				return in, err
			}
		}
		outputs = outputs.terms[0]
	}
	if outputs.open != '[' {
		return in, wrong
	}
	in.outputs, err = outputs.strings()
	return in, err
}

// resolved is the store path of the derivation that Nix makes of this one once
// its inputs are known, and builds in its place: the outputs of its inputs are
// plain sources there. outputs tells a derivation's outputs; ok is false if one
// is not known.
func (d *derivation) resolved(outputs func(drv string) (map[string]string, error)) (drv string, ok bool, err error) {
	sources := map[string]bool{}
	for _, source := range d.sources {
		sources[source] = true
	}
	var replace []string
	take := func(drv string, names []string, placeholder func(name string) [sha256.Size]byte) (bool, error) {
		made, err := outputs(drv)
		if err != nil {
			return false, err
		}
		for _, name := range names {
			if made[name] == "" {
				return false, nil
			}
			sources[made[name]] = true
			replace = append(replace, inText(placeholder(name)), made[name])
		}
		return true, nil
	}
	for _, in := range d.inputs {
		ofInput := func(name string) [sha256.Size]byte { return placeholder(in.drv, name) }
		if ok, err := take(in.drv, in.outputs, ofInput); !ok {
			return "", false, err
		}
		for name, below := range in.dynamic {
			made, err := outputs(in.drv)
			if err != nil || made[name] == "" {
				return "", false, err
			}
			ofOutput := func(below string) [sha256.Size]byte { return placeholderBelow(ofInput(name), below) }
			if ok, err := take(made[name], below, ofOutput); !ok {
				return "", false, err
			}
		}
	}
	refs := slices.Sorted(maps.Keys(sources))
	t := term{open: '(', text: "Derive", terms: slices.Clone(d.body)}.replace(strings.NewReplacer(replace...))
	t.terms[inputsAt] = term{open: '['}
	t.terms[sourcesAt] = list(refs)
	_, name := split(d.path)
	return store.Derivation{Name: name, ATerm: []byte(t.String()), Refs: refs}.Path(path.Dir(d.path)), true, nil
}

// split splits the last element of a store path into the hash and the name.
func split(storePath string) (hash, name string) {
	hash, name, _ = strings.Cut(path.Base(storePath), "-")
	return hash, name
}

// placeholder is what stands for a derivation's output that is not known yet in
// the derivations that read it.
func placeholder(drv, output string) [sha256.Size]byte {
	hash, name := split(strings.TrimSuffix(drv, ".drv"))
	if output != "out" {
		name += "-" + output
	}
	return sha256.Sum256([]byte("nix-upstream-output:" + hash + ":" + name))
}

// placeholderBelow is the same for an output of a .drv file that is not known
// yet, and has a placeholder itself.
func placeholderBelow(drv [sha256.Size]byte, output string) [sha256.Size]byte {
	var short [20]byte
	for i, b := range drv {
		short[i%len(short)] ^= b
	}
	return sha256.Sum256([]byte("nix-computed-output:" + nixbase32.EncodeToString(short[:]) + ":" + output))
}

func inText(placeholder [sha256.Size]byte) string {
	return "/" + nixbase32.EncodeToString(placeholder[:])
}
