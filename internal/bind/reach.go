package bind

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/graph"
)

// LookAt sets Reach, Exports and Sizes of n.Src, the sources of a vendored package with
// C or assembly, by reading its files and those that they name. Src and vendor are the
// directories SRC and SRC/vendor.
func LookAt(n *graph.Node, src, vendor string, modules []Module) error {
	w := reacher{src: src, vendor: vendor}
	if err := w.follow(n, modules); err != nil {
		return err
	}
	w.compute()
	n.Src.Reach, n.Src.Exports = w.reach, w.exports || w.names.Loose || len(w.names.Tails) > 0
	if !n.Cgo {
		return nil
	}
	for _, f := range n.Src.Files {
		if info, err := os.Stat(w.disk(f)); err == nil && !strings.HasSuffix(f, ".go") {
			if n.Src.Sizes == nil {
				n.Src.Sizes = map[string]int64{}
			}
			n.Src.Sizes[f] = info.Size()
		}
	}
	return nil
}

// Weigh sets Weight to the size of a package's Go files. Src and vendor are as for
// LookAt. Missing files are reported when they are read.
func Weigh(n *graph.Node, src, vendor string) {
	w := reacher{src: src, vendor: vendor}
	for _, f := range n.Src.Files {
		if path.Ext(f) != ".go" {
			continue
		}
		if info, err := os.Stat(w.disk(f)); err == nil {
			n.Weight += info.Size()
		}
	}
}

// LookAgain repeats LookAt for vendored packages of a plan that was made from a
// skeleton, which does not have the contents of the sources' own vendor directory. It
// only adds to the results of planning.
func LookAgain(g *graph.Graph, src, vendor string, modules []Module) error {
	for _, n := range g.Nodes {
		if n.Src == nil || !n.Src.Vendored || !n.Src.Native {
			continue
		}
		planned := *n.Src
		if err := LookAt(n, src, vendor, modules); err != nil {
			return err
		}
		n.Src.Exports = n.Src.Exports || planned.Exports
		if planned.Reach == graph.ReachAll || n.Src.Reach == graph.ReachModule {
			n.Src.Reach = planned.Reach
		}
		if len(n.Src.Sizes) == 0 {
			n.Src.Sizes = planned.Sizes
		}
	}
	return nil
}

// follow reads the package's files and all files that they name.
func (w *reacher) follow(n *graph.Node, modules []Module) error {
	if i := ModuleOf(n.Src.Dir, modules); i >= 0 {
		w.own = "vendor/" + modules[i].Dir
	}
	search := []string{n.Src.Dir}
	for _, p := range commandPaths(n.Src.Dir, n.Steps) {
		w.extend(p)
		if info, err := os.Stat(w.disk(p)); err == nil && info.IsDir() {
			search = append(search, p)
		}
	}
	words := cWords(n.Steps)
	if handOver(n.Src.Dir, words, w.disk) {
		w.reach = graph.ReachAll
	}
	defined := DefinedNames(words)
	w.add(&defined)
	queue := slices.Clone(n.Src.Files)
	seen := map[string]bool{}
	for len(queue) > 0 && w.reach != graph.ReachAll {
		f := queue[0]
		queue = queue[1:]
		if seen[f] {
			continue
		}
		seen[f] = true
		w.extend(f)
		text, err := os.ReadFile(w.disk(f))
		if errors.Is(err, fs.ErrNotExist) {
			continue // reported when it is compiled
		}
		if err != nil {
			return err
		}
		names := NamesIn(f, text)
		w.add(&names)
		for _, name := range slices.Concat(names.Files, defined.Files) {
			if path.IsAbs(name) {
				continue
			}
			w.exports = w.exports || strings.HasPrefix(path.Base(name), "_cgo_")
			for _, from := range append([]string{path.Dir(f)}, search...) {
				target := path.Join(from, name)
				if strings.HasPrefix(target, "../") {
					continue
				}
				if info, err := os.Stat(w.disk(target)); err == nil && info.Mode().IsRegular() {
					queue = append(queue, target)
				}
			}
		}
	}
	return nil
}

// A reacher finds out which modules' files the C of a vendored package may read.
type reacher struct {
	src, vendor string
	own         string // directory of the package's module, relative to SRC
	reach       graph.Reach
	exports     bool  // a file may include the header that cgo writes
	names       Names // of all files together
}

// InDir reports whether the path p is dir or below it.
func InDir(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// extend extends the reach to a path relative to SRC.
func (w *reacher) extend(p string) {
	switch {
	case InDir(p, "vendor"):
		if (w.own == "" || !InDir(p, w.own)) && w.reach == graph.ReachModule {
			w.reach = graph.ReachModules
		}
	default:
		w.reach = graph.ReachAll
	}
}

func (w *reacher) disk(p string) string {
	if rest, ok := strings.CutPrefix(p, "vendor/"); ok {
		return filepath.Join(w.vendor, filepath.FromSlash(rest))
	}
	return filepath.Join(w.src, filepath.FromSlash(p))
}

func (w *reacher) add(n *Names) {
	w.names.Loose = w.names.Loose || n.Loose
	w.names.Asks = w.names.Asks || n.Asks
	w.names.Tails = append(w.names.Tails, n.Tails...)
	w.names.Defines = append(w.names.Defines, n.Defines...)
}

var identifier = regexp.MustCompile(`[A-Za-z_]\w*`)

// dot matches a dot that is not between two letters, as the dot of a file's suffix is:
// a name without a match cannot have "..".
var dot = regexp.MustCompile(`(?:^|\W)\.|\.(?:\W|$)`)

// compute extends the reach for names that macros make. If no macro that may be a part
// of one has such a dot, the name stays in the directories that are searched.
func (w *reacher) compute() {
	up := w.names.Loose
	bodies := map[string][]string{}
	for _, d := range w.names.Defines {
		bodies[d[0]] = append(bodies[d[0]], d[1])
	}
	queue := w.names.Tails
	seen := map[string]bool{}
	for len(queue) > 0 && !up {
		text := queue[0]
		queue = queue[1:]
		up = dot.MatchString(text)
		for _, name := range identifier.FindAllString(text, -1) {
			if !seen[name] {
				seen[name] = true
				queue = append(queue, bodies[name]...)
			}
		}
	}
	switch {
	case up && w.names.Asks:
		w.reach = graph.ReachAll
	case up:
		w.extend("vendor")
	}
}

// srcPaths returns the paths after the tokens SRC in a word, each cleaned and with a
// slash at the beginning, or "" for SRC itself.
func srcPaths(arg string) []string {
	var list []string
	for rest := arg; ; {
		i := strings.Index(rest, "${SRC}")
		if i < 0 {
			return list
		}
		rest = rest[i+len("${SRC}"):]
		end := strings.IndexAny(rest, " \";=,")
		if end < 0 {
			end = len(rest)
		}
		p := rest[:end]
		if p != "" {
			p = path.Clean(p)
		}
		list = append(list, strings.ReplaceAll(p, "$$", "$"))
		rest = rest[end:]
	}
}
