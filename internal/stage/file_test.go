package stage

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/drvgen"
	"dgd/internal/gocmd"
	"dgd/internal/testnix"
)

// files are the sources of a program with what a plan in a file has a form for.
var filesOfPlan = map[string]string{
	"go.mod":                            "module example.com/m\n\ngo 1.24\n\nrequire (\n\texample.org/lib v1.0.0\n\texample.org/lib/sub v1.1.0\n)\n",
	"main.go":                           "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/m/big\"\n\t\"example.com/m/page\"\n\t\"example.org/lib\"\n)\n\nfunc main() { fmt.Println(big.Size, page.Text, lib.Name) }\n",
	"big/big.go":                        "package big\n\n// Size is $large.\nconst Size = 1\n\n//" + strings.Repeat(" ", maxTexts) + "\n",
	"page/page.go":                      "package page\n\nimport (\n\t\"embed\"\n\t_ \"strings\"\n)\n\n//go:embed a.txt all:site\nvar files embed.FS\n\nvar Text, _ = files.ReadFile(\"a.txt\")\n",
	"page/a.txt":                        "a\n",
	"page/other.txt":                    "not embedded\n",
	"page/site/x y,z=%.html":            "<p>\n",
	"page/site/deep/b.html":             "<b>\n",
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

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A plan in a file gives the derivations that binding gives: evaluation with
// import from derivation has the same .drv paths.
func TestFileIsBound(t *testing.T) {
	testnix.Require(t)
	many := maps.Clone(filesOfPlan)
	for i := range maxOwnPackages {
		name := fmt.Sprintf("p%d", i)
		many[name+"/"+name+".go"] = "package " + name + "\n"
		many["small/imports"+name+".go"] = "package small\n\nimport _ \"example.com/m/" + name + "\"\n"
	}
	for _, test := range []struct {
		name      string
		files     map[string]string
		packages  []string
		libraries bool
	}{
		{"one program", filesOfPlan, []string{"."}, false},
		{"two programs", filesOfPlan, []string{".", "./cmd/two"}, false},
		{"libraries", filesOfPlan, nil, true},
		{"many packages", many, []string{"./cmd/two"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			src, work := t.TempDir(), t.TempDir()
			writeFiles(t, src, test.files)
			base := config(t, src)
			base.Package, base.Libraries = test.packages, test.libraries
			cfg := &FileConfig{Config: *base, Src: src, Granularity: "module"}
			cfg.Env = maps.Clone(base.Env)
			file, err := MakeFile(t.Context(), cfg, filepath.Join(work, "file"))
			if err != nil {
				t.Fatal(err)
			}
			plan := filepath.Join(work, "dgd.plan")
			if err := os.WriteFile(plan, file.Format(), 0o666); err != nil {
				t.Fatal(err)
			}
			bound := boundFor(t, base, src, work)
			same(t, src, plan, bound)
		})
	}
}

const maxOwnPackages = 140 // more than a link refers to one by one

// boundFor plans and binds in the stages of a build, and returns the directory that
// evaluation imports.
func boundFor(t *testing.T, base *Config, src, work string) string {
	t.Helper()
	std := &Config{Go: base.Go, Env: base.Env, Flags: gocmd.Without(base.Flags, "-ldflags=-buildid=")}
	for name, cfg := range map[string]*Config{"plan": base, "std": std} {
		p, err := Make(t.Context(), cfg, filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(filepath.Join(work, name+".json"), p); err != nil {
			t.Fatal(err)
		}
	}
	list, err := SplitModules(t.Context(), &SplitConfig{Src: src, StoreDir: "/nix/store"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(filepath.Join(work, "modules.json"), list); err != nil {
		t.Fatal(err)
	}
	bound, err := Bind(t.Context(), &BindConfig{
		Plan: filepath.Join(work, "plan.json"), StdPlan: filepath.Join(work, "std.json"), Modules: filepath.Join(work, "modules.json"),
		Src: src, Inner: drvgen.Inner{Granularity: "module"}, Name: "program", StoreDir: "/nix/store",
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "bound")
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := bound.WriteTo(out, "/nix/store"); err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares what both give.
func same(t *testing.T, src, plan, bound string) {
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
  inputs = { go = %[2]q; goroot = "."; stdSpecs = "/specs"; };
  common.inner = { contentAddressed = false; disallowedReferences = [ inputs.go ]; };
  bound = import %[1]s/derive.nix { inherit execute; } (common // {
    bound = "%[3]s"; modules = "%[3]s/../modules.json"; modulesDir = "%[4]s"; locked = null; inherit inputs;
  });
  fail = message: throw message;
  plan = import %[1]s/plan-file.nix { inherit fail; file = "%[5]s"; };
  generated = import %[1]s/generate.nix { inherit execute; } (common // {
    inherit plan fail inputs; src = "%[4]s"; tools = "%[6]s"; values = [ ]; libraries = builtins.fromJSON plan.settings.libraries;
    trees = import %[1]s/plan-trees.nix { inherit plan; src = "%[4]s"; locked = null; inherit fail; };
  });
in
{
  bound = bound.last.drvPath;
  generated = generated.program.drvPath;
}`, lib, env[0], bound, src, plan, env[1]+"_"+env[2])
	store := testnix.NewStore(t)
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-E", expr)
	cmd.Env = store.Environ()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var drvs struct{ Bound, Generated string }
	if err := json.Unmarshal(out, &drvs); err != nil {
		t.Fatal(err)
	}
	if drvs.Bound != drvs.Generated {
		t.Errorf("a plan in a file gives %s, binding %s", drvs.Generated, drvs.Bound)
	}
}
