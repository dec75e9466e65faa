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

// A reader reads which files name which, each file once.
type reader struct {
	src    string // the directory that SRC stands for
	vendor string // the place of the vendor directory in it
	names  map[string]*Names
	below  map[string]headers
	found  map[string]bool // whether there is a file
	linked map[string]bool // whether it is behind a symlink
}

func newReader(src, vendor string) *reader {
	return &reader{
		src: src, vendor: vendor,
		names: map[string]*Names{}, below: map[string]headers{}, found: map[string]bool{}, linked: map[string]bool{},
	}
}

// isFile reports whether there is a file.
func (r *reader) isFile(file string) bool {
	is, known := r.found[file]
	if !known {
		info, err := os.Stat(r.disk(file))
		is = err == nil && info.Mode().IsRegular()
		r.found[file] = is
	}
	return is
}

// isLinked reports whether a file is behind a symlink, which must not lead
// out of the sources.
func (r *reader) isLinked(file string) (bool, error) {
	link, known := r.linked[file]
	if known {
		return link, nil
	}
	link, err := throughLink(r.src, file)
	if err == nil && link {
		err = stays(r.src, file)
	}
	r.linked[file] = link
	return link, err
}

// A closure is what files of C can open, by what they and their commands say.
type closure struct {
	files    []string // named ones, relative to SRC
	computed bool     // names can be any
	asks     bool     // computed ones are looked up
	loose    bool     // no preprocessor sees all of them
	linked   bool     // one of the files is behind a symlink
	vendor   bool     // they may lead to the vendor directory
	header   bool     // they may include the header that cgo writes
	cgo      bool     // they name another file that cgo writes
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

// A command is what the C commands of a package say of the sources.
type command struct {
	search []string // directories that are searched, relative to SRC
	files  []string // those that they name
	names  Names    // what the macros say that they define
}

// close follows names from the given files, all relative to SRC. A name leads to
// each file that it can mean: beside the file that has it, and in each of the
// directories that are searched. One in a macro of the commands can stand in each file.
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

// headers are the files below a directory that no file of the sources has to
// name: a header of the machine can include what has its name.
type headers struct {
	files  []string // relative to SRC
	linked bool     // there are symlinks
}

// What a header of the machine may include is called so.
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

// tree returns the sources of a node that reads C: what its files name, and what
// looks like a header in the directories that are searched.
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
	// With what these name in turn. A computed name in one of them counts where it
	// is looked up: else its file would be missing, and that is an error.
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
	// The package's nodes have the headers in common.
	var list []Bound
	for _, files := range [][]string{all.files, own} {
		if len(files) > 0 {
			t := &nar.Tree{Name: nar.Name(n.Name), Root: r.src, Files: files}
			list = append(list, Bound{At: ".", Tree: t, Copy: n.Cgo})
		}
	}
	return list, nil
}

// named is the closure of the files and of those that the steps of a package in dir
// name, with what these steps say.
func (r *reader) named(dir string, files []string, steps ...action.Step) (*closure, *command, error) {
	cmd, err := r.command(dir, steps)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.close(slices.Concat(files, cmd.files), cmd)
	return c, cmd, err
}

// command returns what the C commands of a package in dir say. Where they hand over
// what is in the sources, that is as if they had a name that can be any.
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
		cmd.names.loose()
		cmd.names.Asks, cmd.names.Vendor = true, true
	}
	return cmd, nil
}
