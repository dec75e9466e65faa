package bind

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// quoted and escaped match the name after a directive, in assembly and in a string of C.
// A name with & is not spelled out: in altmacro mode & joins names.
var (
	quoted  = regexp.MustCompile(`^[ \t]*"([^"\\\n&]+)"`)
	escaped = regexp.MustCompile(`^[ \t]*\\"([^"\\\n&]+)\\"`)
)

// assembled matches a statement of assembly whose directive is made of pieces: of
// arguments of the assembler's macros, or by the preprocessor.
var assembled = regexp.MustCompile(`(?m)(?:^|;)[ \t]*(?:[\w.$]+:[ \t]*)?(?:` +
	`\.\\[\w@+(]|\\\w+(?:\\|\.)` + // .\a "x" and \a\b "x"
	`|\.\w*[ \t]*##` + // .a##b "x"
	`|\.?\w+\([^)\n]*\binc(?:bi?|l|lu|lud|lude)?\b)`) // JOIN(.inc, bin) "x" and .JOIN(inc, bin) "x"

// isAssembly reports whether a text is assembly, or has macros of the assembler.
func isAssembly(file string, text []byte) bool {
	return slices.Contains([]string{".s", ".S", ".sx"}, path.Ext(file)) || bytes.Contains(text, []byte(".macro")) || bytes.Contains(text, []byte(".irp"))
}

// assembly reads the directives by which an assembler opens files, in assembly or in
// strings of C. If the name is not one literal, or if only a piece of the directive is
// spelled out, any name is possible.
func (n *Names) assembly(file string, text []byte) {
	if isAssembly(file, text) && assembled.Match(text) {
		n.setLoose()
	}
	if !bytes.Contains(text, []byte(".i")) && !bytes.Contains(text, []byte("incbin")) {
		return
	}
	text = joinStrings(text)
	for i, c := range text {
		switch {
		case c == 'i' && hasAt(text, i, "incbin") && !isWord(text, i-1) && !isWord(text, i+6):
			n.operand(text, i+6)
		case c != '.' || !beginsStatement(text, i) && !isArgument(text, i):
		case hasAt(text, i, ".include") && !isWord(text, i+8):
			n.operand(text, i+8)
		case isPiece(text[i:]):
			n.setLoose()
		}
	}
}

// isArgument reports whether a macro's argument begins at i.
func isArgument(text []byte, i int) bool { return i > 0 && (text[i-1] == '(' || text[i-1] == ',') }

// operand adds the name after a directive that ends at end.
func (n *Names) operand(text []byte, end int) {
	form := quoted
	if inString(text, end) {
		form = escaped
	}
	n.open(form.FindSubmatch(text[end:]), nil)
}

// isPiece reports whether the text begins with the beginning of a directive, such as
// ".inc", and a string or a macro's argument ends after it, or ## follows.
func isPiece(text []byte) bool {
	end := 1 + wordEnd(text[1:])
	if end < 2 {
		return false
	}
	if rest := bytes.TrimLeft(text[end:], " \t"); len(rest) == 0 || strings.IndexByte("\"\\,)", rest[0]) < 0 && !hasAt(rest, 0, "##") {
		return false
	}
	return slices.ContainsFunc([]string{".incbin", ".include"}, func(directive string) bool {
		return end < len(directive) && string(text[:end]) == directive[:end]
	})
}

// inString reports whether the offset is in a string of C. A string ends with its line.
func inString(text []byte, at int) bool {
	is := false
	for i := bytes.LastIndexByte(text[:at], '\n') + 1; i < at; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			is = !is
		}
	}
	return is
}

// joinStrings joins adjacent string literals, as C does.
func joinStrings(text []byte) []byte {
	out := make([]byte, 0, len(text))
	is := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			out = append(out, c)
			i++
		case c == '\n':
			is = false
		case c == '\'' && !is && hasAt(text, i, `'"'`):
			i += 2
			continue
		case c == '"' && is:
			next := i + 1
			for next < len(text) && strings.IndexByte(blank+"\n", text[next]) >= 0 {
				next++
			}
			if next < len(text) && text[next] == '"' {
				i = next
				continue
			}
			is = false
		case c == '"':
			is = true
		}
		out = append(out, text[i])
	}
	return out
}
