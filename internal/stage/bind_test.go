package stage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/nix/socket"
	"dgd/internal/nix/socket/sockettest"
	"dgd/internal/workspace"
)

const (
	someExecutor = "/nix/store/00000000000000000000000000000000-exec"
	someGo       = "/nix/store/11111111111111111111111111111111-go"
	someEnv      = "/nix/store/22222222222222222222222222222222-env"
	someStdEnv   = "/nix/store/33333333333333333333333333333333-std-env"
	someLinkEnv  = "/nix/store/44444444444444444444444444444444-link-env"
	someStdSpecs = "/nix/store/55555555555555555555555555555555-std-specs"
)

// files writes values as JSON files, and returns the configuration that names them.
func files(t *testing.T, src string, program, std Plan, modules []ModuleTree) *BindConfig {
	t.Helper()
	dir := t.TempDir()
	cfg := &BindConfig{
		Inner: drvgen.Inner{Granularity: "package", DisallowedReferences: []string{someGo}},
		Plan:  filepath.Join(dir, "plan"), StdPlan: filepath.Join(dir, "std"), Modules: filepath.Join(dir, "modules"),
		Src: src, Name: "program", StoreDir: "/nix/store", System: "x86_64-linux", Executor: someExecutor,
		Inputs: map[drvgen.Input]string{drvgen.Go: someGo, drvgen.CgoEnv: someEnv, drvgen.StdEnv: someStdEnv, drvgen.LinkEnv: someLinkEnv, drvgen.StdSpecs: someStdSpecs},
	}
	for file, v := range map[string]any{cfg.Plan: program, cfg.StdPlan: std, cfg.Modules: modules} {
		if err := WriteJSON(file, v); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func node(name string, std bool, files ...string) *graph.Node {
	n := &graph.Node{Kind: graph.Package, Name: name, Std: std, Steps: []action.Step{{Run: &action.Run{Args: []string{"compile", name}}}}}
	if len(files) > 0 {
		n.Src = &graph.Sources{Dir: filepath.Dir(files[0]), Files: files, Vendored: strings.HasPrefix(files[0], "vendor/")}
	}
	return n
}

// manyPackages is a program of 20 packages with a file each.
func manyPackages(t *testing.T) (src string, plan Plan) {
	t.Helper()
	list := map[string]string{}
	link := &graph.Node{Kind: graph.Link, Name: "example.com/m", Main: "m", Steps: []action.Step{{Run: &action.Run{Args: []string{"link"}}}}}
	for i := range 20 {
		file := "p" + string(rune('a'+i)) + "/x.go"
		list[file] = file
		plan.Graph.Nodes = append(plan.Graph.Nodes, node("example.com/m/"+filepath.Dir(file), false, file))
		link.Refs = append(link.Refs, graph.Ref{Node: i, Output: graph.Archive})
	}
	plan.Graph.Nodes = append(plan.Graph.Nodes, link)
	plan.Goroot = "share/go"
	return project(t, list), plan
}

// The result of Bind does not depend on the order of maps.
func TestBindIsStable(t *testing.T) {
	src, plan := manyPackages(t)
	cfg := files(t, src, plan, Plan{}, nil)
	var first string
	for range 5 {
		bound, err := Bind(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		out := t.TempDir()
		if err := bound.WriteTo(out, cfg.StoreDir); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(out, "derivations.json"))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Fatalf("derivations.json is\n%s\nand then\n%s", first, text)
		}
	}
}

// An edit changes the derivation of its package, and the link.
func TestBindEdit(t *testing.T) {
	src, plan := manyPackages(t)
	cfg := files(t, src, plan, Plan{}, nil)
	before, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(src, "pc/x.go"), []byte("edited"), 0o666); err != nil {
		t.Fatal(err)
	}
	after, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range before.Derivations {
		a, b := before.Derivations[i], after.Derivations[i]
		same := a.Spec == b.Spec && a.Name == b.Name
		if want := a.Name != "example.com-m-pc"; same != want {
			t.Errorf("%s is the same: %v", a.Name, same)
		}
	}
}

// A program with std shared, C, and a module, in a store.
func TestBindStore(t *testing.T) {
	src := project(t, map[string]string{
		"main.go":                       "package main",
		"c/c.go":                        "package c",
		"c/c.c":                         "#include \"../h/h.h\"",
		"h/h.h":                         "",
		".git/config":                   "",
		"vendor/modules.txt":            "# example.org/lib v1.0.0\n## explicit\nexample.org/lib\n# example.org/none v1.0.0\n",
		"vendor/example.org/lib/lib.go": "package lib",
	})
	std := Plan{Graph: graph.Graph{Nodes: []*graph.Node{node("errors", true), node("unused", true)}}}
	std.Graph.Nodes[0].Cgo = true
	lib, c, main := node("example.org/lib", false, "vendor/example.org/lib/lib.go"), node("example.com/m/c", false, "c/c.go", "c/c.c"), node("example.com/m", false, "main.go")
	c.Cgo, c.LinkSrc, c.Src.Native = true, true, true
	main.Refs = []graph.Ref{{Node: 0, Output: graph.Export}, {Node: 2, Output: graph.Export}}
	own := node("net", true)
	link := &graph.Node{Kind: graph.Link, Name: "example.com/m", Main: "m", Cgo: true, Refs: []graph.Ref{{Node: 4, Output: graph.Archive}, {Node: 2, Output: graph.Archive}, {Node: 3, Output: graph.Archive}}}
	link.Steps = []action.Step{{Run: &action.Run{Args: []string{"link"}}}}
	plan := Plan{Goroot: "share/go", Graph: graph.Graph{Nodes: []*graph.Node{std.Graph.Nodes[0], lib, c, own, main, link}}}

	st := sockettest.NewMemory("/nix/store", someExecutor, someGo, someEnv, someStdEnv, someLinkEnv, someStdSpecs)
	modules, err := SplitModules(t.Context(), &SplitConfig{Vendor: filepath.Join(src, "vendor"), StoreDir: "/nix/store"}, st)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) != 1 || st.Paths[modules[0].Store] == nil || modules[0].Name != "example.org-lib-v1.0.0" || modules[0].Dir != "example.org/lib" {
		t.Fatalf("the modules are %+v, the store has %q", modules, st.Order)
	}
	cfg := files(t, src, plan, std, modules)
	for _, cfg.Inner.ContentAddressed = range []bool{false, true} {
		bound, err := Bind(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range bound.Derivations {
			names = append(names, d.Name)
		}
		if want := []string{"std", "example.org-lib", "example.com-m-c", "std-variant", "example.com-m", "program"}; !slices.Equal(names, want) {
			t.Fatalf("the derivations are %q, want %q", names, want)
		}
		for i, want := range map[int]drvgen.Input{0: drvgen.StdEnv, 2: drvgen.CgoEnv, 5: drvgen.LinkEnv} {
			if got := bound.Derivations[i].Vars["CGOENV"].Input; got != want {
				t.Errorf("%s has the environment %q, want %q", names[i], got, want)
			}
		}
		// An include leaves the directory of c, so that c and the link get the whole
		// source. The one file of main is in the text of its derivation.
		if len(bound.Trees) != 1 {
			t.Fatalf("the trees are %+v", bound.Trees)
		}
		if main := bound.Derivations[4]; !strings.Contains(main.Spec, `{"write":{"path":"${SRC}/main.go","text":"package main"}}`) {
			t.Errorf("main does %s", main.Spec)
		}
		out := t.TempDir()
		if err := bound.WriteTo(out, cfg.StoreDir); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"main.go": true, "c/c.c": true, "h/h.h": true, ".git": false, "vendor": false} {
			if got := workspace.Exists(filepath.Join(out, "sources/0", name)); got != want {
				t.Errorf("the whole source has %s: %v", name, got)
			}
		}
		if err := bound.AddTo(t.Context(), st, cfg); err != nil {
			t.Fatal(err)
		}
		last := bound.Derivations[5]
		for _, name := range []string{"V0", "V1", "V2"} {
			if last.Vars[name].Drv == nil {
				t.Errorf("the link's %s is %+v", name, last.Vars[name])
			}
		}
		if path := last.Vars["V3"].Path; path == "" || st.Paths[path] == nil || !strings.Contains(string(st.Submitted), path) {
			t.Errorf("the link has not the sources of c, %s", path)
		}
		for _, used := range []string{someExecutor, someGo, someLinkEnv} {
			if !st.Used[used] {
				t.Errorf("%s is not used", used)
			}
		}
	}
}

func TestBindErrors(t *testing.T) {
	src, plan := manyPackages(t)
	later := Plan{Graph: graph.Graph{Nodes: []*graph.Node{node("a", false)}}}
	later.Graph.Nodes[0].Refs = []graph.Ref{{Node: 0}}
	missing := Plan{Graph: graph.Graph{Nodes: []*graph.Node{node("a", false, "gone/x.go")}}}
	for _, test := range []struct {
		name   string
		plan   Plan
		change func(*BindConfig)
		want   string
	}{
		{"no plan", plan, func(c *BindConfig) { c.Plan += "x" }, "no such file"},
		{"no std plan", plan, func(c *BindConfig) { c.StdPlan += "x" }, "no such file"},
		{"no modules", plan, func(c *BindConfig) { c.Modules += "x" }, "no such file"},
		{"a plan that is none", plan, func(c *BindConfig) { c.Plan = filepath.Join(src, "pa/x.go") }, "pa/x.go: invalid character"},
		{"a graph out of order", later, nil, "a refers to a node that comes later"},
		{"a missing file", missing, nil, "a: lstat"},
		{"no program", Plan{Graph: graph.Graph{Nodes: []*graph.Node{node("a", false)}}}, nil, "nothing is linked"},
		{"a vendor directory that is not split", plan, func(c *BindConfig) {
			c.Modules = ""
			c.Src = project(t, map[string]string{"vendor/modules.txt": ""})
		}, "the vendor directory of src is not split"},
	} {
		cfg := files(t, src, test.plan, Plan{}, nil)
		if test.change != nil {
			test.change(cfg)
		}
		if _, err := Bind(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.want)
		}
	}

	cfg := files(t, src, plan, Plan{}, nil)
	cfg.Modules = "" // without a vendor directory
	bound, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	delete(cfg.Inputs, drvgen.Go)
	st := sockettest.NewMemory("/nix/store", someExecutor)
	if err := bound.AddTo(t.Context(), st, cfg); err == nil || !strings.Contains(err.Error(), "needs go, which the build does not have") {
		t.Errorf("without a toolchain, the error is %v", err)
	}
	cfg.Inputs[drvgen.Go] = someGo
	if err := bound.AddTo(t.Context(), st, cfg); err == nil || !strings.Contains(err.Error(), "is not valid") {
		t.Errorf("with a toolchain that the store does not have, the error is %v", err)
	}
	if err := bound.WriteTo(filepath.Join(src, "pa/x.go"), "/nix/store"); err == nil {
		t.Error("the sources were written below a file")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Bind(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end, the error is %v", err)
	}
}

func TestSplitModulesErrors(t *testing.T) {
	if modules, err := SplitModules(t.Context(), &SplitConfig{Vendor: t.TempDir(), StoreDir: "/nix/store"}, nil); err != nil || modules == nil || len(modules) > 0 {
		t.Errorf("without a vendor directory: %v, %v", modules, err)
	}
	dir := project(t, map[string]string{"modules.txt/x": ""})
	if _, err := SplitModules(t.Context(), &SplitConfig{Vendor: dir, StoreDir: "/nix/store"}, nil); err == nil || !strings.Contains(err.Error(), "modules.txt: is a directory") {
		t.Errorf("the error is %v", err)
	}
	dir = project(t, map[string]string{"modules.txt": "# example.org/lib v1.0.0\nexample.org/lib\n", "example.org/lib/x.go": ""})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SplitModules(ctx, &SplitConfig{Vendor: dir, StoreDir: "/nix/store"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := SplitModules(t.Context(), &SplitConfig{Vendor: dir, StoreDir: "/nix/store"}, closedStore{sockettest.NewMemory("/nix/store")}); err == nil || err.Error() != "closed" {
		t.Errorf("the error is %v", err)
	}
}

// A closedStore refuses all requests.
type closedStore struct{ *sockettest.Memory }

func (closedStore) Add(context.Context, socket.Batch) error {
	return errors.New("closed")
}

func TestWriteJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if err := WriteJSON(file, map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); string(text) != "{\"a\":1}\n" || err != nil {
		t.Errorf("wrote %q (%v)", text, err)
	}
	if err := WriteJSON(file, func() {}); err == nil {
		t.Error("wrote a function")
	}
	if err := WriteJSON(file+"/y", 1); err == nil {
		t.Error("wrote below a file")
	}
}

// The modules of a lock have their directories in the module cache.
func TestBindLocked(t *testing.T) {
	lib := node("example.org/Lib", false, "vendor/example.org/!lib@v1.0.0/lib.go")
	lib.Src.Dir, lib.Src.Vendored = "vendor/example.org/!lib@v1.0.0", true
	link := &graph.Node{Kind: graph.Link, Name: "m", Main: "m", Refs: []graph.Ref{{Node: 0, Output: graph.Archive}}, Steps: []action.Step{{Run: &action.Run{Args: []string{"link"}}}}}
	plan := Plan{Goroot: "share/go", Graph: graph.Graph{Nodes: []*graph.Node{lib, link}}}
	src := project(t, map[string]string{"go.mod": "module example.com/m\n"})
	cfg := files(t, src, plan, Plan{}, nil)
	cfg.Modules = ""
	cfg.Locked = []workspace.LockedModule{{Path: "example.org/Lib", Version: "v1.0.0", Tree: "/nix/store/lib"}}
	bound, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, v := range bound.Derivations[0].Vars {
		found = found || v.Path == "/nix/store/lib"
	}
	if !found {
		t.Errorf("the package's variables are %+v", bound.Derivations[0].Vars)
	}
	cfg.Locked[0].Path = "no path"
	if _, err := Bind(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), `malformed module path "no path"`) {
		t.Errorf("a path of no module: %v", err)
	}
	for name, change := range map[string]func(*BindConfig){
		"plan": func(c *BindConfig) { c.Plan += ".none" }, "std": func(c *BindConfig) { c.StdPlan += ".none" },
		"modules": func(c *BindConfig) { c.Locked, c.Modules = nil, "/none" }, "settings": func(c *BindConfig) { c.Locked, c.Settings = nil, "/none" },
		"tests": func(c *BindConfig) { c.Locked, c.Tests = nil, "/none" },
	} {
		other := *cfg
		change(&other)
		if _, err := Bind(t.Context(), &other); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without the file of the %s: %v", name, err)
		}
	}
}
