package cache

import (
	"fmt"
	"strings"
)

// A term is a part of a .drv file, which is text in the ATerm format: a string,
// a list, or a tuple, whose name may be empty. All is as it was written, so
// that a term prints as it was read.
type term struct {
	open  byte   // '"', '[' or '('
	text  string // of a string, without escapes; of a tuple, its name
	terms []term // of a list or a tuple
}

// parse reads a whole text.
func parse(text string) (term, error) {
	p := parser{text: text}
	t, err := p.term(0)
	if err == nil && p.at != len(text) {
		err = p.wrong("its end")
	}
	return t, err
}

type parser struct {
	text string
	at   int
}

// No .drv file nests deeper.
const maxDepth = 64

func (p *parser) wrong(want string) error {
	return fmt.Errorf("no derivation: byte %d is not %s", p.at, want)
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) term(depth int) (term, error) {
	if depth > maxDepth {
		return term{}, p.wrong("anything that nests so deep")
	}
	switch p.peek() {
	case '"':
		return p.string()
	case '[':
		return p.sequence("", ']', depth)
	}
	begin := p.at
	for c := p.peek(); c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'; c = p.peek() {
		p.at++
	}
	if p.peek() != '(' {
		return term{}, p.wrong("the beginning of a term")
	}
	return p.sequence(p.text[begin:p.at], ')', depth)
}

func (p *parser) sequence(name string, end byte, depth int) (term, error) {
	t := term{open: p.peek(), text: name}
	p.at++
	for p.peek() != end {
		if len(t.terms) > 0 {
			if p.peek() != ',' {
				return t, p.wrong("a comma")
			}
			p.at++
		}
		u, err := p.term(depth + 1)
		if err != nil {
			return t, err
		}
		t.terms = append(t.terms, u)
	}
	p.at++
	return t, nil
}

// Characters that are escaped in a string, and what stands for them.
var (
	escape   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	unescape = map[byte]byte{'\\': '\\', '"': '"', 'n': '\n', 'r': '\r', 't': '\t'}
)

func (p *parser) string() (term, error) {
	var text strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		switch c {
		case '"':
			p.at++
			return term{open: '"', text: text.String()}, nil
		case '\\':
			p.at++
			c = unescape[p.peek()]
			if c == 0 {
				return term{}, p.wrong("the rest of an escape")
			}
		}
		text.WriteByte(c)
	}
	return term{}, p.wrong("the end of a string")
}

func (t term) write(to *strings.Builder) {
	switch t.open {
	case '"':
		to.WriteByte('"')
		escape.WriteString(to, t.text)
		to.WriteByte('"')
		return
	case '(':
		to.WriteString(t.text)
	}
	to.WriteByte(t.open)
	for i, u := range t.terms {
		if i > 0 {
			to.WriteByte(',')
		}
		u.write(to)
	}
	if t.open == '(' {
		to.WriteByte(')')
	} else {
		to.WriteByte(']')
	}
}

// String is the text of the term.
func (t term) String() string {
	var text strings.Builder
	t.write(&text)
	return text.String()
}

// replace replaces texts in all strings below the term.
func (t term) replace(r *strings.Replacer) term {
	if t.open == '"' {
		return term{open: '"', text: r.Replace(t.text)}
	}
	terms := make([]term, len(t.terms))
	for i, u := range t.terms {
		terms[i] = u.replace(r)
	}
	return term{t.open, t.text, terms}
}

// strings returns the strings of a list.
func (t term) strings() ([]string, error) {
	var list []string
	for _, u := range t.terms {
		if u.open != '"' {
			return nil, fmt.Errorf("no derivation: %s is not a string", u)
		}
		list = append(list, u.text)
	}
	return list, nil
}

// list makes a list of strings.
func list(texts []string) term {
	t := term{open: '['}
	for _, text := range texts {
		t.terms = append(t.terms, term{open: '"', text: text})
	}
	return t
}
