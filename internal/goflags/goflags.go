// Package goflags says what dgd does with each flag and each variable of the go
// command. There is one table of them, flags.json, which evaluation reads as well
// (lib/go-flags.nix), and docs/api.md shows.
package goflags

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Class says what becomes of a flag or a variable.
type Class string

const (
	Carried Class = "carried out" // the go command is given it, and what comes of it is planned
	Dropped Class = "dropped"     // it changes no program, or dgd has a value of its own
	Refused Class = "error"       // Entry.Note says what to use
	Whole   Class = "built whole" // by the go command itself, in one derivation; of tests, all in one
)

// An Entry is a line of the table.
type Entry struct {
	Class Class  `json:"class"`
	Note  string `json:"note"`
	// Values are those of its values that are of another class.
	Values map[string]Entry `json:"values"`
}

// A Table has the flags of go build, those that go test has besides, and the
// variables of the environment.
type Table struct {
	Build       map[string]Entry `json:"build"`
	Test        map[string]Entry `json:"test"`
	Environment map[string]Entry `json:"environment"`
}

//go:embed flags.json
var table []byte

// Load returns the table.
func Load() (*Table, error) {
	t := &Table{}
	if err := json.Unmarshal(table, t); err != nil {
		return nil, fmt.Errorf("the table of Go's flags: %w", err)
	}
	return t, nil
}

// of returns the entry for a value of a flag or a variable.
func of(entries map[string]Entry, name, value string) (Entry, bool) {
	e, ok := entries[name]
	if special, is := e.Values[value]; is {
		return special, true
	}
	return e, ok
}

// Cut returns the name and the value of a flag, as in -name=value.
func Cut(flag string) (name, value string) {
	name, value, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-"), "=")
	return name, value
}

// A WholeError says that only the go command itself can carry out a flag.
type WholeError struct{ Flag string }

func (e *WholeError) Error() string { return e.Flag + " is not built package by package" }

// Variables returns the variables of env that are passed on to the go command.
func (t *Table) Variables(env map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range env {
		if e, known := of(t.Environment, name, value); !known || e.Class != Dropped {
			kept[name] = value
		}
	}
	return kept
}

// Flags returns the flags of $GOFLAGS that are passed on to the go command. The
// error is a *WholeError if only the go command itself can carry out one of them,
// which is returned as well.
func (t *Table) Flags(goflags string) (kept []string, err error) {
	words, err := Split(goflags)
	if err != nil {
		return nil, err
	}
	for _, flag := range words {
		name, value := Cut(flag)
		e, known := of(t.Build, name, value)
		switch {
		case !known: // one of go test, or go says what it thinks of it
		case e.Class == Dropped:
			continue
		case e.Class == Refused:
			return nil, fmt.Errorf("GOFLAGS has %s: %s", flag, e.Note)
		case e.Class == Whole && value != "false", isFile(name, value) && path.IsAbs(value):
			err = &WholeError{flag}
		}
		kept = append(kept, flag)
	}
	return kept, err
}

// IsOfAllTests reports whether a flag of go test does something else than run
// the tests of each package by itself.
func (t *Table) IsOfAllTests(name string) bool {
	e, ok := t.Test[name]
	if !ok {
		e = t.Build[name]
	}
	return e.Class == Whole || e.Class == Refused || slices.Contains([]string{"n", "trimpath", "work", "x"}, name)
}

// isFile reports whether the value of a flag names a file.
func isFile(name, value string) bool {
	switch name {
	case "modfile", "overlay":
		return true
	case "pgo":
		return value != "off" && value != "auto"
	}
	return false
}

// Files returns the files that flags name, by the flags' names, relative to where
// the go command runs.
func Files(flags []string) map[string]string {
	files := map[string]string{}
	for _, flag := range flags {
		if name, value := Cut(flag); value != "" && isFile(name, value) {
			files[name] = value
		}
	}
	return files
}

// space separates the flags of $GOFLAGS.
const space = " \t\n\r"

// Split splits $GOFLAGS as the go command does: at white space, where a word that
// begins with a quote goes on to the next one.
func Split(s string) ([]string, error) {
	var words []string
	for s = strings.TrimLeft(s, space); s != ""; s = strings.TrimLeft(s, space) {
		if quote := s[0]; quote == '"' || quote == '\'' {
			word, rest, ok := strings.Cut(s[1:], string(quote))
			if !ok {
				return nil, fmt.Errorf("GOFLAGS: a quote has no end: %s", s)
			}
			words, s = append(words, word), rest
			continue
		}
		end := strings.IndexAny(s, space)
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
	return words, nil
}

// Join undoes Split. A flag with white space in it has been quoted, so that it
// holds one kind of quotes at most.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quote := ""
		if strings.ContainsAny(w, space) {
			quote = `"`
			if strings.Contains(w, quote) {
				quote = "'"
			}
		}
		quoted[i] = quote + w + quote
	}
	return strings.Join(quoted, " ")
}
