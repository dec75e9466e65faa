package bind

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Names are the names of other files in a file of C, assembly or cgo.
type Names struct {
	Files []string // names in quotes or angle brackets
	// Computed means that macros or pieces make a name: it can be any.
	Computed bool
	// Asks means that such a name is only looked up, as by __has_include: a missing
	// file changes the result and is no error.
	Asks bool
	// Tails are the texts that make computed names. Loose means that there are computed
	// names which other texts make.
	Tails []string
	Loose bool
	// Defines are the macros that the file defines: name and body.
	Defines [][2]string
	// Vendor means that the file has the word "vendor". Without it, no name leads to the
	// vendor directory.
	Vendor bool
}

// blank and gap are the spaces and comments between the words of a directive.
const (
	blank = " \t\f\v\r"
	gap   = `(?:[ \t\f\v\r]|/\*(?s:.*?)\*/)*`
)

var (
	spelled = regexp.MustCompile(`^` + gap + `(?:"([^"\n]+)"|<([^>\n]+)>)`)
	// operator matches __has_include and the like. The first group matches if a
	// condition only asks whether the operator is defined.
	operator = regexp.MustCompile(`(\bdefined` + gap + `\(?` + gap + `)?\b__has_(?:include|embed)\w*(` + gap + `\()?`)
	standIn  = regexp.MustCompile(`^__has_(?:include|embed)\w*(?:\([^)]*\))?`)
	// pasted matches macros that may make the name of such an operator: with ##, or of
	// pieces among a macro's arguments.
	pasted = regexp.MustCompile(`_has_?\w*` + gap + `##|##` + gap + `\w*has_` +
		`|\b__h(?:a|as|as_|as_(?:i|in|inc|incl|inclu|includ|e|em|emb|embe))?` + gap + `(?:##|[,)])` +
		`|[(,]` + gap + `_?has_(?:include|embed)`)
	// argument matches the argument of such an operator in a condition.
	argument = regexp.MustCompile(`\(` + gap + `(?:"([^"\n]+)"|<([^>\n]+)>)`)
	module   = regexp.MustCompile(`^[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)`)
	word     = regexp.MustCompile(`\bvendor\b`)
)

// NamesIn returns the names in the text of a file. It includes those in comments and
// under any condition, so that all names count that a compiler may use. The file's name
// decides how the text is read.
func NamesIn(file string, text []byte) Names {
	if strings.HasSuffix(file, ".go") {
		text = preamble(text)
	}
	n := Names{Vendor: bytes.Contains(text, []byte("vendor")) && word.Match(text)}
	text = unsplice(bytes.TrimPrefix(text, []byte("\ufeff"))) // compilers skip a BOM
	for i, c := range text {
		switch {
		case c == '#' || c == '%' && hasAt(text, i, "%:") || c == '?' && hasAt(text, i, "??="):
			n.hash(text, i)
		case c == 'i' && hasAt(text, i, "import") && !isWord(text, i-1) && !isWord(text, i+6):
			n.imports(text, i)
		}
	}
	n.assembly(file, text)
	if bytes.Contains(text, []byte("_Pragma")) && bytes.Contains(text, []byte("dependency")) {
		n.setLoose()
	}
	return n
}

// unsplice joins lines that end in a backslash or its trigraph. GCC allows spaces after
// it.
func unsplice(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("??/"), []byte("\\"))
	if !bytes.Contains(text, []byte("\\")) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			end := i + 1
			for end < len(text) && strings.IndexByte(blank, text[end]) >= 0 {
				end++
			}
			if end < len(text) && text[end] == '\n' {
				i = end
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

func hasAt(text []byte, i int, word string) bool {
	return len(text)-i >= len(word) && string(text[i:i+len(word)]) == word
}

// isWord reports whether the byte at i can be part of an identifier.
func isWord(text []byte, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// wordEnd returns the length of the identifier at the beginning of the text.
func wordEnd(text []byte) int {
	end := 0
	for isWord(text, end) {
		end++
	}
	return end
}

// back returns the smallest offset from which up to i there are only bytes of the set.
func back(text []byte, i int, set string) int {
	for i > 0 && strings.IndexByte(set, text[i-1]) >= 0 {
		i--
	}
	return i
}

// beginsStatement reports whether a directive of an assembler can begin at i, in
// assembly or in a string of C.
func beginsStatement(text []byte, i int) bool {
	return i == 0 || strings.IndexByte("\"; \t\r\n:", text[i-1]) >= 0 || i > 1 && text[i-2] == '\\' && (text[i-1] == 'n' || text[i-1] == 't')
}

// hash reads a directive of the preprocessor, if one can begin at i: at the beginning of
// a line, or after a comment, which may have begun on an earlier line.
func (n *Names) hash(text []byte, i int) {
	begin := back(text, i, blank)
	first := begin == 0 || text[begin-1] == '\n' || begin > 1 && string(text[begin-2:begin]) == "*/"
	mark := 1
	switch text[i] {
	case '%':
		mark = len("%:")
	case '?':
		mark = len("??=")
	}
	rest := skipGap(text[i+mark:])
	end := wordEnd(rest)
	name := string(rest[:end])
	if first {
		n.directive(name, line(rest[end:]))
		return
	}
	// An include in a comment.
	if begin = back(text, i, " \t/*"); name == "include" && (begin == 0 || text[begin-1] == '\n') {
		if m := spelled.FindSubmatch(line(rest[end:])); m != nil {
			n.open(m, nil)
		}
	}
}

// skipGap returns the text after spaces and comments.
func skipGap(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, blank)
		if !hasAt(text, 0, "/*") {
			return text
		}
		end := bytes.Index(text[2:], []byte("*/"))
		if end < 0 {
			return text
		}
		text = text[2+end+2:]
	}
}

// imports reads an import of C++ or Objective-C.
func (n *Names) imports(text []byte, i int) {
	if i > 0 && text[i-1] == '@' {
		n.setLoose() // the name of a module, whose files a module map has
		return
	}
	begin := back(text, i, " \t")
	if begin >= 6 && string(text[begin-6:begin]) == "export" {
		begin = back(text, begin-6, " \t")
	}
	if begin > 0 && text[begin-1] != '\n' && text[begin-1] != ';' {
		return
	}
	if m := module.FindSubmatch(line(text[i+len("import"):])); m != nil {
		n.open(m, nil)
	}
}

// directive reads a directive with this name. Rest is the rest of its line.
func (n *Names) directive(name string, rest []byte) {
	switch name {
	case "include", "include_next", "import", "embed", "include_alias":
		n.open(spelled.FindSubmatch(rest), rest)
	case "pragma":
		if i := bytes.Index(rest, []byte("dependency")); i >= 0 {
			n.open(spelled.FindSubmatch(rest[i+len("dependency"):]), nil)
		}
		if bytes.Contains(rest, []byte("include_alias")) || bytes.Contains(rest, []byte("module")) {
			n.setLoose()
		}
	case "if", "elif", "define":
		if name == "define" {
			// `#define __has_include(x) 0` is usual for compilers without the operator.
			rest = standIn.ReplaceAll(skipGap(rest), nil)
			end := wordEnd(rest)
			n.Defines = append(n.Defines, [2]string{string(rest[:end]), string(rest[end:])})
		} else if bytes.IndexByte(rest, '(') >= 0 {
			for _, m := range argument.FindAllSubmatch(rest, -1) {
				n.open(m, nil)
			}
		}
		if !bytes.Contains(rest, []byte("has_")) && !bytes.Contains(rest, []byte("__h")) {
			return
		}
		for _, m := range operator.FindAllSubmatchIndex(rest, -1) {
			if m[2] >= 0 {
				continue // defined(__has_include)
			}
			found := spelled.FindSubmatch(rest[m[1]:])
			if m[4] < 0 || found == nil {
				n.Asks = true
			}
			n.open(found, rest)
		}
		if pasted.Match(rest) {
			n.Asks = true
			n.setLoose()
		}
	}
}

func (n *Names) setLoose() { n.Computed, n.Loose = true, true }

// open adds the name in found, the submatches of a name in quotes or angle brackets. If
// found is nil, the name is computed: from tail, or from other text if tail is nil.
func (n *Names) open(found [][]byte, tail []byte) {
	for _, f := range found[min(1, len(found)):] {
		if len(f) > 0 {
			n.Files = append(n.Files, string(f))
			return
		}
	}
	if tail == nil {
		n.setLoose()
		return
	}
	if rest := skipGap(tail); len(rest) == 0 || !isWord(rest, 0) && strings.IndexByte("<\"$\\", rest[0]) < 0 && rest[0] < utf8.RuneSelf {
		return // no name begins like this: the line is in a comment, or an error
	}
	n.Computed = true
	n.Tails = append(n.Tails, string(tail))
}

// line returns the rest of a line. A comment may continue it on the next line.
func line(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n':
			return text[:i]
		case text[i] == '/' && hasAt(text, i, "/*"):
			if end := bytes.Index(text[i+2:], []byte("*/")); end >= 0 {
				i += 2 + end + 1
			}
		}
	}
	return text
}

// preamble returns the C in a Go file: the comments before import "C".
func preamble(text []byte) []byte {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		// Compiling it reports the error. Here all of the text counts.
		return regexp.MustCompile(`(?m)^[ \t]*(?://|/\*)`).ReplaceAll(text, []byte("\n"))
	}
	var out strings.Builder
	for _, doc := range BeforeImportC(parsed) {
		for _, c := range doc.List {
			out.WriteString(strings.TrimSuffix(c.Text[2:], "*/") + "\n")
		}
	}
	return []byte(out.String())
}

// BeforeImportC returns the comments before import "C" in a Go file, which must have been
// parsed with parser.ParseComments.
func BeforeImportC(file *ast.File) []*ast.CommentGroup {
	var comments []*ast.CommentGroup
	for _, decl := range file.Decls {
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
				if doc != nil {
					comments = append(comments, doc)
				}
			}
		}
	}
	return comments
}
