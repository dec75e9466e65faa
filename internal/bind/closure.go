package bind

import (
	"errors"
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

// A reader finds the files that files name. It keeps all results, so that it reads each
// file once. Keys are paths relative to src.
type reader struct {
	src    string // the directory SRC
	vendor string // the vendor directory, relative to src
	names  map[string]*Names
	below  map[string]headers // by directory
	found  map[string]bool    // results of isFile
	linked map[string]bool    // results of isLinked
}

func newReader(src, vendor string) *reader {
	return &reader{
		src: src, vendor: vendor,
		names: map[string]*Names{}, below: map[string]headers{}, found: map[string]bool{}, linked: map[string]bool{},
	}
}

// isFile reports whether a path relative to src is a regular file, or a symlink to one.
func (r *reader) isFile(file string) bool {
	is, known := r.found[file]
	if !known {
		info, err := os.Stat(r.disk(file))
		is = err == nil && info.Mode().IsRegular()
		r.found[file] = is
	}
	return is
}

// isLinked reports whether a file is behind a symlink. If that leads out of the
// sources, it is an error.
func (r *reader) isLinked(file string) (bool, error) {
	link, known := r.linked[file]
	if known {
		return link, nil
	}
	link, err := throughLink(r.src, file)
	if err == nil && link {
		err = checkInside(r.src, file)
	}
	r.linked[file] = link
	return link, err
}

// A closure describes all files that compiling some files of C can open, by the names
// in these, in the files that they name, and in their commands.
type closure struct {
	files    []string // the named files, relative to SRC, sorted
	computed bool     // macros make names, so that any file may be opened
	asks     bool     // such names are only looked up: a missing file is no error
	loose    bool     // the preprocessor does not see all names
	linked   bool     // one of the files is behind a symlink
	vendor   bool     // a name may lead to the vendor directory
	header   bool     // a file may include the header that cgo writes
	cgo      bool     // a file names another file that cgo writes
}

func (r *reader) disk(file string) string { return filepath.Join(r.src, filepath.FromSlash(file)) }

func (r *reader) read(file string) (*Names, error) {
	if n := r.names[file]; n != nil {
		return n, nil
	}
	n, err := namesOf(r.disk(file))
	if err != nil {
		return nil, err
	}
	r.names[file] = &n
	return &n, nil
}

// A command has the paths and names in the C commands of a package.
type command struct {
	search []string // directories that are searched for headers, relative to SRC
	files  []string // files that the words name, relative to SRC
	names  Names    // names in the macros that the words define
}

// close returns the closure of the given files, which are relative to SRC. A name can
// mean the file beside the one that has it, and a file in each directory that is
// searched: all of these count. A name in a macro of the commands counts for each file.
func (r *reader) close(files []string, cmd *command) (*closure, error) {
	n := &cmd.names
	c := &closure{computed: n.Computed, asks: n.Asks, loose: n.Loose, vendor: n.Vendor && n.Computed}
	seen := map[string]bool{}
	queue := slices.Clone(files)
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		if seen[f] {
			continue
		}
		seen[f] = true
		c.files = append(c.files, f)
		link, err := r.isLinked(f)
		if err != nil {
			return nil, err
		}
		c.linked = c.linked || link
		n, err := r.read(f)
		if err != nil {
			return nil, err
		}
		c.computed = c.computed || n.Computed
		c.asks = c.asks || n.Asks
		c.loose = c.loose || n.Loose || strings.HasSuffix(f, ".s")
		c.vendor = c.vendor || n.Vendor && n.Computed
		for _, name := range slices.Concat(n.Files, cmd.names.Files) {
			if path.IsAbs(name) {
				continue
			}
			switch base := path.Base(name); {
			case base == "_cgo_export.h":
				c.header = true
			case strings.HasPrefix(base, "_cgo_"), strings.HasSuffix(base, ".cgo2.c"), strings.HasSuffix(base, ".cgo1.go"):
				c.cgo = true
			}
			for _, from := range append([]string{path.Dir(f)}, cmd.search...) {
				target := path.Join(from, name)
				if seen[target] || strings.HasPrefix(target, "../") {
					continue
				}
				if InDir(target, r.vendor) {
					c.vendor = true
				}
				if r.isFile(target) {
					queue = append(queue, target)
				}
			}
		}
	}
	c.header = c.header || c.computed
	slices.Sort(c.files)
	return c, nil
}

// headers are the headers below a directory. They count although no file of the sources
// names them: a header of the machine may include one, if it has the right name.
type headers struct {
	files  []string // relative to SRC
	linked bool     // there are symlinks
}

// headerNames are the extensions of headers.
var headerNames = map[string]bool{
	"": true, ".h": true, ".hh": true, ".hpp": true, ".hxx": true, ".h++": true, ".H": true, ".inc": true, ".inl": true,
	".ipp": true, ".modulemap": true, ".tcc": true, ".tpp": true, ".txx": true, ".def": true, ".ii": true, ".x": true, ".ixx": true, ".cuh": true,
}

func (r *reader) headersBelow(dir string) (headers, error) {
	if h, ok := r.below[dir]; ok {
		return h, nil
	}
	var h headers
	err := filepath.WalkDir(r.disk(dir), func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(r.src, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case e.IsDir() && rel != dir && (e.Name() == ".git" || rel == r.vendor):
			return fs.SkipDir
		case e.Type()&fs.ModeSymlink != 0:
			h.linked = true
		case e.Type().IsRegular() && headerNames[path.Ext(e.Name())]:
			h.files = append(h.files, rel)
		}
		return nil
	})
	r.below[dir] = h
	return h, err
}

// tree returns the sources of a node that compiles C: the closure of its files, and the
// headers in the directories that are searched.
func (r *reader) tree(n *graph.Node, modules []Module) ([]Bound, error) {
	c, cmd, err := r.named(n.Src.Dir, n.Src.Files, n.Steps...)
	if err != nil {
		return nil, err
	}
	if c.computed || c.linked || c.vendor {
		return wide(n, r.src, r.vendor, modules, c.vendor), nil
	}
	var files []string
	for _, dir := range cmd.search {
		h, err := r.headersBelow(dir)
		if err != nil {
			return nil, err
		}
		if h.linked {
			return wide(n, r.src, r.vendor, modules, false), nil
		}
		files = append(files, h.files...)
	}
	// With the files that the headers name. A computed name in a header matters only if
	// it is looked up: else the missing file is an error of the compile.
	all, err := r.close(files, cmd)
	if err != nil {
		return nil, err
	}
	if all.asks || all.linked || all.vendor {
		return wide(n, r.src, r.vendor, modules, all.vendor), nil
	}
	own := slices.DeleteFunc(slices.Clone(c.files), func(f string) bool {
		_, found := slices.BinarySearch(all.files, f)
		return found
	})
	// All nodes of the package share the tree of headers.
	var list []Bound
	for _, files := range [][]string{all.files, own} {
		if len(files) > 0 {
			t := &nar.Tree{Name: nar.Name(n.Name), Root: r.src, Files: files}
			list = append(list, Bound{At: ".", Tree: t, Copy: n.Cgo})
		}
	}
	return list, nil
}

// named returns the closure of the files and of those that the steps of a package in
// dir name, and the command of these steps.
func (r *reader) named(dir string, files []string, steps ...action.Step) (*closure, *command, error) {
	cmd, err := r.command(dir, steps)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.close(slices.Concat(files, cmd.files), cmd)
	return c, cmd, err
}

// command returns the paths and names in the C commands of a package in dir. If a flag
// hands over a file or directory of the sources (see handOver), any name is possible.
func (r *reader) command(dir string, steps []action.Step) (*command, error) {
	words := cWords(steps)
	cmd := &command{names: DefinedNames(words)}
	for _, p := range append([]string{dir}, commandPaths(dir, steps)...) {
		if leavesSources(p) {
			continue
		}
		info, err := os.Stat(r.disk(p))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
		case err != nil:
			return nil, err
		case info.IsDir():
			cmd.search = append(cmd.search, p)
		default:
			cmd.files = append(cmd.files, p)
		}
	}
	if handOver(dir, words, r.disk) {
		cmd.names.setLoose()
		cmd.names.Asks, cmd.names.Vendor = true, true
	}
	return cmd, nil
}
