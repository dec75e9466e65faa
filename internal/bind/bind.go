// Package bind finds the source files of a plan's nodes on disk and says which
// trees they become in the store.
//
// A plan names files and no contents: it stays valid while the contents change,
// and only the binding is made anew.
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
	Dir   string `json:"dir"`   // its place below vendor
	Store string `json:"store"` // store path
}

// ModuleOf returns the index of the module that holds a path relative to SRC, or -1.
// As modules nest, it is the one with the longest place of those that the path lies
// below.
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

// A Bound source is the tree that a node reads, and its place below SRC.
type Bound struct {
	At   string
	Tree *nar.Tree // of the main module; nil for a module of vendor
	Path string    // store path of a module of vendor
	Copy bool      // must be a copy: a C compiler resolves links
}

// Sources returns the sources of every node that has some. src is the directory
// that SRC stands for, vendor the path of the vendor directory in it.
func Sources(g *graph.Graph, src, vendor string, modules []Module) (map[int][]Bound, error) {
	bound := map[int][]Bound{}
	r := newReader(src, vendor)
	for i, n := range g.Nodes {
		if n.Src == nil || n.Kind == graph.Test { // see TestSources
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
		if err := stays(src, f); err != nil {
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
			// What it leads to must be there, too.
			return whole, stays(src, path.Join(n.Src.Dir, f))
		}
	}
	return []Bound{{At: n.Src.Dir, Tree: &nar.Tree{Name: nar.Name(n.Name), Root: dir, Files: files}, Copy: n.Cgo}}, nil
}

// notSource is what never is part of a package, in the tree of a whole source.
func notSource(vendor string) []string { return []string{".git", vendor} }

// wide returns the whole source for a node, and with modules also the vendor
// directory.
func wide(n *graph.Node, src, vendor string, modules []Module, withModules bool) []Bound {
	tree := &nar.Tree{Name: nar.Name(n.Name), Root: src, Exclude: notSource(vendor)}
	list := []Bound{{At: ".", Tree: tree, Copy: n.Cgo}}
	if !withModules {
		return list
	}
	if _, err := os.Stat(filepath.Join(src, filepath.FromSlash(vendor))); err == nil {
		// Not only what is of modules, and with links.
		tree.Exclude = []string{".git"}
		return list
	}
	return append(list, allModules(n, modules)...)
}

// allModules returns the vendor directory for a node.
func allModules(n *graph.Node, modules []Module) []Bound {
	var list []Bound
	for _, m := range modules {
		list = append(list, Bound{At: "vendor/" + m.Dir, Path: m.Store, Copy: n.Cgo})
	}
	slices.SortFunc(list, func(a, b Bound) int { return strings.Compare(a.At, b.At) })
	return list
}

// sources returns the sources of one node. Of a node that graph.Apart has made
// for C, they are what it may read; a Trace step is told what it reads in any case.
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

// fetched are the inputs that bring modules.
var fetched = []graph.Input{graph.Vendor, graph.Downloads, graph.ModCache}

// everything are the sources of a node that runs the go command. The vendor
// directory is among them, unless the node has modules that were fetched.
func everything(n *graph.Node, src, vendor string) []Bound {
	tree := &nar.Tree{Name: nar.Name(n.Name), Root: src, Exclude: []string{".git"}}
	if slices.ContainsFunc(n.Inputs, func(in graph.Input) bool { return slices.Contains(fetched, in) }) {
		tree.Exclude = notSource(vendor)
	}
	return []Bound{{At: ".", Tree: tree, Copy: true}}
}

// stays checks that no symlink leads from the file out of the sources.
func stays(src, file string) error {
	link, err := nar.Leaves(src, file)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil // its reader reports that
	}
	if err != nil || link == nil {
		return err
	}
	return LinkError(link)
}

// An InputError says what is wrong with the sources or the arguments. Other errors
// are about what becomes of them.
type InputError struct{ reason error }

func (e *InputError) Error() string { return e.reason.Error() }
func (e *InputError) Unwrap() error { return e.reason }

func inputErrorf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// LinkError is the error for a package's file behind a symlink that leads out of
// the sources.
func LinkError(link *nar.Link) error {
	return inputErrorf("%s is a symlink to %s, which is not in src: put the file itself there, or let src be a directory with both", link.Name, link.Target)
}

// vendored returns the module that holds the node's files, or more where these
// lead out of it.
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
		// Not as go mod vendor lays it out, or an overlay.
		return wide(n, src, vendor, modules, true), nil
	}
	m := modules[i]
	return []Bound{{At: "vendor/" + m.Dir, Path: m.Store, Copy: n.Cgo}}, nil
}

// vendorLink reports whether one of the node's files is behind a symlink
// in the sources' own vendor directory: it can lead out of its module.
func vendorLink(n *graph.Node, src, vendor string) (bool, error) {
	for _, f := range append([]string{n.Src.Dir}, n.Src.Files...) {
		f = vendor + strings.TrimPrefix(f, "vendor")
		link, err := throughLink(src, f)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil // the vendor directory is elsewhere
		}
		if err != nil {
			return false, err
		}
		if link {
			return true, stays(src, f)
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
