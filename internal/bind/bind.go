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
	"regexp"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/source"
)

// A Module is a third-party module below SRC/vendor, as one store path.
type Module struct {
	Path  string `json:"path"`  // module path: its place below vendor
	Store string `json:"store"` // store path
}

// A Bound source is the tree that a node reads, and its place below SRC.
type Bound struct {
	At   string
	Tree *source.Tree // of the main module; nil for a module of vendor
	Path string       // store path of a module of vendor
	Copy bool         // must be a copy: a C compiler resolves links
}

// Sources returns the sources of every node that has some. src is the directory
// that SRC stands for.
func Sources(g *graph.Graph, src string, modules []Module) (map[int][]Bound, error) {
	modules = slices.Clone(modules)
	// The longest path first: modules nest.
	slices.SortFunc(modules, func(a, b Module) int { return len(b.Path) - len(a.Path) })
	bound := map[int][]Bound{}
	for i, n := range g.Nodes {
		if n.Src == nil {
			continue
		}
		b, err := sources(n, src, modules)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		bound[i] = []Bound{b}
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

func sources(n *graph.Node, src string, modules []Module) (Bound, error) {
	if n.Src.Vendored {
		for _, m := range modules {
			at := "vendor/" + m.Path
			if n.Src.Dir == at || strings.HasPrefix(n.Src.Dir, at+"/") {
				return Bound{At: at, Path: m.Store, Copy: n.Cgo}, nil
			}
		}
		return Bound{}, fmt.Errorf("the directory %s belongs to no module of vendor/modules.txt", n.Src.Dir)
	}
	dir := filepath.Join(src, filepath.FromSlash(n.Src.Dir))
	var files []string
	for _, f := range n.Src.Files {
		rel, err := filepath.Rel(dir, filepath.Join(src, filepath.FromSlash(f)))
		if err != nil {
			return Bound{}, err
		}
		if rel == ".." || strings.HasPrefix(rel, "../") {
			// A file of another directory: the tree is the whole source.
			return Bound{At: ".", Tree: &source.Tree{Name: source.Name(n.Name), Root: src, Exclude: notSource}, Copy: n.Cgo}, nil
		}
		files = append(files, filepath.ToSlash(rel))
	}
	if n.Src.Native {
		more, inside, err := nativeFiles(dir, files, n)
		if err != nil {
			return Bound{}, err
		}
		if !inside {
			return Bound{At: ".", Tree: &source.Tree{Name: source.Name(n.Name), Root: src, Exclude: notSource}, Copy: n.Cgo}, nil
		}
		files = more
	}
	slices.Sort(files)
	files = slices.Compact(files)
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f))); err != nil {
			return Bound{}, err
		}
	}
	return Bound{At: n.Src.Dir, Tree: &source.Tree{Name: source.Name(n.Name), Root: dir, Files: files}, Copy: n.Cgo}, nil
}

// notSource is what never is part of a package, in the tree of a whole source.
var notSource = []string{".git", "vendor"}

// nativeFiles returns the files of a package with assembly or C: beside the
// given ones all files of its directory that are not Go, and those of the
// directories below it that have no Go files or that an include names. It
// reports false where an include or a flag leaves the directory.
func nativeFiles(dir string, files []string, n *graph.Node) ([]string, bool, error) {
	if leaves(n) {
		return nil, false, nil
	}
	all := map[string]bool{}
	queue := slices.Clone(files)
	for _, f := range files {
		all[f] = true
	}
	addDir := func(rel string) error {
		list, err := filesOf(filepath.Join(dir, rel))
		for _, f := range list {
			if f = path.Join(rel, f); !all[f] {
				all[f] = true
				queue = append(queue, f)
			}
		}
		return err
	}
	if err := addDir("."); err != nil {
		return nil, false, err
	}
	subdirs, err := plainDirs(dir)
	if err != nil {
		return nil, false, err
	}
	for _, d := range subdirs {
		if err := addDir(d); err != nil {
			return nil, false, err
		}
	}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		includes, err := includesOf(filepath.Join(dir, filepath.FromSlash(f)))
		if err != nil {
			return nil, false, err
		}
		for _, inc := range includes {
			target := path.Join(path.Dir(f), inc)
			if path.IsAbs(inc) || all[target] {
				continue
			}
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(target)))
			if err != nil || info.IsDir() {
				continue // in an include directory, or in the toolchain's
			}
			if target == ".." || strings.HasPrefix(target, "../") {
				return nil, false, nil
			}
			if err := addDir(path.Dir(target)); err != nil {
				return nil, false, err
			}
			if !all[target] { // included although it is a Go file
				all[target] = true
				queue = append(queue, target)
			}
		}
	}
	var list []string
	for f := range all {
		list = append(list, f)
	}
	return list, true, nil
}

// leaves says whether a compiler's argument names a directory of the sources
// outside of the package's own.
func leaves(n *graph.Node) bool {
	own := "${SRC}"
	if n.Src.Dir != "." {
		own += "/" + action.Escape(n.Src.Dir)
	}
	for _, s := range n.Steps {
		if s.Run == nil || strings.HasSuffix(s.Run.Args[0], "/compile") {
			continue
		}
		for _, arg := range s.Run.Args {
			if strings.HasPrefix(arg, "-ffile-prefix-map=") || strings.HasPrefix(arg, "-fdebug-prefix-map=") {
				continue
			}
			for i := strings.Index(arg, "${SRC}"); i >= 0; {
				rest := arg[i:]
				end := strings.IndexAny(rest, " \";=,")
				if end < 0 {
					end = len(rest)
				}
				p := path.Clean(rest[:end])
				if p != own && !strings.HasPrefix(p, own+"/") {
					return true
				}
				next := strings.Index(arg[i+1:], "${SRC}")
				if next < 0 {
					break
				}
				i += 1 + next
			}
			// A relative path, as in -I../include.
			if trimmed := strings.TrimPrefix(strings.TrimPrefix(arg, "-I"), "-L"); trimmed == ".." || strings.HasPrefix(trimmed, "../") || strings.Contains(trimmed, "/../") {
				return true
			}
		}
	}
	return false
}

var include = regexp.MustCompile(`(?m)^[ \t/*]*#[ \t]*include[ \t]+["<]([^">\n]+)[">]`)

// includesOf returns what a file of C, assembly or cgo includes.
func includesOf(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("looking for includes: %w", err)
	}
	var list []string
	for _, m := range include.FindAllSubmatch(text, -1) {
		list = append(list, string(m[1]))
	}
	return list, nil
}

// filesOf returns the files of a directory that are not Go.
func filesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), ".go") && !strings.HasPrefix(e.Name(), ".") {
			list = append(list, e.Name())
		}
	}
	return list, nil
}

// plainDirs returns the directories below dir that hold no Go files, nor have
// such above them but dir.
func plainDirs(dir string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == dir || !e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if rel == "vendor" || rel == "testdata" || strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".go") || e.Name() == "go.mod" {
				return fs.SkipDir
			}
		}
		list = append(list, filepath.ToSlash(rel))
		return nil
	})
	return list, err
}
