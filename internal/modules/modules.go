// Package modules splits a tree of many modules, such as `go mod vendor`
// writes it, into the modules it is made of.
package modules

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"dgd/internal/nix/nar"

	"golang.org/x/mod/module"
)

// A Module is a module of a vendor tree.
type Module struct {
	Path    string
	Version string // "" for a replacement of all versions that nothing uses
	// Replace is what stands in for the module, if something does. Its
	// Version is "" if its Path is a directory.
	Replace   module.Version
	GoVersion string   // of its go.mod file, as "1.21"; "" if it says none
	Packages  []string // import paths, in the order of modules.txt
	// Tree has the module's files, of those that were vendored, relative to
	// the module's root. Its Root is "" if none were.
	Tree nar.Tree
}

// HasTree reports whether the vendor tree has files of the module. It has none
// of a module that no package is needed from, of one that is behind a
// symlink, or of one that somebody has removed.
func (m Module) HasTree() bool { return m.Tree.Root != "" }

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
	mods := Parse(data)
	w := walker{dir: dir, byPath: make(map[string]*Module, len(mods))}
	for i := range mods {
		w.byPath[mods[i].Path] = &mods[i]
	}
	if _, _, err := w.walk(".", nil); err != nil {
		return nil, fmt.Errorf("reading the vendor tree: %w", err)
	}
	return mods, nil
}

type walker struct {
	dir    string
	byPath map[string]*Module
}

// walk walks the directory rel, relative to the vendor directory, which is
// below module m or at its root; m is nil outside of modules. It reports
// whether files of m are in it, and what else is.
func (w *walker) walk(rel string, m *Module) (own bool, others []string, err error) {
	entries, err := os.ReadDir(filepath.Join(w.dir, filepath.FromSlash(rel)))
	if err != nil {
		return false, nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			own = true
			continue
		}
		sub := path.Join(rel, entry.Name())
		inner := w.byPath[sub]
		if inner == nil {
			inner = m
		}
		ownSub, othersSub, err := w.walk(sub, inner)
		if err != nil {
			return false, nil, err
		}
		if inner == m && ownSub {
			own = true
			others = append(others, othersSub...)
			continue
		}
		// A directory that is there for nested modules only is left out as
		// a whole: without them it would not be there.
		others = append(others, sub)
		if inner != m && ownSub {
			inner.Tree = nar.Tree{
				Name: inner.storeName(),
				Root: filepath.Join(w.dir, filepath.FromSlash(sub)),
			}
			for _, other := range othersSub {
				inner.Tree.Exclude = append(inner.Tree.Exclude, other[len(sub)+1:])
			}
		}
	}
	return own, others, nil
}

// storeName is the name of the module's store path. It does not name the
// replacement: the contents do.
func (m *Module) storeName() string {
	name := m.Path
	if m.Version != "" {
		name += "@" + m.Version
	}
	return nar.Name(name)
}
