package modules

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Parse reads the text of a modules.txt. The modules that it returns have no
// trees. file is the name of the file in errors, which are of type
// *[SyntaxError].
//
// The file consists of headers `# PATH [VERSION] [=> PATH [VERSION]]`, each
// followed by its annotations `## explicit; go 1.21` and by a line for each
// package. At the end are headers, with nothing below them, that repeat the
// replacements of go.mod that nothing uses: one for a module that came before,
// in another version or in none, is not returned. The first line of all may be
// `## workspace`: there, each version of a module that a go.mod requires has a
// header. Returned is the last one, the highest, which has the packages.
func Parse(file string, data []byte) ([]Module, error) {
	var mods []Module
	seen := make(map[string]int)
	var cur *Module // that the line is about; nil before the first header
	unused := false // the header was that of a replacement that nothing uses
	workspace := false
	n := 0
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		var err error
		if workspace && unused && text != "" && (text[0] != '#' || strings.HasPrefix(text, "## ")) {
			// It was a version that a go.mod requires.
			if i := seen[cur.Path]; len(mods[i].Packages) == 0 && mods[i].Version != cur.Version {
				cur.Explicit = mods[i].Explicit
				mods[i] = *cur
				cur, unused = &mods[i], false
			}
		}
		switch {
		case text == "":
		case strings.HasPrefix(text, "## "):
			switch {
			case unused:
				err = fmt.Errorf("module %s is listed twice", cur.Path)
			case cur != nil:
				cur.annotate(text[len("## "):])
			case text != "## workspace":
				err = errors.New("annotation before the first module")
			default:
				workspace = true
			}
		case strings.HasPrefix(text, "# "):
			var m Module
			if m, err = parseHeader(text[len("# "):]); err != nil {
				break
			}
			var i int
			if i, unused = seen[m.Path]; !unused {
				i = len(mods)
				seen[m.Path] = i
				mods = append(mods, m)
			} else if m.Replace.Path == "" && !(workspace && m.Version != mods[i].Version) {
				err = fmt.Errorf("module %s is listed twice", m.Path)
			}
			if cur = &mods[i]; unused {
				cur = &m
			}
		case strings.HasPrefix(text, "#"):
			err = fmt.Errorf("unknown line %q", text)
		case cur == nil:
			err = errors.New("package before the first module")
		case unused:
			err = fmt.Errorf("module %s is listed twice", cur.Path)
		default:
			if err = module.CheckImportPath(text); err == nil && text != cur.Path && !strings.HasPrefix(text, cur.Path+"/") {
				err = fmt.Errorf("package %s is not in module %s", text, cur.Path)
			}
			cur.Packages = append(cur.Packages, text)
		}
		if err != nil {
			return nil, &SyntaxError{file, n, err}
		}
	}
	return mods, nil
}

// parseHeader parses what follows the "# " of a header.
func parseHeader(text string) (Module, error) {
	var m Module
	left, right, replaced := strings.Cut(text, " => ")
	fields := strings.Fields(left)
	switch {
	case len(fields) == 2:
		if !semver.IsValid(fields[1]) {
			return m, fmt.Errorf("%q is not a version", fields[1])
		}
		m.Path, m.Version = fields[0], fields[1]
	case len(fields) == 1 && replaced:
		m.Path = fields[0]
	default:
		return m, fmt.Errorf("header %q is not of the form PATH VERSION [=> PATH [VERSION]]", text)
	}
	if err := module.CheckImportPath(m.Path); err != nil {
		return m, err
	}
	if replaced {
		// A directory may have spaces in its name; what looks like a
		// version at the end is one.
		m.Replace.Path = right
		if i := strings.LastIndexByte(right, ' '); i > 0 && semver.IsValid(right[i+1:]) {
			m.Replace.Path, m.Replace.Version = right[:i], right[i+1:]
		}
		if m.Replace.Path == "" {
			return m, fmt.Errorf("header %q has no replacement after the arrow", text)
		}
	}
	return m, nil
}

// annotate parses what follows the "## " below a header. Annotations that are
// not known are for the go command, which ignores those that it does not know.
func (m *Module) annotate(text string) {
	for entry := range strings.SplitSeq(text, ";") {
		entry = strings.TrimSpace(entry)
		if entry == "explicit" {
			m.Explicit = true
		}
		if v, ok := strings.CutPrefix(entry, "go "); ok {
			m.GoVersion = v
		}
	}
}
