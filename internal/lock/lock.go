// Package lock reads and writes dgd.lock, the list of the modules that a program
// needs with the hashes of their files, and compares a lock with the texts of
// the go.mod and go.sum files that it was made from.
package lock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"golang.org/x/mod/module"
)

const (
	// Name is the name of the file, which is beside go.mod or go.work.
	Name = "dgd.lock"
	// Version is the version of the format.
	Version = 1
)

// A Lock is the contents of the file.
type Lock struct {
	Main    []string // paths of the main modules, more than one in a workspace
	Modules []Module
	GoMods  *GoMods // nil if no other go.mod files are needed
}

// A Module is a module that a main module needs. Modules that a directory
// replaces are not in a lock.
type Module struct {
	Path    string
	Version string
	// Replace is the replacement of the module, or zero.
	Replace module.Version
	// Sum and Hash are hashes of the files of the module, or of its
	// replacement: the "h1:" checksum of go.sum, and the SHA-256 of the NAR in
	// SRI form. Both are "" if go.mod requires the module but no package of it
	// is needed.
	Sum, Hash string
}

// Source returns the replacement of the module, or the module itself if it has
// none: the module that the files come from.
func (m Module) Source() module.Version {
	if m.Replace != (module.Version{}) {
		return m.Replace
	}
	return module.Version{Path: m.Path, Version: m.Version}
}

// GoMods are the go.mod files of modules of which no other file is needed.
type GoMods struct {
	// Hash is the SHA-256, in SRI form, of the NAR of a directory with a file
	// PATH/@v/VERSION.mod for each module, named as in
	// GOMODCACHE/cache/download.
	Hash    string
	Modules []module.Version
}

// Format returns the text of the file: sorted, with a line for each module.
func (l *Lock) Format() []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"version\": " + quote(Version) + ",\n  \"main\": [")
	for i, path := range slices.Sorted(slices.Values(l.Main)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(path))
	}
	b.WriteString("],\n  \"modules\": [")
	modules := slices.SortedFunc(slices.Values(l.Modules), func(a, b Module) int { return cmp.Compare(a.Path, b.Path) })
	for i, m := range modules {
		separate(&b, i, "\n    ")
		b.WriteString(`{"path": ` + quote(m.Path) + `, "version": ` + quote(m.Version))
		if r := m.Replace; r != (module.Version{}) {
			b.WriteString(`, "replace": {"path": ` + quote(r.Path) + `, "version": ` + quote(r.Version) + `}`)
		}
		if m.Hash != "" {
			b.WriteString(`, "sum": ` + quote(m.Sum) + `, "hash": ` + quote(m.Hash))
		}
		b.WriteString("}")
	}
	end(&b, len(modules), "\n  ]")
	if l.GoMods != nil {
		b.WriteString(",\n  \"goMods\": {\n    \"hash\": " + quote(l.GoMods.Hash) + ",\n    \"modules\": [")
		var names []string
		for _, m := range l.GoMods.Modules {
			names = append(names, m.String())
		}
		slices.Sort(names)
		for i, name := range names {
			separate(&b, i, "\n      ")
			b.WriteString(quote(name))
		}
		end(&b, len(names), "\n    ]")
		b.WriteString("\n  }")
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// separate writes what comes before element i of a JSON array.
func separate(b *bytes.Buffer, i int, space string) {
	if i > 0 {
		b.WriteString(",")
	}
	b.WriteString(space)
}

// end writes the end of a JSON array of n elements.
func end(b *bytes.Buffer, n int, text string) {
	if n == 0 {
		text = "]"
	}
	b.WriteString(text)
}

// quote returns the JSON of a string or a number.
func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is a string or a number
	}
	return string(text)
}
