package drvdiff

import (
	"errors"
	"fmt"
	"strings"
)

// A Derivation is what a .drv file says.
type Derivation struct {
	Outputs map[string]Output
	Inputs  map[string][]string // names of outputs, by .drv path
	// Dynamic are inputs that are outputs of derivations yet to be known: by
	// the .drv path of the derivation that makes them, and by the name of its
	// output that is such a .drv file, the names of outputs of that one.
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

// floating says that the output's path follows from its contents.
func (o Output) floating() bool { return o.Path == "" && o.Algo != "" && o.Hash == "" }

// Parse reads the text of a .drv file.
func Parse(text string) (*Derivation, error) {
	d, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("not a derivation that dgd understands: %w", err)
	}
	return d, nil
}

func parse(text string) (*Derivation, error) {
	rest, dynamic := strings.CutPrefix(text, `DrvWithVersion("xp-dyn-drv",`)
	if !dynamic {
		var ok bool
		if rest, ok = strings.CutPrefix(text, "Derive("); !ok {
			return nil, errors.New("it begins in another way")
		}
	}
	p := &parser{rest: "(" + rest}
	top, err := p.term()
	if err != nil {
		return nil, err
	}
	if p.rest != "" {
		return nil, fmt.Errorf("there is more behind its end: %.20q", p.rest)
	}
	if len(top.list) != 7 {
		return nil, fmt.Errorf("%d parts, not 7", len(top.list))
	}
	d := &Derivation{
		Outputs: map[string]Output{},
		Inputs:  map[string][]string{},
		Dynamic: map[string]map[string][]string{},
		Sources: top.list[2].strings(p),
		System:  top.list[3].string(p),
		Builder: top.list[4].string(p),
		Args:    top.list[5].strings(p),
		Env:     map[string]string{},
	}
	for _, t := range top.list[0].list {
		if o := t.strings(p); len(o) == 4 {
			d.Outputs[o[0]] = Output{o[1], o[2], o[3]}
		} else {
			p.fail("an output has %d parts, not 4", len(o))
		}
	}
	for _, t := range top.list[1].list {
		if len(t.list) != 2 {
			p.fail("an input has %d parts, not 2", len(t.list))
			continue
		}
		d.input(p, t.list[0].string(p), t.list[1])
	}
	for _, t := range top.list[6].list {
		if v := t.strings(p); len(v) == 2 {
			d.Env[v[0]] = v[1]
		} else {
			p.fail("a variable has %d parts, not 2", len(v))
		}
	}
	return d, p.err
}

// input reads which outputs of an input derivation are meant: a list of names,
// or a pair of that and of outputs of outputs.
func (d *Derivation) input(p *parser, path string, t term) {
	if len(t.list) != 2 || t.list[0].isString {
		d.Inputs[path] = t.strings(p)
		return
	}
	if names := t.list[0].strings(p); len(names) > 0 {
		d.Inputs[path] = names
	}
	d.Dynamic[path] = map[string][]string{}
	for _, of := range t.list[1].list {
		if len(of.list) != 2 {
			p.fail("an output of an output has %d parts, not 2", len(of.list))
			continue
		}
		d.Dynamic[path][of.list[0].string(p)] = of.list[1].strings(p)
	}
}

// A term is a string, or a list or a tuple of terms.
type term struct {
	text     string
	isString bool
	list     []term
}

func (t term) string(p *parser) string {
	if !t.isString {
		p.fail("a list where a string should be")
	}
	return t.text
}

func (t term) strings(p *parser) []string {
	if t.isString {
		p.fail("a string where a list should be")
	}
	var list []string
	for _, e := range t.list {
		list = append(list, e.string(p))
	}
	return list
}

type parser struct {
	rest string
	err  error // the first one of those that fail has been given
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t")

// term reads a term from the rest of the text.
func (p *parser) term() (term, error) {
	if p.rest == "" {
		return term{}, errors.New("it breaks off")
	}
	end := byte(')')
	switch p.rest[0] {
	case '"':
		for i := 1; i < len(p.rest); i++ {
			switch p.rest[i] {
			case '\\':
				i++
			case '"':
				text := p.rest[1:i]
				p.rest = p.rest[i+1:]
				return term{text: unescape.Replace(text), isString: true}, nil
			}
		}
		return term{}, errors.New("a string without an end")
	case '[':
		end = ']'
	case '(':
	default:
		return term{}, fmt.Errorf("%.20q is neither a string nor a list", p.rest)
	}
	p.rest = p.rest[1:]
	t := term{}
	for {
		if p.rest != "" && p.rest[0] == end {
			p.rest = p.rest[1:]
			return t, nil
		}
		if len(t.list) > 0 {
			if p.rest == "" || p.rest[0] != ',' {
				return t, fmt.Errorf("no comma at %.20q", p.rest)
			}
			p.rest = p.rest[1:]
		}
		e, err := p.term()
		if err != nil {
			return t, err
		}
		t.list = append(t.list, e)
	}
}
