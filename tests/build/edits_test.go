package build

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layers is a project with three layers: main imports mid and leaf, which import
// base.
var layers = map[string]string{
	"go.mod": "module example.com/layers\n\ngo 1.24\n",
	"main.go": `package main

import (
	"fmt"

	"example.com/layers/leaf"
	"example.com/layers/mid"
)

func main() { fmt.Println(mid.Text(), leaf.Text(), "SALT") }
`,
	"mid/mid.go":   "package mid\n\nimport \"example.com/layers/base\"\n\nfunc Text() string { return \"mid SALT \" + base.Text() }\n",
	"leaf/leaf.go": "package leaf\n\nimport \"example.com/layers/base\"\n\n//go:noinline\nfunc Text() string { return \"leaf SALT \" + base.Text() }\n",
	"base/base.go": `package base

// Text is not inlined: its body is no part of the export data.
//
//go:noinline
func Text() string {
	return "base SALT" + suffix
}

var suffix = " one"
`,
	"README": "SALT",
}

const layersEnv = "env.CGO_ENABLED = \"0\";"

// An edit builds what it changes and nothing else, in both modes.
func TestEdits(t *testing.T) {
	t.Parallel()
	base := []string{"example.com-layers-base"}
	link := []string{"go-program", "program"}
	importers := []string{"example.com-layers", "example.com-layers-leaf", "example.com-layers-mid"}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, layersEnv)
			src := project(t, layers)
			first := build(t, function, src, layersEnv)
			if want := slices.Sorted(slices.Values(slices.Concat(base, link, importers))); !slices.Equal(first.compiled(), want) {
				t.Fatalf("the first build built %q, want %q", first.compiled(), want)
			}
			before := first.run(t, "layers")
			steps := []struct {
				name           string
				file, old, new string
				want           [][]string
				prints         string // a part of the program's output
			}{
				{"nothing", "README", "", "", nil, ""},
				{"a file of no package", "README", "SALT", "other", nil, ""},
				{"a comment at a file's end", "base/base.go", "\" one\"\n", "\" one\"\n// The end.\n", [][]string{base}, ""},
				{"a body, lines unmoved", "base/base.go", "return \"base", "return \"BASE", [][]string{base, link}, "base=BASE"},
				{"a leaf", "leaf/leaf.go", "\"leaf", "\"LEAF", [][]string{{"example.com-layers-leaf"}, link}, "leaf=LEAF"},
				{"an exported name", "base/base.go", "var suffix", "type New struct{}\n\nvar suffix", [][]string{base, importers}, ""},
			}
			for _, step := range steps {
				t.Run(step.name, func(t *testing.T) {
					if step.old == "SALT" {
						write(t, filepath.Join(src, step.file), step.new)
					} else if step.old != "" {
						edit(t, filepath.Join(src, step.file), step.old, step.new)
					}
					r := build(t, function, src, layersEnv)
					got := r.compiled()
					want := slices.Sorted(slices.Values(slices.Concat(step.want...)))
					if step.name == "an exported name" {
						// The compiler decides whether the outputs of importers change.
						got = slices.DeleteFunc(got, func(n string) bool { return slices.Contains(link, n) || slices.Contains(importers, n) })
						want = base
					}
					if !slices.Equal(got, want) {
						t.Errorf("built %q, want %q", got, want)
					}
					if old, new, ok := strings.Cut(step.prints, "="); ok {
						before = strings.ReplaceAll(before, old, new)
					}
					if out := r.run(t, "layers"); out != before {
						t.Errorf("prints %q, want %q", out, before)
					}
				})
			}
		})
	}
}

// After a build in one mode, the other mode compiles nothing.
func TestModesShare(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"buildWithIFD", "buildWithDynDrv"}, {"buildWithDynDrv", "buildWithIFD"}} {
		t.Run(order[0]+" first", func(t *testing.T) {
			src := project(t, layers)
			first := build(t, order[0], src, layersEnv)
			if len(first.compiled()) == 0 {
				t.Fatal("the first build built nothing: the test shows nothing")
			}
			second := build(t, order[1], src, layersEnv)
			if c := second.compiled(); len(c) > 0 {
				t.Errorf("the second mode built %q", c)
			}
			if first.path != second.path {
				t.Errorf("%s and %s are not the same", first.path, second.path)
			}
		})
	}
}

// Sources in the store behave as a local path.
func TestSourceInStore(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, layers)
			build(t, function, src, layersEnv)
			stored := "builtins.path { path = " + src + "; name = \"another-name\"; }"
			if c := build(t, function, stored, layersEnv).compiled(); len(c) > 0 {
				t.Errorf("the tree in the store built %q", c)
			}
		})
	}
}

// After a module was added, no package of the other modules is built.
func TestModuleAdded(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":                           "module example.com/more\n\ngo 1.24\n\nrequire example.org/one v1.0.0\n",
		"main.go":                          "package main\n\nimport \"example.org/one\"\n\nfunc main() { println(one.Text()) }\n",
		"vendor/modules.txt":               "# example.org/one v1.0.0\n## explicit; go 1.24\nexample.org/one\n",
		"vendor/example.org/one/one.go":    "package one\n\nfunc Text() string { return \"one SALT\" }\n",
		"vendor/example.org/one/LICENSE":   "SALT",
		"vendor/example.org/one/sub/doc.x": "SALT",
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			first := build(t, function, src, layersEnv)
			if !slices.Contains(first.compiled(), "example.org-one") {
				t.Fatalf("built %q", first.compiled())
			}
			edit(t, filepath.Join(src, "go.mod"), "require example.org/one v1.0.0", "require (\n\texample.org/one v1.0.0\n\texample.org/one/two v1.0.0\n)")
			write(t, filepath.Join(src, "vendor/modules.txt"), "# example.org/one v1.0.0\n## explicit; go 1.24\nexample.org/one\n# example.org/one/two v1.0.0\n## explicit; go 1.24\nexample.org/one/two\n")
			write(t, filepath.Join(src, "vendor/example.org/one/two/two.go"), salted(t, "package two\n\nfunc Text() string { return \"two SALT\" }\n"))
			edit(t, filepath.Join(src, "main.go"), "import \"example.org/one\"", "import (\n\t\"example.org/one\"\n\t\"example.org/one/two\"\n)")
			edit(t, filepath.Join(src, "main.go"), "println(one.Text())", "println(one.Text(), two.Text())")
			got := build(t, function, src, layersEnv).compiled()
			if want := []string{"example.com-more", "example.org-one-two", "go-program", "program"}; !slices.Equal(got, want) {
				t.Errorf("built %q, want %q", got, want)
			}
		})
	}
}

// planned is a project for tests of planning, with an embedded file and C. Its header is
// new in every run, so that there is no plan yet.
var planned = map[string]string{
	"go.mod":      "module example.com/planned\n\ngo 1.24\n",
	"main.go":     "// SALT\npackage main\n\nimport (\n\t_ \"embed\"\n\n\t\"example.com/planned/c\"\n)\n\n//go:embed data/text\nvar text string\n\nfunc main() { println(text, c.Seven(), \"SALT\") }\n",
	"data/text":   "embedded",
	"c/c.go":      "package c\n\n// #cgo CFLAGS: -DSEVEN=7\n// int seven(void);\nimport \"C\"\n\nfunc Seven() int { return int(C.seven()) }\n",
	"c/seven.c":   "int seven(void) { return SEVEN; }\n",
	"c/unused.go": "package c\n",
}

// references returns the store paths that the output of an expression refers to, as
// lines.
func references(t *testing.T, expression string) string {
	t.Helper()
	refs := related(t, instantiate(t, expression), "--references")
	if !strings.Contains(refs, "dgd-plan") {
		t.Fatalf("the references are %s", refs)
	}
	return refs
}

// Only edits that may change the script of `go build -n` run the plan again.
func TestPlanStays(t *testing.T) {
	t.Parallel()
	const args = "env.CGO_ENABLED = \"1\";"
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, args)
			src := project(t, planned)
			r := build(t, function, src, args)
			if !slices.Contains(r.built, "plan") || !slices.Contains(r.built, "skeleton") {
				t.Fatalf("the first build built %q", r.built)
			}
			if refs := references(t, "("+expression(t, function, src, args)+").plan"); strings.Contains(refs, "-project\n") {
				t.Errorf("the plan depends on the sources themselves:\n%s", refs)
			}
			before := r.run(t, "planned")
			for _, step := range []struct {
				name     string
				change   func()
				plans    bool
				old, new string // parts of the program's output before and after
			}{
				{"a body", func() { edit(t, filepath.Join(src, "main.go"), "println(text", "println(\"edited\", text") }, false, "embedded", "edited embedded"},
				{"an embedded file", func() { write(t, filepath.Join(src, "data/text"), "other") }, false, "embedded", "other"},
				{"C", func() { edit(t, filepath.Join(src, "c/seven.c"), "return SEVEN", "return SEVEN * 10") }, false, " 7 ", " 70 "},
				{"a comment behind the imports", func() { edit(t, filepath.Join(src, "c/c.go"), "\nfunc Seven", "\n// Seven is 7.\nfunc Seven") }, false, "", ""},
				{"an import", func() {
					edit(t, filepath.Join(src, "c/unused.go"), "package c\n", "package c\n\nimport _ \"errors\"\n")
				}, true, "", ""},
				{"a file", func() { write(t, filepath.Join(src, "c/another.go"), "package c\n") }, true, "", ""},
				{"a #cgo line", func() { edit(t, filepath.Join(src, "c/c.go"), "SEVEN=7", "SEVEN=8") }, true, " 70 ", " 80 "},
				{"the link that nix-build leaves", func() { relink(t, filepath.Join(src, "result"), "/nix/store/a-result") }, true, "", ""},
				{"the link after another build", func() { relink(t, filepath.Join(src, "result"), "/nix/store/another-result") }, false, "", ""},
				{"an embed line", func() { edit(t, filepath.Join(src, "main.go"), "data/text", "data/tex?") }, true, "", ""},
			} {
				step.change()
				r := build(t, function, src, args)
				if got := slices.Contains(r.built, "plan"); got != step.plans {
					t.Errorf("%s: it plans again: %v, want %v", step.name, got, step.plans)
				}
				before = strings.ReplaceAll(before, step.old, step.new)
				if out := r.run(t, "planned"); out != before {
					t.Errorf("%s: it prints %q, want %q", step.name, out, before)
				}
			}
		})
	}
}

// relink replaces a symlink.
func relink(t *testing.T, name, target string) {
	t.Helper()
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// An edit in another module of the sources, of a workspace or a replacement by a
// directory, builds only what it changes.
func TestModuleEdits(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"app/main.go":    "package main\n\nimport (\n\t\"example.com/lib/mid\"\n\t\"example.com/base\"\n)\n\nfunc main() { println(mid.Text(), base.Text(), \"SALT\") }\n",
		"lib/go.mod":     "module example.com/lib\n\ngo 1.24\n",
		"lib/mid/x.go":   "package mid\n\nimport \"example.com/base\"\n\n//go:noinline\nfunc Text() string { return \"mid SALT \" + base.Text() }\n",
		"lib/other/x.go": "package other\n",
		"base/go.mod":    "module example.com/base\n\ngo 1.24\n",
		"base/base.go":   "package base\n\n//go:noinline\nfunc Text() string { return \"base SALT\" }\n",
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		args  string
	}{
		{"workspace", map[string]string{
			"go.work":    "go 1.24\n\nuse (\n\t./app\n\t./base\n\t./lib\n)\n",
			"app/go.mod": "module example.com/app\n\ngo 1.24\n",
		}, `subPackage = "app";`},
		{"replacement", map[string]string{
			"app/go.mod": "module example.com/app\n\ngo 1.24\n\nrequire (\n\texample.com/base v1.0.0\n\texample.com/lib v1.0.0\n)\n\nreplace (\n\texample.com/base => ../base\n\texample.com/lib => ../lib\n)\n",
		}, `modRoot = "app";`},
	} {
		for mode, function := range modes {
			t.Run(test.name+" "+mode, func(t *testing.T) {
				args := layersEnv + test.args
				warmUp(t, layersEnv)
				all := maps.Clone(files)
				maps.Copy(all, test.files)
				src := project(t, all)
				first := build(t, function, src, args)
				want := []string{"example.com-app", "example.com-base", "example.com-lib-mid", "go-program", "program"}
				if !slices.Equal(first.compiled(), want) {
					t.Fatalf("the first build built %q, want %q", first.compiled(), want)
				}
				before := first.run(t, "app")
				edit(t, filepath.Join(src, "base/base.go"), "\"base", "\"BASE")
				second := build(t, function, src, args)
				if want := []string{"example.com-base", "go-program", "program"}; !slices.Equal(second.compiled(), want) {
					t.Errorf("an edit in a function built %q, want %q", second.compiled(), want)
				}
				if out, want := second.run(t, "app"), strings.ReplaceAll(before, "base", "BASE"); out != want {
					t.Errorf("prints %q, want %q", out, want)
				}
				edit(t, filepath.Join(src, "lib/other/x.go"), "package other", "package other // edited")
				if c := build(t, function, src, args).compiled(); len(c) > 0 {
					t.Errorf("an edit in a package that the program does not have built %q", c)
				}
			})
		}
	}
}
