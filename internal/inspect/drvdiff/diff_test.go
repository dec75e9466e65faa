package drvdiff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/store"
	"dgd/internal/testfiles"
)

// memory is a store in memory: derivations and their outputs.
type memory struct {
	drvs    map[string]*drvfile.Derivation
	outputs map[string]map[string]string
	made    map[string]string // derivers by outputs
	root    string
}

func newMemory(t *testing.T) *memory {
	return &memory{drvs: map[string]*drvfile.Derivation{}, outputs: map[string]map[string]string{}, made: map[string]string{}, root: t.TempDir()}
}

func (m *memory) Derivations(_ context.Context, drvs []string) (map[string]*drvfile.Derivation, error) {
	found := map[string]*drvfile.Derivation{}
	for _, drv := range drvs {
		if d := m.drvs[drv]; d != nil {
			found[drv] = d
		}
	}
	return found, nil
}

func (m *memory) Outputs(_ context.Context, drvs []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	for _, drv := range drvs {
		if o := m.outputs[drv]; o != nil {
			found[drv] = o
		}
	}
	return found, nil
}

func (m *memory) Derivers(context.Context, []string) (map[string]string, error) { return m.made, nil }

// Files returns the files of a store path, which are below root on disk.
func (m *memory) Files(_ context.Context, path string) (map[string]store.File, error) {
	list := map[string]store.File{}
	top := filepath.Join(m.root, path)
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var text []byte
		if d.Type() == fs.ModeSymlink {
			target, e := os.Readlink(file)
			text, err = []byte(target), e
		} else {
			text, err = os.ReadFile(file)
		}
		name, relErr := filepath.Rel(top, file)
		list[name] = store.File{Mode: info.Mode().Type() | info.Mode()&0o111, Text: text}
		return errors.Join(err, relErr)
	})
	return list, err
}

// storePath returns a store path whose hash consists of one letter.
func storePath(letter, name string) string {
	return "/nix/store/" + strings.Repeat(letter, 32) + "-" + name
}

// add adds a content-addressed derivation of the executor. refs are the outputs that
// it refers to, as DRV!OUTPUT; built is the path of its own output, or empty.
func (m *memory) add(t *testing.T, letter string, unit action.Unit, vars map[string]string, refs []string, built string) string {
	t.Helper()
	return m.addAll(t, letter, unit.Name, []action.Unit{unit}, vars, refs, built)
}

// addAll adds a derivation with several units.
func (m *memory) addAll(t *testing.T, letter, name string, units []action.Unit, vars map[string]string, refs []string, built string) string {
	t.Helper()
	drv := storePath(letter, name+".drv")
	d := &drvfile.Derivation{
		Outputs: map[string]drvfile.Output{"out": {Algo: "r:sha256"}},
		Inputs:  map[string][]string{},
		System:  "x86_64-linux", Builder: storePath("b", "dgd-exec") + "/bin/dgd-exec",
	}
	all := map[string]string{"GOROOT": storePath("g", "go-1.26")}
	for k, v := range vars {
		all[k] = v
		d.Sources = append(d.Sources, v)
	}
	for i, ref := range refs {
		to, output, _ := strings.Cut(ref, "!")
		d.Inputs[to] = append(d.Inputs[to], output)
		all[fmt.Sprintf("V%d", i)] = drvfile.InputPlaceholder(to, output)
	}
	spec, err := json.Marshal(action.Spec{Units: units})
	if err != nil {
		t.Fatal(err)
	}
	values, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	d.Env = map[string]string{"name": name, "spec": string(spec), "vars": string(values)}
	m.drvs[drv] = d
	if built != "" {
		m.outputs[drv] = map[string]string{"out": built}
	}
	return drv
}

func pkg(name string, args ...string) action.Unit {
	return action.Unit{Name: name, Vars: action.Vars{"ARCHIVE": "${out}", "R0": "${V0}"}, Steps: []action.Step{{Run: &action.Run{Args: append([]string{"${GOROOT}/compile"}, args...)}}}}
}

// differing returns the pairs of a report that differ, each with its causes, the
// dependencies that make it differ, and the roots of these.
func differing(r *Report) (list []string) {
	for _, p := range r.Differ {
		text := p.Name
		for _, c := range p.Causes {
			text += ": " + c.String()
		}
		if len(p.Because) > 0 {
			text += " because of " + strings.Join(p.Because, " ")
		}
		if len(p.Roots) > 0 {
			text += ", roots " + strings.Join(p.Roots, " ")
		}
		list = append(list, text)
	}
	return list
}

// A spec that is a file of its own is compared as one in the derivation. If the file was
// removed, the derivation is compared as a whole.
func TestSpecFiles(t *testing.T) {
	m := newMemory(t)
	inFile := func(drv, file string, remove bool) string {
		d := m.drvs[drv]
		if !remove {
			name := filepath.Join(m.root, file)
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(d.Env["spec"]), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		delete(d.Env, "spec")
		d.Env["specPath"], d.Env["passAsFile"] = file, "vars"
		d.Sources = append(d.Sources, file)
		return drv
	}
	a1 := m.add(t, "1", pkg("a", "-p", "a"), nil, nil, "")
	m.drvs[a1].Env["passAsFile"] = "spec vars"
	a2 := inFile(m.add(t, "2", pkg("a", "-p", "a"), nil, nil, ""), storePath("6", "a-spec"), false)
	a3 := inFile(m.add(t, "3", pkg("a", "-p", "a", "-N"), nil, nil, ""), storePath("7", "a-spec"), false)
	a4 := inFile(m.add(t, "4", pkg("a", "-p", "a", "-N"), nil, nil, ""), storePath("8", "a-spec"), true)
	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{"the same", a1, a2, nil},
		{"a flag", a1, a3, []string{"a: flag -N is new"}},
		{"a flag, in files", a2, a3, []string{"a: flag -N is new"}},
		{"removed", a4, a4, nil},
	} {
		r, err := Compare(t.Context(), m, test.old, test.new)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := differing(r)
		if !slices.Equal(got, test.want) || len(r.OnlyOld)+len(r.OnlyNew) > 0 {
			t.Errorf("%s: %q, want %q; %v, %v", test.name, got, test.want, r.OnlyOld, r.OnlyNew)
		}
	}
}

// Derivations are compared by the outputs of their inputs, not by the inputs' paths.
func TestCompare(t *testing.T) {
	m := newMemory(t)
	a1 := m.add(t, "1", pkg("a", "-p", "a"), nil, nil, storePath("0", "a"))
	a2 := m.add(t, "2", pkg("a", "-p", "a", "-N"), nil, nil, storePath("0", "a"))
	a3 := m.add(t, "3", pkg("a", "-p", "a", "-l"), nil, nil, storePath("3", "a"))
	a4 := m.add(t, "4", pkg("a", "-p", "a", "-l=4"), nil, nil, "")
	b := func(letter, a string, args ...string) string {
		return m.add(t, letter, pkg("b", append([]string{"-p", "b"}, args...)...), nil, []string{a + "!out"}, "")
	}
	c := func(letter, a, b string) string {
		return m.add(t, letter, pkg("c", "-p", "c"), nil, []string{b + "!out", a + "!out"}, "")
	}
	b1, b2, b3, b4 := b("5", a1), b("6", a2), b("7", a3), b("8", a4)
	b5 := b("d", m.add(t, "e", pkg("a", "-p", "a"), nil, nil, ""))
	for _, test := range []struct {
		name, old, new string
		want           []string
		common         int
		unbuilt        int
	}{
		{"the same", b1, b1, nil, 2, 0},
		{"the same output of another input", b1, b2, []string{"a: flag -N is new"}, 1, 0},
		{"another output", b1, b3, []string{"a: flag -l is new", "b because of a, roots a"}, 0, 0},
		{"not built", b1, b4, []string{"a: flag -l=4 is new", "b because of a, roots a"}, 0, 1},
		{"the same input, not built", b1, b5, nil, 2, 0},
		{"the same input, not built before", b5, b1, nil, 2, 0},
		{"a chain", c("9", a1, b1), c("a", a3, b3), []string{"a: flag -l is new", "b because of a, roots a", "c because of a b, roots a"}, 0, 2},
		{"one more", b1, c("c", a1, b1), []string{"+ c"}, 2, 0},
	} {
		r, err := Compare(t.Context(), m, test.old, test.new)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := differing(r)
		for _, item := range r.OnlyNew {
			got = append(got, "+ "+item.Name)
		}
		if !slices.Equal(got, test.want) || r.Common != test.common || r.Same() != (test.want == nil) || len(r.Unbuilt) != test.unbuilt {
			t.Errorf("%s: %d in common, %d not built, and not %q; want %d, %d, and %q", test.name, r.Common, len(r.Unbuilt), got, test.common, test.unbuilt, test.want)
		}
	}
	if _, err := Compare(t.Context(), m, b1, storePath("z", "nothing.drv")); err == nil || !strings.Contains(err.Error(), "is not in the store, or was removed from it: build that state again") {
		t.Errorf("for a derivation that is not there the error is %v", err)
	}
	delete(m.drvs, a1)
	if _, err := Compare(t.Context(), m, b1, b2); err == nil || !strings.Contains(err.Error(), "refers to "+a1+", which is not in the store, or was removed from it") {
		t.Errorf("for an input that is not there the error is %v", err)
	}
}

// Each kind of difference is reported.
func TestCauses(t *testing.T) {
	unit := func(change func(*action.Unit)) action.Unit {
		u := pkg("p", "-p", "p", "-lang=go1.24", "${SRC}/p.go")
		u.Sources = []action.Source{{At: "${SRC}/p", From: "${V9}"}}
		u.Steps = append(u.Steps, action.Step{Write: &action.Write{Path: "${OBJ}/importcfg", Text: "packagefile fmt=${R0}\n"}})
		if change != nil {
			change(&u)
		}
		return u
	}
	tree := func(m *memory, letter string, files map[string]string) string {
		p := storePath(letter, "p")
		testfiles.Write(t, filepath.Join(m.root, p), files)
		return p
	}
	files := map[string]string{"p.go": "package p\n", "data/x": "x"}
	for _, test := range []struct {
		name   string
		change func(*action.Unit)
		vars   map[string]string
		files  map[string]string
		want   []string
	}{
		{"a flag", func(u *action.Unit) { u.Steps[0].Run.Args[3] = "-lang=go1.25" }, nil, nil, []string{"flag -lang=go1.24 → -lang=go1.25"}},
		{"a flag less", func(u *action.Unit) { u.Steps[0].Run.Args = slices.Delete(u.Steps[0].Run.Args, 3, 4) }, nil, nil, []string{"flag -lang=go1.24 is gone"}},
		{"a variable", func(u *action.Unit) { u.Steps[0].Run.Env = []string{"GOAMD64=v3"} }, nil, nil, []string{"variable GOAMD64=v3 is new"}},
		{"an import", func(u *action.Unit) { u.Steps[1].Write.Text += "packagefile os=${R0}\n" }, nil, nil, []string{"import os is new"}},
		{"another text", func(u *action.Unit) { u.Steps[1].Write.Path = "${OBJ}/other" }, nil, nil, []string{"import fmt is gone", "file other (generated) changed"}},
		{"a toolchain", nil, map[string]string{"GOROOT": storePath("h", "go-1.27")}, nil, []string{"toolchain go-1.26 → go-1.27"}},
		{"files", nil, nil, map[string]string{"p.go": "package p // edited\n", "q.go": "package p\n"}, []string{"file p/data/x is gone", "file p/p.go changed", "file p/q.go is new"}},
		{"a step", func(u *action.Unit) { u.Steps = append(u.Steps, action.Step{Mkdir: "x"}) }, nil, nil, []string{"its steps differ"}},
	} {
		m := newMemory(t)
		fmtDrv := m.add(t, "f", pkg("fmt", "-p", "fmt"), nil, nil, storePath("0", "fmt"))
		oldVars := map[string]string{"V9": tree(m, "s", files)}
		newVars := map[string]string{"V9": oldVars["V9"]}
		if test.files != nil {
			newVars["V9"] = tree(m, "v", test.files)
		}
		for name, value := range test.vars {
			newVars[name] = value
		}
		before := m.add(t, "1", unit(nil), oldVars, []string{fmtDrv + "!out"}, "")
		after := m.add(t, "2", unit(test.change), newVars, []string{fmtDrv + "!out"}, "")
		r, err := Compare(t.Context(), m, before, after)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, p := range r.Differ {
			for _, c := range p.Causes {
				got = append(got, c.String())
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(test.want))
		if !slices.Equal(got, want) || r.Common != 1 {
			t.Errorf("%s: %q, want %q; %d in common", test.name, got, want, r.Common)
		}
	}
}
