// Package skeleton reduces sources to what planning reads of them: names, and
// of some files a part of the contents. Sources with the same skeleton have the
// same plan, whatever the bodies of their functions are.
//
// The rules are those by which go/build and the go command read files: see
// readGoInfo and readComments in go/build/read.go, matchFile in
// go/build/build.go, and gas in cmd/go/internal/work/exec.go, of Go 1.24 to 1.27.
package skeleton

import (
	"bytes"
	"go/scanner"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A kind says which part of a file the plan depends on.
type kind int

const (
	byName   kind = iota // nothing but that it is there
	verbatim             // everything
	goFile               // everything up to the imports, and //go:embed lines
	comments             // the comments at its beginning
	assembly             // these, and whether it is in the syntax of Go's assembler
	testFile             // a goFile, and what the go command generates a test's main package from
)

// kindOf returns the kind of a file with that base name.
func kindOf(base string) kind {
	switch path.Ext(base) {
	case ".mod", ".sum": // GOFLAGS=-modfile gives go.mod other names
		return verbatim
	case ".go":
		return goFile
	case ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx":
		return comments
	case ".s", ".S", ".sx":
		return assembly
	}
	switch base {
	case "go.work", "modules.txt":
		return verbatim
	}
	if isLinkerInput(base) {
		return verbatim
	}
	return byName
}

// isLinkerInput reports whether a file is one that the go command looks into
// where #cgo LDFLAGS name it or its directory, from Go 1.26.11 and 1.27 on: see
// checkLinkerInputFile in cmd/go/internal/work/security.go.
func isLinkerInput(base string) bool {
	base = strings.ToLower(base)
	switch path.Ext(base) {
	case ".a", ".o", ".obj", ".dll", ".dylib", ".lib", ".so", ".tbd":
		return true
	}
	return strings.Contains(base, ".so.")
}

// testKindOf is kindOf where tests are planned, too.
func testKindOf(base string) kind {
	if strings.HasSuffix(base, "_test.go") {
		return testFile
	}
	return kindOf(base)
}

// reduce returns what planning needs of a file that begins with text. It
// reports false if that cannot be told without the rest; all means that text is
// the whole file.
func reduce(k kind, text []byte, all bool) (kept []byte, ok bool) {
	if k == byName {
		return nil, true
	}
	if len(text) < len(bom) && !all {
		return nil, false
	}
	switch k {
	case goFile:
		return reduceGo(text, all)
	case testFile:
		return reduceTest(text, all)
	case comments, assembly:
		return reduceNative(text, all, k == assembly)
	}
	return text, all
}

// reduceGo keeps a Go file's header as it is, so that messages have the right
// lines: comments, the package clause, and imports with what stands before them,
// such as the preamble of import "C".
func reduceGo(text []byte, all bool) (kept []byte, ok bool) {
	r := reader{text: text, at: afterBOM(text)}
	r.header()
	switch {
	case r.short && !all:
		return nil, false
	case r.bad || hasNUL(text, r.at):
		// The go command reads on to say what is wrong.
		return text, all
	case r.embed && !all:
		return nil, false
	}
	end := cut(text, r.end, r.at)
	kept = text[:end]
	if r.embed {
		lines, ok := embedLines(text, end)
		if !ok {
			return text, true
		}
		if len(lines) > 0 {
			start := "var (\n"
			if !bytes.HasSuffix(kept, []byte("\n")) {
				start = "\n" + start
			}
			kept = slices.Concat(kept, []byte(start), lines, []byte(")\n"))
		}
	}
	return kept, true
}

// cut returns where the header of a Go file may end, of which the last import
// ends at end and the next token starts at next: after the import's line. What
// documents the first declaration has no effect.
func cut(text []byte, end, next int) int {
	between := text[end:next]
	line := bytes.IndexByte(between, '\n') + 1
	switch {
	case line == 0,
		bytes.Contains(between[:line], []byte("/*")), // which may go on in the next line
		!utf8.Valid(between),                         // these are errors of a scanner
		bytes.Contains(between, bom),
		bytes.Contains(between, []byte("//line ")),
		bytes.Contains(between, []byte("/*line ")):
		return next
	}
	return end + line
}

// embedLines returns the //go:embed comments of a Go file that begin at or
// after start, each in a line of its own. Up to Go 1.25 one counts only if it
// is the first in its line: another one gets something before it. It reports
// false if the text has errors: then the readers of different versions disagree.
func embedLines(text []byte, start int) (lines []byte, ok bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return lines, s.ErrorCount == 0
		}
		at := file.Offset(pos)
		if tok != token.COMMENT || at < start || !strings.HasPrefix(lit, "//go:embed") {
			continue
		}
		before := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
		if len(bytes.Trim(before, " \t")) > 0 {
			lines = append(lines, "_ int "...)
		}
		// Not lit, which has no carriage returns.
		line, _, _ := bytes.Cut(text[at:], []byte("\n"))
		lines = append(lines, line...)
		lines = append(lines, '\n')
	}
}

// goAssembly is by what the go command knows a file in the syntax of Go's
// assembler, which it refuses in a package with cgo.
var goAssembly = []string{"TEXT", "DATA", "GLOBL"}

// reduceNative keeps the comments at the beginning of a file that is not Go: it
// may have build constraints there.
func reduceNative(text []byte, all, assembly bool) (kept []byte, ok bool) {
	r := reader{text: text, at: afterBOM(text)}
	r.next()
	switch {
	case !all && (r.short || assembly):
		return nil, false
	case r.bad || hasNUL(text, r.at):
		return text, all
	}
	kept = text[:r.at]
	if !assembly {
		return kept, true
	}
	for _, word := range goAssembly {
		if bytes.HasPrefix(text, []byte(word)) || bytes.Contains(text, []byte("\n"+word)) {
			// The first line ends the comments, without a blank line behind them.
			return slices.Concat(kept, []byte("#\nTEXT\n")), true
		}
	}
	return kept, true
}

var bom = []byte("\ufeff")

func afterBOM(text []byte) int {
	if bytes.HasPrefix(text, bom) {
		return len(bom)
	}
	return 0
}

// hasNUL reports whether go/build meets a NUL when it reads up to the byte at.
func hasNUL(text []byte, at int) bool {
	return bytes.IndexByte(text[:min(at+1, len(text))], 0) >= 0
}

// A reader reads a file as importReader of go/build does.
type reader struct {
	text  []byte
	at    int  // offset of the next byte
	end   int  // offset behind the last import, or else the package clause
	short bool // has looked behind the end of text
	bad   bool // has met a syntax error; nothing else counts then
	embed bool // the file imports embed
}

// header reads up to the first token behind the imports.
func (r *reader) header() {
	r.keyword("package")
	r.next()
	r.ident()
	r.end = r.at
	for r.next() == 'i' && !r.bad {
		r.keyword("import")
		if r.next() == '(' {
			r.at++
			for r.next() != ')' && !r.bad {
				r.spec()
			}
			r.at++
		} else {
			r.spec()
		}
		r.end = r.at
	}
}

// peek returns the next byte, or 0 at the end.
func (r *reader) peek() byte {
	if r.at >= len(r.text) {
		r.short = true
		return 0
	}
	return r.text[r.at]
}

// next skips spaces, semicolons and comments, and returns the next byte, or 0
// at the end.
func (r *reader) next() byte {
	for !r.bad {
		c := r.peek()
		switch c {
		case ' ', '\f', '\t', '\r', '\n', ';':
			r.at++
		case '/':
			r.at++
			switch r.peek() {
			case '/':
				r.skip("\n", false)
			case '*':
				r.at++
				r.skip("*/", true)
			default:
				r.bad = true
			}
		default:
			return c
		}
	}
	return 0
}

// skip goes behind the next occurrence of end. Where there is none, it goes to
// the end of the text, which is an error if end must be there.
func (r *reader) skip(end string, must bool) {
	i := bytes.Index(r.text[r.at:], []byte(end))
	if i < 0 {
		r.at, r.short = len(r.text), true
		r.bad = r.bad || must
		return
	}
	r.at += i + len(end)
}

func (r *reader) keyword(word string) {
	r.next()
	for i := range len(word) {
		if r.peek() != word[i] {
			r.bad = true
			return
		}
		r.at++
	}
	if isIdent(r.peek()) {
		r.bad = true
	}
}

func (r *reader) ident() {
	if !isIdent(r.peek()) {
		r.bad = true
	}
	for isIdent(r.peek()) {
		r.at++
	}
}

// spec reads an import's name, if it has one, and its path.
func (r *reader) spec() {
	switch c := r.next(); {
	case c == '.':
		r.at++
	case isIdent(c):
		r.ident()
	}
	quote := r.next()
	start := r.at
	r.at++
	switch quote {
	case '`':
		r.skip("`", true)
	case '"':
		r.quoted()
	default:
		r.bad = true
	}
	if r.bad {
		return
	}
	if name, err := strconv.Unquote(string(r.text[start:r.at])); err == nil && name == "embed" {
		r.embed = true
	}
}

// quoted reads the rest of a string in double quotes.
func (r *reader) quoted() {
	for {
		c := r.peek()
		r.at++
		switch {
		case r.short, c == '\n':
			r.bad = true
			return
		case c == '"':
			return
		case c == '\\':
			r.at++
		}
	}
}

func isIdent(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c >= utf8.RuneSelf
}
