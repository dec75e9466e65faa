// Package planfile is the file dgd.plan: what evaluation needs to know of a
// project to make the derivations of its packages without building anything.
//
// It is text with a line for each package. It names files and has none of their
// contents, nor a path of a machine or a store. lib/stages/plan-file.nix reads it, and
// lib/stages/generate.nix makes of it the derivations that internal/drvgen makes of the
// same graph.
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
	// Name is the file's name. It lies beside go.mod, or beside go.work.
	Name = "dgd.plan"
	// Version is that of the format.
	Version = 1
)

// A File is the text of a plan, by what its lines are about.
type File struct {
	Settings  []string // what the plan depends on beside the sources
	Templates []string // of steps
	Std       []string // parts and packages of the standard library
	Modules   []string
	Nodes     []string // packages, programs, and what else is built
	// Unplanned is why the go command is to build the programs by itself, or empty.
	Unplanned string
}

// Format returns the file of plans by their names: targets, GOOS/GOARCH, but where
// several are for one (see SetVariant). It is sorted, and with
// a sum at the end of each line. A line that not all targets have begins with those
// that have it.
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

// mark begins a line that not all targets have.
const mark = "@"

// For returns those of a file's lines that the plan of that name has, without marks.
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

// SetVariant gives a plan a name among the plans of a file: there, several are for
// one target.
func (f *File) SetVariant(name string) {
	f.Settings = append(f.Settings, "set variant "+strconv.Quote(name))
}

// Variants are the names of the plans of a file: targets, where each is for another.
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

// sum is a line's checksum, by which damage is found.
func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:2])
}

// Lines checks the text of a plan and returns its lines without their sums,
// the first one left out. Its errors name the file and the line.
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
		return nil, fmt.Errorf("%s:1: this is no plan of dgd: run `dgd plan`", name)
	}
	if version != Version {
		return nil, fmt.Errorf("%s has format version %d, and this dgd knows %d: run `dgd plan` of this dgd", name, version, Version)
	}
	return lines[1:], nil
}

// Settle leaves out of the text of a plan what says that it was merged: the lines by
// which git marks conflicts, and carriage returns. What is left has the lines of all
// sides, so that it says of settings what these agree on.
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

// escape makes a string a field of a line, or an element of one.
var escape = strings.NewReplacer("%", "%25", " ", "%20", ",", "%2C", "\n", "%0A", "\r", "%0D", "\t", "%09", "=", "%3D", ";", "%3B", ">", "%3E", "!", "%21").Replace

// list writes a list as a field.
func list(elements []string) string {
	if len(elements) == 0 {
		return "-"
	}
	escaped := make([]string, len(elements))
	for i, e := range elements {
		escaped[i] = escape(e)
	}
	if len(escaped) == 1 && escaped[0] == "-" {
		return "%2D" // a file may be called so; "-" is the empty list
	}
	return strings.Join(escaped, ",")
}
