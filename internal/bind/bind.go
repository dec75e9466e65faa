// Package bind finds the source files of a plan's nodes on disk, and decides which
// store paths they become.
//
// A plan has the names of files and not their contents. If only contents change, the
// plan stays the same and the binding is made again.
package bind

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// A Module is a third-party module below SRC/vendor, as one store path.
type Module struct {
	Dir   string `json:"dir"`   // its directory, relative to SRC/vendor
	Store string `json:"store"` // store path
}

// ModuleOf returns the index of the module whose directory p, a path relative to SRC,
// is in, or -1. Modules can be nested: it is the deepest directory that counts.
func ModuleOf(p string, modules []Module) int {
	rel, vendored := strings.CutPrefix(p, "vendor/")
	found := -1
	for i, m := range modules {
		if vendored && InDir(rel, m.Dir) && (found < 0 || len(m.Dir) > len(modules[found].Dir)) {
			found = i
		}
	}
	return found
}

// A Bound source is a tree that a node reads.
type Bound struct {
	At   string    // its place relative to SRC
	Tree *nar.Tree // a tree of the main module, or nil
	Path string    // if Tree is nil, the store path of a third-party module
	Copy bool      // it must be copied, not linked: a C compiler resolves symlinks
}

// Sources returns the sources of every node that has some, but for tests: see
// TestSources. Src is the directory SRC, and vendor is the vendor directory, relative
// to it. An *InputError reports sources that cannot be built.
func Sources(g *graph.Graph, src, vendor string, modules []Module) (map[int][]Bound, error) {
	bound := map[int][]Bound{}
	r := newReader(src, vendor)
	for i, n := range g.Nodes {
		if n.Src == nil || n.Kind == graph.Test {
			continue
		}
		b, err := r.sources(n, modules)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		bound[i] = b
	}
	for i, n := range g.Nodes {
		if n.Kind != graph.Link {
			continue
		}
		for _, r := range n.Refs {
			if g.Nodes[r.Node].LinkSrc {
				for _, b := range bound[r.Node] {
					b.Copy = true
					bound[i] = append(bound[i], b)
				}
			}
		}
	}
	return bound, nil
}

// whole returns the sources of a node that graph.Apart has not made for C.
func (r *reader) whole(n *graph.Node, modules []Module) ([]Bound, error) {
	src, vendor := r.src, r.vendor
	if n.Kind == graph.ByGo {
		return everything(n, src, vendor), nil
	}
	if n.Src.Whole {
		whole := wide(n, src, vendor, modules, true)
		for i := range whole {
			whole[i].Copy = true
		}
		return whole, nil
	}
	if n.Src.Vendored {
		return vendored(n, src, vendor, modules)
	}
	whole := wide(n, src, vendor, modules, false)
	dir := filepath.Join(src, filepath.FromSlash(n.Src.Dir))
	var files []string
	for _, f := range n.Src.Files {
		if err := checkInside(src, f); err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(dir, filepath.Join(src, filepath.FromSlash(f)))
		if err != nil {
			return nil, err
		}
		if rel == ".." || strings.HasPrefix(rel, "../") {
			return whole, nil // a file of another directory
		}
		files = append(files, filepath.ToSlash(rel))
	}
	if n.Src.Native {
		more, out, err := nativeFiles(src, files, n, vendor)
		if err != nil {
			return nil, err
		}
		switch {
		case out == nil:
		case out.computed || !n.Cgo || n.LinkSrc || !graph.LinksAlone(n):
			return wide(n, src, vendor, modules, out.vendor), nil
		default:
			return r.tree(n, modules)
		}
		files = more
	}
	slices.Sort(files)
	files = slices.Compact(files)
	for _, f := range files {
		link, err := throughLink(dir, f)
		if err != nil {
			return nil, err
		}
		if link {
			// The target of the symlink is needed, too.
			return whole, checkInside(src, path.Join(n.Src.Dir, f))
		}
	}
	return []Bound{{At: n.Src.Dir, Tree: &nar.Tree{Name: nar.Name(n.Name), Root: dir, Files: files}, Copy: n.Cgo}}, nil
}

// notSource returns the directories that a tree of the whole source leaves out.
func notSource(vendor string) []string { return []string{".git", vendor} }

// wide returns the whole source for a node, and if withModules is set also the vendor
// directory.
func wide(n *graph.Node, src, vendor string, modules []Module, withModules bool) []Bound {
	tree := &nar.Tree{Name: nar.Name(n.Name), Root: src, Exclude: notSource(vendor)}
	list := []Bound{{At: ".", Tree: tree, Copy: n.Cgo}}
	if !withModules {
		return list
	}
	if _, err := os.Stat(filepath.Join(src, filepath.FromSlash(vendor))); err == nil {
		// The sources' own vendor directory may have symlinks, and files of no module.
		tree.Exclude = []string{".git"}
		return list
	}
	return append(list, allModules(n, modules)...)
}

// allModules returns all modules for a node.
func allModules(n *graph.Node, modules []Module) []Bound {
	var list []Bound
	for _, m := range modules {
		list = append(list, Bound{At: "vendor/" + m.Dir, Path: m.Store, Copy: n.Cgo})
	}
	slices.SortFunc(list, func(a, b Bound) int { return strings.Compare(a.At, b.At) })
	return list
}

// sources returns the sources of one node. If graph.Apart has made the node for C, they
// are all files that it may read, and Keep of a Trace step gets the files that it is
// known to read.
func (r *reader) sources(n *graph.Node, modules []Module) ([]Bound, error) {
	switch n.Kind {
	case graph.Cgo, graph.Ask, graph.Objects:
	default:
		return r.whole(n, modules)
	}
	if n.Src.Vendored {
		return vendored(n, r.src, r.vendor, modules)
	}
	trees := n.Trees
	for _, s := range n.Steps {
		if s.Trace == nil {
			continue
		}
		c, _, err := r.named(n.Src.Dir, trees[0], s)
		if err != nil {
			return nil, err
		}
		s.Trace.Keep = nil
		for _, f := range c.files {
			s.Trace.Keep = append(s.Trace.Keep, action.Escape(f))
		}
		trees = trees[1:]
	}
	return r.tree(n, modules)
}

// fetched are the inputs that have modules.
var fetched = []graph.Input{graph.Vendor, graph.Downloads, graph.ModCache}

// everything returns the sources of a node that runs the go command: the whole source,
// without the vendor directory if the node has an input with modules.
func everything(n *graph.Node, src, vendor string) []Bound {
	tree := &nar.Tree{Name: nar.Name(n.Name), Root: src, Exclude: []string{".git"}}
	if slices.ContainsFunc(n.Inputs, func(in graph.Input) bool { return slices.Contains(fetched, in) }) {
		tree.Exclude = notSource(vendor)
	}
	return []Bound{{At: ".", Tree: tree, Copy: true}}
}

// checkInside returns an error if the file is behind a symlink that leads out of the
// sources.
func checkInside(src, file string) error {
	link, err := nar.Leaves(src, file)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil // reading the file reports that
	}
	if err != nil || link == nil {
		return err
	}
	return LinkError(link)
}

// An InputError reports a mistake in the sources or the arguments. With any other
// error, the go command may still be able to build them.
type InputError struct{ reason error }

func (e *InputError) Error() string { return e.reason.Error() }
func (e *InputError) Unwrap() error { return e.reason }

func inputErrorf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// LinkError returns the error for a package's file behind a symlink that leads out of
// the sources.
func LinkError(link *nar.Link) error {
	return inputErrorf("%s is a symlink to %s, which is not in src: put the file itself there, or let src be a directory with both", link.Name, link.Target)
}

// vendored returns the sources of a vendored package: its module, or more if its files
// lead out of that.
func vendored(n *graph.Node, src, vendor string, modules []Module) ([]Bound, error) {
	link, err := vendorLink(n, src, vendor)
	if err != nil {
		return nil, err
	}
	if link {
		return wide(n, src, vendor, modules, true), nil
	}
	switch n.Src.Reach {
	case graph.ReachModules:
		return allModules(n, modules), nil
	case graph.ReachAll:
		return wide(n, src, vendor, modules, true), nil
	}
	i := ModuleOf(n.Src.Dir, modules)
	if i < 0 || slices.ContainsFunc(n.Src.Files, func(f string) bool { return ModuleOf(f, modules) != i }) {
		// `go mod vendor` did not make the vendor directory, or there is an overlay.
		return wide(n, src, vendor, modules, true), nil
	}
	m := modules[i]
	return []Bound{{At: "vendor/" + m.Dir, Path: m.Store, Copy: n.Cgo}}, nil
}

// vendorLink reports whether one of the node's files is behind a symlink in the
// sources' own vendor directory, which may lead out of the module.
func vendorLink(n *graph.Node, src, vendor string) (bool, error) {
	for _, f := range append([]string{n.Src.Dir}, n.Src.Files...) {
		f = vendor + strings.TrimPrefix(f, "vendor")
		link, err := throughLink(src, f)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil // the vendor directory is not in the sources
		}
		if err != nil {
			return false, err
		}
		if link {
			return true, checkInside(src, f)
		}
	}
	return false, nil
}

// throughLink reports whether the file, or a directory between dir and it, is a
// symlink.
func throughLink(dir, file string) (bool, error) {
	for i := 0; i < len(file); i++ {
		next := strings.IndexByte(file[i:], '/')
		if next < 0 {
			next = len(file) - i
		}
		i += next
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(file[:i])))
		if err != nil {
			return false, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return true, nil
		}
	}
	return false, nil
}
