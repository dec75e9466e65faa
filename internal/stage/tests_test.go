package stage

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// withTests is a module with a test, and with a module of which the program uses
// one package and the test another.
func withTests() map[string]string {
	files := maps.Clone(vendored)
	maps.Copy(files, map[string]string{
		"vendor/modules.txt":            vendored["vendor/modules.txt"] + "example.org/lib/a\nexample.org/lib/b\nexample.org/lib/t\n",
		"vendor/example.org/lib/a/a.go": "package a\n\nconst A = 1\n",
		"vendor/example.org/lib/b/b.go": "package b\n\nconst B = 1\n",
		"vendor/example.org/lib/t/t.go": "package t\n\nimport \"example.org/lib/a\"\n\nconst T = a.A\n",
		"vendor/example.org/lib/lib.go": "package lib\n\nimport (\n\t\"example.org/lib/a\"\n\t\"example.org/lib/b\"\n\t\"strings\"\n)\n\nvar Text = strings.ToUpper(\"text\") + string(rune(a.A+b.B))\n",
		"main_test.go":                  "package main\n\nimport (\n\t\"example.org/lib/t\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) { m.Run() }\n\nfunc TestT(*testing.T) { println(t.T) }\n",
		"untested/untested.go":          "package untested\n",
		"untested/broken/broken.go":     "package broken\n\nvar x int = \"\"\n",
	})
	return files
}

func testConfig(t *testing.T, src string) *TestConfig {
	t.Helper()
	skeleton := filepath.Join(t.TempDir(), "skeleton")
	if err := WriteSkeleton(t.Context(), &SkeletonConfig{Src: src, Tests: true}, skeleton); err != nil {
		t.Fatal(err)
	}
	cfg := &TestConfig{Config: *config(t, "")}
	cfg.Skeleton, cfg.Package = skeleton, []string{"./..."}
	return cfg
}

func TestMakeTests(t *testing.T) {
	cfg := testConfig(t, project(t, withTests()))
	cfg.CheckFlags = []string{"-run", "^TestT$", "-short", "-count=2"}
	plan, err := MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range plan.Graph.Nodes {
		if !n.Std {
			names = append(names, string(n.Kind)+" "+n.Name)
		}
	}
	slices.Sort(names)
	want := []string{
		"link example.com/m.test", "package example.com/m [example.com/m.test]", "package example.com/m.test",
		"package example.com/m/untested", "package example.com/m/untested/broken",
		"package example.org/lib", "package example.org/lib/a", "package example.org/lib/b", "package example.org/lib/t", "test example.com/m",
		"untested example.com/m/untested", "untested example.com/m/untested/broken",
	}
	if !slices.Equal(names, want) {
		t.Errorf("planned\n%q\nwant\n%q", names, want)
	}
	last := plan.Graph.Nodes[slices.IndexFunc(plan.Graph.Nodes, func(n *graph.Node) bool { return n.Kind == graph.Test })]
	if want := []string{"${OBJ}/m.test", "-test.paniconexit0", "-test.run=^TestT$$", "-test.short=true", "-test.count=2", "-test.timeout=10m0s"}; last.Kind != graph.Test ||
		!slices.Equal(slices.Sorted(slices.Values(last.Steps[1].Test.Args)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the test runs %q, want %q", last.Steps[1].Test.Args, want)
	}
	if env := last.Steps[1].Test.Env; env[len(env)-1] != "GOFLAGS=-mod=vendor" || plan.TestModules != drvgen.NoModules {
		t.Errorf("the test has %q, and modules %q", env, plan.TestModules)
	}
	for _, n := range plan.Graph.Nodes {
		if n.Name == "example.com/m.test" && n.Kind == graph.Package {
			if text := n.Steps[len(n.Steps)-2].Write.Text; !strings.Contains(text, `{"TestT", _test.TestT}`) || !strings.Contains(text, "_test.TestMain(m)") {
				t.Errorf("the generated file is\n%s", text)
			}
		}
	}
}

// A package may have the same name as another one's test program.
func TestMakeTestsNames(t *testing.T) {
	plan, err := MakeTests(t.Context(), testConfig(t, project(t, map[string]string{
		"go.mod":           "module example.com/m\n\ngo 1.24\n",
		"p/p.go":           "package p\n",
		"p/p_test.go":      "package p\n\nimport \"testing\"\n\nfunc TestP(*testing.T) {}\n",
		"p.test/d.go":      "package d\n",
		"p.test/d_test.go": "package d\n\nimport \"testing\"\n\nfunc TestD(*testing.T) {}\n",
	})), filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, n := range plan.Graph.Nodes {
		if n.Kind == graph.Test {
			got[n.Name] = n.Src.Dir
		}
	}
	if want := map[string]string{"example.com/m/p": "p", "example.com/m/p.test": "p.test"}; !maps.Equal(got, want) {
		t.Errorf("tests run in %q, want %q", got, want)
	}
	// Only generated main packages are written by a step.
	for _, n := range plan.Graph.Nodes {
		for _, s := range n.Steps {
			if s.Write != nil && strings.HasSuffix(s.Write.Path, "/_testmain.go") && n.Src != nil {
				t.Errorf("%s has sources and a generated file", n.Name)
			}
		}
	}
}

// The go command of a test finds its modules as in a build of nixpkgs.
func TestTestEnv(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  TestConfig
		want []string
		form drvgen.ModulesForm
	}{
		{"nothing", TestConfig{}, []string{"GOFLAGS="}, drvgen.NoModules},
		{"a vendor directory", TestConfig{Config: Config{Vendor: "/v", Libraries: true}}, []string{"GOFLAGS=-mod=vendor"}, drvgen.VendorDirectory},
		{"buildGoModule", TestConfig{Config: Config{Libraries: true, Env: map[string]string{"GOFLAGS": "-tags=x$ -trimpath"}}}, []string{"GOFLAGS=-tags=x$$ -mod=vendor"}, drvgen.NoModules},
		{"a proxy", TestConfig{Config: Config{Downloads: "/d", Libraries: true}}, []string{"GOPROXY=file://${OBJ}/modules", "GOFLAGS="}, drvgen.ModuleProxy},
		{"a lock", TestConfig{Config: Config{Lock: &workspace.Locked{}, Libraries: true}}, []string{"GOMODCACHE=${OBJ}/modules", "GOFLAGS="}, drvgen.ModuleCache},
		{"phases", TestConfig{Config: Config{Env: map[string]string{"SAME": "1", "NEW": "a$ -L/plan/src/lib", "OTHER": "2"}}}, []string{"NEW=a$$ -L${SRC}/lib", "OTHER=2", "GOFLAGS="}, drvgen.NoModules},
	} {
		env, form := testEnv(&test.cfg, map[string]string{"SAME": "1", "OTHER": "1"}, &workspace.Place{Src: "/plan/src", Root: t.TempDir()})
		if !slices.Equal(env, test.want) || form != test.form {
			t.Errorf("%s: %q, %q; want %q, %q", test.name, env, form, test.want, test.form)
		}
	}
}

func TestMakeTestsErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  map[string]string
		change func(*TestConfig)
		want   string
	}{
		{"a space", nil, func(c *TestConfig) { c.CheckFlags = []string{"-run=a b"} }, `"-run=a b" has a space in it`},
		{"an empty flag", nil, func(c *TestConfig) { c.CheckFlags = []string{""} }, "a flag is empty"},
		{"the work directory", nil, func(c *TestConfig) { c.CheckFlags = []string{"-run=$WORK"} }, "has $WORK, which the go command uses for its work directory"},
		{"another use", nil, func(c *TestConfig) { c.CheckFlags = []string{"--test.list=x"} }, "does not support --test.list=x"},
		{"a bad flag", nil, func(c *TestConfig) { c.CheckFlags = []string{"-parallel=x"} }, `invalid value "x" for flag -parallel`},
		{"no such package", nil, func(c *TestConfig) { c.Package = []string{"x"} }, "testPackages names package patterns"},
		{"a bad signature", map[string]string{"x_test.go": "package main\n\nfunc TestX() {}\n"}, nil, "wrong signature for TestX"},
		{"a bad signature behind others", map[string]string{"x_test.go": "package main\n\nfunc TestOne(t *T) {\n\t_ = 1\n\t_ = 2\n}\n\nfunc TestX(x int) {}\n"}, nil, "x_test.go:8:1: wrong signature for TestX"},
		{"no such import", map[string]string{"x_test.go": "package main\n\nimport \"example.org/none\"\n"}, nil, "x_test.go:3:8"},
		{"no sources", nil, func(c *TestConfig) { c.Skeleton = "/nowhere" }, "/nowhere: no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := withTests()
			maps.Copy(files, test.files)
			cfg := testConfig(t, project(t, files))
			if test.change != nil {
				test.change(cfg)
			}
			_, err := MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Packages that the program and its tests share are built by the same derivations.
func TestTestsShare(t *testing.T) {
	src := project(t, withTests())
	dir := t.TempDir()
	plan, err := Make(t.Context(), config(t, src), filepath.Join(dir, "plan"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := MakeTests(t.Context(), testConfig(t, src), filepath.Join(dir, "tests"))
	if err != nil {
		t.Fatal(err)
	}
	std, err := Make(t.Context(), &Config{Go: goroot(t), Flags: []string{"-trimpath", "-buildvcs=false"}, Env: map[string]string{"CGO_ENABLED": "0"}}, filepath.Join(dir, "std"))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := SplitModules(t.Context(), &SplitConfig{Vendor: filepath.Join(src, "vendor"), StoreDir: "/nix/store"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"plan.json": plan, "tests.json": tests, "std.json": std, "modules.json": modules} {
		if err := WriteJSON(filepath.Join(dir, name), v); err != nil {
			t.Fatal(err)
		}
	}
	paths := func(cfg BindConfig) map[string]string {
		bound, err := Bind(t.Context(), &cfg)
		if err != nil {
			t.Fatal(err)
		}
		drvs, err := drvgen.Encode(bound.Derivations, drvgen.Environment{
			StoreDir: cfg.StoreDir, System: "x86_64-linux", Executor: "/nix/store/00000000000000000000000000000000-exec", Inner: cfg.Inner,
			Inputs: map[drvgen.Input]string{drvgen.Go: "/nix/store/00000000000000000000000000000000-go", drvgen.CheckEnv: "/nix/store/00000000000000000000000000000000-env", drvgen.StdSpecs: "/nix/store/00000000000000000000000000000000-std-specs",
				drvgen.Planner: "/nix/store/00000000000000000000000000000000-plan", drvgen.Src: "/nix/store/00000000000000000000000000000000-src"},
		})
		if err != nil {
			t.Fatal(err)
		}
		byPath := map[string]string{}
		for i, d := range drvs {
			byPath[d.Path(cfg.StoreDir)] = bound.Derivations[i].Name
		}
		return byPath
	}
	for granularity, want := range map[string][]string{
		"package": {"example.org-lib", "example.org-lib-a", "example.org-lib-b", "std"},
		"module":  {"example.org-lib", "std"},
		"auto":    {"example.org-lib", "std"},
	} {
		cfg := BindConfig{
			Plan: filepath.Join(dir, "plan.json"), StdPlan: filepath.Join(dir, "std.json"), Modules: filepath.Join(dir, "modules.json"),
			Src: src, Name: "program", StoreDir: "/nix/store", Inner: drvgen.Inner{Granularity: granularity, ContentAddressed: true, DisallowedReferences: []string{"/nix/store/00000000000000000000000000000000-go"}}, Executor: "/nix/store/00000000000000000000000000000000-exec",
		}
		program := paths(cfg)
		cfg.Tests, cfg.Name = filepath.Join(dir, "tests.json"), "tests"
		var shared, own []string
		for path, name := range paths(cfg) {
			if program[path] != "" {
				shared = append(shared, name)
			} else {
				own = append(own, name)
			}
		}
		slices.Sort(shared)
		slices.Sort(own)
		if !slices.Equal(shared, want) {
			t.Errorf("%s: shared are %q, want %q", granularity, shared, want)
		}
		if want := []string{"example.com-m--example.com-m.test-", "example.com-m-untested", "example.com-m-untested-broken", "example.com-m.test", "example.org-lib-t", "m.test", "needs-of-tests", "std-compress", "std-go", "std-hash", "std-testing", "std-text", "test-example.com-m", "tests"}; !slices.Equal(own, want) {
			t.Errorf("%s: the tests' own are %q, want %q", granularity, own, want)
		}
	}
}
