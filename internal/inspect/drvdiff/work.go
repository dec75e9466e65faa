package drvdiff

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/nar"
)

// work is the part of a derivation that the executor reads.
type work struct {
	units []action.Unit
	vars  action.Vars // the values of the derivation's variables
	kind  kind
	names []string // the import paths of the units, sorted; for archives, those of the packages
}

// A kind is the kind of a derivation's outputs.
type kind string

const (
	packages kind = "package" // one package or several
	link     kind = "link"
	test     kind = "test"
	file     kind = "file"
	archives kind = "archives" // symlinks to the archives of many packages
	result   kind = "result"   // joins programs, tests, or both
)

// readWork returns the work of a derivation.
func readWork(d *drvfile.Derivation) (*work, error) {
	w := &work{}
	if err := json.Unmarshal([]byte(d.Env["vars"]), &w.vars); err != nil {
		return nil, fmt.Errorf("reading its vars: %w", err)
	}
	if _, isFile := d.Env["specPath"]; isFile {
		// A part of the standard library, or a long spec. See closure.readSpecs.
		w.units = []action.Unit{{Name: d.Env["name"], Vars: action.Vars{"ARCHIVE": "${out}"}}}
		w.kind, w.names = packages, []string{d.Env["name"]}
		return w, nil
	}
	return w, w.read(d.Env["spec"])
}

// read sets the units, the kind and the names from a spec.
func (w *work) read(text string) error {
	var spec action.Spec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return fmt.Errorf("reading its spec: %w", err)
	}
	if w.units = spec.Units; len(w.units) == 0 {
		return errors.New("its spec is empty")
	}
	w.names = nil
	w.kind = result
	for name, k := range map[string]kind{"ARCHIVE": packages, "PROGRAM": link, "RESULT": test, "FILE": file} {
		if _, ok := w.units[0].Vars[name]; ok {
			w.kind = k
		}
	}
	if w.kind == result && w.units[0].Name == "archives" {
		w.kind = archives
		for _, s := range w.units[0].Sources {
			w.names = append(w.names, strings.TrimSuffix(strings.TrimPrefix(s.At, "${out}/"), "@.a"))
		}
	} else {
		for _, u := range w.units {
			w.names = append(w.names, u.Name)
		}
	}
	slices.Sort(w.names)
	return nil
}

// isStd reports whether the derivation compiles a part of the standard library.
func (n *node) isStd() bool {
	if n.kind != packages {
		return false
	}
	for _, u := range n.units {
		if len(u.Sources) > 0 {
			return false
		}
	}
	return true
}

// label returns the name of the node for people.
func (n *node) label() string {
	if n.role != inner {
		return strings.TrimSuffix(storeName(n.path), ".drv")
	}
	name := n.units[0].Name
	switch n.kind {
	case link:
		return "link of " + name
	case test:
		return "tests of " + name
	case file:
		return "file for " + name
	case archives:
		return fmt.Sprintf("archives of %s and %d more", n.names[0], len(n.names)-1)
	case result:
		return "result " + n.drv.Env["name"]
	}
	switch {
	case n.isStd() && strings.HasPrefix(n.drv.Env["name"], "std"):
		return "standard library, part " + n.drv.Env["name"]
	case len(n.units) > 1:
		return fmt.Sprintf("%s and %d more", n.names[0], len(n.names)-1)
	}
	return name
}

// version returns the version of a module, from its place below SRC or the name of
// its store path, or "" if neither has one.
func version(at, path string) string {
	if m, v, ok := strings.Cut(at, "@"); ok && m != "" {
		return v
	}
	name := storeName(path)
	dir := strings.TrimPrefix(at, "vendor/")
	if v, ok := strings.CutPrefix(name, nar.Name(dir)+"-v"); ok {
		return "v" + v
	}
	return ""
}
