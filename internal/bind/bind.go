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
	"syscall"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/source"
)

// A Module is a third-party module below SRC/vendor, as one store path.
type Module struct {
	Dir   string `json:"dir"`   // its place below vendor
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
// that SRC stands for, vendor the path of the vendor directory in it.
func Sources(g *graph.Graph, src, vendor string, modules []Module) (map[int][]Bound, error) {
	modules = slices.Clone(modules)
	// The longest path first: modules nest.
	slices.SortFunc(modules, func(a, b Module) int { return len(b.Dir) - len(a.Dir) })
	bound := map[int][]Bound{}
	for i, n := range g.Nodes {
		if n.Src == nil || n.Kind == graph.Test { // see TestSources
			continue
		}
		b, err := sources(n, src, vendor, modules)
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

func sources(n *graph.Node, src, vendor string, modules []Module) (Bound, error) {
	if n.Src.Vendored {
		return vendored(n, modules)
	}
	whole := Bound{At: ".", Tree: &source.Tree{Name: source.Name(n.Name), Root: src, Exclude: notSource(vendor)}, Copy: n.Cgo}
	dir := filepath.Join(src, filepath.FromSlash(n.Src.Dir))
	var files []string
	for _, f := range n.Src.Files {
		if err := stays(src, f); err != nil {
			return Bound{}, err
		}
		rel, err := filepath.Rel(dir, filepath.Join(src, filepath.FromSlash(f)))
		if err != nil {
			return Bound{}, err
		}
		if rel == ".." || strings.HasPrefix(rel, "../") {
			return whole, nil // a file of another directory
		}
		files = append(files, filepath.ToSlash(rel))
	}
	if n.Src.Native {
		more, inside, err := nativeFiles(dir, files, n)
		if err != nil {
			return Bound{}, err
		}
		if !inside {
			return whole, nil
		}
		files = more
	}
	slices.Sort(files)
	files = slices.Compact(files)
	for _, f := range files {
		link, err := throughLink(dir, f)
		if err != nil {
			return Bound{}, err
		}
		if link {
			// What it leads to must be there, too.
			return whole, stays(src, path.Join(n.Src.Dir, f))
		}
	}
	return Bound{At: n.Src.Dir, Tree: &source.Tree{Name: source.Name(n.Name), Root: dir, Files: files}, Copy: n.Cgo}, nil
}

// stays checks that no symbolic link leads from the file out of the sources.
func stays(src, file string) error {
	link, err := source.Leaves(src, file)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil // as whoever opens it will say
	}
	if err != nil || link == nil {
		return err
	}
	return LinkError(link)
}

// LinkError says that a package's file is behind a symbolic link which leads out
// of the sources.
func LinkError(link *source.Link) error {
	return fmt.Errorf("%s is a symbolic link to %s, which is not in src: put the file itself there, or let src be a directory with both", link.Name, link.Target)
}

// vendored returns the module that holds the node's files.
func vendored(n *graph.Node, modules []Module) (Bound, error) {
	module := func(file string) int {
		return slices.IndexFunc(modules, func(m Module) bool {
			at := "vendor/" + m.Dir
			return file == at || strings.HasPrefix(file, at+"/")
		})
	}
	i := module(n.Src.Dir)
	if i < 0 {
		return Bound{}, fmt.Errorf("the directory %s belongs to no module that was fetched", n.Src.Dir)
	}
	m := modules[i]
	for _, f := range n.Src.Files {
		if module(f) != i {
			return Bound{}, fmt.Errorf("needs %s, which is not in its module %s: dgd does not support that", f, m.Dir)
		}
	}
	return Bound{At: "vendor/" + m.Dir, Path: m.Store, Copy: n.Cgo}, nil
}

// throughLink says whether the file, or a directory between dir and it, is a
// symbolic link.
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

// notSource is what never is part of a package, in the tree of a whole source.
func notSource(vendor string) []string { return []string{".git", vendor} }

// nativeFiles returns the files of a package with assembly or C: beside the
// given ones all files of its directory that are not Go, and those of the
// directories below it that have no Go files, or that an include or a flag
// names. It reports false where an include or a flag leaves the directory.
func nativeFiles(dir string, files []string, n *graph.Node) ([]string, bool, error) {
	named, leaves := namedDirs(n)
	if leaves {
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
	// Where includes are looked for, beside the including file's directory.
	search := []string{"."}
	for _, d := range named {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(d))); err == nil && info.IsDir() {
			search = append(search, d)
		}
	}
	for _, top := range search {
		if err := addDir(top); err != nil {
			return nil, false, err
		}
		subdirs, err := plainDirs(filepath.Join(dir, filepath.FromSlash(top)))
		if err != nil {
			return nil, false, err
		}
		for _, d := range subdirs {
			if err := addDir(path.Join(top, d)); err != nil {
				return nil, false, err
			}
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
			for _, from := range append([]string{path.Dir(f)}, search...) {
				target := path.Join(from, inc)
				if path.IsAbs(inc) || all[target] {
					continue
				}
				info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(target)))
				if err != nil || info.IsDir() {
					continue // in an include directory, or in the toolchain's
				}
				if strings.HasPrefix(target, "../") {
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
	}
	var list []string
	for f := range all {
		list = append(list, f)
	}
	return list, true, nil
}

// namedDirs returns the paths below the package's directory, and relative to
// it, that a compiler's arguments name. It reports true where one is of the
// sources and outside of the directory.
func namedDirs(n *graph.Node) (list []string, leaves bool) {
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
			for rest := arg; ; {
				i := strings.Index(rest, "${SRC}")
				if i < 0 {
					break
				}
				rest = rest[i:]
				end := strings.IndexAny(rest, " \";=,")
				if end < 0 {
					end = len(rest)
				}
				p := path.Clean(rest[:end])
				rel, ok := strings.CutPrefix(p, own+"/")
				switch {
				case ok:
					list = append(list, strings.ReplaceAll(rel, "$$", "$"))
				case p != own:
					return nil, true
				}
				rest = rest[end:]
			}
			// A relative path, as in -I../include.
			if trimmed := strings.TrimPrefix(strings.TrimPrefix(arg, "-I"), "-L"); trimmed == ".." || strings.HasPrefix(trimmed, "../") || strings.Contains(trimmed, "/../") {
				return nil, true
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list), false
}

var include = regexp.MustCompile(`(?m)^[ \t/*]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]`)

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
		if strings.HasSuffix(e.Name(), ".go") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		regular := e.Type().IsRegular()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(dir, e.Name()))
			regular = err == nil && info.Mode().IsRegular()
		}
		if regular {
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
