// Package lock is the file dgd.lock: which modules a program needs, each with
// the hash of its files. It reads and writes the format, and compares a lock
// with the go.mod and go.sum files that it was made of, as texts.
package lock

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"golang.org/x/mod/module"
)

const (
	// Name is the file's name. It lies beside go.mod, or beside go.work.
	Name = "dgd.lock"
	// Version is that of the format.
	Version = 1
)

// A Lock is what the file says.
type Lock struct {
	Main    []string // paths of the main modules, more than one in a workspace
	Modules []Module
	GoMods  *GoMods // nil if no other go.mod files are needed
}

// A Module is one that a main module needs. What a directory stands in for is
// not in a lock.
type Module struct {
	Path    string
	Version string
	// Replace is the module that stands in for it, or zero.
	Replace module.Version
	// Sum and Hash are of the files of the module, or of what replaces it:
	// the "h1:" of go.sum, and the hash of the NAR, "sha256-" and base64. Both
	// are "" if a go.mod requires it and no package of it is needed.
	Sum, Hash string
}

// Source is the module that the files are of.
func (m Module) Source() module.Version {
	if m.Replace != (module.Version{}) {
		return m.Replace
	}
	return module.Version{Path: m.Path, Version: m.Version}
}

// GoMods are the go.mod files that the go command reads of modules of which no
// other file is needed.
type GoMods struct {
	// Hash is that of the NAR of a directory with a file PATH/@v/VERSION.mod
	// for each, named as in GOMODCACHE/cache/download.
	Hash    string
	Modules []module.Version
}

// HashOf writes a SHA-256 hash as a lock has it.
func HashOf(sum [sha256.Size]byte) string {
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Format returns the file, sorted and with a line for each module.
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

func separate(b *bytes.Buffer, i int, space string) {
	if i > 0 {
		b.WriteString(",")
	}
	b.WriteString(space)
}

func end(b *bytes.Buffer, n int, text string) {
	if n == 0 {
		text = "]"
	}
	b.WriteString(text)
}

func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is a string or a number
	}
	return string(text)
}
