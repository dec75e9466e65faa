package drvfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The beginnings of the two formats. The second one is for derivations with
// dynamic inputs.
const (
	plainForm   = "Derive("
	dynamicForm = `DrvWithVersion("xp-dyn-drv",`
)

// Parse parses the text of a .drv file. Anything that a Derivation cannot hold is
// an error.
func Parse(text string) (*Derivation, error) {
	d := &Derivation{
		Outputs: map[string]Output{},
		Inputs:  map[string][]string{},
		Dynamic: map[string]map[string][]string{},
		Env:     map[string]string{},
	}
	p := &parser{text: text}
	dynamic := p.accept(dynamicForm)
	if !dynamic {
		p.expect(plainForm)
	}
	p.list(func() {
		o := p.tuple(4)
		if _, ok := d.Outputs[o[0]]; ok {
			p.fail("output %s is there twice", o[0])
		}
		d.Outputs[o[0]] = Output{o[1], o[2], o[3]}
	})
	p.expect(",")
	p.list(func() { p.input(d, dynamic) })
	p.expect(",")
	d.Sources = p.strings()
	p.expect(",")
	d.System = p.string()
	p.expect(",")
	d.Builder = p.string()
	p.expect(",")
	d.Args = p.strings()
	p.expect(",")
	p.list(func() {
		v := p.tuple(2)
		if _, ok := d.Env[v[0]]; ok {
			p.fail("variable %s is there twice", v[0])
		}
		d.Env[v[0]] = v[1]
	})
	p.expect(")")
	if p.at < len(p.text) {
		p.fail("byte %d is not the end", p.at)
	}
	if p.err != nil {
		return nil, fmt.Errorf("not a derivation that dgd understands: %w", p.err)
	}
	return d, nil
}

// A parser parses a text up to the first error. After an error its methods do
// nothing.
type parser struct {
	text string
	at   int
	err  error
}

// fail records an error, unless there is one already.
func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// accept skips a text if it comes next, and reports whether it did.
func (p *parser) accept(next string) bool {
	ok := p.err == nil && strings.HasPrefix(p.text[p.at:], next)
	if ok {
		p.at += len(next)
	}
	return ok
}

// expect skips a text, which must come next.
func (p *parser) expect(next string) {
	if !p.accept(next) {
		p.fail("byte %d is not %s", p.at, next)
	}
}

// list reads [ELEMENT,…].
func (p *parser) list(element func()) {
	p.expect("[")
	if p.accept("]") {
		return
	}
	for element(); p.accept(","); {
		element()
	}
	p.expect("]")
}

// input reads ("DRV",["OUTPUT",…]) or, with dynamic derivations,
// ("DRV",(["OUTPUT",…],[("OUTPUT",["OUTPUT",…]),…])).
func (p *parser) input(d *Derivation, dynamic bool) {
	p.expect("(")
	drv := p.string()
	_, ok := d.Inputs[drv]
	if ok || d.Dynamic[drv] != nil {
		p.fail("input %s is there twice", drv)
	}
	p.expect(",")
	if !dynamic || !p.accept("(") {
		d.Inputs[drv] = p.strings()
		p.expect(")")
		return
	}
	if outputs := p.strings(); len(outputs) > 0 {
		d.Inputs[drv] = outputs
	}
	p.expect(",")
	below := map[string][]string{}
	p.list(func() {
		p.expect("(")
		output := p.string()
		if _, ok := below[output]; ok {
			p.fail("output %s of %s is there twice", output, drv)
		}
		p.expect(",")
		below[output] = p.strings()
		p.expect(")")
	})
	if len(below) == 0 {
		p.fail("input %s has no outputs of outputs", drv)
	}
	d.Dynamic[drv] = below
	p.expect("))")
}

// strings reads a list of strings.
func (p *parser) strings() []string {
	var list []string
	p.list(func() { list = append(list, p.string()) })
	return list
}

// tuple reads ("STRING",…) of n strings.
func (p *parser) tuple(n int) []string {
	t := make([]string, n)
	for i := range t {
		if i == 0 {
			p.expect("(")
		} else {
			p.expect(",")
		}
		t[i] = p.string()
	}
	p.expect(")")
	return t
}

// The escapes in strings.
var (
	escape   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	unescape = map[byte]byte{'\\': '\\', '"': '"', 'n': '\n', 'r': '\r', 't': '\t'}
)

// string reads "TEXT".
func (p *parser) string() string {
	p.expect(`"`)
	if p.err != nil {
		return ""
	}
	var text strings.Builder
	for {
		i := strings.IndexAny(p.text[p.at:], `"\`)
		if i < 0 {
			p.fail("it ends in the middle of a string")
			return ""
		}
		text.WriteString(p.text[p.at : p.at+i])
		p.at += i
		if p.accept(`"`) {
			return text.String()
		}
		var c byte
		if p.at++; p.at < len(p.text) {
			c = unescape[p.text[p.at]]
		}
		if c == 0 {
			p.fail("byte %d is not the rest of an escape", p.at)
			return ""
		}
		text.WriteByte(c)
		p.at++
	}
}

// String returns the text of the .drv file, as Nix writes it.
func (d *Derivation) String() string {
	form := plainForm
	if len(d.Dynamic) > 0 {
		form = dynamicForm
	}
	return form + strings.Join([]string{
		list(slices.Sorted(maps.Keys(d.Outputs)), func(name string) string {
			o := d.Outputs[name]
			return tuple(name, o.Path, o.Algo, o.Hash)
		}),
		list(d.InputDrvs(), d.input),
		list(d.Sources, quote),
		quote(d.System),
		quote(d.Builder),
		list(d.Args, quote),
		list(slices.Sorted(maps.Keys(d.Env)), func(name string) string { return tuple(name, d.Env[name]) }),
	}, ",") + ")"
}

// input returns the text of an input.
func (d *Derivation) input(drv string) string {
	outputs := list(d.Inputs[drv], quote)
	if below := d.Dynamic[drv]; len(below) > 0 {
		outputs = "(" + outputs + "," + list(slices.Sorted(maps.Keys(below)), func(output string) string {
			return "(" + quote(output) + "," + list(below[output], quote) + ")"
		}) + ")"
	}
	return "(" + quote(drv) + "," + outputs + ")"
}

func quote(text string) string { return `"` + escape.Replace(text) + `"` }

func list(elements []string, text func(string) string) string {
	return "[" + join(elements, text) + "]"
}

func tuple(texts ...string) string { return "(" + join(texts, quote) + ")" }

func join(elements []string, text func(string) string) string {
	var all strings.Builder
	for i, e := range elements {
		if i > 0 {
			all.WriteByte(',')
		}
		all.WriteString(text(e))
	}
	return all.String()
}
