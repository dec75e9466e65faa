package stage

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/drvgen"
	"dgd/internal/gocmd"
	"dgd/internal/planfile"
	"dgd/internal/testfiles"
	"dgd/internal/testnix"
)

// files are the sources of a program with all features that a plan in a file can have.
var filesOfPlan = map[string]string{
	"go.mod":                            "module example.com/m\n\ngo 1.24\n\nrequire (\n\texample.org/lib v1.0.0\n\texample.org/lib/sub v1.1.0\n)\n",
	"main.go":                           "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/m/big\"\n\t_ \"example.com/m/gopage\"\n\t\"example.com/m/page\"\n\t\"example.org/lib\"\n)\n\nfunc main() { fmt.Println(big.Size, page.Text, lib.Name) }\n",
	"big/big.go":                        "package big\n\n// Size is $large.\nconst Size = 1\n\n//" + strings.Repeat(" ", maxTexts) + "\n",
	"page/page.go":                      "package page\n\nimport (\n\t\"embed\"\n\t_ \"strings\"\n)\n\n//go:embed a.txt all:site\nvar files embed.FS\n\nvar Text, _ = files.ReadFile(\"a.txt\")\n",
	"page/a.txt":                        "a\n",
	"page/other.txt":                    "not embedded\n",
	"page/site/x y,z=%.html":            "<p>\n",
	"page/site/deep/b.html":             "<b>\n",
	"gopage/page.go":                    "package gopage\n\nimport _ \"embed\"\n\n//go:embed deep/text.go\nvar Text string\n",
	"gopage/deep/text.go":               "package text\n",
	"cmd/two/two.go":                    "package main\n\nimport _ \"example.com/m/small\"\n\nfunc main() {}\n",
	"cmd/two/other_test.go":             "package main\n",
	"small/a.go":                        "package small\n\n// $HOME is \u2028 no <variable> & no \"token\".\nconst A = \"$x\\t\"\n",
	"small/b_windows.go":                "package small\n",
	"lonely/lonely.go":                  "package lonely\n\nimport _ \"example.com/m/small\"\n",
	"vendor/modules.txt":                "# example.org/lib v1.0.0\n## explicit; go 1.24\nexample.org/lib\nexample.org/lib/b\nexample.org/lib/c\n# example.org/lib/sub v1.1.0\n## explicit; go 1.21\nexample.org/lib/sub\n",
	"vendor/example.org/lib/lib.go":     "package lib\n\nimport (\n\t_ \"example.org/lib/b\"\n\t_ \"example.org/lib/c\"\n\t_ \"example.org/lib/sub\"\n)\n\nconst Name = \"lib\"\n",
	"vendor/example.org/lib/b/b.go":     "package b\n\nimport _ \"example.org/lib/c\"\n",
	"vendor/example.org/lib/c/c.go":     "package c\n",
	"vendor/example.org/lib/sub/sub.go": "package sub\n",
}

// filesWithC are the sources of a program with C and assembly of all kinds.
var filesWithC = map[string]string{
	"go.mod":             "module example.com/m\n\ngo 1.24\n\nrequire example.org/c v1.0.0\n",
	"main.go":            "package main\n\nimport (\n\t_ \"example.com/m/asm\"\n\t_ \"example.com/m/c\"\n\t_ \"example.com/m/cxx\"\n\t_ \"example.com/m/flags\"\n\t_ \"example.org/c\"\n\t_ \"net\"\n\t_ \"os/user\"\n)\n\nfunc main() {}\n",
	"c/c.go":             "package c\n\n// int one(void);\nimport \"C\"\n\nvar One = int(C.one())\n",
	"c/c.c":              "#include \"one.h\"\nint one(void) { return ONE; }\n",
	"c/one.h":            "#define ONE 1\n",
	"c/README":           "#include in a text\n",
	"cxx/cxx.go":         "package cxx\n\n// int two(void);\nimport \"C\"\n\n//export three\nfunc three() C.int { return C.two() }\n",
	"cxx/two.cpp":        "#include <vector>\n#include \"../include/two.h\"\nextern \"C\" int two(void) { return TWO; }\n",
	"cxx/a=b;c>d!.cc":    "#include \"_cgo_export.h\"\n",
	"include/two.h":      "#define TWO 2\n",
	"flags/flags.go":     "package flags\n\n// #cgo CFLAGS: -I${SRCDIR}/inc\n// #cgo LDFLAGS: -L${SRCDIR}/lib -lflags\n// #include \"flags.h\"\nimport \"C\"\n\nvar Flags = C.FLAGS\n",
	"flags/inc/flags.h":  "#define FLAGS 3\n",
	"flags/lib/keep.txt": "",
	"asm/asm.go":         "package asm\n\nfunc F()\n",
	"asm/asm_amd64.s":    "#include \"textflag.h\"\n\nTEXT ·F(SB),NOSPLIT,$0\n\tRET\n",
	"asm/asm_arm64.s":    "#include \"textflag.h\"\n\nTEXT ·F(SB),NOSPLIT,$0\n\tRET\n",

	"vendor/modules.txt":          "# example.org/c v1.0.0\n## explicit; go 1.24\nexample.org/c\n",
	"vendor/example.org/c/c.go":   "package c\n\n// int c(void);\nimport \"C\"\n\nvar C_ = C.c()\n",
	"vendor/example.org/c/c.c":    "int c(void) { return 4; }\n",
	"vendor/example.org/c/big.cc": "int d(void) { return 5; }\n",
}

// A plan in a file gives the same derivations as Bind: evaluation with import from
// derivation has the same .drv paths.
func TestFileIsBound(t *testing.T) {
	testnix.Require(t)
	many := maps.Clone(filesOfPlan)
	for i := range maxOwnPackages {
		name := fmt.Sprintf("p%d", i)
		many[name+"/"+name+".go"] = "package " + name + "\n"
		if i%10 == 9 {
			many[name+"/"+name+".go"] += "\nimport _ \"example.com/m/p0\"\n"
		}
		many["small/imports"+name+".go"] = "package small\n\nimport _ \"example.com/m/" + name + "\"\n"
	}
	for i := range 70 { // so many that they share derivations
		name := fmt.Sprintf("example.org/light%d", i)
		many["go.mod"] += "\nrequire " + name + " v1.0.0\n"
		many["vendor/modules.txt"] += fmt.Sprintf("# %s v1.0.0\n## explicit; go 1.24\n%[1]s\n%[1]s/a\n", name)
		many["vendor/"+name+"/v.go"] = fmt.Sprintf("package v\n\nimport _ \"%s/a\"\n", name)
		many["vendor/"+name+"/a/a.go"] = "package a\n"
		many["small/imports.go"] += fmt.Sprintf("import _ \"%s\"\n", name)
	}
	many["small/imports.go"] = "package small\n\n" + many["small/imports.go"]
	stds := map[string]string{}
	for _, test := range []struct {
		name             string
		files            map[string]string
		packages         []string
		libraries        bool
		contentAddressed bool
		tests            *FileTests
	}{
		{"one program", filesOfPlan, []string{"."}, false, false, nil},
		{"two programs", filesOfPlan, []string{".", "./cmd/two"}, false, false, nil},
		{"libraries", filesOfPlan, nil, true, false, nil},
		{"coverage", filesOfPlan, []string{"."}, false, false, nil},
		{"many packages", many, []string{"./cmd/two"}, false, false, nil},
		{"C", filesWithC, []string{"."}, false, false, nil},
		{"C, content-addressed", filesWithC, []string{"."}, false, true, nil},
		{"tests", andTests(filesOfPlan), []string{"."}, false, false, &FileTests{Packages: []string{"./..."}, CheckFlags: []string{"-v"}, Data: map[string][]string{"*": {"page"}}}},
		{"tests of C", andTests(filesWithC), nil, true, true, &FileTests{CheckFlags: []string{}, Data: map[string][]string{}}},
		{"no tests", filesOfPlan, []string{"."}, false, false, &FileTests{Packages: []string{"./page"}, CheckFlags: []string{}, Data: map[string][]string{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			src, work := t.TempDir(), t.TempDir()
			testfiles.Write(t, src, test.files)
			base := config(t, src)
			base.Package, base.Libraries = test.packages, test.libraries
			if test.name == "coverage" {
				base.Env["GOFLAGS"] = "-cover"
			}
			if len(test.files["c/c.go"]) > 0 {
				base.Env["CGO_ENABLED"] = "1"
				base.AnyCompiler = true
			}
			cfg := &FileConfig{Config: *base, Src: src, Granularity: "auto", ContentAddressed: test.contentAddressed, Tests: test.tests}
			cfg.Env = maps.Clone(base.Env)
			file, err := MakeFile(t.Context(), cfg, filepath.Join(work, "file"))
			if err != nil {
				t.Fatal(err)
			}
			plans := map[string]*planfile.File{"linux/amd64": file}
			if test.name == "C" { // one file for two targets
				cfg.Env["GOARCH"] = "arm64"
				if plans["linux/arm64"], err = MakeFile(t.Context(), cfg, filepath.Join(work, "arm64")); err != nil {
					t.Fatal(err)
				}
			}
			text := planfile.Format(plans)
			if asks := strings.Contains(string(text), "\nnode ask!"); asks != test.contentAddressed {
				t.Errorf("there are nodes that ask: %v", asks)
			}
			var untested []string
			for line := range strings.Lines(string(text)) {
				if rest, ok := strings.CutPrefix(line, "untested "); ok {
					untested = append(untested, strings.Fields(rest)[0])
				}
			}
			if want := untestedOfPlan[test.name]; !slices.Equal(untested, want) {
				t.Errorf("of packages without tests there are %q, want %q", untested, want)
			}
			if shared := strings.Contains(string(text), " g=+"); shared != (test.name == "many packages") {
				t.Errorf("there are packages of several modules, or of the main module, that share a derivation: %v", shared)
			}
			plan := filepath.Join(work, "dgd.plan")
			if err := os.WriteFile(plan, text, 0o666); err != nil {
				t.Fatal(err)
			}
			bound := boundFor(t, base, src, work, stds, test.contentAddressed)
			same(t, src, plan, bound, "", test.contentAddressed)
			if test.tests != nil {
				same(t, src, plan, boundTests(t, base, test.tests, src, work, test.contentAddressed), "tests", test.contentAddressed)
			}
		})
	}
}

// untestedOfPlan returns the packages of the plans that have no tests and that no other
// compiled package needs: those of the program, and those that only tests need.
var untestedOfPlan = map[string][]string{
	"tests":    {"^example.com/m:gopage/deep", "^example.com/m:helper/user", "^example.com/m:lonely"},
	"no tests": {"example.com/m:page"},
}

// andTests are a program's files with tests, in all forms that a plan in a file has for
// them.
func andTests(files map[string]string) map[string]string {
	files = maps.Clone(files)
	maps.Copy(files, map[string]string{
		"main_test.go":             "package main\n\nimport (\n\t\"testing\"\n\n\t_ \"example.com/m/helper\"\n)\n\nfunc TestMain(m *testing.M) { m.Run() }\n\nfunc Test(*testing.T) {}\n\nfunc FuzzÄ_1(*testing.F) {}\n",
		"helper/helper.go":         "package helper\n\nimport _ \"runtime\"\n",
		"helper/helper_test.go":    "package helper\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n\nfunc TestB(*testing.T) {}\n\nfunc BenchmarkC(*testing.B) {}\n",
		"helper/external_test.go":  "package helper_test\n\nimport (\n\t\"os\"\n\t\"testing\"\n\n\t_ \"example.com/m/helper/user\"\n)\n\nfunc TestX(*testing.T) { os.ReadFile(\"../go.mod\") }\n",
		"helper/user/user.go":      "package user\n\nimport _ \"example.com/m/helper\"\n",
		"helper/testdata/a/b.txt":  "b\n",
		"helper/notes/c.txt":       "c\n",
		"example/example_test.go":  "package example\n\nimport \"fmt\"\n\nfunc Example() {\n\tfmt.Println(\"a\")\n\t// Output: a\n}\n",
		"example/example2_test.go": "package example_test\n",
	})
	if files["c/c.go"] != "" {
		files["c/c_test.go"] = "package c\n\nimport \"testing\"\n\nfunc Test(*testing.T) {}\n"
		files["cxx/cxx_test.go"] = "package cxx\n\nimport \"testing\"\n\nfunc Test(*testing.T) {}\n"
	}
	return files
}

// A feature for which a plan in a file has no form is an error that names it.
func TestFileErrors(t *testing.T) {
	for _, test := range []struct{ name, goflags, pgo, want string }{
		{"a profile", "", profile, "a plan in a file has no form for profiles: for a build without one, GOFLAGS=-pgo=off: leave out `plan`"},
		{"an overlay", "-overlay=o.json", "", "GOFLAGS has an overlay, which a plan in a file cannot have: leave out `plan`"},
		{"a library", "-buildmode=c-archive", "", "-buildmode=c-archive and -buildmode=c-shared: leave out `plan`"},
		{"a plugin", "-buildmode=plugin", "", "-buildmode=plugin is not built package by package"},
	} {
		src := t.TempDir()
		files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nimport \"C\"\n\nfunc main() {}\n", "o.json": "{}"}
		if test.pgo != "" {
			files["default.pgo"] = test.pgo
		}
		testfiles.Write(t, src, files)
		cfg := &FileConfig{Config: *config(t, src), Src: src, Granularity: "auto"}
		cfg.Env["CGO_ENABLED"] = "1"
		if test.goflags != "" {
			cfg.Env["GOFLAGS"] = test.goflags
		}
		if _, err := MakeFile(t.Context(), cfg, filepath.Join(t.TempDir(), "file")); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
}

// profile is a CPU profile that Go's own tool can read.
const profile = "GO PREPROFILE V1\n"

const maxOwnPackages = 300 // so many that they share derivations and are collected

// boundFor plans and binds in the stages of a build, and returns the directory that
// evaluation imports. Stds are the plans of the standard library that were made already,
// by their configuration as JSON.
func boundFor(t *testing.T, base *Config, src, work string, stds map[string]string, contentAddressed bool) string {
	t.Helper()
	plan := func(cfg *Config, name string) string {
		p, err := Make(t.Context(), cfg, filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		text, err := JSON(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	std := &Config{Go: base.Go, Env: base.Env, AnyCompiler: base.AnyCompiler, Flags: gocmd.Without(base.Flags, "-ldflags=-buildid=")}
	key, err := JSON(std)
	if err != nil {
		t.Fatal(err)
	}
	if stds[string(key)] == "" {
		stds[string(key)] = plan(std, "std")
	}
	testfiles.Write(t, work, map[string]string{"plan.json": plan(base, "plan"), "std.json": stds[string(key)]})
	list, err := SplitModules(t.Context(), &SplitConfig{Src: src, StoreDir: "/nix/store"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(filepath.Join(work, "modules.json"), list); err != nil {
		t.Fatal(err)
	}
	return bindTo(t, bindConfig(src, work, contentAddressed), filepath.Join(work, "bound"))
}

// boundTests does the same for tests, after boundFor.
func boundTests(t *testing.T, base *Config, tests *FileTests, src, work string, contentAddressed bool) string {
	t.Helper()
	cfg := &TestConfig{Config: *base, CheckFlags: tests.CheckFlags}
	cfg.Package = tests.Packages
	cfg.Skeleton = filepath.Join(work, "test-skeleton")
	if err := WriteSkeleton(t.Context(), &SkeletonConfig{Src: src, Tests: true}, cfg.Skeleton); err != nil {
		t.Fatal(err)
	}
	p, err := MakeTests(t.Context(), cfg, filepath.Join(work, "tests"))
	if err != nil {
		t.Fatal(err)
	}
	c := bindConfig(src, work, contentAddressed)
	c.Tests, c.TestData, c.Name = filepath.Join(work, "tests.json"), tests.Data, "tests"
	if err := WriteJSON(c.Tests, p); err != nil {
		t.Fatal(err)
	}
	return bindTo(t, c, filepath.Join(work, "tests-bound"))
}

func bindConfig(src, work string, contentAddressed bool) *BindConfig {
	return &BindConfig{
		Plan: filepath.Join(work, "plan.json"), StdPlan: filepath.Join(work, "std.json"), Modules: filepath.Join(work, "modules.json"),
		Src: src, Inner: drvgen.Inner{Granularity: "auto", ContentAddressed: contentAddressed}, Name: "program", StoreDir: "/nix/store",
	}
}

func bindTo(t *testing.T, cfg *BindConfig, out string) string {
	t.Helper()
	bound, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := bound.WriteTo(out, "/nix/store"); err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares the results of both: the program, or with "tests" the tests.
func same(t *testing.T, src, plan, bound, tests string, contentAddressed bool) {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT", "GOHOSTOS", "GOHOSTARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Fields(string(goroot))
	lib, err := filepath.Abs("../../lib/stages")
	if err != nil {
		t.Fatal(err)
	}
	expr := fmt.Sprintf(`
let
  execute = import %[1]s/execute.nix { system = "x86_64-linux"; tools.dgd-exec = "/dgd-exec"; };
  inputs = {
    go = %[2]q; goroot = "."; stdSpecs = "/specs"; cgoEnv = "/cgo-env"; stdEnv = "/std-env"; linkEnv = "/link-env"; compilers = "/compilers"; checkEnv = "/check-env"; planner = "/planner"; src = "/src"; modules = "/modules";
  };
  common.inner = { contentAddressed = %[7]v; disallowedReferences = [ inputs.go ]; };
  bound = import %[1]s/derive.nix { inherit execute; } (common // {
    bound = "%[3]s"; modules = "%[3]s/../modules.json"; modulesDir = "%[4]s"; locked = null; inherit inputs;
  });
  fail = message: throw message;
  plan = import %[1]s/plan-file.nix { inherit fail; file = "%[5]s"; variant = "linux/amd64"; };
  generated = import %[1]s/generate.nix { inherit execute; } (common // {
    inherit plan inputs; testInputs = inputs; src = "%[4]s"; tools = "%[6]s"; values = [ ]; libraries = builtins.fromJSON plan.settings.libraries;
    trees = import %[1]s/plan-trees.nix { inherit plan; src = "%[4]s"; locked = null; inherit fail; };
  });
  drvPath = d: d.drvPath;
in
if "%[8]s" == "tests" then
  {
    bound = builtins.mapAttrs (_: drvPath) (bound.tests // { all = bound.last; });
    generated = builtins.mapAttrs (_: drvPath) generated.tests;
  }
else
  {
    bound.program = bound.last.drvPath;
    generated.program = generated.program.drvPath;
  }`, lib, env[0], bound, src, plan, env[1]+"_"+env[2], contentAddressed, tests)
	store := testnix.NewStore(t)
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-E", expr)
	cmd.Env = store.Environ()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var drvs struct{ Bound, Generated map[string]string }
	if err := json.Unmarshal(out, &drvs); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(drvs.Bound, drvs.Generated) {
		t.Errorf("a plan in a file gives %s, binding %s", drvs.Generated, drvs.Bound)
	}
}
