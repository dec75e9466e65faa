package lock

import (
	"bytes"
	"fmt"
	"go/version"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// A File is the text of a file, with its name for errors.
type File struct {
	Name string
	Text []byte
}

// ModFiles are the files of a project that determine which modules it needs.
type ModFiles struct {
	GoMods []File // of the main modules, in the order of go.work
	GoWork *File  // nil outside of a workspace
	GoSums []File // the main modules' go.sum files, and go.work.sum
}

// A Finding is a module in which a lock and the files differ.
type Finding struct {
	Path    string `json:"path"`    // of the module; "main" if the main modules differ
	Kind    string `json:"kind"`    // missing, stale or superfluous
	Message string `json:"message"` // the reason
}

// String returns the finding as one line.
func (f Finding) String() string { return f.Path + ": " + f.Kind + ": " + f.Message }

// Check returns the modules in which a lock differs from the files, sorted by
// path. lib/fetch/lock.nix makes the same comparison before a build, with the
// same messages, and testdata/check.json tests both.
//
// From go 1.17 on a go.mod has the selected version of every module that is
// needed. In an older one, or in a workspace, the required version may be lower
// than the selected one, which only go.sum shows.
func Check(l *Lock, p *ModFiles) ([]Finding, error) {
	r, err := p.Read()
	if err != nil {
		return nil, err
	}
	if main := slices.Sorted(slices.Values(l.Main)); !slices.Equal(main, r.Main) {
		return []Finding{{"main", "stale", fmt.Sprintf("go.mod is of %s, %s is of %s", strings.Join(r.Main, ", "), Name, strings.Join(main, ", "))}}, nil
	}
	locked := map[string]*Module{}
	for i, m := range l.Modules {
		locked[m.Path] = &l.Modules[i]
	}
	paths := maps.Clone(r.Required)
	for path := range locked {
		paths[path] = ""
	}
	var found []Finding
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if kind, message := r.check(path, locked[path]); kind != "" {
			found = append(found, Finding{path, kind, message})
		}
	}
	return found, nil
}

// Requirements are the parsed ModFiles of a project.
type Requirements struct {
	Main     []string          // paths of the main modules, sorted
	Required map[string]string // by path: the highest version that a go.mod requires
	// Complete reports whether go.mod has each module that is needed, in the
	// selected version.
	Complete bool
	Sums     map[module.Version][]string // "h1:" checksums of go.sum
	// replaced has the replacements of each file, by module and version, or by
	// module alone. The first map that has a module takes precedence.
	replaced []map[module.Version]module.Version
}

// check compares one module of the lock, or nil, with the requirements. It
// returns the kind and the message of the finding, or "".
func (r *Requirements) check(path string, m *Module) (kind, message string) {
	required, ok := r.Required[path]
	selected := module.Version{Path: path, Version: required}
	if m != nil && !r.Complete && semver.Compare(m.Version, required) > 0 {
		selected.Version = m.Version
	}
	by := r.Replacement(selected)
	switch {
	case m == nil && isDir(by):
		return "", ""
	case m == nil:
		return "missing", "go.mod requires " + required
	case !ok && (r.Complete || m.Hash == ""):
		return "superfluous", "go.mod does not require it"
	case m.Version != selected.Version:
		return "stale", fmt.Sprintf("go.mod requires %s, %s has %s", required, Name, m.Version)
	case m.Replace != by:
		return "stale", fmt.Sprintf("go.mod replaces it by %s, %s has %s", show(by), Name, show(m.Replace))
	case m.Hash == "":
		return "", ""
	}
	sums := r.Sums[m.Source()]
	switch {
	case len(sums) == 0:
		return "superfluous", "go.sum does not have " + m.Source().Version
	case !slices.Contains(sums, m.Sum):
		return "stale", fmt.Sprintf("go.sum has %s, %s has %s", sums[0], Name, m.Sum)
	}
	return "", ""
}

// isDir reports whether a replacement is a directory.
func isDir(by module.Version) bool { return by.Path != "" && by.Version == "" }

// show returns a replacement as messages have it.
func show(by module.Version) string {
	switch {
	case by.Path == "":
		return "nothing"
	case by.Version == "":
		return by.Path
	}
	return by.Path + " " + by.Version
}

// Replacement returns the replacement of a module, or zero. The version of a
// directory is "". go.work takes precedence over go.mod, and in a file a
// replacement of one version over one of all versions.
func (r *Requirements) Replacement(m module.Version) module.Version {
	for _, replaced := range r.replaced {
		for _, old := range []module.Version{m, {Path: m.Path}} {
			if by, ok := replaced[old]; ok {
				return by
			}
		}
	}
	return module.Version{}
}

// Read parses the files. Errors name the file and the line.
func (p *ModFiles) Read() (*Requirements, error) {
	r := &Requirements{
		Required: map[string]string{},
		Complete: p.GoWork == nil,
		Sums:     map[module.Version][]string{},
	}
	if p.GoWork != nil {
		work, err := modfile.ParseWork(p.GoWork.Name, p.GoWork.Text, keepVersion)
		if err != nil {
			return nil, err
		}
		r.replace(work.Replace)
	}
	for _, file := range p.GoMods {
		mod, err := modfile.Parse(file.Name, file.Text, keepVersion)
		if err != nil {
			return nil, err
		}
		if mod.Module == nil {
			return nil, fmt.Errorf("%s names no module", file.Name)
		}
		r.Main = append(r.Main, mod.Module.Mod.Path)
		r.replace(mod.Replace)
		if mod.Go == nil || version.Compare("go"+mod.Go.Version, "go1.17") < 0 {
			r.Complete = false
		}
		for _, require := range mod.Require {
			m := require.Mod
			if have, ok := r.Required[m.Path]; !ok || semver.Compare(m.Version, have) > 0 {
				r.Required[m.Path] = m.Version
			}
		}
	}
	slices.Sort(r.Main)
	for _, path := range r.Main {
		delete(r.Required, path)
	}
	for _, file := range p.GoSums {
		if err := r.readSums(file); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// keepVersion is a modfile.VersionFixer that changes nothing.
func keepVersion(_, version string) (string, error) { return version, nil }

// replace adds the replacements of a file.
func (r *Requirements) replace(list []*modfile.Replace) {
	replaced := map[module.Version]module.Version{}
	for _, by := range list {
		replaced[by.Old] = by.New
	}
	r.replaced = append(r.replaced, replaced)
}

// readSums adds the checksums of a go.sum file, but for those of go.mod files.
func (r *Requirements) readSums(file File) error {
	n := 0
	for line := range bytes.Lines(file.Text) {
		n++
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 {
			return fmt.Errorf("%s:%d: a line must be a module, a version and a checksum: repair the file by `go mod tidy`", file.Name, n)
		}
		m := module.Version{Path: words[0], Version: words[1]}
		if strings.HasSuffix(m.Version, "/go.mod") || !strings.HasPrefix(words[2], "h1:") {
			continue
		}
		r.Sums[m] = append(r.Sums[m], words[2])
	}
	return nil
}
