package goflags

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// The linker's flag -X sets a variable of a program, to a version or a revision for
// example. Such a value changes with each commit, and only the linker reads it. So
// programs are planned with stand-ins for these values.

// standIn returns the stand-in for value i. The go command prints it unquoted, and
// no stand-in is a prefix of another.
func standIn(i int) string { return fmt.Sprintf("_dgd_value_%d_", i) }

const standInPrefix = "_dgd_value_"

// word matches a word of -ldflags as the go command splits it: the text between
// quotes, or else up to white space. A quote inside of a word has no meaning.
var word = regexp.MustCompile("^(?:'([^']*)'|\"([^\"]*)\"|([^ \t\n\r'\"][^ \t\n\r]*))")

var (
	variable = regexp.MustCompile(`^[^=-][^=]*=`)
	flagX    = regexp.MustCompile(`^--?X=[^=]+=`)
)

// HideValues replaces the values of -X flags in ldflags by stand-ins, and returns
// these values in their order. It changes nothing if ldflags cannot be split, which
// the go command will report, or already has a stand-in.
//
// lib/stages/link-values.nix does the same, and both are tested with
// testdata/values.json.
func HideValues(ldflags string) (hidden string, values []string) {
	if strings.Contains(ldflags, standInPrefix) {
		return ldflags, nil
	}
	rest, done := ldflags, strings.Builder{}
	if !strings.HasPrefix(strings.TrimLeftFunc(rest, unicode.IsSpace), "-") {
		pattern, flags, ok := strings.Cut(rest, "=")
		if !ok {
			return ldflags, nil
		}
		done.WriteString(pattern + "=")
		rest = flags
	}
	isValue := false // the previous word is -X
	for {
		trimmed := strings.TrimLeft(rest, space)
		done.WriteString(rest[:len(rest)-len(trimmed)])
		rest = trimmed
		if rest == "" {
			return done.String(), values
		}
		m := word.FindStringSubmatch(rest)
		if m == nil { // a quote without an end
			return ldflags, nil
		}
		text := m[1] + m[2] + m[3]
		name := flagX.FindString(text)
		if name == "" && isValue {
			name = variable.FindString(text)
		}
		if name != "" {
			quote := m[0][:(len(m[0])-len(text))/2]
			done.WriteString(quote + name + standIn(len(values)) + quote)
			values = append(values, text[len(name):])
		} else {
			done.WriteString(m[0])
		}
		isValue = text == "-X" || text == "--X"
		rest = rest[len(m[0]):]
	}
}

// FillIn returns a function that replaces the stand-ins by the values.
func FillIn(values []string) func(string) string {
	var pairs []string
	for i, v := range values {
		pairs = append(pairs, "="+standIn(i), "="+v)
	}
	return strings.NewReplacer(pairs...).Replace
}
