package goflags

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// The linker's flag -X gives a variable of a program its value. Versions and
// revisions come that way: the value is another one in each commit, and only the
// linker looks at it. So programs are planned with stand-ins for these values.

// standIn is what stands for a value while it is not known. The go command
// prints it as it is, and none is the beginning of another.
func standIn(i int) string { return fmt.Sprintf("_dgd_value_%d_", i) }

const standInPrefix = "_dgd_value_"

// word matches a word of -ldflags as the go command splits it: what stands
// between quotes, or between spaces. A quote inside of a word is a letter.
var word = regexp.MustCompile("^(?:'([^']*)'|\"([^\"]*)\"|([^ \t\n\r'\"][^ \t\n\r]*))")

var (
	variable = regexp.MustCompile(`^[^=-][^=]*=`)
	flagX    = regexp.MustCompile(`^--?X=[^=]+=`)
)

// HideValues puts stand-ins in the place of the values in -ldflags that -X gives
// to variables, and returns the values in their order. Where a text cannot be
// split, or holds a stand-in, it stays as it is: go reports what is wrong.
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
	isValue := false // the word before is -X
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

// FillIn returns a function that puts the values in the place of their stand-ins.
func FillIn(values []string) func(string) string {
	var pairs []string
	for i, v := range values {
		pairs = append(pairs, "="+standIn(i), "="+v)
	}
	return strings.NewReplacer(pairs...).Replace
}
