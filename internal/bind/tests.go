package bind

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// AllTests is the key of TestSources' data for every package.
const AllTests = "*"

// TestSources returns the files that each test sees when it runs. They are copied to
// their places below SRC:
//
//   - go.mod of its module, as a test may look for the module's root;
//   - its package's directory, with the directories below it that are not packages,
//     such as testdata, and the embedded files;
//   - files and directories that string literals of the package name by a relative
//     path, which may be in several literals: filepath.Join("..", "testdata"). Of a
//     pattern or a format it is the directory before it: "../testdata/*.txt";
//   - the files and directories, relative to src, that data has for its import path,
//     for its directory or for AllTests.
//
// The targets of symlinks among these are added, too. Vendor is the vendor directory,
// relative to src. An *InputError reports a mistake in data.
func TestSources(g *graph.Graph, src, vendor string, data map[string][]string) (map[int][]Bound, error) {
	bound := map[int][]Bound{}
	used := map[string]bool{AllTests: true}
	for i, n := range g.Nodes {
		if n.Kind != graph.Test {
			continue
		}
		c := collection{src: src, vendor: vendor, dir: n.Src.Dir, has: map[string]bool{}}
		for _, key := range []string{AllTests, n.Name, n.Src.Dir, "./" + n.Src.Dir} {
			if data[key] != nil {
				used[key] = true
			}
			for _, p := range data[key] {
				if !filepath.IsLocal(p) {
					return nil, inputErrorf("testData: %q is not a path below src", p)
				}
				if err := c.add(path.Clean(p)); err != nil {
					return nil, inputErrorf("testData: %w", err)
				}
			}
		}
		if err := c.collect(n.Src.Files); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		bound[i] = []Bound{{At: ".", Tree: c.tree(nar.Name(n.Name + "-testdata")), Copy: true}}
	}
	for key := range data {
		if !used[key] {
			return nil, inputErrorf("testData: %s is not a package with tests: name packages by import path or directory, or %q for all of them", key, AllTests)
		}
	}
	return bound, nil
}

// A collection is a set of files and of whole directories below src.
type collection struct {
	src    string
	vendor string          // the vendor directory, relative to src
	dir    string          // the package's directory, relative to src
	has    map[string]bool // paths relative to src; true for a whole directory
}

func (c *collection) path(rel string) string { return filepath.Join(c.src, filepath.FromSlash(rel)) }

// collect adds the package's files and directory, and the files that string literals
// name.
func (c *collection) collect(files []string) error {
	for _, f := range files {
		if err := c.add(f); err != nil {
			return err
		}
	}
	for dir := c.dir; ; dir = path.Dir(dir) {
		if err := c.add(path.Join(dir, "go.mod")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if dir == "." {
			break
		}
	}
	if err := c.addPackage(c.dir); err != nil {
		return err
	}
	for _, f := range files {
		if path.Dir(f) == c.dir && strings.HasSuffix(f, ".go") {
			if err := c.addNamed(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a file, or a directory with all files below it, and the targets of symlinks
// that are in it or in the path to it.
func (c *collection) add(rel string) error {
	for i := 1; i <= len(rel); i++ {
		if i < len(rel) && rel[i] != '/' {
			continue
		}
		at := rel[:i]
		info, err := os.Lstat(c.path(at))
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return c.addLink(at, rel[i:])
		}
	}
	if _, ok := c.has[rel]; ok || c.isHidden(rel) {
		return nil
	}
	info, err := os.Lstat(c.path(rel))
	if err != nil {
		return err
	}
	c.has[rel] = info.IsDir()
	if !info.IsDir() {
		return nil
	}
	return filepath.WalkDir(c.path(rel), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink == 0 && !e.IsDir() {
			return err
		}
		below, err := filepath.Rel(c.src, p)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		switch {
		case !e.IsDir():
			return c.addLink(below, "")
		case c.isHidden(below):
			return fs.SkipDir
		}
		return nil
	})
}

// addLink adds a symlink, and the path rest below its target. If the target does not
// exist or is outside of src, it adds the symlink only.
func (c *collection) addLink(link, rest string) error {
	if _, ok := c.has[link]; !ok {
		c.has[link] = false
	} else if rest == "" {
		return nil
	}
	target, err := os.Readlink(c.path(link))
	if err != nil {
		return err
	}
	to := path.Join(path.Dir(link), filepath.ToSlash(target)+rest)
	if filepath.IsAbs(target) || !filepath.IsLocal(to) {
		return nil
	}
	if _, err := os.Stat(c.path(to)); err != nil {
		return nil // it is dangling, or there is a circle of symlinks
	}
	return c.add(to)
}

// isHidden reports whether a path is left out, with all files below it: the vendor
// directory and .git.
func (c *collection) isHidden(rel string) bool {
	return InDir(rel, c.vendor) || path.Base(rel) == ".git"
}

// addPackage adds the files of a directory and the directories below it, but not
// packages and modules there. Directories that the go command ignores, such as testdata,
// are added as a whole.
func (c *collection) addPackage(dir string) error {
	entries, err := os.ReadDir(c.path(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		rel := path.Join(dir, e.Name())
		if e.IsDir() && !c.isHidden(rel) && e.Name() != "testdata" && !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "_") {
			is, err := c.isPackage(rel)
			if err != nil {
				return err
			}
			if !is {
				err = c.addPackage(rel)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := c.add(rel); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) isPackage(dir string) (bool, error) {
	entries, err := os.ReadDir(c.path(dir))
	return hasGo(entries), err
}

// hasGo reports whether the entries of a directory have a Go file or a go.mod.
func hasGo(entries []fs.DirEntry) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".go") || e.Name() == "go.mod"
	})
}

// addNamed adds the files and directories that string literals of a Go file name.
func (c *collection) addNamed(file string) error {
	text, err := os.ReadFile(c.path(file))
	if err != nil {
		return err
	}
	for _, name := range namedPaths(text, strings.HasSuffix(file, "_test.go")) {
		rel := path.Join(c.dir, name)
		if !filepath.IsLocal(rel) || rel == c.dir {
			continue
		}
		if _, err := os.Lstat(c.path(rel)); err != nil {
			continue // not a path, or that of a file that the test makes
		}
		if err := c.add(rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// namedPaths returns the strings in a Go file that may be relative paths: string
// literals with a slash, and literals with only commas between them, joined. A path of
// dots only, such as "..", counts in a test file only: other code is more likely to
// compare paths with it.
func namedPaths(text []byte, test bool) []string {
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, func(token.Position, string) {}, 0)
	var names, run []string
	add := func(name string) {
		if i := strings.IndexAny(name, "*?[%"); i >= 0 {
			name = name[:strings.LastIndex(name[:i], "/")+1]
		}
		clean := path.Clean(name)
		dots := strings.Trim(clean, "./") == ""
		if name != "" && !path.IsAbs(name) && clean != "." && (!dots || test) {
			names = append(names, clean)
		}
	}
	end := func() {
		// A single literal without a slash is not taken for a path.
		if len(run) > 1 || len(run) == 1 && (strings.Contains(run[0], "/") || run[0] == "..") {
			add(strings.Join(run, "/"))
		}
		if len(run) > 1 {
			for _, r := range run {
				if strings.Contains(r, "/") {
					add(r)
				}
			}
		}
		run = nil
	}
	comma := true
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			end()
			return names
		case token.STRING:
			if !comma {
				end()
			}
			if value, err := strconv.Unquote(lit); err == nil {
				run = append(run, value)
			}
			comma = false
		case token.COMMA:
			comma = true
		default:
			end()
			comma = true
		}
	}
}

// tree returns the collection as a tree of src.
func (c *collection) tree(name string) *nar.Tree {
	t := &nar.Tree{Name: name, Root: c.src, Files: []string{}}
	if c.has["."] {
		t.Files = nil
		t.Exclude = notSource(c.vendor)
		return t
	}
	for rel := range c.has {
		if !c.below(rel) {
			t.Files = append(t.Files, rel)
		}
	}
	slices.Sort(t.Files)
	return t
}

// below reports whether a path is in a whole directory of the collection.
func (c *collection) below(rel string) bool {
	for d := path.Dir(rel); d != "."; d = path.Dir(d) {
		if c.has[d] {
			return true
		}
	}
	return false
}
