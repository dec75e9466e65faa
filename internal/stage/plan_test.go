package stage

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/nix/socket/sockettest"
	"dgd/internal/testfiles"
	"dgd/internal/workspace"
)

// goroot is the toolchain that runs the test.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env GOROOT: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	testfiles.Write(t, dir, files)
	return dir
}

var vendored = map[string]string{
	"go.mod":                        "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n",
	"main.go":                       "package main\n\nimport \"example.org/lib\"\n\nfunc main() { println(lib.Text) }\n",
	"vendor/modules.txt":            "# example.org/lib v1.0.0\n## explicit; go 1.24\nexample.org/lib\n",
	"vendor/example.org/lib/lib.go": "package lib\n\nimport \"strings\"\n\nvar Text = strings.ToUpper(\"text\")\n",
}

// config returns the configuration for a plan of the directory src, or of the standard
// library.
func config(t *testing.T, src string) *Config {
	t.Helper()
	skeleton := ""
	if src != "" {
		skeleton = filepath.Join(t.TempDir(), "skeleton")
		if err := WriteSkeleton(t.Context(), &SkeletonConfig{Src: src}, skeleton); err != nil {
			t.Fatal(err)
		}
	}
	return &Config{
		Go: goroot(t), Skeleton: skeleton, Package: []string{"."},
		Flags: []string{"-trimpath", "-buildvcs=false", "-ldflags=-buildid="},
		Env:   map[string]string{"CGO_ENABLED": "0"},
	}
}

// A plan, bound and written in both forms.
func TestPlanAndBind(t *testing.T) {
	ctx := context.Background()
	large := maps.Clone(vendored)
	large["main.go"] += "\n//" + strings.Repeat(" ", maxTexts)
	src := project(t, large)
	plan, err := Make(ctx, config(t, src), filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	if plan.Goroot != "." {
		t.Errorf("GOROOT is at %s", plan.Goroot)
	}
	nodes := plan.Graph.Nodes
	last := nodes[len(nodes)-3:]
	if last[0].Name != "example.org/lib" || last[1].Name != "example.com/m" || last[2].Kind != graph.Link || last[2].Main != "m" {
		t.Errorf("the plan ends in %s, %s, %s", last[0].Name, last[1].Name, last[2].Name)
	}

	dir := t.TempDir()
	modules, err := SplitModules(ctx, &SplitConfig{Vendor: filepath.Join(src, "vendor"), StoreDir: "/nix/store"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) != 1 || modules[0].Dir != "example.org/lib" || modules[0].Root != "example.org/lib" {
		t.Fatalf("modules are %+v", modules)
	}
	files := map[string]any{"plan": plan, "std": Plan{Goroot: "."}, "modules": modules}
	for name, v := range files {
		if err := WriteJSON(filepath.Join(dir, name), v); err != nil {
			t.Fatal(err)
		}
	}
	cfg := &BindConfig{
		Inner: drvgen.Inner{Granularity: "package", DisallowedReferences: []string{"/nix/store/00000000000000000000000000000000-go"}},
		Plan:  filepath.Join(dir, "plan"), StdPlan: filepath.Join(dir, "std"), Modules: filepath.Join(dir, "modules"),
		Src: src, Name: "program", StoreDir: "/nix/store", System: "x86_64-linux",
		Executor: "/nix/store/00000000000000000000000000000000-exec",
		Inputs:   map[drvgen.Input]string{drvgen.Go: "/nix/store/00000000000000000000000000000000-go"},
	}
	bound, err := Bind(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range bound.Derivations {
		names = append(names, d.Name)
	}
	if want := []string{"std-variant", "example.org-lib", "example.com-m", "program"}; !slices.Equal(names, want) {
		t.Errorf("derivations are %q, want %q", names, want)
	}

	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := bound.WriteTo(out, cfg.StoreDir); err != nil {
		t.Fatal(err)
	}
	var data struct {
		Derivations []drvgen.Derivation
		Sources     []SourceTree
	}
	if err := readJSON(filepath.Join(out, "derivations.json"), &data); err != nil {
		t.Fatal(err)
	}
	if len(data.Derivations) != 4 || len(data.Sources) != 1 || data.Sources[0].Name != "example.com-m" {
		t.Errorf("wrote %d derivations and %+v", len(data.Derivations), data.Sources)
	}
	if text, err := os.ReadFile(filepath.Join(out, data.Sources[0].Root, "main.go")); err != nil || string(text) != large["main.go"] {
		t.Errorf("main.go is %q, %v", text, err)
	}

	st := sockettest.NewMemory("/nix/store", cfg.Executor, cfg.Inputs[drvgen.Go], modules[0].Store)
	if err := bound.AddTo(ctx, st, cfg); err != nil {
		t.Fatal(err)
	}
	drv := st.Submitted
	if !strings.HasPrefix(string(drv), "Derive(") || !strings.Contains(string(drv), `("name","program")`) {
		t.Errorf("the output is %.100s", drv)
	}
	if n := len(st.Order); n != 5 {
		t.Errorf("added %q", st.Order)
	}
}

func TestMakeErrors(t *testing.T) {
	with := func(nameText ...string) map[string]string {
		files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"}
		for i := 0; i < len(nameText); i += 2 {
			files[nameText[i]] = nameText[i+1]
		}
		return files
	}
	tests := []struct {
		name   string
		files  map[string]string
		change func(*Config)
		want   string
	}{
		{"no go.mod", map[string]string{"x": ""}, nil, "src has no go.mod"},
		{"go.mod without a module", with("go.mod", "go 1.24\n"), nil, "names no module"},
		{"go.mod that does not parse", with("go.mod", "module example.com/m\n\nrequire\n"), nil, "go.mod:3"},
		{"no hash", with("go.mod", "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n"), nil, "vendorHash is missing"},
		{"a hash too many", with("vendor/x", ""), func(c *Config) { c.Vendor = "/nowhere" }, "vendor directory of its own"},
		{"a workspace without the module", with("go.work", "go 1.24\n\nuse ./lib\n", "lib/go.mod", "module example.com/lib\n"), nil, "env.GOWORK = \"off\""},
		{"an empty workspace", with("go.work", "go 1.24\n"), nil, "env.GOWORK = \"off\""},
		{"a workspace with a module that is not there", with("go.work", "go 1.24\n\nuse (\n\t.\n\t./lib\n)\n"), nil, "src has no lib/go.mod, although go.work names the directory"},
		{"a workspace that leaves src", with("go.work", "go 1.24\n\nuse (\n\t.\n\t../lib\n)\n"), nil, "src: go.work:5: ../lib is not in src"},
		{"a workspace that does not parse", with("go.work", "go 1.24\n\nusing .\n"), nil, "go.work:3: unknown directive: using"},
		{"a workspace elsewhere", with("x", ""), func(c *Config) { c.Env["GOWORK"] = "/x/go.work" }, "env.GOWORK is /x/go.work"},
		{"a workspace that needs modules", with("go.work", "go 1.24\n\nuse ./lib\n", "lib/go.mod", vendored["go.mod"]), nil, "vendorHash is missing"},
		{"a module below", map[string]string{"a/go.mod": "", "b/c/go.mod": "", "vendor/x/go.mod": ""}, nil, "src has no go.mod, but there is one in a, b/c: say which module to build, as in modRoot = \"a\";"},
		{"no such modRoot", with("a/go.mod", ""), func(c *Config) { c.ModRoot = "b" }, "src has no b/go.mod, but there is one in ., a"},
		{"a modRoot above", with("x", ""), func(c *Config) { c.ModRoot = "../x" }, "modRoot is ../x, which is not below src"},
		{"a replacement out of src", with("go.mod", "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n\nreplace example.org/lib => ../lib\n", "main.go", vendored["main.go"]), nil, "src must hold the replacement"},
		{"no such package", with("x", ""), func(c *Config) { c.Package = []string{"cmd/x"} }, "subPackage names a directory"},
		{"not a program", with("lib/lib.go", "package lib\n"), func(c *Config) { c.Package = []string{"lib"} }, "package main"},
		{"one of two is not a program", with("lib/lib.go", "package lib\n"), func(c *Config) { c.Package = []string{".", "lib"} }, "only 1 are programs"},
		{"a pattern beside what is no program", with("lib/lib.go", "package lib\n", "cmd/a/a.go", "package main\n\nfunc main() {}\n", "cmd/b/b.go", "package main\n\nfunc main() {}\n"), func(c *Config) { c.Package = []string{"cmd/...", "lib"} }, "only 1 are programs"},
		{"a vendor directory without a list", map[string]string{"go.mod": vendored["go.mod"], "main.go": vendored["main.go"], "vendor/example.org/lib/lib.go": "package lib\n"}, nil, "not marked as explicit in vendor/modules.txt"},
		{"a fetch beside a vendor directory without a list", map[string]string{"go.mod": vendored["go.mod"], "main.go": vendored["main.go"], "vendor/example.org/lib/lib.go": "package lib\n"}, func(cfg *Config) { cfg.Vendor = "/vendor" }, "vendor directory of its own without modules.txt"},
		{"a vendor directory that does not fit", map[string]string{"go.mod": vendored["go.mod"], "main.go": vendored["main.go"], "vendor/modules.txt": "# example.org/lib v1.1.0\n"}, nil, "run `go mod vendor`"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, project(t, test.files))
			if test.change != nil {
				test.change(cfg)
			}
			_, err := Make(context.Background(), cfg, filepath.Join(t.TempDir(), "work"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A program that is named twice is built once. Programs of a workspace may be in any of its
// modules.
func TestAskedPrograms(t *testing.T) {
	const program = "package main\n\nfunc main() {}\n"
	for _, packages := range [][]string{{".", "."}, {".", "./", "cmd/../."}, {".", "other/cmd"}, {"./...", "other/cmd", "example.com/m"}} {
		cfg := config(t, project(t, map[string]string{
			"go.work": "go 1.24\n\nuse .\nuse ./other\n", "go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": program,
			"other/go.mod": "module example.com/elsewhere\n\ngo 1.24\n", "other/cmd/main.go": program,
		}))
		cfg.Package = packages
		if _, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work")); err != nil {
			t.Errorf("%q: %v", packages, err)
		}
	}
}

// A lock may have no modules.
func TestLockWithoutModules(t *testing.T) {
	cfg := config(t, project(t, map[string]string{
		"go.mod":        "module example.com/m\n\ngo 1.24\n\nrequire example.org/a v1.0.0\n\nreplace example.org/a => \"./my dir\"\n",
		"main.go":       "package main\n\nimport \"example.org/a\"\n\nfunc main() { a.F() }\n",
		"my dir/go.mod": "module example.org/a\n\ngo 1.24\n",
		"my dir/a.go":   "package a\n\nfunc F() {}\n",
	}))
	cfg.Lock = &workspace.Locked{Text: `{"version": 1, "main": ["example.com/m"], "modules": []}`, GoMods: t.TempDir()}
	if _, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work")); err != nil {
		t.Error(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	if err := (&workspace.Locked{}).WriteCache(cache); err != nil || !workspace.Exists(cache) {
		t.Errorf("there is no module cache (%v)", err)
	}
}

// Lines of a real build with gcc for C and clang for C++.
const realBuild = `WORK=/tmp/go-build1
cd /src
TERM='dumb' gcc -I . -fPIC -m64 -pthread -Wl,--no-gc-sections -fmessage-length=0 -ffile-prefix-map=$WORK/b001=/tmp/go-build -gno-record-gcc-switches -I $WORK/b001/ -O2 -g -ffile-prefix-map=/src=/_/probe -frandom-seed=x -o $WORK/b001/_x003.o -c c.c
TERM='dumb' clang++ -I . -fPIC -m64 -pthread -fno-caret-diagnostics -Qunused-arguments -fmessage-length=0 -fdebug-prefix-map=$WORK/b001=/tmp/go-build -I $WORK/b001/ -O2 -g -fdebug-prefix-map=/src=/_/probe -o $WORK/b001/_x004.o -c cxx.cc
`

func TestCompilerFlags(t *testing.T) {
	got, err := compilerFlags(realBuild, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]action.CompilerFlags{
		"gcc":     {Before: []string{"-Wl,--no-gc-sections"}, After: []string{"-gno-record-gcc-switches"}, PrefixMap: "-ffile-prefix-map"},
		"clang++": {Before: []string{"-fno-caret-diagnostics", "-Qunused-arguments"}, PrefixMap: "-fdebug-prefix-map"},
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got %s, want %s", a, b)
	}
	if _, err := compilerFlags("cd /src\n", nil); err == nil {
		t.Error("a build without a compiler has flags")
	}
}

func TestCgoFlags(t *testing.T) {
	dir := project(t, map[string]string{
		"a.go":      "package a\n\n// #cgo CFLAGS: -I . -DX=1\n// #cgo linux LDFLAGS: -L${SRCDIR}/lib ./x.a\n// #include <a.h>\nimport \"C\"\n",
		"b.go":      "package a\n\nimport \"fmt\"\n\n// #cgo CFLAGS: -no\nvar _ = fmt.Sprint\n",
		"broken.go": "pack",
	})
	got, err := cgoFlags(dir)
	if want := []string{"-I", ".", "-DX=1", "-L" + dir + "/lib", "./x.a"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestPattern(t *testing.T) {
	dir := project(t, map[string]string{"cmd/a/main.go": "", "dot.ted/x.go": ""})
	for p, want := range map[string]string{
		".": ".", "./...": "./...", "cmd/a": "./cmd/a", "cmd/none": "./cmd/none", "dot.ted": "./dot.ted",
		"example.org/tool/cmd/x": "example.org/tool/cmd/x", "example.org/...": "example.org/...",
		"cmd...": "./cmd...", "a.b...": "./a.b...", "cmd.../x": "./cmd.../x",
	} {
		if got := pattern(dir, p); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
}

// Go files in subPackages are a program, which is named after the first one.
func TestGoFilesOfProgram(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":     "module example.com/m\n\ngo 1.24\n",
		"x/b.go":     "package main\n\nfunc main() { f() }\n",
		"x/a.go":     "package main\n\nfunc f() {}\n",
		"x/other.go": "//go:build ignore\n\npackage main\n\nfunc main() {}\n",
		"lib/lib.go": "package lib\n",
	})
	for _, test := range []struct {
		packages []string
		main     string
		files    []string
		err      string
	}{
		{[]string{"x/b.go", "./x/a.go"}, "b", []string{"x/b.go", "x/a.go"}, ""},
		{[]string{"x/other.go"}, "other", []string{"x/other.go"}, ""},
		{[]string{"lib/lib.go"}, "", nil, "no main packages to build"},
	} {
		cfg := config(t, src)
		cfg.Package = test.packages
		plan, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
		if err != nil || test.err != "" {
			if err == nil || test.err == "" || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: %v, want %q", test.packages, err, test.err)
			}
			continue
		}
		link := plan.Graph.Nodes[len(plan.Graph.Nodes)-1]
		main := plan.Graph.Nodes[len(plan.Graph.Nodes)-2]
		if link.Kind != graph.Link || link.Main != test.main || !slices.Equal(main.Src.Files, test.files) {
			t.Errorf("%q: the program %s of %q, want %s of %q", test.packages, link.Main, main.Src.Files, test.main, test.files)
		}
	}
}
