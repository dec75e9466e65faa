package drvdiff

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
)

// sources compares the sources of two units.
func (e *explainer) sources(l *causes, o, n *node, u, v *action.Unit) error {
	if o.kind == archives {
		return nil
	}
	a, err := sourcesOf(o, u)
	if err != nil {
		return err
	}
	b, err := sourcesOf(n, v)
	if err != nil {
		return err
	}
	was, is := written(u), written(v)
	// Files that one derivation contains may be in a tree of the other one.
	if err := errors.Join(e.unpack(a, b, is, was), e.unpack(b, a, was, is)); err != nil {
		return err
	}
	heldTexts(l, was, is)
	otherVersions(l, a, b)
	for _, at := range union(a, b) {
		from, to := a[at], b[at]
		change := changeOf(a, b, at)
		switch {
		case change != changed:
			l.add(Cause{Kind: "file", What: at, Change: change})
		case from != to:
			if was, is := version(at, from), version(at, to); was != is {
				l.add(Cause{Kind: "module", What: strings.TrimPrefix(at, "vendor/"), Old: was, New: is, Change: changed})
				continue
			}
			found, ok := e.trees[[2]string{from, to}]
			if !ok {
				if found, err = e.compareTrees(from, to); err != nil {
					return err
				}
				e.trees[[2]string{from, to}] = found
			}
			for _, c := range found {
				c.What = path.Join(at, c.What)
				l.add(c)
			}
		}
	}
	return nil
}

// sourcesOf returns the resolved store paths of a unit's sources, by their places below
// SRC.
func sourcesOf(n *node, u *action.Unit) (map[string]string, error) {
	list := map[string]string{}
	for _, s := range placed(u) {
		from, err := action.Expand(s.From, func(name string) (string, bool) {
			value, ok := n.vars[name]
			return value, ok
		})
		if err != nil {
			return nil, err
		}
		at, err := action.Expand(s.At, func(string) (string, bool) { return ".", true })
		if err != nil {
			return nil, err
		}
		list[path.Clean(at)] = n.put.Replace(from)
	}
	return list, nil
}

// placed returns what a unit sees below SRC. It can also have symlinks to archives in an
// output.
func placed(u *action.Unit) []action.Source {
	return slices.DeleteFunc(slices.Clone(u.Sources), func(s action.Source) bool { return strings.HasPrefix(s.At, "${out}/") })
}

// heldTexts compares the source files that derivations contain themselves.
func heldTexts(l *causes, was, is map[string]string) {
	for _, file := range union(was, is) {
		if change := changeOf(was, is, file); change != changed || was[file] != is[file] {
			l.add(Cause{Kind: "file", What: strings.ReplaceAll(file, "$$", "$"), Change: change})
		}
	}
}

// otherVersions adds a cause for each module that the two states have in different
// versions, and therefore at different places, and removes it from both.
func otherVersions(l *causes, a, b map[string]string) {
	module := func(at string) string {
		m, _, _ := strings.Cut(at, "@")
		return m
	}
	for _, at := range slices.Sorted(maps.Keys(a)) {
		from := a[at]
		if _, ok := b[at]; ok {
			continue
		}
		for other, to := range b {
			if _, ok := a[other]; !ok && at != other && module(at) == module(other) {
				l.add(Cause{Kind: "module", What: strings.TrimPrefix(module(at), "vendor/"), Old: version(at, from), New: version(other, to), Change: changed})
				delete(a, at)
				delete(b, other)
			}
		}
	}
}

// written returns the source files that a unit's derivation contains itself, by path
// below SRC. Dollar signs are doubled in paths and texts.
func written(u *action.Unit) map[string]string {
	files := map[string]string{}
	for _, s := range u.Steps {
		if s.Write != nil && ofSources(s.Write) {
			files[strings.TrimPrefix(s.Write.Path, "${SRC}/")] = s.Write.Text
		}
	}
	return files
}

// ofSources reports whether a step writes a source file, rather than a generated one.
func ofSources(w *action.Write) bool { return strings.HasPrefix(w.Path, "${SRC}/") }

// unpack moves the files of a state's trees to its single files (to) if the other state
// has these as single files.
func (e *explainer) unpack(trees, otherTrees, otherFiles, to map[string]string) error {
	for at, from := range trees {
		if _, ok := otherTrees[at]; ok || !holds(otherFiles, at) {
			continue
		}
		list, err := e.st.Files(e.ctx, from)
		if errors.Is(err, fs.ErrNotExist) { // removed by the garbage collector
			continue
		}
		if err != nil {
			return err
		}
		for name, f := range list {
			to[action.Escape(path.Join(at, name))] = action.Escape(string(f.Text))
		}
		delete(trees, at)
	}
	return nil
}

// holds reports whether one of the files is in a directory.
func holds(files map[string]string, dir string) bool {
	for name := range files {
		if dir == "." || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}
