package build

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// eight returns a project with eight packages with C++, and one without.
func eight() map[string]string {
	files := map[string]string{
		"go.mod":             "module example.com/eight\n\ngo 1.24\n",
		"include/all.h":      "// SALT\n#define ALL 1\n",
		"include/one.h":      "#define ONE 1\n",
		"include/unused.h":   "// Nobody includes it: SALT\n",
		"include/README.md":  "SALT\n",
		"leaf/leaf.go":       "// SALT\npackage leaf\n\nfunc Number() int { return 1 }\n",
		"leaf/testdata/x.md": "SALT\n",
	}
	imports, calls := "", "leaf.Number()"
	for i := range 8 {
		p := fmt.Sprintf("p%d", i)
		imports += fmt.Sprintf("\t\"example.com/eight/%s\"\n", p)
		calls += fmt.Sprintf(" + %s.Sum()", p)
		files[p+"/README.md"] = "SALT\n"
		files[p+"/cgo.go"] = strings.ReplaceAll(`// SALT
package P

// #cgo CXXFLAGS: -I${SRCDIR}/../include
// #cgo LDFLAGS: -lm
// int a_P(void);
// int b_P(void);
import "C"

func sum() int {
	return int(C.a_P()+C.b_P()) + more()
}

//export goP
func goP() C.int { return 1 }
`, "P", p)
		files[p+"/plain.go"] = "package " + p + "\n\n// Sum is in a file without C.\n//\n//go:noinline\nfunc Sum() int { return sum() }\n\nfunc more() int { return 0 }\n"
		include := "#include <all.h>\n"
		if i == 3 {
			include += "#include \"../include/one.h\"\n"
		} else {
			include += "#define ONE 1\n"
		}
		files[p+"/a.cpp"] = include + "extern \"C\" int a_" + p + "(void) { return ONE + ALL; }\n"
		files[p+"/b.cpp"] = "#include <all.h>\nextern \"C\" {\n#include \"_cgo_export.h\"\nint b_" + p + "(void) { return go" + strings.ToUpper(p[:1]) + p[1:] + "() * ALL; }\n}\n"
		files[p+"/b.cpp"] = strings.ReplaceAll(files[p+"/b.cpp"], "goP"+p[1:], "go"+p)
		files[p+"/cgo.go"] = strings.ReplaceAll(files[p+"/cgo.go"], "goP", "go"+p)
	}
	files["main.go"] = "package main\n\nimport (\n\t\"example.com/eight/leaf\"\n" + imports + ")\n\nfunc main() { println(" + calls + ") }\n"
	return files
}

// In a project with C++ in eight packages, an edit compiles only the C and Go that
// depends on it.
func TestCEdits(t *testing.T) {
	t.Parallel()
	const env = "env.CGO_ENABLED = \"1\";"
	object := func(parts ...string) (list []string) {
		for _, p := range parts {
			pkg, part, _ := strings.Cut(p, " ")
			list = append(list, "example.com-eight-"+pkg+"-objects-"+part)
		}
		return list
	}
	var everything []string
	for i := range 8 {
		p := fmt.Sprintf("p%d", i)
		everything = append(everything, object(p+" a.cpp", p+" b.cpp", p+" cgo")...)
	}
	ofA := func() (list []string) {
		for i := range 8 {
			list = append(list, object(fmt.Sprintf("p%d a.cpp", i), fmt.Sprintf("p%d b.cpp", i))...)
		}
		return list
	}()
	steps := []struct {
		name           string
		file, old, new string
		c              []string // the derivations of C that are built
		goes           []string // the packages whose Go is compiled; more of them if exports change
	}{
		{"a comment in a package without C", "leaf/leaf.go", "return 1 }\n", "return 1 }\n// The end.\n", nil, []string{"leaf"}},
		{"a line of Go in a file beside C", "p3/plain.go", "return 0 }", "return 00 }", nil, []string{"p3"}},
		{"a line of Go in a file with cgo", "p3/cgo.go", "+ more()", "+ more() + 0", object("p3 cgo"), []string{"p3"}},
		{"a C++ file", "p3/a.cpp", "ONE + ALL", "ONE * ALL", object("p3 a.cpp"), []string{"p3"}},
		{"a header of one file", "include/one.h", "ONE 1", "ONE 5", object("p3 a.cpp"), []string{"p3"}},
		{"a header of all", "include/all.h", "ALL 1", "ALL 2", ofA, []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"}},
		{"a header that nobody includes", "include/unused.h", "Nobody", "No one", nil, nil},
		{"a header more", "p4/new.h", "", "#error\n", nil, nil},
		{"a page beside C", "p3/README.md", "", "Other.\n", nil, nil},
		{"a page beside headers", "include/README.md", "", "Other.\n", nil, nil},
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, env)
			src := project(t, eight())
			first := build(t, function, src, env)
			if got := ofKind(first, "-objects-"); !slices.Equal(got, everything) {
				t.Fatalf("the first build compiled %q, want %q", got, everything)
			}
			for _, step := range steps {
				file := filepath.Join(src, step.file)
				if step.old == "" {
					write(t, file, salted(t, "// SALT\n")+step.new)
				} else {
					edit(t, file, step.old, step.new)
				}
				r := build(t, function, src, env)
				if got := ofKind(r, "-objects-"); !slices.Equal(got, slices.Sorted(slices.Values(step.c))) {
					t.Errorf("%s: compiled %q of C, want %q", step.name, got, step.c)
				}
				var goes []string
				for _, b := range r.compiled() {
					if rest, ok := strings.CutPrefix(b, "example.com-eight-"); ok && !strings.Contains(rest, "-") {
						goes = append(goes, rest)
					}
				}
				if !slices.Equal(goes, step.goes) {
					t.Errorf("%s: compiled %q of Go, want %q", step.name, goes, step.goes)
				}
			}
		})
	}
}

// ofKind returns the derivations of a build that have a word in their names.
func ofKind(r result, word string) []string {
	return slices.DeleteFunc(slices.Clone(r.built), func(n string) bool { return !strings.Contains(n, word) })
}

// With input-addressed derivations, too, C is compiled separately from Go, and each large
// file in a derivation of its own.
func TestCEditsInputAddressed(t *testing.T) {
	t.Parallel()
	const args = "env.CGO_ENABLED = \"1\"; contentAddressed = false;"
	files := maps.Clone(eight())
	src := project(t, files)
	build(t, "buildWithIFD", src, args)
	for _, step := range []struct {
		file, old, new string
		want           []string
	}{
		{"leaf/leaf.go", "return 1 }\n", "return 1 }\n// The end.\n", nil},
		{"p3/plain.go", "return 0 }", "return 00 }", nil},
		{"p3/a.cpp", "ONE + ALL", "ONE * ALL", []string{"example.com-eight-p3-objects-a.cpp"}},
	} {
		edit(t, filepath.Join(src, step.file), step.old, step.new)
		if got := ofKind(build(t, "buildWithIFD", src, args), "-objects-"); !slices.Equal(got, step.want) {
			t.Errorf("an edit of %s compiled %q, want %q", step.file, got, step.want)
		}
	}
}
