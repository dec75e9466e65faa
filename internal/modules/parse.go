package modules

import (
	"bytes"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Parse parses a modules.txt by the rules of the go command: it ignores lines that
// it does not know. The modules have no trees.
//
// The file consists of headers `# PATH [VERSION] [=> PATH [VERSION]]`, each
// followed by its annotations `## explicit; go 1.21` and by a line for each
// package. At the end are headers, with nothing below them, for replacements of
// go.mod that nothing uses: they are not returned if the module came before. The
// first line may be `## workspace`. Then each version of a module that some go.mod
// requires has a header, and the last one, which has the packages, is returned.
func Parse(data []byte) []Module {
	var mods []Module
	seen := make(map[string]int)
	var cur *Module // the module of the last header
	repeated := false
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if strings.HasPrefix(text, "# ") {
			m, ok := parseHeader(text)
			if !ok {
				if len(strings.Fields(text)) >= 3 {
					cur = nil
				}
				continue
			}
			if _, repeated = seen[m.Path]; repeated {
				cur = &m
				continue
			}
			seen[m.Path] = len(mods)
			mods = append(mods, m)
			cur = &mods[len(mods)-1]
			continue
		}
		if cur == nil || text == "" {
			continue
		}
		if repeated {
			// The header is not that of an unused replacement: it has lines below it.
			first := &mods[seen[cur.Path]]
			if len(first.Packages) == 0 {
				*first = *cur
			}
			cur, repeated = first, false
		}
		if annotations, ok := strings.CutPrefix(text, "## "); ok {
			cur.annotate(annotations)
		} else if f := strings.Fields(text); len(f) == 1 && module.CheckImportPath(f[0]) == nil {
			cur.Packages = append(cur.Packages, f[0])
		}
	}
	return mods
}

// parseHeader parses a header, and reports whether it is one.
func parseHeader(text string) (m Module, ok bool) {
	left, right, replaced := strings.Cut(text, " => ")
	fields := strings.Fields(left)
	switch {
	case len(fields) >= 3 && semver.IsValid(fields[2]):
		m.Path, m.Version = fields[1], fields[2]
	case len(fields) == 2 && replaced:
		m.Path = fields[1]
	default:
		return m, false
	}
	if module.CheckImportPath(m.Path) != nil {
		return m, false
	}
	if replaced {
		// The name of a directory may have spaces. A last word that is a version
		// is the version.
		m.Replace.Path = strings.TrimSpace(right)
		if i := strings.LastIndexByte(m.Replace.Path, ' '); i > 0 && semver.IsValid(m.Replace.Path[i+1:]) {
			m.Replace.Path, m.Replace.Version = m.Replace.Path[:i], m.Replace.Path[i+1:]
		}
	}
	return m, true
}

// annotate parses the annotations that follow "## " below a header. It ignores
// unknown ones, as the go command does.
func (m *Module) annotate(text string) {
	for entry := range strings.SplitSeq(text, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(entry), "go "); ok {
			m.GoVersion = v
		}
	}
}
