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

// Names is what a file of C, assembly or cgo says of other files.
type Names struct {
	Files []string // the names that it spells out
	// Computed means that a name is not spelled out, but made of macros or of
	// pieces: it can be any.
	Computed bool
	// Asks means that such a name is looked up and not opened: where the file
	// is missing, there is another result and no error.
	Asks bool
	// Tails are the texts behind the directives and operators of computed names,
	// where that is all that makes them. Loose says that there are others.
	Tails []string
	Loose bool
	// Defines are the macros that the file defines: name and body.
	Defines [][2]string
	// Vendor means that the word is in it: without it, no name leads there.
	Vendor bool
}

// What can stand between the words of a directive.
const (
	blank = " \t\f\v\r"
	gap   = `(?:[ \t\f\v\r]|/\*(?s:.*?)\*/)*`
)

var (
	spelled = regexp.MustCompile(`^` + gap + `(?:"([^"\n]+)"|<([^>\n]+)>)`)
	// What looks for a file in a condition, and what only asks whether there is
	// such an operator.
	operator = regexp.MustCompile(`(\bdefined` + gap + `\(?` + gap + `)?\b__has_(?:include|embed)\w*(` + gap + `\()?`)
	standIn  = regexp.MustCompile(`^__has_(?:include|embed)\w*(?:\([^)]*\))?`)
	// A name that is put together could be that of an operator: by ## itself, or of
	// pieces that a macro is given.
	pasted = regexp.MustCompile(`_has_?\w*` + gap + `##|##` + gap + `\w*has_` +
		`|\b__h(?:a|as|as_|as_(?:i|in|inc|incl|inclu|includ|e|em|emb|embe))?` + gap + `(?:##|[,)])` +
		`|[(,]` + gap + `_?has_(?:include|embed)`)
	// In a condition, nothing but such an operator has a name for its argument.
	argument = regexp.MustCompile(`\(` + gap + `(?:"([^"\n]+)"|<([^>\n]+)>)`)
	module   = regexp.MustCompile(`^[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)`)
	word     = regexp.MustCompile(`\bvendor\b`)
)

// NamesIn reads the text of a file that is called so. It reads more than a
// compiler would, also what stands in comments and behind conditions: what it
// returns is at least what the file can ask for.
func NamesIn(file string, text []byte) Names {
	if strings.HasSuffix(file, ".go") {
		text = preamble(text)
	}
	n := Names{Vendor: bytes.Contains(text, []byte("vendor")) && word.Match(text)}
	text = unsplice(bytes.TrimPrefix(text, []byte("\ufeff"))) // which a compiler skips
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
		n.loose()
	}
	return n
}

// unsplice joins lines that end in a backslash, which a trigraph can stand for.
// GCC lets spaces stand behind it.
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

// isWord reports whether the byte at i is of an identifier.
func isWord(text []byte, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// wordEnd is the length of the identifier at the beginning.
func wordEnd(text []byte) int {
	end := 0
	for isWord(text, end) {
		end++
	}
	return end
}

// back is the place before i from which on there are only bytes of the set.
func back(text []byte, i int, set string) int {
	for i > 0 && strings.IndexByte(set, text[i-1]) >= 0 {
		i--
	}
	return i
}

// beginsStatement reports whether an assembler's directive can begin at i, in its
// own language or in C's strings.
func beginsStatement(text []byte, i int) bool {
	return i == 0 || strings.IndexByte("\"; \t\r\n:", text[i-1]) >= 0 || i > 1 && text[i-2] == '\\' && (text[i-1] == 'n' || text[i-1] == 't')
}

// hash reads what can be a directive: before it is the beginning of the line, or
// the end of a comment, which may have begun on another line.
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
	// An include could be in a comment.
	if begin = back(text, i, " \t/*"); name == "include" && (begin == 0 || text[begin-1] == '\n') {
		if m := spelled.FindSubmatch(line(rest[end:])); m != nil {
			n.open(m, nil)
		}
	}
}

// skipGap leaves out spaces and comments.
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

// imports reads modules of C++ and Objective-C.
func (n *Names) imports(text []byte, i int) {
	if i > 0 && text[i-1] == '@' {
		n.loose() // a module's name, which a map elsewhere explains
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
	if rest := skipGap(tail); len(rest) == 0 || !isWord(rest, 0) && strings.IndexByte("<\"$\\", rest[0]) < 0 && rest[0] < utf8.RuneSelf {
		return // no name begins so: it is a comment's line, or an error
	}
	n.Computed = true
	n.Tails = append(n.Tails, string(tail))
}

// line returns what is left of a line, which goes on behind a comment.
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
		// Its compile reports that. Here everything counts.
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

// BeforeImportC returns the comments before import "C" in a Go file that was parsed
// with its comments.
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
