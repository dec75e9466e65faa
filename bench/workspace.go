package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dgd/bench/internal/nix"
	"dgd/internal/nix/nar"
	"dgd/internal/nix/ownstore"
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

// newWorkspace makes a workspace without a store and without a cache.
func (b *bench) newWorkspace(p *program) *workspace {
	w := &workspace{program: p, dir: b.unique(p.name), edits: map[string]int{}}
	copyTree(p.src, w.src())
	copyTree(p.src, w.goSrc())
	if p.vendor != "" {
		copyTree(p.vendor, filepath.Join(w.goSrc(), "vendor"))
	}
	w.render()
	return w
}

func (w *workspace) src() string   { return filepath.Join(w.dir, "src") }
func (w *workspace) goSrc() string { return filepath.Join(w.dir, "go") }

// use makes a store and a build cache the workspace's own, in place of those
// before.
func (w *workspace) use(store *nix.Store, cache string) {
	if w.store != nil && w.store != store {
		check(ownstore.Remove(w.store.Root))
	}
	if w.cache != "" && w.cache != cache {
		check(os.RemoveAll(w.cache))
	}
	w.store, w.cache = store, cache
}

// discard removes the workspace and all that belongs to it.
func (w *workspace) discard() {
	w.use(nil, "")
	check(ownstore.Remove(w.dir))
}

// mustHaveEdits ends the scenario where it is not said what to edit.
func (w *workspace) mustHaveEdits() {
	if w.program.edits.leafFile == "" {
		fail("it is not said what to edit")
	}
}

// edit makes an edit that has not been there before.
func (w *workspace) edit(kind string) {
	if kind == leafRev {
		p := *w.program
		p.revision++
		w.program = &p
		kind = leaf
	}
	w.edits[kind]++
	w.render()
}

// render writes the edited files, made of the original ones.
func (w *workspace) render() {
	at := w.program.edits
	if at.leafFile == "" {
		return
	}
	original := func(file string) string { return readFile(filepath.Join(w.program.src, file)) }
	w.put(at.leafFile, original(at.leafFile)+fmt.Sprintf(function, "", 1_000_000+w.edits[leaf]))
	w.put(at.deepFile, must(deepText(original(at.deepFile), at, w.edits)))
}

// put writes a file into both copies of the source.
func (w *workspace) put(file, text string) {
	writeFile(filepath.Join(w.src(), file), text)
	writeFile(filepath.Join(w.goSrc(), file), text)
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

// deepText edits the file of the package that nearly all import: the function
// stands above the file's own declarations, so that a line in it moves them.
func deepText(text string, at places, edits map[string]int) (string, error) {
	for _, line := range []string{at.deepAnchor, at.structOpen} {
		if strings.Count(text, line+"\n") != 1 {
			return "", fmt.Errorf("%s: %q is not there once", at.deepFile, line)
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

// copyTree copies a directory; all of the copy can be written to.
func copyTree(from, to string) {
	check(nar.Tree{Name: filepath.Base(from), Root: from}.CopyTo(to))
}

func readFile(name string) string { return string(must(os.ReadFile(name))) }

// writeFile writes a file and makes its directory.
func writeFile(name, text string) {
	check(os.MkdirAll(filepath.Dir(name), 0o777))
	check(os.WriteFile(name, []byte(text), 0o666))
}
