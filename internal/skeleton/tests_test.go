package skeleton

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ofTest returns the kept part of a test file.
func ofTest(t *testing.T, text string) string {
	t.Helper()
	kept, ok := reduce(testFile, []byte(text), true)
	if !ok {
		t.Fatal("there is no answer for a whole file")
	}
	return string(kept)
}

func TestReduceTest(t *testing.T) {
	const text = `package p // doc

import "testing"

var x = 1 // gone

// TestA has a comment.
func TestA(t *testing.T) {
	x := "gone"
}

func (s suite) TestMethod() {}

func helper() {}

func Testify[T any](t T) {}

func FuzzF(f *testing.F) { f.Add("gone") }

func ExampleNone() {}

func ExampleOut() {
	// A comment.
	println("gone")

	// Unordered output:
	// a
	// b
}
`
	const want = `package p // doc

import "testing"
func TestA(t *testing.T) {
}
func Testify[T any](t T) {
}
func FuzzF(f *testing.F) {
}
func ExampleNone() {
}
func ExampleOut() {
// Unordered output:
	// a
	// b
}
`
	if got := ofTest(t, text); got != want {
		t.Errorf("kept is\n%s\nwant\n%s", got, want)
	}
	const wrong = "package p\n\nfunc TestA(t *testing.T) {\n"
	if got := ofTest(t, wrong); got != wrong {
		t.Errorf("of a file that does not parse, %q is kept", got)
	}
	if _, ok := reduce(testFile, []byte("package p\n"), false); ok {
		t.Error("the beginning of a test file is enough")
	}
}

// A file with a wrong signature is kept as a whole, so that the go command's message
// has the right line.
func TestWrongSignature(t *testing.T) {
	for signature, wrong := range map[string]bool{
		"TestA(t *testing.T)":        false,
		"TestA(*testing.T)":          false,
		"TestA(t *T)":                false,
		"Test(t *testing.T)":         false,
		"TestMain(m *testing.M)":     false,
		"TestMain(t *testing.T)":     false,
		"BenchmarkA(b *testing.B)":   false,
		"FuzzA(f *testing.F)":        false,
		"Testify(x int)":             false,
		"ExampleA()":                 false,
		"TestA(x int)":               true,
		"TestA()":                    true,
		"TestA(t testing.T)":         true,
		"TestA(t *testing.B)":        true,
		"TestA(t *[]int)":            true,
		"TestA(t, u *testing.T)":     true,
		"TestA(t *testing.T, x int)": true,
		"TestA(t *testing.T) error":  true,
		"TestÄ(x int)":               true,
		"TestA[X any](t *testing.T)": true,
		"TestMain(b *testing.B)":     true,
		"BenchmarkA(t *testing.T)":   true,
		"FuzzA(t *testing.T)":        true,
	} {
		text := "package p\n\nfunc TestFirst(t *testing.T) {\n\tt.Log()\n}\n\nfunc " + signature + " {}\n"
		if got := ofTest(t, text) == text; got != wrong {
			t.Errorf("%s: all is kept: %v, want %v", signature, got, wrong)
		}
	}
}

// described returns the facts that the go command takes from a test file.
func described(t *testing.T, text []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{"an error"}
	}
	var list []string
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && isTest(fn.Name.Name) {
			list = append(list, fmt.Sprintf("%s %d %s", fn.Name.Name, fn.Type.TypeParams.NumFields(), types.ExprString(fn.Type)))
		}
	}
	examples := doc.Examples(file)
	slices.SortFunc(examples, func(a, b *doc.Example) int { return a.Order - b.Order })
	for _, e := range examples {
		list = append(list, fmt.Sprintf("%s %q %v %v", e.Name, e.Output, e.Unordered, e.EmptyOutput))
	}
	return list
}

// Go's own tests give the same descriptions after the reduction.
func TestReduceGoTests(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src, err := filepath.EvalSymlinks(filepath.Join(strings.TrimSpace(string(goroot)), "src"))
	if err != nil {
		t.Fatal(err)
	}
	files, examples := 0, 0
	err = filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, "_test.go") {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		kept, _ := reduce(testFile, text, true)
		want := described(t, text)
		if got := described(t, kept); !slices.Equal(got, want) {
			t.Errorf("%s: the go command sees\n%q\nwant\n%q", p, got, want)
		}
		files++
		examples += bytes.Count(kept, []byte("utput:"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 1000 || examples < 100 {
		t.Errorf("only %d files with %d examples were compared", files, examples)
	}
}
