package bind

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// Names is what a file of C, assembly or cgo says of other files.
type Names struct {
	Files []string // the names that it spells out
	// Computed says that a name is not spelled out, but made of macros or of
	// pieces: it can be any.
	Computed bool
	// Asks says that such a name is looked up and not opened: where the file
	// is missing, there is another result and no error.
	Asks bool
	// Tails are the texts behind the directives and operators of computed names,
	// where that is all that makes them. Loose says that there are others.
	Tails []string
	Loose bool
	// Defines are the macros that the file defines: name and body.
	Defines [][2]string
	// Vendor says that the word is in it: without it, no name leads there.
	Vendor bool
}

// What can stand between the words of a directive.
const gap = `(?:[ \t\f\v\r]|/\*(?s:.*?)\*/)*`

var (
	// A line ends in a backslash, which a trigraph can stand for, and goes on
	// in the next one. GCC lets spaces stand between.
	splice = regexp.MustCompile(`(?:\\|\?\?/)[ \t\f\v\r]*\n`)
	// The beginning of a directive. Before it, there can be comments, the first
	// of which may have begun on another line.
	directive = regexp.MustCompile(`(?:^|\n|\*/)` + gap + `(?:#|%:|\?\?=)` + gap + `([A-Za-z_]\w*)`)
	// An include that could be in a comment.
	commented = regexp.MustCompile(`(?m)^[ \t/*]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]`)
	comment   = regexp.MustCompile(`^/\*(?s:.*?)\*/`)

	spelled    = regexp.MustCompile(`^` + gap + `(?:"([^"\n]+)"|<([^>\n]+)>)`)
	definition = regexp.MustCompile(`(?s)^` + gap + `([A-Za-z_]\w*)(.*)`)
	// What looks for a file in a condition, and what only asks whether there is
	// such an operator.
	operator = regexp.MustCompile(`(\bdefined` + gap + `\(?` + gap + `)?\b__has_(?:include|embed)\w*(` + gap + `\()?`)
	standIn  = regexp.MustCompile(`^` + gap + `__has_(?:include|embed)\w*(?:\([^)]*\))?`)
	// A name that is put together could be that of an operator.
	pasted = regexp.MustCompile(`_has_?\w*` + gap + `##|##` + gap + `\w*has_`)
	// An assembler's directive, in its own language or in C's strings.
	incbin = regexp.MustCompile(`\bincbin\b|(?:^|["\s;:]|\\[nt])\.include\b`)
	quoted = regexp.MustCompile(`^\s*\\?"([^"\\\n]+)\\?"`)
	// Modules of C++ and Objective-C.
	imports = regexp.MustCompile(`(?:^|[\n;])[ \t]*(?:export[ \t]+)?import[ \t]*([<"])([^>"\n]*)[>"]|@import\b`)
	word    = regexp.MustCompile(`\bvendor\b`)
)

// NamesIn reads the text of a file that is called so. It reads more than a
// compiler would, also what stands in comments and behind conditions: what it
// returns is at least what the file can ask for.
func NamesIn(file string, text []byte) Names {
	if strings.HasSuffix(file, ".go") {
		text = preamble(text)
	}
	n := Names{Vendor: word.Match(text)}
	text = splice.ReplaceAll(text, nil)
	for _, m := range directive.FindAllSubmatchIndex(text, -1) {
		n.directive(string(text[m[2]:m[3]]), line(text[m[3]:]))
	}
	for _, m := range commented.FindAllSubmatch(text, -1) {
		n.Files = append(n.Files, string(m[1]))
	}
	for _, m := range incbin.FindAllIndex(text, -1) {
		n.open(quoted.FindSubmatch(text[m[1]:]), nil)
	}
	for _, m := range imports.FindAllSubmatch(text, -1) {
		if len(m[1]) == 0 {
			n.loose() // a module's name, which a map elsewhere explains
			continue
		}
		n.Files = append(n.Files, string(m[2]))
	}
	if bytes.Contains(text, []byte("_Pragma")) && bytes.Contains(text, []byte("dependency")) {
		n.loose()
	}
	return n
}

// directive reads a directive by its name and what follows on its line.
func (n *Names) directive(name string, rest []byte) {
	switch name {
	case "include", "include_next", "import", "embed", "include_alias":
		n.open(spelled.FindSubmatch(rest), rest)
	case "pragma":
		if i := bytes.Index(rest, []byte("dependency")); i >= 0 {
			n.open(spelled.FindSubmatch(rest[i+len("dependency"):]), nil)
		}
		if bytes.Contains(rest, []byte("include_alias")) || bytes.Contains(rest, []byte("module")) {
			n.loose()
		}
	case "if", "elif", "define":
		if name == "define" {
			// The usual stand-in for compilers that lack the operator.
			rest = standIn.ReplaceAll(rest, nil)
			if m := definition.FindSubmatch(rest); m != nil {
				n.Defines = append(n.Defines, [2]string{string(m[1]), string(m[2])})
			}
		}
		for _, m := range operator.FindAllSubmatchIndex(rest, -1) {
			if m[2] >= 0 {
				continue // it is only asked for
			}
			found := spelled.FindSubmatch(rest[m[1]:])
			if m[4] < 0 || found == nil {
				n.Asks = true
			}
			n.open(found, rest)
		}
		if pasted.Match(rest) {
			n.Asks = true
			n.loose()
		}
	}
}

func (n *Names) loose() { n.Computed, n.Loose = true, true }

// open takes a name in quotes or in angle brackets, or nil where there is none
// but the tail, if that makes the name.
func (n *Names) open(found [][]byte, tail []byte) {
	for _, f := range found[min(1, len(found)):] {
		if len(f) > 0 {
			n.Files = append(n.Files, string(f))
			return
		}
	}
	if tail == nil {
		n.loose()
		return
	}
	n.Computed = true
	n.Tails = append(n.Tails, string(tail))
}

// line returns what is left of a line, which goes on behind a comment.
func line(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			return text[:i]
		case '/':
			if m := comment.Find(text[i:]); m != nil {
				i += len(m) - 1
			}
		}
	}
	return text
}

// preamble returns the C in a Go file: the comments before import "C".
func preamble(text []byte) []byte {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		// Whoever compiles it will say so. Until then, everything counts.
		return regexp.MustCompile(`(?m)^[ \t]*(?://|/\*)`).ReplaceAll(text, []byte("\n"))
	}
	var out strings.Builder
	for _, decl := range parsed.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			imp, ok := spec.(*ast.ImportSpec)
			if !ok || imp.Path.Value != `"C"` {
				continue
			}
			for _, doc := range []*ast.CommentGroup{imp.Doc, gen.Doc} {
				if doc == nil {
					continue
				}
				for _, c := range doc.List {
					out.WriteString(strings.TrimSuffix(c.Text[2:], "*/") + "\n")
				}
			}
		}
	}
	return []byte(out.String())
}
