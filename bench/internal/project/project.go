// Package project generates Go projects of any number of packages, always the
// same for a number: what a build costs as a project grows is measured on them.
package project

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Files of a project that the bench edits.
const (
	BaseFile = "base/base.go"          // of the package that all others import
	LeafFile = "layer9/p0000/thing.go" // of a package that main alone imports
)

// Anchor is a line of BaseFile above everything that it declares.
const Anchor = "// A Item is what the packages hand to each other."

const (
	module = "example.com/generated"
	layers = 10
)

// std are the packages of the standard library that generated packages use,
// each with an expression of type string of an Item named it.
var std = []struct{ path, use string }{
	{"bytes", `string(bytes.TrimSpace([]byte(it.Name)))`},
	{"errors", `errors.New(it.Name).Error()`},
	{"fmt", `fmt.Sprint(it.Number)`},
	{"path", `path.Base(it.Name)`},
	{"sort", `it.Name[:sort.SearchInts(it.Parts, 1)%(len(it.Name)+1)]`},
	{"strconv", `strconv.Itoa(it.Number)`},
	{"strings", `strings.ToUpper(it.Name)`},
	{"unicode/utf8", `it.Name[:utf8.RuneCountInString(it.Name)/2]`},
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
	files := map[string]string{
		"go.mod": "module " + module + "\n\ngo 1.24\n",
		BaseFile: base,
	}
	var below []string
	left := packages - 2
	for layer := range layers {
		width := left / (layers - layer)
		left -= width
		var names []string
		for i := range width {
			name := fmt.Sprintf("layer%d/p%04d", layer, i)
			names = append(names, name)
			files[name+"/thing.go"] = source(name, imports(below, i, width, random), random)
		}
		below = names
	}
	files["main.go"] = mainFile(below)
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

func ident(name string) string { return strings.ReplaceAll(name, "/", "") }

// source is the text of a package.
func source(name string, imports []string, random *rand.Rand) string {
	var b strings.Builder
	first := random.IntN(len(std))
	uses := []int{first, (first + 1 + random.IntN(len(std)-1)) % len(std)}
	slices.Sort(uses)
	id := ident(name)
	fmt.Fprintf(&b, "// Package %s is generated.\npackage %s\n\nimport (\n", id, id)
	for _, u := range uses {
		fmt.Fprintf(&b, "\t%q\n", std[u].path)
	}
	fmt.Fprintf(&b, "\n\t\"%s/base\"\n", module)
	for _, other := range imports {
		fmt.Fprintf(&b, "\t%s \"%s/%s\"\n", ident(other), module, other)
	}
	fmt.Fprintf(&b, ")\n\n")
	fmt.Fprintf(&b, shape, random.IntN(1000), random.IntN(1000), std[uses[0]].use, std[uses[1]].use)
	fmt.Fprintf(&b, "\n// Sum adds what the packages below make of a number.\nfunc Sum(n int) int {\n\tt := New(n)\n\tsum := t.Grow(n).Item.Number + len(t.Text()) + len(Names([]base.Item{t.Item}))\n")
	for _, other := range imports {
		fmt.Fprintf(&b, "\tsum += %s.New(n + %d).Grow(2).Item.Number\n", ident(other), random.IntN(100))
	}
	for _, other := range imports[:min(1, len(imports))] {
		fmt.Fprintf(&b, "\tif n > 0 {\n\t\tsum += %s.Sum(n - 1)\n\t}\n", ident(other))
	}
	b.WriteString("\treturn sum\n}\n")
	return b.String()
}

// shape is what all generated packages have, with two numbers and two
// expressions of their own.
const shape = `// A Thing is an Item with a history.
type Thing struct {
	Item    base.Item
	History []int
	byName  map[string]int
}

// New makes a Thing.
func New(n int) *Thing {
	return &Thing{
		Item:   base.Item{Name: base.Label(n), Number: n + %d, Parts: []int{n, n * 2, n * 3}},
		byName: map[string]int{},
	}
}

// Grow changes the Thing step by step.
func (t *Thing) Grow(steps int) *Thing {
	for i := range steps {
		switch {
		case i%%3 == 0:
			t.Item.Number += %d
		case i%%3 == 1:
			t.Item.Parts = append(t.Item.Parts, i)
		default:
			t.byName[t.Item.Name] = i
		}
		t.History = append(t.History, t.Item.Number)
	}
	return t
}

// Text describes the Thing.
func (t *Thing) Text() string {
	it := t.Item
	if len(it.Parts) > 3 {
		return %s
	}
	return it.Name + %s
}

// Names are the names of items, without those that have no number.
func Names(items []base.Item) []string {
	var names []string
	for _, it := range items {
		if it.Number != 0 {
			names = append(names, it.Name)
		}
	}
	return names
}
`

// base is the package that all others import.
const base = `// Package base is what all packages have in common.
package base

import "strconv"

` + Anchor + `
type Item struct {
	Name   string
	Number int
	Parts  []int
}

// Total is the sum of an Item's parts.
func (it *Item) Total() int {
	sum := 0
	for _, p := range it.Parts {
		sum += p
	}
	return sum
}

// Label names a number.
func Label(n int) string {
	if n < 0 {
		return "minus " + strconv.Itoa(-n)
	}
	return "number " + strconv.Itoa(n)
}
`

// mainFile is the text of the program.
func mainFile(top []string) string {
	var b strings.Builder
	b.WriteString("// Command generated adds what all packages say.\npackage main\n\nimport (\n\t\"fmt\"\n\n")
	for _, name := range top {
		fmt.Fprintf(&b, "\t%s \"%s/%s\"\n", ident(name), module, name)
	}
	b.WriteString(")\n\nfunc main() {\n\tsum := 0\n")
	for _, name := range top {
		fmt.Fprintf(&b, "\tsum += %s.Sum(1)\n", ident(name))
	}
	b.WriteString("\tfmt.Println(sum)\n}\n")
	return b.String()
}
