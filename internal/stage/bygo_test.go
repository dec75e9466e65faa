package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// newerToolchain is the toolchain with another go command, which prints a line that dgd
// does not know for each build.
func newerToolchain(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	entries, err := os.ReadDir(goroot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "bin" {
			continue
		}
		if err := os.Symlink(filepath.Join(goroot(t), e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexport GOROOT=%s\n%s/bin/go \"$@\" || exit\ncase \" $* \" in *\" -n \"*) echo 'optimize $WORK/b001/exe/a.out' >&2 ;; esac\n", dir, goroot(t))
	if err := os.WriteFile(filepath.Join(dir, "bin", "go"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The go command itself builds programs that cannot be planned, with the sources,
// modules, flags and environment of the plan.
func TestByGo(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	newer := newerToolchain(t)
	use := func(t *testing.T, b *builder) {
		b.cfg.Go = newer
		b.cfg.Fallback = &Fallback{UserEnv: b.cfg.EnvFile != ""}
		plan, err := Make(t.Context(), b.cfg, filepath.Join(b.dir, "once"))
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Graph.Nodes) != 0 || plan.ByGo == nil || !strings.Contains(plan.Unplanned, `unknown command "optimize"`) {
			t.Errorf("the plan is %+v", plan)
		}
		if len(plan.Programs) != 1 || plan.Programs[0].Main != "m" {
			t.Errorf("the programs are %+v", plan.Programs)
		}
		b.compare("m")
	}
	t.Run("pure", func(t *testing.T) {
		b := newBuilder(t, project(t, map[string]string{
			"go.mod":         "module example.com/other\n\ngo 1.24\n",
			"sub/go.mod":     "module example.com/m\n\ngo 1.24\n",
			"sub/main.go":    "package main\n\nvar text = \"no\"\n\nfunc main() { println(text) }\n",
			"sub/$x/name.go": "package name\n",
		}))
		b.cfg.ModRoot = "sub"
		b.cfg.Flags[2] += " -X 'main.text=ok'"
		use(t, b)
	})
	t.Run("own vendor directory, with C", func(t *testing.T) {
		b := newBuilder(t, manifold(t))
		if hasCompilers() {
			b.withCgo()
		}
		use(t, b)
	})
	t.Run("modules", func(t *testing.T) {
		if !hasCompilers() {
			t.Skip("no C compiler")
		}
		b := newModulesBuilder(t)
		b.withCgo()
		use(t, b)
	})
}

// Without the fallback it is an error, which shows the line. Errors of the go command are
// errors with the fallback, too.
func TestNotByGo(t *testing.T) {
	src := project(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	cfg := config(t, src)
	cfg.Go = newerToolchain(t)
	_, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err == nil || !strings.Contains(err.Error(), "go build -n, line ") || !strings.Contains(err.Error(), "optimize") {
		t.Errorf("the error is %v", err)
	}
	cfg.Fallback = &Fallback{}
	cfg.Package = []string{"nothing"}
	_, err = Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err == nil || !strings.Contains(err.Error(), "directory not found") {
		t.Errorf("the error is %v", err)
	}
	// If the plan of std is empty, programs have plans of its packages of their own.
	std := *cfg
	std.Skeleton, std.Fallback = "", nil
	plan, err := Make(t.Context(), &std, filepath.Join(t.TempDir(), "work"))
	if err != nil || len(plan.Graph.Nodes) != 0 || plan.Unplanned == "" {
		t.Errorf("%+v, %v", plan, err)
	}
}

func TestProgramName(t *testing.T) {
	for importPath, want := range map[string]string{
		"example.com/m": "m", "m": "m", "example.com/m/v2": "m", "example.com/m/v10": "m", "v2": "v2",
		"example.com/m/v1": "v1", "example.com/m/v0": "v0", "example.com/m/v2x": "v2x", "example.com/v2/cmd": "cmd",
	} {
		if got := programName(importPath); got != want {
			t.Errorf("%s: %s, want %s", importPath, got, want)
		}
	}
}

// Tests that cannot be planned are run by the go command, with their flags.
func TestTestsByGo(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.24\n",
		"m.go":      "package m\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestM(*testing.T) {}\n",
	})
	cfg := &TestConfig{Config: *config(t, src), CheckFlags: []string{"-run=^Test$M"}}
	cfg.Go, cfg.Package = newerToolchain(t), []string{"./..."}
	if err := os.Remove(cfg.Skeleton); err != nil {
		t.Fatal(err)
	}
	if err := WriteSkeleton(t.Context(), &SkeletonConfig{Src: src, Tests: true}, cfg.Skeleton); err != nil {
		t.Fatal(err)
	}
	if _, err := MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work")); err == nil || !strings.Contains(err.Error(), "optimize") {
		t.Errorf("without the fallback: %v", err)
	}
	cfg.Fallback = &Fallback{UserEnv: true}
	plan, err := MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Graph.Nodes) != 0 || plan.Unplanned == "" {
		t.Fatalf("the plan is %+v", plan)
	}
	n := plan.ByGo
	want := []string{"${GO}/bin/go", "test", "-p=${CORES}", "-vet=off", "-buildvcs=false", "-ldflags=-buildid=", "example.com/m", "-run=^Test$$M"}
	if n.Kind != graph.ByGo || n.Steps[0].Run == nil || !slices.Equal(n.Steps[0].Run.Args, want) {
		t.Errorf("the node is %+v", n)
	}
}

// `go test` itself carries out flags that change more than the run of each package, flags
// that its script does not print unchanged, and flags of a build that only the go command
// can carry out.
func TestTestFlagsByGo(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.24\n",
		"m.go":      "package m\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestM(*testing.T) {}\n",
	})
	env, err := exec.LookPath("env")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags   []string
		goflags string
		reason  string
	}{
		{[]string{"-coverprofile=c.out"}, "", "-coverprofile=c.out"},
		{[]string{"-run=TestM/a b"}, "", `"-run=TestM/a b" has a space in it`},
		{[]string{"-args", "-x"}, "", "-args"},
		{nil, "-toolexec=" + env, "-toolexec=" + env + " is not built package by package"},
	} {
		cfg := &TestConfig{Config: *config(t, src), CheckFlags: test.flags}
		cfg.Package, cfg.Fallback = []string{"./..."}, &Fallback{}
		if test.goflags != "" {
			cfg.Env["GOFLAGS"] = test.goflags
		}
		plan, err := MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
		if err != nil {
			t.Errorf("%q: %v", test.flags, err)
			continue
		}
		if !strings.Contains(plan.Unplanned, test.reason) || len(plan.Graph.Nodes) != 0 {
			t.Errorf("%q: the plan is %+v", test.flags, plan)
			continue
		}
		run := plan.ByGo.Steps[0].Run
		if want := append([]string{"example.com/m"}, test.flags...); !slices.Equal(run.Args[len(run.Args)-len(want):], want) {
			t.Errorf("%q: go is called as %q", test.flags, run.Args)
		}
		if has := slices.Contains(run.Env, "GOFLAGS="+test.goflags); has != (test.goflags != "") {
			t.Errorf("%q: go has the environment %q", test.flags, run.Env)
		}
	}
}

// The go command builds programs of the same name, which nixpkgs installs one over the
// other.
func TestNamesByGo(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":          "module example.com/m\n\ngo 1.24\n",
		"a/tool/main.go":  "package main\n\nfunc main() { println(1) }\n",
		"b/tool/main.go":  "package main\n\nfunc main() { println(2) }\n",
		"none/tool/no.go": "//go:build none\n\npackage main\n",
	})
	cfg := config(t, src)
	cfg.Package, cfg.Libraries, cfg.Fallback = []string{"b/tool", "a/tool"}, true, &Fallback{}
	plan, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Graph.Nodes) != 0 || !strings.Contains(plan.Unplanned, "are both programs of the name tool") {
		t.Fatalf("the plan is %+v", plan)
	}
	var installed []string
	for _, s := range plan.ByGo.Steps {
		if s.Run != nil {
			installed = append(installed, s.Run.Args[len(s.Run.Args)-1])
		}
	}
	if want := []string{"./b/tool", "./a/tool"}; !slices.Equal(installed, want) {
		t.Errorf("installed are %q, want %q", installed, want)
	}
}

// Go files among the packages are built one after the other, as nixpkgs does:
// together they would be one package.
func TestFilesByGo(t *testing.T) {
	cfg := config(t, project(t, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n", "a.go": "package main\n\nfunc main() {}\n", "b.go": "package main\n\nfunc main() {}\n",
	}))
	cfg.Libraries, cfg.Package, cfg.Fallback = true, []string{"b.go", "a.go"}, &Fallback{}
	plan, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil || !strings.Contains(plan.Unplanned, "subPackages names Go files") {
		t.Fatal(plan, err)
	}
	var installed []string
	for _, s := range plan.ByGo.Steps {
		if s.Run != nil {
			installed = append(installed, s.Run.Args[len(s.Run.Args)-1])
		}
	}
	if want := []string{"./b.go", "./a.go"}; !slices.Equal(installed, want) {
		t.Errorf("installs %q, want %q", installed, want)
	}
	cfg.Fallback = nil
	if _, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work")); err == nil || !strings.Contains(err.Error(), "subPackages names Go files") {
		t.Errorf("without a fallback: %v", err)
	}
}

// Quoted flags in GOFLAGS do not change when -trimpath is removed.
func TestWithPaths(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "-trimpath": "", "-trimpath -tags=x": "-tags=x",
		"'-ldflags=-X main.a=b  c' -trimpath -race": `"-ldflags=-X main.a=b  c" -race`,
		"'-tags=a": "'-tags=a",
	} {
		if got := gocmd.WithPaths(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// The go command itself reports an error in a line that the skeleton has moved.
func TestMovedLineByGo(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.24\n",
		"main.go":     "package main\n\nimport _ \"embed\"\n\nfunc f() {}\n\n//go:embed none.txt\nvar text string\n\nfunc main() { println(text) }\n",
		"m_test.go":   "package main\n\nimport \"testing\"\n\nfunc TestM(*testing.T) {}\n",
		"git/m.go":    "package main\n\nimport _ \"embed\"\n\nfunc main() {}\n\n//go:embed *t\nvar text string\n",
		"git/.git":    "",
		"bad/b.go":    "package bad\n\nimport _ \"none\"\n",
		"b/b.go":      "package b\n",
		"b/b_test.go": "package b\n\nfunc TestB(\n",
	})
	cfg := &TestConfig{Config: *config(t, src)}
	if err := os.Remove(cfg.Skeleton); err != nil {
		t.Fatal(err)
	}
	if err := WriteSkeleton(t.Context(), &SkeletonConfig{Src: src, Tests: true}, cfg.Skeleton); err != nil {
		t.Fatal(err)
	}
	const said = "main.go: pattern none.txt: no matching files found"
	for _, test := range []struct {
		packages     string
		says         string
		left, ofTest bool
	}{
		{".", said, true, false},
		{".", said, true, true},
		{"./git", "git/m.go: pattern *t: cannot embed file .git: invalid name .git", false, false},
		{"./bad", `package none is not in std`, false, false},
		{"./b", "b/b_test.go:3:13: expected ')', found 'EOF'\nFAIL\texample.com/m/b [setup failed]", false, true},
	} {
		for _, fallback := range []*Fallback{nil, {}} {
			cfg.Package, cfg.Fallback = []string{test.packages}, fallback
			var plan *Plan
			var err error
			if test.ofTest {
				plan, err = MakeTests(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
			} else {
				plan, err = Make(t.Context(), &cfg.Config, filepath.Join(t.TempDir(), "work"))
			}
			switch {
			case !test.left || fallback == nil:
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%+v: %v", test, err)
				}
			case err != nil:
				t.Errorf("%+v: %v", test, err)
			case strings.TrimSuffix(plan.Unplanned, "…") != test.says || plan.ByGo == nil || len(plan.Graph.Nodes) > 0:
				t.Errorf("%+v: the plan is %+v", test, plan)
			}
		}
	}
}

// A toolchain that is a directory of symlinks, as a wrapped one is, has its GOROOT
// elsewhere.
func TestWrappedByGo(t *testing.T) {
	src := project(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	cfg := config(t, src)
	wrapped := t.TempDir()
	if err := os.Mkdir(filepath.Join(wrapped, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(goroot(t), "bin", "go"), filepath.Join(wrapped, "bin", "go")); err != nil {
		t.Fatal(err)
	}
	cfg.Go, cfg.Fallback = wrapped, &Fallback{}
	plan, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil || !strings.Contains(plan.Unplanned, "has its GOROOT elsewhere") || plan.ByGo == nil || len(plan.Programs) != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
	cfg.Skeleton = ""
	if plan, err = Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work")); err != nil || len(plan.Graph.Nodes) > 0 || plan.Unplanned == "" {
		t.Errorf("std: %+v, %v", plan, err)
	}
}

// The node of the go command has the modules and the environment that the plan has.
func TestSetBuildByGo(t *testing.T) {
	src := project(t, map[string]string{"go.mod": "module example.com/m\n", "sub/go.mod": "module example.com/m/sub\n$"})
	at := &workspace.Place{Src: src, ModRoot: filepath.Join(src, "sub"), Root: filepath.Join(src, "sub"), Changed: []string{filepath.Join(src, "sub/go.mod")}}
	vars := map[string]string{"GOOS": "linux", "GOARCH": "amd64", "GOHOSTOS": "linux", "GOHOSTARCH": "amd64"}
	for _, test := range []struct {
		name   string
		cfg    Config
		target string
		inputs []graph.Input
		copies []string
	}{
		{"vendored", Config{Vendor: "/v", Fallback: &Fallback{}}, "linux", []graph.Input{graph.Toolchain, graph.Vendor}, []string{"${VENDOR} ${SRC}/sub/vendor"}},
		{"archives", Config{Downloads: "/d", Fallback: &Fallback{}}, "linux", []graph.Input{graph.Toolchain, graph.Unpacked, graph.Downloads}, []string{"${UNPACKED} ${OBJ}/mod", "${DOWNLOADS} ${OBJ}/mod/cache/download"}},
		{"a lock", Config{Lock: &workspace.Locked{}, Fallback: &Fallback{UserEnv: true}}, "linux", []graph.Input{graph.UserEnv, graph.Toolchain, graph.ModCache}, []string{"${MODCACHE} ${OBJ}/mod"}},
		{"libraries", Config{Libraries: true, Fallback: &Fallback{}}, "linux", []graph.Input{graph.Toolchain}, []string{"${OBJ}/gopath/bin ${out}/bin"}},
		{"libraries for another platform", Config{Libraries: true, Fallback: &Fallback{}}, "freebsd", []graph.Input{graph.Toolchain}, []string{"${OBJ}/gopath/bin/freebsd_amd64 ${out}/bin"}},
	} {
		vars["GOOS"] = test.target
		p := &Plan{}
		test.cfg.Env = map[string]string{"GOFLAGS": "-overlay=" + src + "/o.json"}
		if err := p.setBuildByGo(&test.cfg, at, vars, [][]string{{"build", "-o", "${out}/bin/", src + "/x", "."}}); err != nil {
			t.Fatal(err)
		}
		var copies []string
		written := false
		for _, s := range p.ByGo.Steps {
			switch {
			case s.Copy != nil:
				copies = append(copies, s.Copy.From+" "+s.Copy.To)
			case s.Write != nil:
				written = s.Write.Path == "${SRC}/sub/go.mod" && s.Write.Text == "module example.com/m/sub\n$$"
			case s.Run != nil:
				if want := []string{"${GO}/bin/go", "build", "-p=${CORES}", "-o", "${out}/bin/", "${SRC}/x", "."}; !slices.Equal(s.Run.Args, want) || s.Run.Dir != "${SRC}/sub" {
					t.Errorf("%s: %q in %s", test.name, s.Run.Args, s.Run.Dir)
				}
				if !slices.Contains(s.Run.Env, "GOFLAGS=-overlay=${SRC}/o.json") {
					t.Errorf("%s: the environment is %q", test.name, s.Run.Env)
				}
			}
		}
		if !slices.Equal(p.ByGo.Inputs, test.inputs) || !slices.Equal(copies, test.copies) || !written {
			t.Errorf("%s: inputs %q, copies %q, go.mod written: %v", test.name, p.ByGo.Inputs, copies, written)
		}
	}
	at.Changed = []string{filepath.Join(src, "none")}
	if err := (&Plan{}).setBuildByGo(&Config{Fallback: &Fallback{}}, at, vars, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a changed file that is not there: %v", err)
	}
	p := &Plan{}
	if err := p.setBuildByGo(&Config{}, at, vars, nil); err != nil || p.ByGo != nil || p.fallBack(&unplanned{errors.New("x")}) {
		t.Errorf("without fallback: %v, %+v", err, p.ByGo)
	}
}

// One line of a message is shown, and at most 200 bytes.
func TestShorten(t *testing.T) {
	for in, want := range map[string]string{
		"one": "one", "one\ntwo": "one…", "# example.com/p\none": "one", "# example.com/p\none\ntwo": "one…",
		"# example.com/p": "# example.com/p", strings.Repeat("ä", 150): strings.Repeat("ä", 100) + "…",
	} {
		if got := shorten(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Malformed module information is an error that shows it.
func TestProgramsOf(t *testing.T) {
	mark := strings.Repeat("x", 16)
	info := strconv.Quote(mark + "path\texample.com/m/v2\nmod\texample.com/m/v2\tv2.0.0\t\n" + mark)
	got, err := programsOf("a\nmodinfo " + info + "\nb\n")
	if err != nil || len(got) != 1 || got[0].Name != "example.com/m/v2" || got[0].Main != "m" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{`modinfo "\q"`, `modinfo "short"`, "modinfo " + strconv.Quote(mark+"=>\ta\tv1\th\n"+mark)} {
		if list, err := programsOf(text); err == nil {
			t.Errorf("%s: %+v", text, list)
		}
	}
}
