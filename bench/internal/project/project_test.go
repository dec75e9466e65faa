package project

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"strconv"
	"strings"
	"testing"
)

func TestGenerateIsTheSameEachTime(t *testing.T) {
	one, err := Generate(200)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Generate(200)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(one, two) {
		t.Error("two projects of the same size differ")
	}
}

// Every package is reached from main, has the imports that it uses, and is
// small.
func TestGenerate(t *testing.T) {
	for _, n := range []int{12, 50, 1000} {
		files, err := Generate(n)
		if err != nil {
			t.Fatal(err)
		}
		deps := map[string][]string{}
		for name, text := range files {
			if path.Ext(name) != ".go" {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			pkg := path.Dir(name)
			deps[pkg] = append(deps[pkg], local(t, file)...)
			if lines := strings.Count(text, "\n"); lines > 100 && name != "main.go" {
				t.Errorf("%s has %d lines", name, lines)
			}
		}
		if len(deps) != n {
			t.Errorf("%d packages, want %d", len(deps), n)
		}
		seen := map[string]bool{}
		var visit func(string)
		visit = func(pkg string) {
			if !seen[pkg] {
				seen[pkg] = true
				for _, d := range deps[pkg] {
					visit(d)
				}
			}
		}
		visit(".")
		if len(seen) != n {
			t.Errorf("main reaches %d packages of %d", len(seen), n)
		}
		if !strings.Contains(files[BaseFile], Anchor) || files[LeafFile] == "" {
			t.Error("the files to edit are not there")
		}
		for pkg, list := range deps {
			for _, d := range list {
				if d == path.Dir(LeafFile) && pkg != "." {
					t.Errorf("%s imports %s, which is main's alone", pkg, d)
				}
			}
		}
	}
	if _, err := Generate(3); err == nil {
		t.Error("a project of three packages is no error")
	}
}

func local(t *testing.T, file *ast.File) []string {
	t.Helper()
	var list []string
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(p, "example.com/generated/"); ok {
			list = append(list, rest)
		}
	}
	return list
}
