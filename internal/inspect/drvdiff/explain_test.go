package drvdiff

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/nix/drvfile"
)

// put writes a file into a store path. If the name is "", the store path is the file.
func (m *memory) put(t *testing.T, path, name, text string) {
	t.Helper()
	file := filepath.Join(m.root, path, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// texts returns the causes of all pairs, sorted.
func texts(r *Report) []string {
	var list []string
	for _, p := range r.Differ {
		for _, c := range p.Causes {
			list = append(list, p.Name+": "+c.String())
		}
	}
	slices.Sort(list)
	return list
}

func compareIn(t *testing.T, m *memory, old, new string) *Report {
	t.Helper()
	r, err := Compare(t.Context(), m, old, new)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func run1(args ...string) action.Step { return action.Step{Run: &action.Run{Args: args}} }

// modInfo returns the line of importcfg.link with a program's module information.
func modInfo(text string) string {
	const mark = "0123456789abcdef"
	return "modinfo " + strconv.Quote(mark+text+mark) + "\n"
}

// Differences of inputs, environment and settings are reported.
func TestSurroundings(t *testing.T) {
	dynImport := func(flag string) []action.Step {
		return []action.Step{
			{DynImport: &action.DynImport{Link: action.Run{Args: []string{"gcc", flag}}, Import: action.Run{Args: []string{"cgo", "-dynimport"}}}},
			{PkgConfig: &action.PkgConfig{Run: action.Run{Args: []string{"pkg-config", "--libs", "z" + flag}}}},
		}
	}
	write := func(name, text string) []action.Step {
		return []action.Step{{Write: &action.Write{Path: "${OBJ}/" + name, Text: text}}}
	}
	holds := func(dir string, files ...string) func(*action.Unit) {
		return func(u *action.Unit) {
			for i := 0; i < len(files); i += 2 {
				u.Steps = append(u.Steps, action.Step{Write: &action.Write{Path: dir + files[i], Text: files[i+1]}})
			}
		}
	}
	source := func(at, from string) func(*action.Unit) {
		return func(u *action.Unit) { u.Sources = []action.Source{{At: at, From: from}} }
	}
	const module = "example.com/m"
	at := func(version string) string { return storePath("m", "example.com-m-"+version) }
	for _, test := range []struct {
		name     string
		old, new func(*action.Unit)
		vars     [2]map[string]string
		drv      func(*drvfile.Derivation)
		want     []string
	}{
		{name: "system", drv: func(d *drvfile.Derivation) { d.System = "aarch64-linux" }, want: []string{"p: system x86_64-linux → aarch64-linux"}},
		{name: "executor", drv: func(d *drvfile.Derivation) { d.Builder = storePath("c", "dgd-exec") + "/bin/dgd-exec" },
			want: []string{"p: executor " + strings.Repeat("b", 32) + "-dgd-exec → " + strings.Repeat("c", 32) + "-dgd-exec"}},
		{name: "content addressing", drv: func(d *drvfile.Derivation) {
			d.Outputs = map[string]drvfile.Output{"out": {Path: storePath("5", "p")}}
		}, want: []string{"p: setting contentAddressed: true → false"}},
		{name: "an argument", drv: func(d *drvfile.Derivation) { d.Args = []string{"x"} }, want: []string{"p: argument 1 is new"}},
		{name: "a variable of Nix's own", drv: func(d *drvfile.Derivation) { d.Env["preferLocalBuild"] = "1" }, want: []string{"p: variable preferLocalBuild is new"}},
		{name: "an output more", drv: func(d *drvfile.Derivation) { d.Outputs["x"] = drvfile.Output{Algo: "r:sha256"} }, want: []string{"p: output x is new"}},
		{name: "another hash of outputs", drv: func(d *drvfile.Derivation) { d.Outputs["out"] = drvfile.Output{Algo: "r:sha512"} }, want: []string{"p: output out: r:sha256 → r:sha512"}},
		{name: "a file that is read", drv: func(d *drvfile.Derivation) { d.Sources = append(d.Sources, storePath("5", "file")) },
			want: []string{"p: input " + storePath("5", "file") + " is new"}},
		{name: "the same toolchain in another place", vars: [2]map[string]string{{}, {"GOROOT": storePath("h", "go-1.26")}},
			want: []string{"p: toolchain " + strings.Repeat("g", 32) + "-go-1.26 → " + strings.Repeat("h", 32) + "-go-1.26"}},
		{name: "what follows from a toolchain", vars: [2]map[string]string{{}, {"GOROOT": storePath("h", "go-1.27")}},
			old: func(u *action.Unit) {
				u.Sources, u.Steps = []action.Source{{At: "x", From: "y"}}, []action.Step{run1("compile", "-goversion", "go1.26", "-N")}
			},
			new: func(u *action.Unit) {
				u.Sources, u.Steps = []action.Source{{At: "x", From: "y"}}, []action.Step{run1("compile", "-goversion", "go1.27", "-l")}
			},
			want: []string{"p: flag -N is gone", "p: flag -l is new", "p: toolchain go-1.26 → go-1.27"}},
		{name: "the standard library of a toolchain", vars: [2]map[string]string{{}, {"GOROOT": storePath("h", "go-1.27")}},
			old:  func(u *action.Unit) { u.Steps = []action.Step{run1("compile", "-N")} },
			new:  func(u *action.Unit) { u.Steps = []action.Step{run1("compile", "-l")} },
			want: []string{"p: toolchain go-1.26 → go-1.27"}},
		{name: "C compilers", vars: [2]map[string]string{{"CGOENV": storePath("1", "env")}, {"CGOENV": storePath("2", "env")}},
			want: []string{"p: environment of the C compiler (CC, PATH) changed"}},
		{name: "an environment that is gone", vars: [2]map[string]string{{"CHECKENV": storePath("3", "gone")}, {"CHECKENV": storePath("4", "gone")}},
			want: []string{"p: environment of tests changed"}},
		{name: "an environment that is new", vars: [2]map[string]string{{}, {"CHECKENV": storePath("1", "env")}},
			want: []string{"p: environment of tests (CC, HOME, PATH) changed"}},
		{name: "a vendored module", old: source("${SRC}/vendor/"+module, at("v1.0.0")), new: source("${SRC}/vendor/"+module, at("v1.1.0")),
			want: []string{"p: module example.com/m: v1.0.0 → v1.1.0"}},
		{name: "a module", old: source("${SRC}/"+module+"@v1.0.0", at("v1.0.0")), new: source("${SRC}/"+module+"@v1.1.0", at("v1.1.0")),
			want: []string{"p: module example.com/m: v1.0.0 → v1.1.0"}},
		{name: "one tree more", old: source("${SRC}/a", at("v1.0.0")), new: source("${SRC}/b", at("v1.0.0")), want: []string{"p: file a is gone", "p: file b is new"}},
		{name: "a file", old: source("${SRC}/x.go", storePath("1", "x.go")), new: source("${SRC}/x.go", storePath("2", "x.go")), want: []string{"p: file x.go changed"}},
		{name: "a link and a mode", old: source("${SRC}/t", storePath("1", "tree")), new: source("${SRC}/t", storePath("2", "tree")),
			want: []string{"p: file t/kind changed", "p: file t/link changed", "p: file t/mode changed"}},
		{name: "trees that are gone", old: source("${SRC}/t", storePath("3", "gone")), new: source("${SRC}/t", storePath("4", "gone")), want: []string{"p: file t changed"}},
		{name: "files of the derivation",
			old:  holds("${SRC}/p/", "same.go", "1", "$$a.go", "1", "old.go", "1"),
			new:  holds("${SRC}/p/", "same.go", "1", "$$a.go", "2", "new.go", "1"),
			want: []string{"p: file p/$a.go changed", "p: file p/new.go is new", "p: file p/old.go is gone"}},
		{name: "files that have become a tree",
			old: holds("${SRC}/t/", "same", "same", "mode", "$$", "old", ""), new: source("${SRC}/t", storePath("3", "tree")),
			want: []string{"p: file t/$new is new", "p: file t/mode changed", "p: file t/old is gone"}},
		{name: "a tree that has become files",
			old: source("${SRC}", storePath("3", "tree")), new: holds("${SRC}/", "same", "same", "mode", "$$", "$$new", "$$"),
			want: []string{"p: file mode changed"}},
		{name: "a tree that is gone, and files",
			old: source("${SRC}/t", storePath("3", "gone")), new: holds("${SRC}/t/", "x", ""),
			want: []string{"p: file t is gone", "p: file t/x is new"}},
		{name: "flags of cgo", old: func(u *action.Unit) { u.Steps = dynImport("-O1") }, new: func(u *action.Unit) { u.Steps = dynImport("-O2") },
			want: []string{"p: flag -O1 is gone", "p: flag -O2 is new", "p: flag z-O1 is gone", "p: flag z-O2 is new"}},
		{name: "what files say", old: func(u *action.Unit) { u.Steps = write("embedcfg", "1") }, new: func(u *action.Unit) { u.Steps = write("embedcfg", "2") },
			want: []string{"p: its steps differ"}},
		{name: "a program's packages, modules and settings",
			old: func(u *action.Unit) {
				u.Vars = action.Vars{"PROGRAM": "${out}", "R0": "${V0}"}
				u.Steps = write("importcfg.link", "packagefile a=${R0}\npackagefile b=x\n"+
					modInfo("path\tp\nmod\tp\t(devel)\t\ndep\texample.com/a\tv1.0.0\th1:x=\ndep\texample.com/b\tv1.0.0\th1:x=\nbuild\t-tags=x\nbuild\tCGO_ENABLED=0\n"))
			},
			new: func(u *action.Unit) {
				u.Vars = action.Vars{"PROGRAM": "${out}", "R0": "${V0}"}
				u.Steps = write("importcfg.link", "packagefile a=${R0}\npackagefile c=x\n"+
					modInfo("path\tp\nmod\tp\t(devel)\t\ndep\texample.com/a\tv1.0.0\n=>\texample.com/fork\tv1.5.0\th1:x=\ndep\texample.com/c\tv1.0.0\th1:x=\nbuild\tCGO_ENABLED=1\n"))
			},
			want: []string{"link of p: module example.com/a: v1.0.0 → v1.0.0 => example.com/fork v1.5.0", "link of p: module example.com/b is gone", "link of p: module example.com/c is new",
				"link of p: package b is gone", "link of p: package c is new", "link of p: setting -tags is gone", "link of p: setting CGO_ENABLED: 0 → 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			m.put(t, storePath("1", "env"), "", "CC=gcc\x00PATH=/a\x00HOME=/h\x00")
			m.put(t, storePath("2", "env"), "", "CC=clang\x00PATH=/b\x00HOME=/h\x00")
			m.put(t, storePath("1", "x.go"), "", "package x\n")
			m.put(t, storePath("2", "x.go"), "", "package x // edited\n")
			for letter, target := range map[string]string{"1": "same", "2": "kind"} {
				tree := storePath(letter, "tree")
				m.put(t, tree, "same", "same")
				m.put(t, tree, "mode", "same")
				if err := os.Symlink(target, filepath.Join(m.root, tree, "link")); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("same", filepath.Join(m.root, tree, "same-link")); err != nil {
					t.Fatal(err)
				}
			}
			m.put(t, storePath("1", "tree"), "kind", "same")
			for name, text := range map[string]string{"same": "same", "mode": "other", "$new": "$"} {
				m.put(t, storePath("3", "tree"), name, text)
			}
			if err := os.Symlink("same", filepath.Join(m.root, storePath("2", "tree"), "kind")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(m.root, storePath("2", "tree"), "mode"), 0o755); err != nil {
				t.Fatal(err)
			}
			lib := m.add(t, "f", pkg("lib", "-p", "lib"), nil, nil, storePath("0", "lib"))
			u, v := pkg("p", "-p", "p"), pkg("p", "-p", "p")
			if test.old != nil {
				test.old(&u)
				test.new(&v)
			}
			before := m.add(t, "1", u, test.vars[0], []string{lib + "!out"}, "")
			after := m.add(t, "2", v, test.vars[1], []string{lib + "!out"}, "")
			if test.drv != nil {
				test.drv(m.drvs[after])
			}
			r := compareIn(t, m, before, after)
			if got := texts(r); !slices.Equal(got, test.want) || r.Common != 1 {
				t.Errorf("%q, want %q; %d in common", got, test.want, r.Common)
			}
		})
	}
}

// Packages that were added to or removed from a derivation are reported.
func TestPackages(t *testing.T) {
	m := newMemory(t)
	a, b, c := pkg("a", "-p", "a"), pkg("b", "-p", "b"), pkg("c", "-p", "c")
	before := m.addAll(t, "1", "m", []action.Unit{a, b}, nil, nil, "")
	after := m.addAll(t, "2", "m", []action.Unit{a, c}, nil, nil, "")
	r := compareIn(t, m, before, after)
	if want := []string{"a and 1 more: package b is gone", "a and 1 more: package c is new"}; !slices.Equal(texts(r), want) {
		t.Errorf("%q, want %q", texts(r), want)
	}
	// Derivations with no package in common are not a pair.
	other := m.addAll(t, "3", "o", []action.Unit{c}, nil, nil, "")
	top := func(letter, ref string) string {
		return m.add(t, letter, action.Unit{Name: "top", Vars: action.Vars{"PROGRAM": "${out}"}}, nil, []string{ref + "!out"}, "")
	}
	one := m.addAll(t, "4", "m", []action.Unit{a, b}, nil, nil, "")
	r = compareIn(t, m, top("5", one), top("6", other))
	if len(r.OnlyOld) != 1 || r.OnlyOld[0] != (Item{Name: "a and 1 more", Kind: "package", Drv: one}) || len(r.OnlyNew) != 1 || r.OnlyNew[0] != (Item{Name: "c", Kind: "package", Drv: other}) {
		t.Errorf("only old %v, only new %v", r.OnlyOld, r.OnlyNew)
	}
	if want := []string{"link of top: input a and 1 more is gone", "link of top: input c is new"}; !slices.Equal(texts(r), want) {
		t.Errorf("%q, want %q", texts(r), want)
	}
}

// Each kind of derivation has its own label.
func TestLabels(t *testing.T) {
	archives := action.Unit{Name: "archives", Sources: []action.Source{{At: "${out}/b@.a"}, {At: "${out}/a@.a"}}}
	for _, test := range []struct {
		name  string
		units []action.Unit
		want  Item
	}{
		{"p", []action.Unit{pkg("p")}, Item{Name: "p", Kind: "package"}},
		{"std", []action.Unit{pkg("fmt"), pkg("os")}, Item{Name: "standard library, part std", Kind: "package"}},
		{"l", []action.Unit{{Name: "l", Vars: action.Vars{"PROGRAM": "x"}}}, Item{Name: "link of l", Kind: "link"}},
		{"t", []action.Unit{{Name: "t", Vars: action.Vars{"RESULT": "x"}}}, Item{Name: "tests of t", Kind: "test"}},
		{"f", []action.Unit{{Name: "f", Vars: action.Vars{"FILE": "x"}}}, Item{Name: "file for f", Kind: "file"}},
		{"archives", []action.Unit{archives}, Item{Name: "archives of a and 1 more", Kind: "archives"}},
		{"server", []action.Unit{{Name: "programs"}}, Item{Name: "result server", Kind: "result"}},
	} {
		m := newMemory(t)
		drv := m.addAll(t, "1", test.name, test.units, nil, nil, "")
		n, err := (&closure{byDrv: map[string]*node{}}).add(drv, m.drvs[drv])
		if err != nil {
			t.Fatal(err)
		}
		if test.want.Drv = n.path; n.item() != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, n.item(), test.want)
		}
	}
}

// Archives of different sets of packages, and results with different names, are pairs.
func TestAlike(t *testing.T) {
	archives := func(names ...string) []action.Unit {
		u := action.Unit{Name: "archives"}
		for _, name := range names {
			u.Sources = append(u.Sources, action.Source{At: "${out}/" + name + "@.a"})
		}
		return []action.Unit{u}
	}
	m := newMemory(t)
	top := func(letter, name string, refs ...string) string {
		return m.addAll(t, letter, name, []action.Unit{{Name: name + "-" + letter, Steps: []action.Step{run1("ln", name)}}}, nil, refs, "")
	}
	one := m.addAll(t, "1", "archives", archives("a", "b"), nil, nil, storePath("1", "archives"))
	two := m.addAll(t, "2", "archives", archives("a", "b", "c"), nil, nil, storePath("2", "archives"))
	r := compareIn(t, m, top("3", "old", one+"!out"), top("4", "new", two+"!out"))
	want := []string{"archives of a and 2 more: its steps differ", "result new: flag new is new", "result new: flag old is gone"}
	if !slices.Equal(texts(r), want) || len(r.OnlyOld)+len(r.OnlyNew) > 0 {
		t.Errorf("%q, want %q; only old %v, only new %v", texts(r), want, r.OnlyOld, r.OnlyNew)
	}
}

// planned adds a state of dynamic mode: a package that depends on a derivation made by
// the planner.
func (m *memory) planned(t *testing.T, letter, inner string, env map[string]string) (root, planner string) {
	t.Helper()
	planner = storePath(letter, "program.drv.drv")
	m.drvs[planner] = &drvfile.Derivation{
		Outputs: map[string]drvfile.Output{"out": {Algo: "text:sha256"}}, Builder: storePath("b", "dgd-plan") + "/bin/dgd-plan",
		Env: map[string]string{"name": "program.drv", "letter": letter},
	}
	if inner != "" {
		m.outputs[planner] = map[string]string{"out": inner}
	}
	root = storePath(letter, "program.drv")
	m.drvs[root] = &drvfile.Derivation{
		Outputs: map[string]drvfile.Output{"out": {Algo: "r:sha256"}}, Builder: "/bin/sh",
		Dynamic: map[string]map[string][]string{planner: {"out": {"out"}}},
		Env:     map[string]string{"name": "program", "out": drvfile.DynamicPlaceholder(planner, "out", "out")},
	}
	maps.Copy(m.drvs[root].Env, env)
	m.drvs[root].Env["program"] = drvfile.DynamicPlaceholder(planner, "out", "out") + "/bin/x"
	return root, planner
}

// In dynamic mode the derivations that the planner makes are compared, not the planning
// derivation. Of derivations of other builders, variables are compared.
func TestDynamic(t *testing.T) {
	m := newMemory(t)
	a := m.add(t, "1", pkg("a", "-p", "a"), nil, nil, storePath("1", "a"))
	b := m.add(t, "2", pkg("a", "-p", "a", "-N"), nil, nil, storePath("2", "a"))
	before, _ := m.planned(t, "3", a, map[string]string{"old": "1", "both": "1", "same": "1"})
	after, planner := m.planned(t, "4", b, map[string]string{"new": "1", "both": "2", "same": "1"})
	r := compareIn(t, m, before, after)
	want := []string{"a: flag -N is new", "program: variable both changed", "program: variable new is new", "program: variable old is gone"}
	if !slices.Equal(texts(r), want) {
		t.Errorf("%q, want %q", texts(r), want)
	}
	if root := r.Differ[len(r.Differ)-1]; root.Kind != "other" || !slices.Equal(root.Because, []string{"a"}) || !slices.Equal(root.Roots, []string{"a"}) {
		t.Errorf("the program: %+v", root)
	}
	if !slices.Equal(r.Planning.Differ, []string{"program"}) || r.Planning.Common != 0 {
		t.Errorf("planning: %+v", r.Planning)
	}
	if r = compareIn(t, m, before, before); !r.Same() || r.Planning.Common != 1 || r.Common != 1 {
		t.Errorf("with itself: %+v", r)
	}
	// A state of the other mode has no planning derivations.
	if r = compareIn(t, m, a, after); len(r.Planning.Differ) > 0 || r.Planning.Common > 0 {
		t.Errorf("with the other mode: %+v", r.Planning)
	}
	// Differences of builder, arguments and variables are reported.
	foreign, _ := m.planned(t, "5", a, nil)
	d := m.drvs[foreign]
	for _, test := range []struct {
		change func(d *drvfile.Derivation)
		want   []string
	}{
		{func(d *drvfile.Derivation) { d.Builder = "/bin/bash" }, []string{"program: builder /bin/sh → /bin/bash"}},
		{func(d *drvfile.Derivation) { d.Args = []string{"-e", "y"} }, []string{"program: argument 2 changed"}},
		{func(d *drvfile.Derivation) { d.Args = nil }, []string{"program: argument 1 is gone", "program: argument 2 is gone"}},
		{func(d *drvfile.Derivation) { d.Args = []string{"-e", "x", "-v"} }, []string{"program: argument 3 is new"}},
		{func(d *drvfile.Derivation) { d.Outputs = map[string]drvfile.Output{"out": {}} }, []string{"program: setting contentAddressed: true → false"}},
	} {
		d.Args = []string{"-e", "x"}
		changed := *d
		test.change(&changed)
		other := storePath("6", "program.drv")
		m.drvs[other] = &changed
		if r = compareIn(t, m, foreign, other); !slices.Equal(texts(r), test.want) {
			t.Errorf("%q, want %q", texts(r), test.want)
		}
	}
	delete(m.outputs, planner)
	if _, err := Compare(t.Context(), m, before, after); err == nil || err.Error() != after+" is not planned yet: "+planner+" has not been built: build it first" {
		t.Errorf("without a plan the error is %v", err)
	}
}

// A derivation and its resolved form, with paths in place of input derivations, are the
// same.
func TestResolved(t *testing.T) {
	m := newMemory(t)
	built := storePath("0", "a")
	a := m.add(t, "1", pkg("a", "-p", "a"), nil, nil, built)
	x := m.add(t, "2", pkg("a", "-p", "a", "-N"), nil, nil, storePath("9", "a-x"))
	c := storePath("c", "foreign.drv")
	m.drvs[c] = &drvfile.Derivation{Builder: "/bin/sh"}
	m.made = map[string]string{built: a, storePath("9", "a-x"): x, storePath("g", "go-1.26"): c}
	resolved := func(letter, path string) string {
		return m.add(t, letter, pkg("b", "-p", "b"), map[string]string{"V0": path, "GOROOT": storePath("g", "go-1.26")}, nil, "")
	}
	before := m.add(t, "3", pkg("b", "-p", "b"), nil, []string{a + "!out"}, "")
	m.drvs[before].Sources = []string{storePath("g", "go-1.26")}
	if r := compareIn(t, m, before, resolved("4", built)); !r.Same() || r.Common != 2 {
		t.Errorf("resolved it differs: %+v", r)
	}
	m.drvs[x].Outputs = map[string]drvfile.Output{"x": {Algo: "r:sha256"}}
	r := compareIn(t, m, before, resolved("5", storePath("9", "a-x")))
	if want := []string{"a: flag -N is new"}; !slices.Equal(texts(r), want) || len(r.Differ) != 2 || !slices.Equal(r.Differ[1].Because, []string{"a"}) {
		t.Errorf("%+v, want %q", r.Differ, want)
	}
}

// A derivation that the executor cannot read is an error.
func TestDamaged(t *testing.T) {
	spec := func(u action.Unit) string {
		text, err := json.Marshal(action.Spec{Units: []action.Unit{u}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"spec":      {map[string]string{"spec": "x"}, "reading its spec: invalid character"},
		"vars":      {map[string]string{"vars": "x"}, "reading its vars: invalid character"},
		"empty":     {map[string]string{"spec": "{}"}, "its spec is empty"},
		"step":      {map[string]string{"spec": spec(pkg("p", "$x"))}, `stray dollar sign in "$x"`},
		"variable":  {map[string]string{"spec": spec(action.Unit{Name: "p", Vars: pkg("p").Vars, Steps: []action.Step{{Run: &action.Run{Args: []string{"x"}, Env: []string{"${x"}}}}})}, "token without an end"},
		"text":      {map[string]string{"spec": spec(action.Unit{Name: "p", Vars: pkg("p").Vars, Steps: []action.Step{{Write: &action.Write{Text: "$"}}}})}, "stray dollar sign"},
		"a tree":    {map[string]string{"spec": spec(action.Unit{Name: "p", Vars: pkg("p").Vars, Sources: []action.Source{{At: "x", From: "${NO}"}}})}, "unknown token ${NO}"},
		"its place": {map[string]string{"spec": spec(action.Unit{Name: "p", Vars: pkg("p").Vars, Sources: []action.Source{{At: "$", From: "x"}}})}, "stray dollar sign"},
	} {
		m := newMemory(t)
		good := m.add(t, "1", pkg("p", "-p", "p"), nil, nil, "")
		bad := m.add(t, "2", pkg("p", "-p", "p"), nil, nil, "")
		maps.Copy(m.drvs[bad].Env, test.env)
		for _, pair := range [][2]string{{good, bad}, {bad, good}} {
			if _, err := Compare(t.Context(), m, pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), bad) {
				t.Errorf("%s: the error is %v, want %s", name, err, test.want)
			}
		}
	}
}
