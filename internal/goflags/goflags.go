// Package goflags decides what dgd does with each flag and each variable of the go
// command, by the table flags.json. Evaluation reads the same table
// (lib/go-flags.nix), and docs/api.md shows it.
package goflags

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Class says what dgd does with a flag or a variable.
type Class string

const (
	Carried Class = "carried out" // dgd passes it to the go command, and plans the result
	Dropped Class = "dropped"     // dgd ignores it: it changes no program, or dgd sets it itself
	Refused Class = "error"       // it is an error; Entry.Note says what to use instead
	Whole   Class = "built whole" // the go command itself builds all in one derivation
)

// An Entry is a line of the table.
type Entry struct {
	Class Class  `json:"class"`
	Note  string `json:"note"`
	// Values has the entries of single values that are of another class.
	Values map[string]Entry `json:"values"`
}

// A Table has the flags of go build, the further flags of go test, and the
// environment variables, each by name without dashes.
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

// entryOf returns the entry for a value of a flag or a variable.
func entryOf(entries map[string]Entry, name, value string) (Entry, bool) {
	e, ok := entries[name]
	if special, is := e.Values[value]; is {
		return special, true
	}
	return e, ok
}

// Cut splits a flag -name=value or --name=value. The value is "" if there is no "=".
func Cut(flag string) (name, value string) {
	name, value, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-"), "=")
	return name, value
}

// A WholeError reports a flag that only the go command itself can carry out.
type WholeError struct{ Flag string }

func (e *WholeError) Error() string { return e.Flag + " is not built package by package" }

// Variables returns the variables of env that are passed on to the go command.
func (t *Table) Variables(env map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range env {
		if e, known := entryOf(t.Environment, name, value); !known || e.Class != Dropped {
			kept[name] = value
		}
	}
	return kept
}

// Flags returns the flags in a value of GOFLAGS that are passed on to the go command.
// If only the go command itself can carry out one of them, the error is a *WholeError,
// and kept is complete.
func (t *Table) Flags(goflags string) (kept []string, err error) {
	words, err := Split(goflags)
	if err != nil {
		return nil, err
	}
	for _, flag := range words {
		name, value := Cut(flag)
		e, known := entryOf(t.Build, name, value)
		switch {
		case !known: // a flag of go test, or one that the go command will report
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

// NeedsGoTest reports whether only go test itself can carry out a flag, named without
// dashes. It is false for flags that dgd carries out or drops, and for unknown ones.
func (t *Table) NeedsGoTest(name string) bool {
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

// Files returns the files that flags name, by the name of the flag. They are relative
// to the directory where the go command runs.
func Files(flags []string) map[string]string {
	files := map[string]string{}
	for _, flag := range flags {
		if name, value := Cut(flag); value != "" && isFile(name, value) {
			files[name] = value
		}
	}
	return files
}

// space has the characters that separate flags in GOFLAGS.
const space = " \t\n\r"

// Split splits a value of GOFLAGS as the go command does: at white space. A word
// that begins with a quote ends at the next quote; a missing one is an error.
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

// Join is the inverse of Split. A word that needs quotes has at most one kind of them, as
// in all results of Split.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quote := ""
		if w == "" || strings.ContainsAny(w, space) || strings.ContainsAny(w[:1], `"'`) {
			quote = `"`
			if strings.Contains(w, quote) {
				quote = "'"
			}
		}
		quoted[i] = quote + w + quote
	}
	return strings.Join(quoted, " ")
}
