package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dgd/bench/internal/project"
)

// A program is what scenarios build.
type program struct {
	name       string
	src        string // its source, which is never changed
	vendor     string // the fetched modules on disk, or empty
	modules    string // the same as a store path
	vendorHash string
	subPackage string
	tags       []string
	env        map[string]string
	compiler   []string // the C compiler's environment, where there is one
	edits      places
	bump       *bump
	packages   int // the standard library's included
	revision   int // what -X gives a variable; 0: there is no such flag
}

// ldflags are those of the program beside dgd's own.
func (p *program) ldflags() string {
	if p.revision == 0 {
		return ""
	}
	return fmt.Sprintf("-X main.benchRevision=r%d", p.revision)
}

// places are where edits go.
type places struct {
	leafFile   string // in a package that main alone imports
	deepFile   string // in a package that nearly all others import
	deepAnchor string // a line above all declarations of that file
	structOpen string // the line that opens an exported struct of it
}

// A bump raises the version of one module.
type bump struct {
	module, from, to string
	sum              [2]string // the new version's two hashes in go.sum
	vendorHash       string
}

// published are the programs of tests/programs.nix that are measured; all but
// those of cPrograms are built without cgo.
var published = map[string]struct {
	edits places
	bump  *bump
}{
	"gofumpt":       {},
	"ollama":        {},
	"hugo-extended": {},
	"sql-migrate":   {},
	"caddy": {
		edits: places{
			leafFile:   "modules/standard/imports.go",
			deepFile:   "caddy.go",
			deepAnchor: "// Config is the top (or beginning) of the Caddy configuration structure.",
			structOpen: "type Config struct {",
		},
		bump: &bump{
			module:     "github.com/klauspost/compress",
			from:       "v1.20.1",
			to:         "v1.20.2",
			sum:        [2]string{"h1:v5tiZvm1KGLyg5d5oXdXe3lsSPrbEUiKoXGia//I7Qo=", "h1:LUdAzn7YLVvxLpc7y3V1m40wESHTgc1422pwwBSKYuI="},
			vendorHash: "sha256-w0vxH1PRf+4+aS5mEuPZVSY7m8svbOVzPRAj7whG4Fg=",
		},
	},
}

// Programs that scenarios use where the flags say nothing else.
const (
	small = "gofumpt"
	large = "caddy"
)

var generated = []string{"gen-1000", "gen-3000", "gen-10000"}

// program prepares a program: its source and its modules are there afterwards.
func (b *bench) program(ctx context.Context, name string) (*program, error) {
	if p, ok := b.programs[name]; ok {
		return p, nil
	}
	p, err := b.generate(name)
	if err == nil && p == nil {
		p, err = b.fetch(ctx, name)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", name, err)
	}
	if slices.Contains(cPrograms, name) {
		if p.compiler, err = b.compilerEnv(ctx, p); err != nil {
			return nil, fmt.Errorf("preparing %s: %w", name, err)
		}
	}
	b.programs[name] = p
	return p, nil
}

// cgoOf is the environment that switches cgo on or off for a program.
func cgoOf(name string) map[string]string {
	on := "0"
	if slices.Contains(cPrograms, name) {
		on = "1"
	}
	return map[string]string{"CGO_ENABLED": on}
}

// generate makes a generated program, or none where the name is not that of
// one.
func (b *bench) generate(name string) (*program, error) {
	p := &program{name: name, src: b.path(name), subPackage: ".", env: cgoOf(name)}
	var files map[string]string
	switch number, ok := strings.CutPrefix(name, "gen-"); {
	case name == project.CName:
		files = project.GenerateC()
	case ok:
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		if files, err = project.Generate(n); err != nil {
			return nil, err
		}
		p.edits = places{
			leafFile:   project.LeafFile,
			deepFile:   project.BaseFile,
			deepAnchor: project.Anchor,
			structOpen: "type Item struct {",
		}
	default:
		return nil, nil
	}
	for file, text := range files {
		if err := writeFile(filepath.Join(p.src, file), text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// fetch brings a published program into the machine's store.
func (b *bench) fetch(ctx context.Context, name string) (*program, error) {
	extra, ok := published[name]
	if !ok {
		return nil, fmt.Errorf("there is no such program: choose of %s, %s, gen-1000, gen-N, %s", small, large, strings.Join(cPrograms, ", "))
	}
	var def struct {
		VendorHash string
		SubPackage string
		Tags       []string
		Env        map[string]string
	}
	text, err := b.machine.Output(ctx, "nix-instantiate", "--eval", "--strict", "--json", "-E",
		fmt.Sprintf("(import %s/tests/programs.nix).%s", b.repo, name))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &def); err != nil {
		return nil, err
	}
	src, err := b.machine.Output(ctx, "nix-build", "--no-out-link", "-E",
		fmt.Sprintf("(import %s { }).fetchGoModule { inherit ((import %s/tests/programs.nix).%s) module version hash; }", b.repo, b.repo, name))
	if err != nil {
		return nil, err
	}
	p := &program{
		name:       name,
		src:        b.onDisk(src),
		vendorHash: def.VendorHash,
		subPackage: def.SubPackage,
		tags:       def.Tags,
		env:        cgoOf(name),
		edits:      extra.edits,
		bump:       extra.bump,
	}
	if p.modules, err = b.machine.Output(ctx, "nix-build", "--no-out-link", "-E", b.expression(p, p.src), "-A", "goModules"); err != nil {
		return nil, err
	}
	p.vendor = b.onDisk(p.modules)
	return p, nil
}

// expression is the Nix text of the attribute set of bench.nix for a program
// with its source in src.
func (b *bench) expression(p *program, src string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "import %s/bench/bench.nix { src = %s; subPackage = %q; contentAddressed = %t; env = {", b.repo, src, p.subPackage, !b.opt.inputAddressed)
	for name, value := range p.env {
		fmt.Fprintf(&t, " %s = %q;", name, value)
	}
	t.WriteString(" };")
	if p.vendorHash != "" {
		fmt.Fprintf(&t, " vendorHash = %q;", p.vendorHash)
	}
	t.WriteString(" tags = [")
	for _, tag := range p.tags {
		fmt.Fprintf(&t, " %q", tag)
	}
	t.WriteString(" ];")
	if flags := p.ldflags(); flags != "" {
		fmt.Fprintf(&t, " ldflags = [ %q ];", flags)
	}
	t.WriteString(" }")
	return t.String()
}

// writeFile writes a file and makes its directory.
func writeFile(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o666)
}
