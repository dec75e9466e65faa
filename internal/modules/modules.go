// Package modules splits a vendor directory or a module download cache into one
// tree per module, and knows the names that a module has in a module cache.
package modules

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"dgd/internal/nix/nar"

	"golang.org/x/mod/module"
)

// A Module is a module of a vendor directory or of a module cache.
type Module struct {
	Path    string
	Version string // "" for a replacement of all versions that nothing uses
	// Replace is the replacement of the module, or zero. Its Version is "" if its
	// Path is a directory.
	Replace   module.Version
	GoVersion string   // of its go.mod file, such as "1.21"; "" if it has none
	Packages  []string // import paths, in the order of modules.txt
	// Tree has the vendored files of the module, relative to the module's root.
	// Its Root is "" if there are none.
	Tree nar.Tree
}

// HasTree reports whether there are files of the module. There are none if no
// package of it is needed, if its directory is behind a symlink, or if it was
// removed.
func (m Module) HasTree() bool { return m.Tree.Root != "" }

// ReadVendor reads a vendor directory and returns its modules, in the order of
// its modules.txt. A file belongs to the module with the longest path that the
// file's directory is in. modules.txt itself and files outside of all modules are
// left out. A module's tree depends on its own files only, not on other modules.
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

// walk walks the directory rel, which is relative to the vendor directory. m is the
// module that it belongs to, or nil. Own reports whether there are files of m in it;
// others are the directories below it that m's tree leaves out.
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
		// A directory without files of m, which exists for nested modules only, is
		// left out: without these modules it would not exist.
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

// storeName returns the name of the module's store path. The replacement has no
// part in it.
func (m *Module) storeName() string {
	name := m.Path
	if m.Version != "" {
		name += "@" + m.Version
	}
	return nar.Name(name)
}
