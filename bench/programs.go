package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
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
	compiler   []string // the C compiler's environment, where there is one
	edits      places
	bump       *bump
	packages   int  // the standard library's included
	based      bool // whether the base store has its source and modules
	withC      bool // whether cgo is on
	revision   int  // what -X gives a variable; 0: there is no such flag
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

// published are the programs of tests/programs.nix that are measured, with cgo
// where that file says that they contain C.
var published = map[string]program{
	small:           {},
	"k9s":           {},
	"ollama":        {},
	"hugo-extended": {},
	"sql-migrate":   {},
	large: {
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

// programNames are the names that a program can have, for people.
var programNames = strings.Join(append([]string{small, large, "k9s", "gen-1000", "gen-N"}, cPrograms...), ", ")

// program prepares a program: its source and its modules are there afterwards.
func (b *bench) program(name string) *program {
	if p, ok := b.programs[name]; ok {
		return p
	}
	p, ok := published[name]
	p.name, p.src, p.subPackage = name, b.path(name), "."
	switch number, isNumber := strings.CutPrefix(name, "gen-"); {
	case ok:
		b.fetch(&p)
	case name == project.CName:
		p.withC = true
		p.write(project.GenerateC())
	case isNumber:
		p.write(must(project.Generate(must(strconv.Atoi(number)))))
		p.edits = places{leafFile: project.LeafFile, deepFile: project.BaseFile, deepAnchor: project.Anchor, structOpen: "type Item struct {"}
	default:
		fail("there is no such program: choose of %s", programNames)
	}
	if p.withC {
		text := readFile(b.onDisk(b.built(b.expression(&p, p.src, ""), "cgoEnv")))
		p.compiler = strings.FieldsFunc(text, func(r rune) bool { return r == 0 })
	}
	b.programs[name] = &p
	return &p
}

// write writes the source of a generated program.
func (p *program) write(files map[string]string) {
	for file, text := range files {
		writeFile(filepath.Join(p.src, file), text)
	}
}

// fetch brings a published program into the machine's store.
func (b *bench) fetch(p *program) {
	var def struct {
		VendorHash, SubPackage string
		Tags                   []string
		Cgo                    bool
	}
	definition := fmt.Sprintf("(import %s/tests/programs.nix).%s", b.repo, p.name)
	text := must(b.machine.Output(b.ctx, "nix-instantiate", "--eval", "--strict", "--json", "-E", definition))
	check(json.Unmarshal([]byte(text), &def))
	p.vendorHash, p.subPackage, p.tags, p.withC = def.VendorHash, def.SubPackage, def.Tags, def.Cgo
	src := fmt.Sprintf("{ src = (import %s { }).fetchGoModule { inherit (%s) module version hash; }; }", b.repo, definition)
	p.src = b.onDisk(b.built(src, "src"))
	b.fetchModules(p)
}

// fetchModules brings the modules of a program into the machine's store.
func (b *bench) fetchModules(p *program) {
	p.modules = b.built(b.expression(p, p.src, ""), "goModules")
	p.vendor = b.onDisk(p.modules)
}

// cgo is the value of CGO_ENABLED.
func (p *program) cgo() string {
	if p.withC {
		return "1"
	}
	return "0"
}

// ldflags are those of the program beside dgd's own.
func (p *program) ldflags() []string {
	if p.revision == 0 {
		return nil
	}
	return []string{fmt.Sprintf("-X main.benchRevision=r%d", p.revision)}
}

// expression is the Nix text of the attribute set of bench.nix for a program
// with its source in src, and with a vendor directory and a plan in planned.
func (b *bench) expression(p *program, src, planned string) string {
	args := struct {
		SubPackage       string            `json:"subPackage"`
		Env              map[string]string `json:"env"`
		Tags             []string          `json:"tags,omitempty"`
		Ldflags          []string          `json:"ldflags,omitempty"`
		VendorHash       string            `json:"vendorHash,omitempty"`
		ContentAddressed bool              `json:"contentAddressed"`
		Planned          string            `json:"planned,omitempty"`
	}{p.subPackage, map[string]string{"CGO_ENABLED": p.cgo()}, p.tags, p.ldflags(), p.vendorHash, !b.opt.inputAddressed, planned}
	return fmt.Sprintf("import %s/bench/bench.nix ({ src = %s; } // builtins.fromJSON ''%s'')", b.repo, src, must(json.Marshal(args)))
}
