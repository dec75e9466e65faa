// Package skeleton reduces sources to the parts that planning depends on: all
// names, and part of the contents of some files. Sources with the same skeleton
// have the same plan, whatever the bodies of their functions are.
//
// It follows the rules by which go/build and the go command read files: see
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
	byName   kind = iota // its name only
	verbatim             // all of it
	goFile               // the text up to the imports, and //go:embed lines
	comments             // the comments at its beginning
	assembly             // the same, and whether it is in the syntax of Go's assembler
	testFile             // the same as of a goFile, and the declarations of tests
)

// kindOf returns the kind of a file by its base name.
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

// isLinkerInput reports whether the go command reads a file of this name if #cgo
// LDFLAGS name it or its directory. It does so from Go 1.26.11 and 1.27 on: see
// checkLinkerInputFile in cmd/go/internal/work/security.go.
func isLinkerInput(base string) bool {
	base = strings.ToLower(base)
	switch path.Ext(base) {
	case ".a", ".o", ".obj", ".dll", ".dylib", ".lib", ".so", ".tbd":
		return true
	}
	return strings.Contains(base, ".so.")
}

// testKindOf is kindOf for a plan of tests.
func testKindOf(base string) kind {
	if strings.HasSuffix(base, "_test.go") {
		return testFile
	}
	return kindOf(base)
}

// reduce returns the part of a file that planning depends on. Text is the beginning
// of the file, or all of it if all is set. It reports false if the rest of the file
// is needed to decide.
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

// reduceGo keeps the header of a Go file unchanged, so that messages have the right
// lines: all text up to the last import, with comments such as the preamble of
// import "C". Behind it come the //go:embed lines.
func reduceGo(text []byte, all bool) (kept []byte, ok bool) {
	r := reader{text: text, at: afterBOM(text)}
	r.header()
	switch {
	case r.short && !all:
		return nil, false
	case r.bad || hasNUL(text, r.at):
		// The go command's message may be about the rest.
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

// cut returns the offset at which the header of a Go file is cut off: after the line
// of the last import, whose end is at end, or at the next token, which is at next, if
// the text between them matters. The doc comment of the first declaration does not.
func cut(text []byte, end, next int) int {
	between := text[end:next]
	line := bytes.IndexByte(between, '\n') + 1
	switch {
	case line == 0,
		bytes.Contains(between[:line], []byte("/*")), // may go on in the next line
		!utf8.Valid(between),                         // an error of go/scanner, as is a BOM
		bytes.Contains(between, bom),
		bytes.Contains(between, []byte("//line ")),
		bytes.Contains(between, []byte("/*line ")):
		return next
	}
	return end + line
}

// embedLines returns the //go:embed comments of a Go file that begin at or after
// start, each in a line of its own. A comment that is not the first thing in its
// line counts from Go 1.26 on only, so it gets code before it here, too. It reports
// false if the text has errors, which Go versions treat differently.
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
		// Not lit: the scanner removes carriage returns.
		line, _, _ := bytes.Cut(text[at:], []byte("\n"))
		lines = append(lines, line...)
		lines = append(lines, '\n')
	}
}

// goAssembly are the words at the beginning of a line by which the go command
// recognises Go's assembly. It refuses such a file in a package with cgo.
var goAssembly = []string{"TEXT", "DATA", "GLOBL"}

// reduceNative keeps the comments at the beginning of a file that is not Go, where
// build constraints are. Assembly in Go's syntax is marked by the line TEXT.
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
			// "#" ends the comments: a blank line there would change their meaning.
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

// hasNUL reports whether there is a NUL in the text up to and including offset at,
// which is how far go/build reads.
func hasNUL(text []byte, at int) bool {
	return bytes.IndexByte(text[:min(at+1, len(text))], 0) >= 0
}

// A reader reads the header of a file like go/build's importReader.
type reader struct {
	text  []byte
	at    int  // offset of the next byte
	end   int  // offset after the last import, or else after the package clause
	short bool // it has tried to read past the end of text
	bad   bool // there is a syntax error; the other fields do not count then
	embed bool // the file imports embed
}

// header reads up to the first token after the imports.
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

// skip moves past the next occurrence of end, or to the end of the text if there is
// none, which is a syntax error if must is set.
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

// spec reads one import: an optional name, and the path.
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

// quoted reads a string in double quotes, behind the first one.
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
