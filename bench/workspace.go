package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dgd/bench/internal/nix"
	"dgd/internal/nix/nar"
)

// A workspace is a program that is edited, with a store and a build cache that
// know its last state. The source is there twice: Nix gets it as it is, Go with
// its vendor directory.
type workspace struct {
	*program
	dir   string
	store *nix.Store
	cache string // GOCACHE
	edits map[string]int
}

// Edits, by the names of their scenarios.
const (
	leaf      = "leaf"
	deepBody  = "deep-body"
	deepLines = "deep-lines"
	exported  = "exported"
	comment   = "comment"
	leafRev   = "leaf-rev" // the leaf, and another revision in -X, as each commit has it
)

// newWorkspace makes a workspace without a store and with an empty cache.
func (b *bench) newWorkspace(p *program) (*workspace, error) {
	w := &workspace{program: p, dir: b.unique(p.name), edits: map[string]int{}}
	for _, to := range []string{w.src(), w.goSrc()} {
		if err := copyTree(p.src, to); err != nil {
			return nil, err
		}
	}
	if p.vendor != "" {
		if err := copyTree(p.vendor, filepath.Join(w.goSrc(), "vendor")); err != nil {
			return nil, err
		}
	}
	return w, w.render()
}

// copyTree copies a directory; all of the copy can be written to.
func copyTree(from, to string) error {
	return nar.Tree{Name: filepath.Base(from), Root: from}.CopyTo(to)
}

func (w *workspace) src() string   { return filepath.Join(w.dir, "src") }
func (w *workspace) goSrc() string { return filepath.Join(w.dir, "go") }

// useStore makes a store the workspace's own, in place of the one before.
func (w *workspace) useStore(store *nix.Store) error {
	before := w.store
	w.store = store
	if before == nil {
		return nil
	}
	return nix.Remove(before.Root)
}

// useCache makes a build cache the workspace's own, in place of the one before.
func (w *workspace) useCache(cache string) error {
	before := w.cache
	w.cache = cache
	if before == "" {
		return nil
	}
	return os.RemoveAll(before)
}

// discard removes the workspace and all that belongs to it.
func (w *workspace) discard() error {
	return errors.Join(w.useStore(nil), w.useCache(""), nix.Remove(w.dir))
}

// edit makes an edit that has not been there before.
func (w *workspace) edit(kind string) error {
	if kind == leafRev {
		p := *w.program
		p.revision++
		w.program = &p
		kind = leaf
	}
	w.edits[kind]++
	return w.render()
}

// render writes the edited files.
func (w *workspace) render() error {
	at := w.program.edits
	if at.leafFile == "" {
		return nil
	}
	err := w.patch(at.leafFile, func(text string) (string, error) {
		return text + leafText(w.edits), nil
	})
	if err != nil {
		return err
	}
	return w.patch(at.deepFile, func(text string) (string, error) { return deepText(text, at, w.edits) })
}

// patch writes a file, made of the original, into both copies of the source.
func (w *workspace) patch(file string, change func(string) (string, error)) error {
	text, err := os.ReadFile(filepath.Join(w.program.src, file))
	if err != nil {
		return err
	}
	changed, err := change(string(text))
	if err != nil {
		return fmt.Errorf("%s: %s: %w", w.name, file, err)
	}
	for _, src := range []string{w.src(), w.goSrc()} {
		if err := writeFile(filepath.Join(src, file), changed); err != nil {
			return err
		}
	}
	return nil
}

// function is one that is not inlined and that the linker keeps. A number in
// its body tells one edit from another.
const function = `
var benchKept = benchNumber()

//go:noinline
func benchNumber() int {
%s	return %d
}

`

func leafText(edits map[string]int) string {
	return fmt.Sprintf(function, "", 1_000_000+edits[leaf])
}

// deepText edits the file of the package that nearly all import: the function
// stands above the file's own declarations, so that a line in it moves them.
func deepText(text string, at places, edits map[string]int) (string, error) {
	for _, line := range []string{at.deepAnchor, at.structOpen} {
		if strings.Count(text, line+"\n") != 1 {
			return "", fmt.Errorf("%q is not there once", line)
		}
	}
	body := fmt.Sprintf(function, strings.Repeat("\t// A line.\n", edits[deepLines]), 1_000_000+edits[deepBody])
	text = strings.Replace(text, at.deepAnchor, body[1:]+at.deepAnchor, 1)
	var fields strings.Builder
	for i := range edits[exported] {
		fmt.Fprintf(&fields, " Bench%d int;", i)
	}
	text = strings.Replace(text, at.structOpen, at.structOpen+fields.String(), 1)
	return text + strings.Repeat("// A comment.\n", edits[comment]), nil
}
