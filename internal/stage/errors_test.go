package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/nix/nar"
	"dgd/internal/planfile"
	"dgd/internal/workspace"
)

// If a file that a stage reads is missing or damaged, the error names it.
func TestInputErrors(t *testing.T) {
	dir := layDown(t, "damaged", "empty/x")
	damaged, none := filepath.Join(dir, "damaged"), filepath.Join(dir, "none")
	plan := filepath.Join(dir, "plan")
	if err := WriteJSON(plan, Plan{}); err != nil {
		t.Fatal(err)
	}
	out := func() string { return filepath.Join(t.TempDir(), "out") }
	linked := func(cfg LinkedConfig) error {
		_, err := Linked(&cfg)
		return err
	}
	for name, test := range map[string]struct {
		do   func(file string) error
		want string // without the file's name
	}{
		"linked, the plan":    {func(f string) error { return linked(LinkedConfig{Plan: f}) }, ""},
		"linked, the modules": {func(f string) error { return linked(LinkedConfig{Plan: plan, Modules: f}) }, ""},
		"needs": {func(f string) error {
			_, err := FindNeeds(&drvgen.NeedsConfig{Tests: []drvgen.NeedsTest{{Name: "a", Result: f}}})
			return err
		}, ""},
		"retest":    {func(f string) error { return Retest(t.Context(), &drvgen.RetestConfig{Needs: f}, nil, 1, io.Discard) }, ""},
		"std":       {func(f string) error { _, err := BindStd(&BindConfig{StdPlan: f}); return err }, ""},
		"std-specs": {func(f string) error { return WriteStdSpecs(&StdSpecsConfig{StdPlan: f}, out()) }, ""},
		"settings":  {func(f string) error { return HideSettings(&SettingsConfig{Settings: f}, out()) }, ""},
		"skeleton":  {func(f string) error { return WriteSkeleton(t.Context(), &SkeletonConfig{Src: dir, Settings: f}, out()) }, ""},
		"modules": {func(f string) error {
			_, err := SplitModules(t.Context(), &SplitConfig{Src: dir, Settings: f, StoreDir: "/nix/store"}, nil)
			return err
		}, ""},
		"plan": {func(f string) error { _, err := Make(t.Context(), &Config{Settings: f}, out()); return err }, ""},
		"tests": {func(f string) error {
			_, err := MakeTests(t.Context(), &TestConfig{Config: Config{Settings: f}}, out())
			return err
		}, ""},
		"check-plan": {func(f string) error {
			return CheckFile(t.Context(), &CheckConfig{Src: dir, Plan: f}, out())
		}, "dgd.plan"},
	} {
		if err := test.do(none); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), none) {
			t.Errorf("%s: the error is %v, want that %s does not exist", name, err, none)
		}
		want := test.want
		if want == "" {
			want = damaged
		}
		if err := test.do(damaged); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want one of %s", name, err, want)
		}
	}
}

// A module must not be outside of the sources.
func TestModRootErrors(t *testing.T) {
	const want = "modRoot is ../x, which is not below src"
	src := layDown(t, "go.mod")
	_, err := SplitModules(t.Context(), &SplitConfig{Src: src, ModRoot: "../x", StoreDir: "/nix/store"}, nil)
	cfg := &CheckConfig{Src: src, ModRoot: "../x"}
	_, checked := cfg.stale(t.Context(), &planfile.Facts{})
	file := &FileConfig{Config: Config{ModRoot: "../x", Lock: &workspace.Locked{}}, Src: src}
	_, made := file.addModules(t.Context(), &planfile.Project{})
	for name, err := range map[string]error{"modules": err, "check-plan": checked, "a plan in a file": made} {
		if err == nil || err.Error() != want {
			t.Errorf("%s: the error is %v, want %s", name, err, want)
		}
	}
}

// No stage overwrites existing files.
func TestOutputErrors(t *testing.T) {
	dir := layDown(t, "file", "src/go.mod")
	src, file := filepath.Join(dir, "src"), filepath.Join(dir, "file")
	for name, err := range map[string]error{
		"skeleton": WriteSkeleton(t.Context(), &SkeletonConfig{Src: src}, file),
		"sources":  WriteSources(&SourcesConfig{Src: src, StoreDir: "/nix/store"}, file),
	} {
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: the error is %v, want that %s is there", name, err, file)
		}
	}
}

// Sources without symlinks into the store are copied unchanged, and a target below another
// target is copied once.
func TestWriteSourcesPlain(t *testing.T) {
	src := layDown(t, "go.mod", "a/a.go")
	out := filepath.Join(t.TempDir(), "out")
	if err := WriteSources(&SourcesConfig{Src: src, StoreDir: "/nix/store"}, out); err != nil {
		t.Fatal(err)
	}
	want, err := nar.Tree{Root: src}.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (nar.Tree{Root: out}).Hash(); err != nil || got != want {
		t.Errorf("the sources are %v (%v), want %v", got, err, want)
	}
	if err := WriteSources(&SourcesConfig{Src: src + "/none"}, out+"2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without sources the error is %v", err)
	}

	store, err := filepath.EvalSymlinks(layDown(t, "lib/sub/x.go"))
	if err != nil {
		t.Fatal(err)
	}
	src = layDown(t, "all -> "+store+"/lib", "some -> "+store+"/lib/sub")
	out += "3"
	if err := WriteSources(&SourcesConfig{Src: src, StoreDir: store}, out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"all": "_linked/lib", "some": "_linked/lib/sub"} {
		if target, err := os.Readlink(filepath.Join(out, name)); err != nil || target != want {
			t.Errorf("%s leads to %s (%v), want %s", name, target, err, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(out, "some/x.go")); err != nil || string(text) != "lib/sub/x.go" {
		t.Errorf("the copy is %q (%v)", text, err)
	}
}

// Linked finds the modules of a vendor directory, of a lock, and of a program that the go
// command itself builds, or returns an error.
func TestLinkedModules(t *testing.T) {
	dir := layDown(t, "vendor/example.org/a/LICENSE")
	plan, list := filepath.Join(dir, "plan"), filepath.Join(dir, "modules.json")
	node := linkNode("x", "path\texample.com/m\ndep\texample.org/a\tv1.0.0\t\n")
	if err := errors.Join(WriteJSON(plan, Plan{Graph: graph.Graph{Nodes: []*graph.Node{node}}}),
		WriteJSON(list, []ModuleTree{{Dir: "example.org/a", SourceTree: SourceTree{SHA256: "sha256-x", Store: "/s", Root: "vendor/example.org/a"}}})); err != nil {
		t.Fatal(err)
	}
	found, err := Linked(&LinkedConfig{Plan: plan, Modules: list, ModulesDir: dir})
	if err != nil || len(found) != 1 || *found[0].Hash != "sha256-x" || !slices.Equal(found[0].Licenses, []string{"LICENSE"}) {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := Linked(&LinkedConfig{Plan: plan, Locked: []workspace.LockedModule{{Path: "no path", Version: "v1.0.0"}}}); err == nil || !strings.Contains(err.Error(), `"no path"`) {
		t.Errorf("of a path of no module the error is %v", err)
	}
	if _, err := programsIn(&Plan{Unplanned: "why"}); err == nil || err.Error() != "dgd does not understand the go command's module information for the programs" {
		t.Errorf("without programs the error is %v", err)
	}
}

// If a directory that a test has listed cannot be read, the error names the test.
func TestFindNeedsErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result")
	for name, result := range map[string]action.TestResult{
		"a directory": {Listed: map[string]int{"none": 1}},
		"a name":      {Missing: map[string][]string{strings.Repeat("x", 300): nil}},
	} {
		if err := WriteJSON(file, result); err != nil {
			t.Fatal(err)
		}
		if _, err := FindNeeds(&drvgen.NeedsConfig{Src: t.TempDir(), Tests: []drvgen.NeedsTest{{Name: "example.com/m", Result: file}}}); err == nil || !strings.HasPrefix(err.Error(), "example.com/m: ") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// If the sources or the modules cannot be laid out, no test runs. A test that is not
// planned, or has no program, fails with a message. With -test.v the output of a test that
// passes is shown.
func TestRetestErrors(t *testing.T) {
	src := layDown(t, "go.mod")
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho it says much\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		needs     Needs
		full      bool // the directory for the sources has files already
		err, said string
	}{
		{"something in the place", Needs{Src: src}, true, "directory not empty", ""},
		{"no sources", Needs{Src: src + "/none"}, false, "copying the sources: ", ""},
		{"no modules", Needs{Src: src, Form: drvgen.VendorDirectory, Vendor: "vendor", Modules: src + "/none"}, false, "laying out the modules: ", ""},
		{"no such test", Needs{Src: src, Tests: []Need{{Name: "other", Program: program}}}, false, "the tests of other failed, see above", "there is no such test\n"},
		{"no program", Needs{Src: src, Tests: []Need{{Name: "a", Program: src + "/none"}}}, false, "the tests of a failed, see above", "no such file or directory\n"},
		{"verbose", Needs{Src: src}, false, "", "it says much\nok  \ta\n"},
	} {
		dir := t.TempDir()
		cfg := &drvgen.RetestConfig{Needs: filepath.Join(dir, "needs"), Src: filepath.Join(dir, "src"), Tests: map[string]drvgen.RetestRun{
			"a": {Dir: dir, Args: []string{"-test.v=true"}},
		}}
		if test.full {
			if err := os.MkdirAll(filepath.Join(cfg.Src, "x"), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if test.needs.Tests == nil {
			test.needs.Tests = []Need{{Name: "a", Program: program}}
		}
		if err := WriteJSON(cfg.Needs, test.needs); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		err := Retest(t.Context(), cfg, os.Environ(), 1, &log)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.err)
		}
		if !strings.Contains(log.String(), test.said) {
			t.Errorf("%s: the log lacks %q:\n%s", test.name, test.said, log.String())
		}
	}
}

// Only packages that are compiled from the files which the go command has unpacked for
// GOFIPS140 write these files.
func TestSnapshot(t *testing.T) {
	cache := layDown(t, "golang.org/fips140@v1.0.0/fips140/a.go", "golang.org/fips140@v1.0.0/fips140/deep/$b.go")
	if dir, err := snapshotDir(t.TempDir()); dir != "" || err != nil {
		t.Errorf("without a snapshot there is %q, %v", dir, err)
	}
	dir, err := snapshotDir(cache)
	if want := filepath.Join(cache, "golang.org/fips140@v1.0.0"); dir != want || err != nil {
		t.Fatalf("the snapshot is %q (%v), want %s", dir, err, want)
	}
	g := &graph.Graph{Nodes: []*graph.Node{
		{Steps: []action.Step{{Mkdir: "${OBJ}/x"}}, Snapshot: []string{"fips140/a.go", "fips140/deep/$b.go"}},
		{Steps: []action.Step{{Mkdir: "${OBJ}/y"}}},
	}}
	if err := writeSnapshot(g, dir); err != nil {
		t.Fatal(err)
	}
	want := []action.Step{
		{Mkdir: "${OBJ}/fips140/fips140"},
		{Write: &action.Write{Path: "${OBJ}/fips140/fips140/a.go", Text: "golang.org/fips140@v1.0.0/fips140/a.go"}},
		{Mkdir: "${OBJ}/fips140/fips140/deep"},
		{Write: &action.Write{Path: "${OBJ}/fips140/fips140/deep/$$b.go", Text: "golang.org/fips140@v1.0.0/fips140/deep/$$b.go"}},
		{Mkdir: "${OBJ}/x"},
	}
	if got := g.Nodes[0].Steps; !reflect.DeepEqual(got, want) {
		t.Errorf("the steps are %+v, want %+v", got, want)
	}
	if got := g.Nodes[1].Steps; len(got) != 1 {
		t.Errorf("another package has the steps %+v", got)
	}
	g.Nodes[0].Snapshot = []string{"none.go"}
	if err := writeSnapshot(g, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file the error is %v", err)
	}
}

// A plan in a file can have the node that runs the go command for programs, but not for
// tests.
func TestFileByGo(t *testing.T) {
	src := layDown(t, "go.mod", "main.go")
	node := func() *graph.Node {
		return &graph.Node{Kind: graph.ByGo, Name: "go build", Src: &graph.Sources{Dir: ".", Whole: true}, Inputs: []graph.Input{graph.Toolchain}, Steps: []action.Step{{Mkdir: "${out}/bin"}}}
	}
	cfg := &FileConfig{Config: Config{Package: []string{"."}}, Src: src}
	plans := &filePlans{program: &Plan{ByGo: node(), Unplanned: "it is not built package by package"}}
	project := &planfile.Project{Src: src, Settings: cfg.settings()}
	project.Settings["cgoEnv"], project.Settings["contentAddressed"] = []string{}, true
	file, err := cfg.byGo(t.Context(), project, plans)
	if err != nil {
		t.Fatal(err)
	}
	if file.Unplanned != plans.program.Unplanned || len(file.Nodes) != 1 || !strings.HasPrefix(file.Nodes[0], "bygo go%20build ") {
		t.Errorf("the nodes are %q, because %s", file.Nodes, file.Unplanned)
	}
	if !slices.Contains(file.Settings, `set unplanned "it is not built package by package"`) || slices.ContainsFunc(file.Settings, func(s string) bool {
		return strings.HasPrefix(s, "set cgoEnv ") || strings.HasPrefix(s, "set contentAddressed ")
	}) {
		t.Errorf("the settings are %q", file.Settings)
	}
	cfg.Tests = &FileTests{}
	if _, err := cfg.byGo(t.Context(), project, plans); err == nil || !strings.Contains(err.Error(), "(it is not built package by package): leave out --tests") {
		t.Errorf("with tests the error is %v", err)
	}
	if _, err := cfg.byPackages(t.Context(), project, plans); err == nil || err.Error() != plans.program.Unplanned {
		t.Errorf("by packages the error is %v", err)
	}
}

// The key of a plan's settings does not depend on the target, but on all other settings
// that evaluation compares.
func TestFileKey(t *testing.T) {
	key := func(change func(*FileConfig)) string {
		t.Helper()
		cfg := &FileConfig{Config: Config{Env: map[string]string{"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0"}, Flags: []string{"-trimpath"}, Package: []string{"."}}, Granularity: "module"}
		change(cfg)
		key, err := cfg.Key()
		if err != nil || len(key) != 4 {
			t.Errorf("the key is %q, %v", key, err)
		}
		return key
	}
	first := key(func(*FileConfig) {})
	if other := key(func(c *FileConfig) { c.Env["GOARCH"] = "arm64" }); other != first {
		t.Errorf("for another target the key is %s, not %s", other, first)
	}
	seen := map[string]string{first: "nothing"}
	for name, change := range map[string]func(*FileConfig){
		"tags":              func(c *FileConfig) { c.Flags = append(c.Flags, "-tags=x") },
		"cgo":               func(c *FileConfig) { c.Env["CGO_ENABLED"] = "1" },
		"a variable":        func(c *FileConfig) { c.Env["GOAMD64"] = "v3" },
		"packages":          func(c *FileConfig) { c.Package = nil },
		"excluded packages": func(c *FileConfig) { c.Excluded = []string{"x"} },
		"a lock":            func(c *FileConfig) { c.Lock = &workspace.Locked{} },
		"granularity":       func(c *FileConfig) { c.Granularity = "package" },
		"modRoot":           func(c *FileConfig) { c.ModRoot = "x" },
		"tests":             func(c *FileConfig) { c.Tests = &FileTests{} },
		"CA":                func(c *FileConfig) { c.ContentAddressed = true },
	} {
		k := key(change)
		if seen[k] != "" {
			t.Errorf("%s and %s have the key %s", name, seen[k], k)
		}
		seen[k] = name
	}
}

// The modules of a lock are named by their directories in a module cache.
func TestFileModules(t *testing.T) {
	src := project(t, map[string]string{"go.mod": "module example.com/m\n"})
	cfg := &FileConfig{Src: src, Config: Config{Lock: &workspace.Locked{Modules: []workspace.LockedModule{{Path: "example.org/A", Version: "v1.0.0", Tree: "/store/a"}}}}}
	p := &planfile.Project{}
	found, err := cfg.addModules(t.Context(), p)
	if want := []bind.Module{{Dir: "example.org/!a@v1.0.0", Store: "/store/a"}}; err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("the modules are %+v (%v), want %+v", found, err, want)
	}
	if want := []planfile.Module{{Dir: "example.org/!a@v1.0.0", Store: "/store/a"}}; !reflect.DeepEqual(p.Modules, want) || !slices.Equal(p.Mains, []string{"example.com/m"}) {
		t.Errorf("the project has %+v and %q, want %+v", p.Modules, p.Mains, want)
	}
	cfg.Lock.Modules[0].Path = "no path"
	if _, err := cfg.addModules(t.Context(), p); err == nil || !strings.Contains(err.Error(), `"no path"`) {
		t.Errorf("of a path of no module the error is %v", err)
	}
}

// A plan in a file with a setting of the wrong type is an error. A long list of changes is
// cut.
func TestCheckFileOf(t *testing.T) {
	src := layDown(t, "go.mod")
	check := func(tests bool, lines ...string) error {
		plan := filepath.Join(t.TempDir(), "dgd.plan")
		text := planfile.Format(map[string]*planfile.File{"linux/amd64": {Settings: lines}})
		if err := os.WriteFile(plan, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return CheckFile(t.Context(), &CheckConfig{Src: src, Plan: plan, Variant: "linux/amd64", Where: "in x", Tests: tests}, filepath.Join(t.TempDir(), "work"))
	}
	if err := check(false, "set digest 1"); err == nil || !strings.HasPrefix(err.Error(), "dgd.plan: the setting packages: ") {
		t.Errorf("without packages the error is %v", err)
	}
	if err := check(true, "set packages null", "set digest 1"); err == nil || !strings.HasPrefix(err.Error(), "dgd.plan: the setting tests: ") {
		t.Errorf("without tests the error is %v", err)
	}
	lines := []string{"set packages null", "set digest 1"}
	for i := range 12 {
		lines = append(lines, fmt.Sprintf("package m:p%02d t a - d=1 s=p%02d", i, i))
	}
	err := check(false, lines...)
	if err == nil || !strings.HasPrefix(err.Error(), "dgd.plan is stale: run `dgd plan` in x\n  go.mod, go.sum or the like") ||
		!strings.HasSuffix(err.Error(), "\n  and 3 more") || strings.Count(err.Error(), "\n") != 11 {
		t.Errorf("the error is %v", err)
	}
}

// A plan depends on the variables of the toolchain that has made it, and on the C compiler.
func TestCheckTools(t *testing.T) {
	root := goroot(t)
	env := map[string]string{"GOOS": "linux", "GOARCH": "amd64", "CC": "gcc", "CXX": "g++"}
	g, err := gocmd.New(root, "", env, filepath.Join(t.TempDir(), "go"))
	if err != nil {
		t.Fatal(err)
	}
	vars, err := g.Variables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := JSON(assigned(vars, gocmd.ToolVariables))
	if err != nil {
		t.Fatal(err)
	}
	own := strings.TrimPrefix(vars["GOVERSION"], "go")
	for _, test := range []struct{ name, toolchain, version, goroot, toolEnv, text, want string }{
		{"the same", root, own, root, string(have), `["-extld=gcc","-extld=g++"]`, ""},
		{"another Go", root, "1.2", root, string(have), "", "dgd.plan was made with Go 1.2, and the toolchain of the build is go" + own},
		{"another GOROOT", root, own, "/else", string(have), "", "not at /else: let the argument `go` have an attribute passthru.goroot"},
		{"other variables", root, own, root, `["GOAMD64=v9"]`, "", "dgd.plan was made where Go's variables are GOAMD64=v9, and the build has "},
		{"a damaged setting", root, own, root, "5", "", "dgd.plan: the setting toolEnv: "},
		{"another C compiler", root, own, root, string(have), `["-extld=clang"]`, "dgd.plan was made for the C compiler clang, and the build has gcc and g++: run `dgd plan --env CC=gcc --env CXX=g++` in x"},
		{"no toolchain", "/none", own, root, string(have), "", "/none/bin/go"},
	} {
		cfg := &CheckConfig{Go: test.toolchain, Env: env, Goroot: test.goroot, Where: "in x"}
		facts := &planfile.Facts{Settings: map[string]json.RawMessage{"go": json.RawMessage(`"` + test.version + `"`), "toolEnv": json.RawMessage(test.toolEnv)}}
		err := cfg.checkTools(t.Context(), facts, test.text, filepath.Join(t.TempDir(), "work"))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.want)
		}
	}
}

// Unplanned errors are distinguished from mistakes, and wrap their cause.
func TestUnplanned(t *testing.T) {
	err := fmt.Errorf("planning: %w", &unplanned{fs.ErrNotExist})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cause of %v is lost", err)
	}
	plan := &Plan{ByGo: &graph.Node{Kind: graph.ByGo}}
	left, err := plan.fallBackForBuild(err, `modinfo "short"`)
	if err != nil || left.Unplanned == "" || left.Programs != nil {
		t.Errorf("%+v, %v", left, err)
	}
}
