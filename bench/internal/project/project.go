// Package project generates Go projects of any number of packages, always the
// same for a number: what a build costs as a project grows is measured on them.
package project

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"text/template"
)

// Files of a project that the bench edits.
const (
	BaseFile = "base/base.go"          // of the package that all others import
	LeafFile = "layer9/p0000/thing.go" // of a package that main alone imports
)

// Anchor is a line of BaseFile above everything that it declares.
const Anchor = "// A Item is what the packages hand to each other."

const layers = 10

// use is a package of the standard library that generated packages use, with an
// expression of type string of an Item named it.
type use struct{ Path, Use string }

var std = []use{
	{"bytes", `string(bytes.TrimSpace([]byte(it.Name)))`},
	{"errors", `errors.New(it.Name).Error()`},
	{"fmt", `fmt.Sprint(it.Number)`},
	{"path", `path.Base(it.Name)`},
	{"sort", `it.Name[:sort.SearchInts(it.Parts, 1)%(len(it.Name)+1)]`},
	{"strconv", `strconv.Itoa(it.Number)`},
	{"strings", `strings.ToUpper(it.Name)`},
	{"unicode/utf8", `it.Name[:utf8.RuneCountInString(it.Name)/2]`},
}

//go:embed text
var files embed.FS

var texts = template.Must(template.New("").Funcs(template.FuncMap{"ident": ident}).ParseFS(files, "text/*"))

// ident is the name by which a package is imported.
func ident(path string) string { return strings.ReplaceAll(path, "/", "") }

// text is a file made of a template. One that cannot be made is a mistake in the
// template.
func text(name string, data any) string {
	var b strings.Builder
	if err := texts.ExecuteTemplate(&b, name+".tmpl", data); err != nil {
		panic(err)
	}
	return b.String()
}

// Generate returns the files of a project with the given number of packages,
// the standard library's not counted: main, base, and ten layers of others.
// Every package is linked: each has an importer in the layer above it, and main
// imports the topmost.
func Generate(packages int) (map[string]string, error) {
	if packages < layers+2 {
		return nil, fmt.Errorf("a project of %d packages: at least %d are needed", packages, layers+2)
	}
	random := rand.New(rand.NewPCG(uint64(packages), 1))
	files := map[string]string{"go.mod": "module example.com/generated\n\ngo 1.24\n", BaseFile: text("base.go", nil)}
	var below []string
	left := packages - 2
	for layer := range layers {
		width := left / (layers - layer)
		left -= width
		var names []string
		for i := range width {
			name := fmt.Sprintf("layer%d/p%04d", layer, i)
			names = append(names, name)
			files[name+"/thing.go"] = text("thing.go", newThing(name, imports(below, i, width, random), random))
		}
		below = names
	}
	files["main.go"] = text("main.go", below)
	return files, nil
}

// imports chooses what package i of a layer imports from the layer below: its
// share, so that no package stays unused, and two at random.
func imports(below []string, i, width int, random *rand.Rand) []string {
	if len(below) == 0 {
		return nil
	}
	var list []string
	for j := i; j < len(below); j += width {
		list = append(list, below[j])
	}
	for range 2 {
		list = append(list, below[random.IntN(len(below))])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// A thing is what one generated package has of its own.
type thing struct {
	Name        string
	Uses        []use
	Start, Step int
	Imports     []imported
}

type imported struct {
	Path   string
	Number int
}

func newThing(name string, imports []string, random *rand.Rand) thing {
	first := random.IntN(len(std))
	uses := []int{first, (first + 1 + random.IntN(len(std)-1)) % len(std)}
	slices.Sort(uses)
	t := thing{Name: ident(name), Uses: []use{std[uses[0]], std[uses[1]]}, Start: random.IntN(1000), Step: random.IntN(1000)}
	for _, path := range imports {
		t.Imports = append(t.Imports, imported{path, random.IntN(100)})
	}
	return t
}

// CName is the name of the project that GenerateC makes.
const CName = "cgo-8"

// GenerateC returns the files of a project of eight packages with C++, each of
// two files, and of one without.
func GenerateC() map[string]string {
	files := map[string]string{
		"go.mod":           "module example.com/cgo8\n\ngo 1.24\n",
		"include/all.h":    "#define ALL 1\n",
		"include/unused.h": "\n",
		"leaf/leaf.go":     "package leaf\n\nfunc Number() int { return 1 }\n",
	}
	var names []string
	for i := range 8 {
		p := fmt.Sprintf("p%d", i)
		names = append(names, p)
		files[p+"/README.md"] = p + "\n"
		files[p+"/plain.go"] = "package " + p + "\n\n// Sum is in a file without C.\nfunc Sum() int { return sum() }\n"
		files[p+"/cgo.go"] = text("cgo.go", p)
		for _, file := range []string{"a", "b"} {
			files[p+"/"+file+".cpp"] = text("file.cpp", map[string]string{"Package": p, "File": file})
		}
	}
	files["main.go"] = text("cgo-main.go", names)
	return files
}
