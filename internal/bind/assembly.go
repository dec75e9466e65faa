package bind

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The name behind a directive, in the assembler's own language and within a string
// of C. In altmacro mode, & puts names together.
var (
	quoted  = regexp.MustCompile(`^[ \t]*"([^"\\\n&]+)"`)
	escaped = regexp.MustCompile(`^[ \t]*\\"([^"\\\n&]+)\\"`)
)

// A statement of an assembler whose directive is put together: of arguments of its own
// macros, or by the preprocessor.
var assembled = regexp.MustCompile(`(?m)(?:^|;)[ \t]*(?:[\w.$]+:[ \t]*)?(?:` +
	`\.\\[\w@+(]|\\\w+(?:\\|\.)` + // .\a "x" and \a\b "x"
	`|\.\w*[ \t]*##` + // .a##b "x"
	`|\.?\w+\([^)\n]*\binc(?:bi?|l|lu|lud|lude)?\b)`) // JOIN(.inc, bin) "x" and .JOIN(inc, bin) "x"

// isAssembly reports whether a text is for an assembler alone, or has macros of its.
func isAssembly(file string, text []byte) bool {
	return slices.Contains([]string{".s", ".S", ".sx"}, path.Ext(file)) || bytes.Contains(text, []byte(".macro")) || bytes.Contains(text, []byte(".irp"))
}

// assembly reads the directives by which an assembler opens files, in a file of its
// own or in strings of C. A name that is not one literal can be any, and so is a
// directive of which only a piece is spelled out.
func (n *Names) assembly(file string, text []byte) {
	if isAssembly(file, text) && assembled.Match(text) {
		n.loose()
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
			n.loose()
		}
	}
}

// isArgument reports whether a macro's argument begins at i.
func isArgument(text []byte, i int) bool { return i > 0 && (text[i-1] == '(' || text[i-1] == ',') }

// operand takes the name that a directive has behind it.
func (n *Names) operand(text []byte, end int) {
	form := quoted
	if inString(text, end) {
		form = escaped
	}
	n.open(form.FindSubmatch(text[end:]), nil)
}

// isPiece reports whether the text begins with a piece of a directive, behind which
// a string or a macro's argument ends, or a macro goes on.
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

// inString reports whether the place is in a string of C, which ends with its line.
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

// joinStrings makes one string of those that stand behind each other, as C does.
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
