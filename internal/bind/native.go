package bind

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/graph"
)

// An outside says that the C or assembly of a package reads files outside of the
// package's directory.
type outside struct {
	vendor   bool // it may read the vendor directory
	computed bool // it may read any file
}

// nativeFiles returns the files of a package with assembly or C: the given ones; all
// files of its directory that are not Go; and those of directories below it that have no
// Go files, or that an include or a flag names. If a name leads out of the package's
// directory, or may do so because macros make it, it returns an outside instead. Src is
// the directory SRC; files are relative to the package's directory.
func nativeFiles(src string, files []string, n *graph.Node, vendor string) ([]string, *outside, error) {
	dir := filepath.Join(src, filepath.FromSlash(n.Src.Dir))
	named, out := ownPaths(n)
	words := cWords(n.Steps)
	w := nativeWalk{dir: dir, at: n.Src.Dir, vendor: vendor, all: map[string]bool{}, queue: slices.Clone(files), search: []string{"."}, defined: DefinedNames(words), out: out}
	if w.defined.Computed {
		w.leave().computed = true
	}
	if handOver(n.Src.Dir, words, func(p string) string { return filepath.Join(src, filepath.FromSlash(p)) }) {
		*w.leave() = outside{vendor: true, computed: true}
	}
	for _, f := range files {
		w.all[f] = true
	}
	for _, p := range named {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(p)))
		switch {
		case err != nil:
		case info.IsDir():
			w.search = append(w.search, p)
		case info.Mode().IsRegular():
			w.add(p)
		}
	}
	for _, top := range w.search {
		if err := w.addDir(top); err != nil {
			return nil, nil, err
		}
		subdirs, err := plainDirs(filepath.Join(dir, filepath.FromSlash(top)))
		if err != nil {
			return nil, nil, err
		}
		for _, d := range subdirs {
			if err := w.addDir(path.Join(top, d)); err != nil {
				return nil, nil, err
			}
		}
	}
	for len(w.queue) > 0 {
		f := w.queue[0]
		w.queue = w.queue[1:]
		if err := w.read(f); err != nil {
			return nil, nil, err
		}
	}
	if w.out != nil {
		return nil, w.out, nil
	}
	return slices.Collect(maps.Keys(w.all)), nil, nil
}

// A nativeWalk finds the files that the assembly and C of a package name. Paths are
// relative to the package's directory.
type nativeWalk struct {
	dir     string          // the package's directory
	at      string          // the same, relative to SRC
	vendor  string          // the vendor directory, relative to SRC
	all     map[string]bool // files that were found
	queue   []string        // those that have not been read
	search  []string        // directories that are searched, beside the including file's
	defined Names           // names in macros of the commands
	out     *outside        // set if a name leaves the directory
}

func (w *nativeWalk) addDir(rel string) error {
	list, err := filesOf(filepath.Join(w.dir, rel))
	for _, f := range list {
		w.add(path.Join(rel, f))
	}
	return err
}

func (w *nativeWalk) add(f string) {
	if !w.all[f] {
		w.all[f] = true
		w.queue = append(w.queue, f)
	}
}

// leave sets and returns w.out.
func (w *nativeWalk) leave() *outside {
	if w.out == nil {
		w.out = &outside{}
	}
	return w.out
}

// read adds the files that a file names.
func (w *nativeWalk) read(f string) error {
	names, err := namesOf(filepath.Join(w.dir, filepath.FromSlash(f)))
	if err != nil {
		return err
	}
	if names.Computed {
		w.leave().computed = true
	}
	if names.Vendor && w.out != nil {
		w.out.vendor = true
	}
	for _, inc := range slices.Concat(names.Files, w.defined.Files) {
		for _, from := range append([]string{path.Dir(f)}, w.search...) {
			target := path.Join(from, inc)
			if path.IsAbs(inc) || w.all[target] {
				continue
			}
			if strings.HasPrefix(path.Join(w.at, target), w.vendor+"/") {
				w.leave().vendor = true
				continue
			}
			info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(target)))
			if err != nil || info.IsDir() {
				continue // it is in another directory, or a header of the machine
			}
			if strings.HasPrefix(target, "../") {
				w.leave()
				continue
			}
			if err := w.addDir(path.Dir(target)); err != nil {
				return err
			}
			w.add(target) // addDir leaves out Go files
		}
	}
	return nil
}

// ownPaths returns the paths, relative to the package's directory, that the words of its
// C commands may name, and an outside if one is outside of the directory.
func ownPaths(n *graph.Node) (list []string, out *outside) {
	for _, p := range commandPaths(n.Src.Dir, n.Steps) {
		switch {
		case p == n.Src.Dir:
		case n.Src.Dir == "." && !leavesSources(p):
			list = append(list, p)
		case InDir(p, n.Src.Dir):
			list = append(list, p[len(n.Src.Dir)+1:])
		default:
			if out == nil {
				out = &outside{}
			}
			out.vendor = out.vendor || word.MatchString(p)
		}
	}
	return list, out
}

// leavesSources reports whether a path relative to SRC leads out of it.
func leavesSources(p string) bool { return p == ".." || strings.HasPrefix(p, "../") }

// namesOf returns the names in a file of C, assembly or cgo.
func namesOf(file string) (Names, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Names{}, err
	}
	if err != nil {
		return Names{}, fmt.Errorf("looking for includes: %w", err)
	}
	return NamesIn(file, text), nil
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

// plainDirs returns the directories below dir that have no Go files and are not below
// another directory with Go files.
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
		if hasGo(entries) {
			return fs.SkipDir
		}
		list = append(list, filepath.ToSlash(rel))
		return nil
	})
	return list, err
}
