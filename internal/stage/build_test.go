package stage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
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
	"dgd/internal/modules"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// A builder plans programs, binds them and carries out their derivations without Nix, in a
// store that is a directory.
type builder struct {
	t   *testing.T
	dir string
	src string
	cfg *Config
	// The modules, and the variables by which the go command finds them.
	modules  SplitConfig
	goEnv    []string
	modCache string // of the modules of a lock
}

func newBuilder(t *testing.T, src string) *builder {
	b := &builder{t: t, dir: t.TempDir(), src: src, cfg: config(t, src)}
	b.modules = SplitConfig{Src: src, StoreDir: filepath.Join(b.dir, "store")}
	return b
}

// hasCompilers reports whether there are compilers for C and C++.
func hasCompilers() bool {
	_, err := exec.LookPath("gcc")
	_, err2 := exec.LookPath("g++")
	return err == nil && err2 == nil
}

// probe is the answer of the compilers, which takes a while.
var probe struct {
	sync.Once
	flags *action.Probed
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

// bind plans and binds the program. The standard library is not shared: its packages are
// the program's own.
func (b *builder) bind() (*Bound, *BindConfig) {
	b.t.Helper()
	plan, err := Make(b.t.Context(), b.cfg, filepath.Join(b.dir, "plan"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.modules.ModRoot, b.modules.Env = b.cfg.ModRoot, b.cfg.Env
	modules, err := SplitModules(b.t.Context(), &b.modules, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := &BindConfig{
		Inner: drvgen.Inner{Granularity: "package"},
		Plan:  filepath.Join(b.dir, "plan.json"), StdPlan: filepath.Join(b.dir, "std.json"), Modules: filepath.Join(b.dir, "modules.json"),
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
	modules, err := readModules(cfg.Modules, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range modules {
		if err := os.CopyFS(m.Store, os.DirFS(filepath.Join(cmp.Or(b.modules.Unpacked, b.src), m.Root))); err != nil {
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
			case v.Input != "":
				path = b.input(v.Input)
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

// input returns the path of an input of the whole build.
func (b *builder) input(in drvgen.Input) string {
	switch in {
	case graph.Vendor:
		return b.cfg.Vendor
	case graph.Downloads:
		return b.cfg.Downloads
	case graph.Unpacked:
		return b.cfg.Unpacked
	case graph.ModCache:
		return b.modCache
	case drvgen.Go:
		return b.cfg.Go
	case drvgen.Compilers:
		return b.cfg.Probe
	}
	return b.cfg.EnvFile
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
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "PWD="+cmd.Dir)
	cmd.Env = append(cmd.Env, b.goEnv...)
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

// TestBuild builds a program with many features, and with C if there is a compiler.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	b := newBuilder(t, manifold(t))
	if hasCompilers() {
		b.withCgo()
	}
	b.compare("m")
}

// manifold is the project of TestBuild.
func manifold(t *testing.T) string {
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
	return src
}

// download makes modules and a new download cache of them, in the form of `go mod
// download`. It returns the cache, and the text of a go.sum.
func download(t *testing.T, published map[module.Version]map[string]string) (cache, sums string) {
	t.Helper()
	cache = t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for m, files := range published {
		dir := project(t, files)
		escaped, err := module.EscapePath(m.Path)
		check(err)
		escapedVersion, err := module.EscapeVersion(m.Version)
		check(err)
		base := filepath.Join(cache, escaped, "@v", escapedVersion)
		check(os.MkdirAll(filepath.Dir(base), 0o777))
		f, err := os.Create(base + ".zip")
		check(err)
		check(zip.CreateFromDir(f, m, dir))
		check(f.Close())
		sum, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
		check(err)
		modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, "go.mod")) })
		check(err)
		for suffix, text := range map[string]string{".ziphash": sum, ".mod": files["go.mod"], ".info": `{"Version":"` + m.Version + `"}`} {
			check(os.WriteFile(base+suffix, []byte(text), 0o666))
		}
		sums += fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, sum, m.Path, m.Version, modSum)
	}
	return cache, sums
}

// cPackage is a package with a C file that knows its own name.
func cPackage(name string) map[string]string {
	return map[string]string{
		name + ".go": "package " + name + "\n\n// #cgo LDFLAGS: -L${SRCDIR}\n// const char *" + name + "_file(void);\nimport \"C\"\n\nfunc File() string { return C.GoString(C." + name + "_file()) }\n",
		name + ".c":  "static const char *f = __FILE__;\nconst char *" + name + "_file(void) { return f; }\n",
	}
}

// TestBuildModules builds a program of modules in a download cache: a plain one, a
// replacement, and one in the sources; with C, which gets the name of its module.
func TestBuildModules(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	if !hasCompilers() {
		t.Skip("no C compiler")
	}
	newModulesBuilder(t).compare("m")
}

// newModulesBuilder builds the program of TestBuildModules.
func newModulesBuilder(t *testing.T) *builder {
	in := func(dir, goMod string, files map[string]string) map[string]string {
		all := map[string]string{}
		for name, text := range files {
			all[filepath.Join(dir, name)] = text
		}
		all["go.mod"] = goMod
		return all
	}
	cache, sums := download(t, map[module.Version]map[string]string{
		{Path: "example.org/Plain", Version: "v1.0.0"}:     in("sub", "module example.org/Plain\n\ngo 1.24\n", cPackage("plain")),
		{Path: "example.org/fork/v2", Version: "v2.1.0"}:   in("", "module example.org/fork/v2\n\ngo 1.24\n", cPackage("forked")),
		{Path: "example.org/unused", Version: "v0.1.0-PR"}: in("", "module example.org/unused\n", map[string]string{"x.go": "package unused\n"}),
	})
	files := map[string]string{
		"go.mod": `module example.com/m

go 1.24

require (
	example.com/near v0.0.0
	example.org/Plain v1.0.0
	example.org/forked/v2 v2.0.0
)

replace (
	example.com/near => ./near
	example.org/forked/v2 => example.org/fork/v2 v2.1.0
)
`,
		"go.sum": sums,
		"main.go": `package main

import (
	"example.com/m/own"
	near "example.com/near/sub"
	plain "example.org/Plain/sub"
	forked "example.org/forked/v2"
)

func main() {
	if near.File() != "" && plain.File() != "" && forked.File() != "" && own.File() != "" {
		println("ok")
	}
}
`,
		"near/go.mod": "module example.com/near\n\ngo 1.24\n",
	}
	for dir, name := range map[string]string{"own": "own", "near/sub": "near"} {
		for file, text := range cPackage(name) {
			files[filepath.Join(dir, file)] = text
		}
	}
	b := newBuilder(t, project(t, files))
	b.withCgo()
	b.cfg.Downloads = cache
	b.cfg.Unpacked = filepath.Join(b.dir, "unpacked")
	b.modules.Unpacked = b.cfg.Unpacked
	if err := modules.Unpack(t.Context(), cache, b.cfg.Unpacked); err != nil {
		t.Fatal(err)
	}
	b.goEnv = []string{"GOMODCACHE=" + filepath.Join(b.dir, "modcache"), "GOPROXY=file://" + cache, "GOSUMDB=off", "GOFLAGS=-modcacherw"}
	return b
}
