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

	"dgd/internal/action"
	"dgd/internal/graph"
)

// An outside says that a package's C or assembly leaves its directory.
type outside struct {
	vendor   bool // it may lead to the vendor directory
	computed bool // nobody knows where it leads
}

// nativeFiles returns the files of a package with assembly or C: beside the
// given ones all files of its directory that are not Go, and those of the
// directories below it that have no Go files, or that an include or a flag
// names. Where one of these leaves the directory, or could do so because it is
// not spelled out, it says that instead.
func nativeFiles(dir string, files []string, n *graph.Node, vendor string) ([]string, *outside, error) {
	named, out := namedDirs(n)
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
			return nil, nil, err
		}
		subdirs, err := plainDirs(filepath.Join(dir, filepath.FromSlash(top)))
		if err != nil {
			return nil, nil, err
		}
		for _, d := range subdirs {
			if err := addDir(path.Join(top, d)); err != nil {
				return nil, nil, err
			}
		}
	}
	leave := func() {
		if out == nil {
			out = &outside{}
		}
	}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		names, err := namesOf(filepath.Join(dir, filepath.FromSlash(f)))
		if err != nil {
			return nil, nil, err
		}
		if names.Computed {
			leave()
			out.computed = true
		}
		if names.Vendor && out != nil {
			out.vendor = true
		}
		for _, inc := range names.Files {
			for _, from := range append([]string{path.Dir(f)}, search...) {
				target := path.Join(from, inc)
				if path.IsAbs(inc) || all[target] {
					continue
				}
				if strings.HasPrefix(path.Join(n.Src.Dir, target), vendor+"/") {
					leave()
					out.vendor = true
					continue
				}
				info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(target)))
				if err != nil || info.IsDir() {
					continue // in an include directory, or in the toolchain's
				}
				if strings.HasPrefix(target, "../") {
					leave()
					continue
				}
				if err := addDir(path.Dir(target)); err != nil {
					return nil, nil, err
				}
				if !all[target] { // included although it is a Go file
					all[target] = true
					queue = append(queue, target)
				}
			}
		}
	}
	if out != nil {
		return nil, out, nil
	}
	var list []string
	for f := range all {
		list = append(list, f)
	}
	return list, nil, nil
}

// namedDirs returns the paths below the package's directory, and relative to
// it, that a compiler's arguments name, and whether one is of the sources and
// outside of the directory.
func namedDirs(n *graph.Node) (list []string, out *outside) {
	own := "${SRC}"
	if n.Src.Dir != "." {
		own += "/" + action.Escape(n.Src.Dir)
	}
	leaves := func(to string) {
		if out == nil {
			out = &outside{}
		}
		out.vendor = out.vendor || word.MatchString(to)
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
					leaves(p)
				}
				rest = rest[end:]
			}
			// A relative path, as in -I../include.
			if trimmed := strings.TrimPrefix(strings.TrimPrefix(arg, "-I"), "-L"); trimmed == ".." || strings.HasPrefix(trimmed, "../") || strings.Contains(trimmed, "/../") {
				leaves(arg)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list), out
}

// namesOf returns what a file of C, assembly or cgo names.
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
