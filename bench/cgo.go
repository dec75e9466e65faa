package main

import (
	"fmt"
	"path/filepath"

	"dgd/bench/internal/project"
)

// A cEdit is an edit of a program with C: a line more at the end of a file, which
// is there afterwards.
type cEdit struct {
	name string
	file string
	text string // the line, with a verb for a number that makes it new
	none bool   // no C is compiled
}

const (
	goLine = "\nvar benchEdit%[1]d = %[1]d\n"
	cLine  = "\nstatic const int bench_edit_%[1]d = %[1]d;\n"
	remark = "\n// Edit %d.\n"
)

// Programs with C: a small generated one, and published ones: C++ of its own in
// seven packages, C++ in a third-party package, one C file of SQLite.
var cPrograms = []string{project.CName, "ollama", "hugo-extended", "sql-migrate"}

var cEdits = map[string][]cEdit{
	project.CName: {
		{"comment", "leaf/leaf.go", remark, true},
		{"go", "p3/plain.go", goLine, true},
		{"cpp", "p3/a.cpp", cLine, false},
		{"header", "include/unused.h", cLine, true},
		{"page", "p3/README.md", remark, true},
	},
	"ollama": {
		{"comment", "fs/ggml/ggml.go", remark, true},
		{"go", "llama/llama.cpp/src/llama.go", goLine, false}, // cgo's own C is another one
		{"go-ggml", "ml/backend/ggml/ggml/src/ggml.go", goLine, false},
		{"cpp", "llama/llama.cpp/src/llama-graph.cpp", cLine, false},
		{"page", "llama/README.md", remark, true},
	},
}

// cgoEdits measures edits of a program with C, each as a record of its own.
func cgoEdits(m *measurement) {
	edits := cEdits[m.name]
	if edits == nil {
		fail("it is not said what to edit")
	}
	w := m.warmed(m.name)
	n := 0
	m.paired(w, func(mode string, i int) {
		for _, e := range edits {
			n++
			w.put(e.file, readFile(filepath.Join(w.src(), e.file))+fmt.Sprintf(e.text, n))
			s := m.of(w, "cgo-edit "+e.name, mode, goBuild)
			m.pair(w, s, i)
			s.must(!e.none || s.Counts["c"] == 0, "C was compiled")
			s.must(e.name != "cpp" || s.Counts["c"] == 1, "not exactly one derivation compiled C")
		}
	})
}
