// Package gocmd runs the go command while a build is planned, reads what
// `go list` prints, and adds advice to failures.
package gocmd

import (
	"regexp"
	"strings"
)

// An Advice is what to do about a failure of the go command whose own words do
// not say it.
type Advice struct {
	Says  string // a regular expression: what the go command says
	When  bool   // whether the advice holds in the situation at hand
	Short bool   // the first lines of the go command's words are enough
	Do    string
}

// Find returns the first advice of a table that holds and is about the text.
func Find(table []Advice, text string) (Advice, bool) {
	for _, a := range table {
		if a.When && regexp.MustCompile(a.Says).MatchString(text) {
			return a, true
		}
	}
	return Advice{}, false
}

// shortLines is how much of the go command's words is shown of a Short one.
const shortLines = 8

// Words returns the part of the go command's output that is worth showing.
func (a Advice) Words(text string) string {
	lines := strings.SplitN(text, "\n", shortLines+1)
	if !a.Short || len(lines) <= shortLines {
		return text
	}
	lines[shortLines] = "…"
	return strings.Join(lines, "\n")
}
