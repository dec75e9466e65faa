package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dgd/bench/internal/project"
	"dgd/bench/internal/record"
)

// A cEdit is an edit of a program with C: a line more at the end of a file, which
// is there afterwards.
type cEdit struct {
	name string
	file string
	text func(n int) string // the line, another one for each n
	none bool               // no C is compiled
}

func goLine(n int) string { return fmt.Sprintf("\nvar benchEdit%d = %d\n", n, n) }
func cLine(n int) string  { return fmt.Sprintf("\nstatic const int bench_edit_%d = %d;\n", n, n) }
func remark(n int) string { return fmt.Sprintf("\n// Edit %d.\n", n) }

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
func cgoEdits(ctx context.Context, b *bench, name string) ([]record.Record, error) {
	edits := cEdits[name]
	if edits == nil {
		return nil, fmt.Errorf("%s: it is not said what to edit", name)
	}
	w, err := b.warmed(ctx, name)
	if err != nil {
		return nil, err
	}
	var list []record.Record
	n := 0
	for _, mode := range b.opt.modes {
		if err := b.settle(ctx, w, mode); err != nil {
			return nil, err
		}
		for _, e := range edits {
			s := &samples{}
			for i := range b.opt.runs {
				n++
				if err := w.append(e.file, e.text(n)); err != nil {
					return nil, err
				}
				if _, err := b.pair(ctx, w, mode, i%2 == 1, s); err != nil {
					return nil, err
				}
				s.must(!e.none || s.counts["c"] == 0, "C was compiled")
				s.must(e.name != "cpp" || s.counts["c"] == 1, "not exactly one derivation compiled C")
			}
			list = append(list, b.record("cgo-edit "+e.name, w.program, mode, goBuild, s))
		}
	}
	return list, nil
}

// append puts text behind a file in both copies of the source.
func (w *workspace) append(file, text string) error {
	for _, src := range []string{w.src(), w.goSrc()} {
		f, err := os.OpenFile(filepath.Join(src, file), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// compilerEnv is the C compiler's environment as dgd's derivations have it: the
// go command gets the same.
func (b *bench) compilerEnv(ctx context.Context, p *program) ([]string, error) {
	file, err := b.machine.Output(ctx, "nix-build", "--no-out-link", "-E", b.expression(p, p.src), "-A", "cgoEnv")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(b.onDisk(file))
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 }), nil
}
