// Package planfile writes and reads the file dgd.plan, from which evaluation makes the
// derivations of a project's packages without building anything.
//
// It is text with a line for each package. It has the names of files and not their
// contents, and no path of a machine or a store. lib/stages/plan-file.nix reads it, and
// lib/stages/generate.nix makes the same derivations as internal/drvgen makes of the
// graph.
package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	// Name is the file's name. It is in the directory of go.mod, or of go.work.
	Name = "dgd.plan"
	// Version is the version of the format.
	Version = 1
)

// A File has the lines of a plan by kind, without sums.
type File struct {
	Settings  []string // settings that the plan depends on, beside the sources
	Templates []string // steps
	Std       []string // parts and packages of the standard library
	Modules   []string
	Nodes     []string // packages, programs and all other nodes
	// Unplanned is the reason why the go command builds the programs itself, or "".
	Unplanned string
}

// Format returns the text of the file for plans by name. The names are the targets,
// GOOS/GOARCH, or those that SetVariant has set. The lines are sorted, and each ends in
// its sum. A line that not all plans have begins with the names of those that have it.
func Format(plans map[string]*File) []byte {
	var b strings.Builder
	line := func(text string) { b.WriteString(text + " #" + sum(text) + "\n") }
	line(fmt.Sprintf("dgd.plan %d of this project, written by `dgd plan`: each line ends in a sum of it", Version))
	targets := slices.Sorted(maps.Keys(plans))
	for i := range (&File{}).parts() {
		of := map[string][]string{} // targets, by line
		for _, target := range targets {
			for _, text := range plans[target].parts()[i] {
				if !slices.Contains(of[text], target) {
					of[text] = append(of[text], target)
				}
			}
		}
		for _, text := range slices.Sorted(maps.Keys(of)) {
			if len(of[text]) < len(targets) {
				line(mark + strings.Join(of[text], ",") + " " + text)
			} else {
				line(text)
			}
		}
	}
	return []byte(b.String())
}

func (f *File) parts() [][]string {
	return [][]string{f.Settings, f.Templates, f.Std, f.Modules, f.Nodes}
}

// mark begins a line that not all plans have.
const mark = "@"

// For returns the lines of the plan with the name target, without marks.
func For(lines []string, target string) []string {
	var list []string
	for _, line := range lines {
		if of, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(of, mark) {
			if !slices.Contains(strings.Split(of[len(mark):], ","), target) {
				continue
			}
			line = rest
		}
		list = append(list, line)
	}
	return list
}

// SetVariant sets the name of a plan, for a file with several plans for one target.
func (f *File) SetVariant(name string) {
	f.Settings = append(f.Settings, "set variant "+strconv.Quote(name))
}

// Variants returns the names of the plans in the lines of a file: those of SetVariant, or
// else the targets.
func Variants(lines []string) []string {
	values := func(prefix string) (list []string) {
		for _, line := range lines {
			if strings.HasPrefix(line, mark) {
				_, line, _ = strings.Cut(line, " ")
			}
			if value, ok := strings.CutPrefix(line, prefix); ok {
				list = append(list, strings.Trim(value, `"`))
			}
		}
		return list
	}
	if list := values("set variant "); len(list) > 0 {
		return list
	}
	return values("set target ")
}

// sum returns the checksum of a line.
func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:2])
}

// Lines checks the text of a plan and returns its lines without sums, but not the first
// one. Its errors begin with name, that of the file, and the number of the line.
func Lines(name string, text []byte) ([]string, error) {
	rest, ok := strings.CutSuffix(string(text), "\n")
	if !ok {
		return nil, fmt.Errorf("%s is damaged: it does not end in a whole line; run `dgd plan`", name)
	}
	lines := strings.Split(rest, "\n")
	for i, line := range lines {
		if strings.HasSuffix(line, "\r") {
			return nil, fmt.Errorf("%s:%d: the line ends in a carriage return, as some editors and git's core.autocrlf make it: run `dgd plan`, and say `%s -text` in .gitattributes", name, i+1, Name)
		}
		at := strings.LastIndex(line, " #")
		if at < 0 || sum(line[:at]) != line[at+2:] {
			return nil, fmt.Errorf("%s:%d: the line is damaged, or was edited by hand: run `dgd plan`", name, i+1)
		}
		lines[i] = line[:at]
	}
	var version int
	if _, err := fmt.Sscanf(lines[0], "dgd.plan %d ", &version); err != nil {
		return nil, fmt.Errorf("%s:1: this is not a plan of dgd: run `dgd plan`", name)
	}
	if version != Version {
		return nil, fmt.Errorf("%s has format version %d, and this dgd knows %d: run `dgd plan` of this dgd", name, version, Version)
	}
	return lines[1:], nil
}

// Settle removes git's conflict markers and carriage returns from the text of a plan. The
// result has the lines of all sides, from which settings can be read that these agree on.
func Settle(text []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		word, _, _ := strings.Cut(line, " ")
		if !slices.Contains([]string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"}, word) {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String())
}

// escape returns a string as a field of a line, or as an element of a list.
var escape = strings.NewReplacer("%", "%25", " ", "%20", ",", "%2C", "\n", "%0A", "\r", "%0D", "\t", "%09", "=", "%3D", ";", "%3B", ">", "%3E", "!", "%21").Replace

// list returns a list as a field.
func list(elements []string) string {
	if len(elements) == 0 {
		return "-"
	}
	escaped := make([]string, len(elements))
	for i, e := range elements {
		escaped[i] = escape(e)
	}
	if len(escaped) == 1 && escaped[0] == "-" {
		return "%2D" // "-" is the empty list
	}
	return strings.Join(escaped, ",")
}
