// Package modules splits a tree of many modules, such as `go mod vendor`
// writes it, into the modules it is made of.
package modules

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dgd/internal/source"

	"golang.org/x/mod/module"
)

// A Module is a module of a vendor tree.
type Module struct {
	Path    string
	Version string // "" for a replacement of all versions that nothing uses
	// Replace is what stands in for the module, if something does. Its
	// Version is "" if its Path is a directory.
	Replace   module.Version
	Explicit  bool     // some go.mod of the main modules requires it
	GoVersion string   // of its go.mod file, as "1.21"; "" if it says none
	Packages  []string // import paths, in the order of modules.txt
	// Tree has the module's files, of those that were vendored, relative to
	// the module's root. Its Root is "" if none were.
	Tree source.Tree
}

// HasTree reports whether the vendor tree has files of the module. It has none
// of a module that no package is needed from.
func (m Module) HasTree() bool { return m.Tree.Root != "" }

// A SyntaxError tells which line of a modules.txt could not be understood.
type SyntaxError struct {
	File string
	Line int // 1 is the first; 0 if the file as a whole is meant
	Err  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *SyntaxError) Unwrap() error { return e.Err }

// ReadVendor reads a vendor directory and returns its modules, in the order of
// its modules.txt. Every file belongs to the module with the longest path that
// the file's directory is in; modules.txt itself, and what is in no module's
// directory, is left out. A module's tree depends on its own files only, not
// on what else is vendored.
func ReadVendor(dir string) ([]Module, error) {
	file := filepath.Join(dir, "modules.txt")
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the vendor tree: %w", err)
	}
	mods, err := Parse(file, data)
	if err != nil {
		return nil, err
	}

	byPath := make(map[string]*Module, len(mods))
	for i := range mods {
		byPath[mods[i].Path] = &mods[i]
	}
	// owners[d] is the module of directory d, as far as d has been walked.
	owners := map[string]*Module{".": nil}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if m := byPath[rel]; m != nil {
				owners[rel] = m
				m.Tree = source.Tree{Name: m.storeName(), Root: name}
			} else if rel != "." {
				owners[rel] = owners[path.Dir(rel)]
			}
			return nil
		}
		if m := owners[path.Dir(rel)]; m != nil {
			m.Tree.Files = append(m.Tree.Files, strings.TrimPrefix(rel, m.Path+"/"))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the vendor tree: %w", err)
	}
	for i := range mods {
		m := &mods[i]
		if len(m.Tree.Files) == 0 {
			// Without files of its own, the directory is there for
			// modules that are nested in it.
			m.Tree = source.Tree{}
		}
		if len(m.Packages) > 0 && !m.HasTree() {
			return nil, fmt.Errorf("the vendor tree %s has no files of %s, although its modules.txt lists packages of it", dir, m.Path)
		}
	}
	return mods, nil
}

// storeName is the name of the module's store path. It does not name the
// replacement: the contents do.
func (m *Module) storeName() string {
	name := m.Path
	if m.Version != "" {
		name += "@" + m.Version
	}
	return source.Name(name)
}
