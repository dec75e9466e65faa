package bind

import (
	"bytes"
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

// assembly reads the directives by which an assembler opens files, in a file of its
// own or in strings of C. A name that is not one literal can be any, and so is a
// directive of which only the beginning is spelled out.
func (n *Names) assembly(text []byte) {
	if !bytes.Contains(text, []byte(".i")) && !bytes.Contains(text, []byte("incbin")) {
		return
	}
	text = joinStrings(text)
	for i, c := range text {
		switch {
		case c == 'i' && hasAt(text, i, "incbin") && !isWord(text, i-1) && !isWord(text, i+6):
			n.operand(text, i+6)
		case c != '.' || !beginsStatement(text, i):
		case hasAt(text, i, ".include") && !isWord(text, i+8):
			n.operand(text, i+8)
		case isPiece(text[i:]):
			n.loose()
		}
	}
}

// operand takes the name that a directive has behind it.
func (n *Names) operand(text []byte, end int) {
	form := quoted
	if inString(text, end) {
		form = escaped
	}
	n.open(form.FindSubmatch(text[end:]), nil)
}

// isPiece reports whether the text begins with a piece of a directive, behind which
// a string ends, or a macro goes on.
func isPiece(text []byte) bool {
	end := 1 + wordEnd(text[1:])
	if end < 2 || end >= len(text) || text[end] != '"' && text[end] != '\\' && !hasAt(text, end, "##") {
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
