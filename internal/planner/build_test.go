package planner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/executor"
	"dgd/internal/graph"
)

// A builder plans programs, binds them and carries out their derivations, all
// without Nix: the store is a directory.
type builder struct {
	t   *testing.T
	dir string
	src string
	cfg *Config
}

func newBuilder(t *testing.T, src string) *builder {
	return &builder{t: t, dir: t.TempDir(), src: src, cfg: config(t, src)}
}

// hasCompilers says whether there are compilers for C and C++.
func hasCompilers() bool {
	_, err := exec.LookPath("gcc")
	_, err2 := exec.LookPath("g++")
	return err == nil && err2 == nil
}

// probe is the answer of the compilers, which takes a while.
var probe struct {
	sync.Once
	flags map[string]graph.CompilerFlags
}

// withCgo gives the builder a C compiler.
func (b *builder) withCgo() {
	b.t.Helper()
	b.cfg.Env = map[string]string{"CGO_ENABLED": "1", "CC": "gcc", "CXX": "g++"}
	b.cfg.EnvFile = filepath.Join(b.dir, "env")
	if err := os.WriteFile(b.cfg.EnvFile, []byte("PATH="+os.Getenv("PATH")+"\x00\x00LC_ALL=C\x00"), 0o666); err != nil {
		b.t.Fatal(err)
	}
	probe.Do(func() {
		dir, err := os.MkdirTemp("", "probe")
		if err != nil {
			b.t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if probe.flags, err = Probe(b.t.Context(), b.cfg, filepath.Join(dir, "work")); err != nil {
			b.t.Error(err)
		}
	})
	if probe.flags == nil {
		b.t.FailNow()
	}
	b.cfg.Probe = filepath.Join(b.dir, "flags")
	b.write(b.cfg.Probe, probe.flags)
}

func (b *builder) write(file string, v any) {
	b.t.Helper()
	if err := WriteJSON(file, v); err != nil {
		b.t.Fatal(err)
	}
}

// bind plans and binds the program. The standard library is not shared: all of
// it that the program needs is its own.
func (b *builder) bind() (*Bound, *BindConfig) {
	b.t.Helper()
	plan, err := Make(b.t.Context(), b.cfg, filepath.Join(b.dir, "plan"))
	if err != nil {
		b.t.Fatal(err)
	}
	modules, err := SplitVendorOf(b.t.Context(), b.src, b.cfg.ModRoot, b.cfg.Env, filepath.Join(b.dir, "store"), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := &BindConfig{
		Granularity: "package",
		Plan:        filepath.Join(b.dir, "plan.json"), StdPlan: filepath.Join(b.dir, "std.json"), Modules: filepath.Join(b.dir, "modules.json"),
		Src: b.src, Name: "program", StoreDir: filepath.Join(b.dir, "store"),
	}
	b.write(cfg.Plan, plan)
	b.write(cfg.StdPlan, Plan{})
	b.write(cfg.Modules, modules)
	bound, err := Bind(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return bound, cfg
}

// build returns the directory of the program.
func (b *builder) build() string {
	b.t.Helper()
	bound, cfg := b.bind()
	for _, tree := range bound.Trees {
		if err := tree.CopyTo(tree.StorePath(cfg.StoreDir)); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, m := range bound.Modules {
		if err := os.CopyFS(m.Store, os.DirFS(filepath.Join(b.src, m.Root))); err != nil {
			b.t.Fatal(err)
		}
	}
	outs := make([]map[string]string, len(bound.Derivations))
	for i, d := range bound.Derivations {
		outs[i] = map[string]string{}
		vars := action.Vars{}
		for _, o := range d.Outputs {
			outs[i][o] = filepath.Join(b.dir, "store", fmt.Sprint(i, "-", d.Name, "-", o))
			vars[o] = outs[i][o]
		}
		for name, v := range d.Vars {
			path := v.Path
			switch {
			case v.Drv != nil:
				path = outs[*v.Drv][v.Output]
			case v.Input == drvgen.Go:
				path = b.cfg.Go
			case v.Input != "":
				path = b.cfg.EnvFile
			}
			vars[name] = path + v.Suffix
		}
		var spec action.Spec
		if err := json.Unmarshal([]byte(d.Spec), &spec); err != nil {
			b.t.Fatal(err)
		}
		var log bytes.Buffer
		err := executor.Run(b.t.Context(), &spec, executor.Config{Top: filepath.Join(b.dir, "build", fmt.Sprint(i)), Cores: 2, Vars: vars, Stderr: &log})
		if err != nil {
			b.t.Fatalf("%s: %v\n%s", d.Name, err, log.Bytes())
		}
	}
	return outs[len(outs)-1]["out"]
}

// compare compares the programs with those of `go build`.
func (b *builder) compare(programs ...string) {
	b.t.Helper()
	got := filepath.Join(b.build(), "bin")
	want := filepath.Join(b.dir, "want")
	args := slices.Concat([]string{"build"}, b.cfg.Flags, []string{"-o", want + "/"})
	for _, p := range b.cfg.Package {
		args = append(args, pattern(filepath.Join(b.src, b.cfg.ModRoot), p))
	}
	cmd := exec.Command(filepath.Join(b.cfg.Go, "bin", "go"), args...)
	cmd.Dir = filepath.Join(b.src, b.cfg.ModRoot)
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=", "GOPROXY=off", "GOTOOLCHAIN=local", "PWD="+cmd.Dir)
	for name, value := range b.cfg.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range programs {
		a, err := os.ReadFile(filepath.Join(got, name))
		if err != nil {
			b.t.Fatal(err)
		}
		w, err := os.ReadFile(filepath.Join(want, name))
		if err != nil {
			b.t.Fatal(err)
		}
		if !bytes.Equal(a, w) {
			b.t.Errorf("%s is not what `go build` makes", name)
		}
		out, err := exec.Command(filepath.Join(got, name)).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "ok" {
			b.t.Errorf("%s prints %q (%v)", name, out, err)
		}
	}
}

// TestBuild builds a program that has much of what a program can have; with C,
// where there is a compiler.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	src := project(t, map[string]string{
		"go.mod":                        vendored["go.mod"],
		"vendor/modules.txt":            vendored["vendor/modules.txt"],
		"vendor/example.org/lib/lib.go": "package lib\n\nimport \"math/bits\"\n\nfunc Two() int { return bits.Len(2) }\n",
		"main.go": `package main

import (
	"example.com/m/asm"
	"example.com/m/c"
	"example.com/m/text"
	"example.org/lib"
)

func main() {
	if asm.Add(1, 2) == 3 && lib.Two() == 2 && c.Seven() == 7 {
		println(text.OK + shared)
	}
}
`,
		"text/text.go":      "package text\n\nimport _ \"embed\"\n\n//go:embed data/$ok.txt\nvar OK string\n",
		"text/data/$ok.txt": "o",
		"other/shared.go":   "package main\n\nconst shared = \"k\"\n",
		"asm/add.go":        "//go:build !amd64\n\npackage asm\n\nfunc Add(a, b int) int { return a + b }\n",
		"asm/add_amd64.go":  "package asm\n\nfunc Add(a, b int) int\n",
		"asm/add_amd64.s":   "#include \"textflag.h\"\n#include \"load.h\"\n\nTEXT ·Add(SB), NOSPLIT, $0-24\n\tLOAD\n\tADDQ b+8(FP), AX\n\tMOVQ AX, ret+16(FP)\n\tRET\n",
		"asm/load.h":        "#define LOAD MOVQ a+0(FP), AX\n",
		"c/no.go":           "//go:build !cgo\n\npackage c\n\nfunc Seven() int { return 7 }\n",
		"c/c.go": `package c

// #cgo CFLAGS: -I . -I ./inc -isystem ../far "-include" ./pre.h "-DTEXT=a b"
// #cgo LDFLAGS: -L${SRCDIR}/lib -lm
// #include "x.h"
// int f(void);
import "C"

func Seven() int { return int(C.f()) + C.PRE }
`,
		"c/f.c":       "#include <far.h>\n#include \"x.h\"\nint f(void) { const char *s = __FILE__; return FAR + X + (s[0] == 0); }\n",
		"c/pre.h":     "#define PRE 2\n",
		"c/inc/x.h":   "#define X 1\n",
		"c/lib/empty": "",
		"far/far.h":   "#define FAR 4\n",
	})
	if err := os.Symlink("other/shared.go", filepath.Join(src, "shared.go")); err != nil {
		t.Fatal(err)
	}
	b := newBuilder(t, src)
	if hasCompilers() {
		b.withCgo()
	}
	b.compare("m")
}

// withC is a package with C, whose file names end up in the object code.
func withC(pkg, result string) map[string]string {
	return map[string]string{
		pkg + "/no.go": "//go:build !cgo\n\npackage c\n\nfunc F() int { return " + result + " }\n",
		pkg + "/c.go":  "package c\n\n// int f" + result + "(void);\nimport \"C\"\n\nfunc F() int { return int(C.f" + result + "()) }\n",
		pkg + "/f.c":   "int f" + result + "(void) { const char *s = __FILE__; return " + result + " + (s[0] == 0); }\n",
	}
}

// TestModules builds programs whose packages come from several modules in the
// sources: in a workspace, and by replacement.
func TestModules(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	const main = "package main\n\nimport (\n\t\"example.com/m/c\"\n\tother \"example.com/lib/c\"\n\t\"example.org/lib\"\n)\n\nfunc main() {\n\tif c.F() == 1 && other.F() == 2 && lib.Text == \"TEXT\" {\n\t\tprintln(\"ok\")\n\t}\n}\n"
	merge := func(sets ...map[string]string) map[string]string {
		all := map[string]string{}
		for _, set := range sets {
			for name, text := range set {
				all[name] = text
			}
		}
		return all
	}
	for _, test := range []struct {
		name    string
		modRoot string
		pkg     string
		files   map[string]string
		dirs    []string // of the packages that are not the standard library's
	}{
		{
			name: "replacement", modRoot: "app", pkg: ".",
			files: map[string]string{
				"app/go.mod":      "module example.com/m\n\ngo 1.24\n\nrequire (\n\texample.com/lib v1.2.3\n\texample.org/lib v1.0.0\n)\n\nreplace (\n\texample.com/lib => ../lib\n\texample.org/lib v1.0.0 => ../third\n)\n",
				"third/go.mod":    "module example.org/lib\n",
				"third/lib.go":    vendored["vendor/example.org/lib/lib.go"],
				"vendor/not/a.go": "package not\n",
			},
			dirs: []string{"app", "app/c", "lib/c", "third"},
		},
		{
			name: "workspace", modRoot: ".", pkg: "app",
			files: map[string]string{
				"go.work":      "go 1.24\n\nuse (\n\t./app\n\t./lib\n\t\"./third\"\n)\n",
				"app/go.mod":   "module example.com/m\n\ngo 1.24\n",
				"third/go.mod": "module example.org/lib\n",
				"third/lib.go": vendored["vendor/example.org/lib/lib.go"],
			},
			dirs: []string{"app", "app/c", "lib/c", "third"},
		},
		{
			name: "vendored workspace", modRoot: "app", pkg: ".",
			files: map[string]string{
				"go.work":                       "go 1.24\n\nuse (\n\t./app\n\t./lib\n)\n",
				"app/go.mod":                    "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n",
				"vendor/modules.txt":            "## workspace\n" + vendored["vendor/modules.txt"],
				"vendor/example.org/lib/lib.go": vendored["vendor/example.org/lib/lib.go"],
			},
			dirs: []string{"app", "app/c", "lib/c", "vendor/example.org/lib"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, merge(withC("app/c", "1"), withC("lib/c", "2"), map[string]string{
				"app/main.go": main, "lib/go.mod": "module example.com/lib\n\ngo 1.24\n",
			}, test.files))
			b := newBuilder(t, src)
			if hasCompilers() {
				b.withCgo()
			}
			b.cfg.ModRoot, b.cfg.Package = test.modRoot, []string{test.pkg}
			b.compare("m")
			var plan Plan
			if err := readJSON(filepath.Join(b.dir, "plan.json"), &plan); err != nil {
				t.Fatal(err)
			}
			var dirs []string
			for _, n := range plan.Graph.Nodes {
				if n.Src != nil {
					dirs = append(dirs, n.Src.Dir)
				}
			}
			slices.Sort(dirs)
			if !slices.Equal(dirs, test.dirs) {
				t.Errorf("the packages are in %q, want %q", dirs, test.dirs)
			}
		})
	}
}
