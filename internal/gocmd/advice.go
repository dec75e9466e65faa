// Package gocmd runs the go command while a build is planned, reads what
// `go list` prints, and adds advice to failures.
package gocmd

import (
	"regexp"
	"strings"
)

// An Advice says what to do about a failure of the go command whose message does
// not say it.
type Advice struct {
	Says  string // regular expression that the go command's message matches
	When  bool   // the advice holds in this situation
	Short bool   // the first lines of the message are enough
	Do    string // the advice, for the user
}

// Find returns the first advice of the table that holds and whose Says matches the
// text.
func Find(table []Advice, text string) (Advice, bool) {
	for _, a := range table {
		if a.When && regexp.MustCompile(a.Says).MatchString(text) {
			return a, true
		}
	}
	return Advice{}, false
}

// shortLines is the number of lines that Words keeps if Short is set.
const shortLines = 8

// Words returns the go command's message as it is shown: all of it, or the first
// lines if Short is set.
func (a Advice) Words(text string) string {
	lines := strings.SplitN(text, "\n", shortLines+1)
	if !a.Short || len(lines) <= shortLines {
		return text
	}
	lines[shortLines] = "…"
	return strings.Join(lines, "\n")
}
