package stage

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// withFlags sets GOFLAGS of the builder, and makes a skeleton with them.
func (b *builder) withFlags(flags string) {
	b.t.Helper()
	b.cfg.Env["GOFLAGS"] = flags
	b.cfg.Skeleton = filepath.Join(b.t.TempDir(), "skeleton")
	if err := WriteSkeleton(b.t.Context(), &SkeletonConfig{Src: b.src, ModRoot: b.cfg.ModRoot, Env: b.cfg.Env}, b.cfg.Skeleton); err != nil {
		b.t.Fatal(err)
	}
}

// Flags may name files of the sources: an overlay, another go.mod, a profile. Flags that
// only print more are ignored. Linker flags can begin with a pattern.
func TestBuildFlags(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	profile, err := os.ReadFile("../../examples/godebug-pgo/default.pgo")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"go.mod":  "module example.com/m\n\ngo 1.24\n\nrequire example.org/none v1.0.0\n",
		"alt.mod": "module example.com/m\n\ngo 1.24\n\nrequire example.com/near v0.0.0\n\nreplace example.com/near => ./near\n",
		"main.go": `package main

import (
	"example.com/m/e"
	"example.com/m/p"
	"example.com/m/virtual"
	"example.com/near"
)

var v string

func main() {
	if p.X == 2 && e.T == "replaced" && virtual.V == 7 && near.N == 1 {
		println(v)
	}
}
`,
		"prof/cpu.pprof": string(profile),
		"near/go.mod":    "module example.com/near\n", "near/near.go": "package near\n\nconst N = 1\n",
		"p/p.go": "package p\n\nimport _ \"example.org/gone\"\n\nconst X = 1\n",
		"e/e.go": "package e\n\nimport _ \"embed\"\n\n//go:embed t.txt\nvar T string\n", "e/t.txt": "text",
		"gen/p.txt": "package p\n\nconst X = 2\n", "gen/t": "replaced", "gen/v.in": "package virtual\n\nconst V = 7\n",
		"over/lay.json": `{"Replace": {"p/p.go": "gen/p.txt", "e/t.txt": "gen/t", "virtual/v.go": "gen/v.in", "e/broken.go": ""}}`,
		"e/broken.go":   "package broken\n",
	}
	// So many that the compiler gets them in a response file.
	for i := range 1000 {
		files[fmt.Sprintf("near/n%d.go", i)] = "package near\n"
	}
	b := newBuilder(t, project(t, files))
	b.withFlags("-v -x -work -p=1 -modcacherw -overlay=over/lay.json -modfile=alt.mod -pgo=prof/cpu.pprof")
	b.cfg.Flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=all=-s -w -X main.v=ok -buildid="}
	b.compare("m")
}

// Linker flags may name files of the sources; with C, there may be an overlay, too.
func TestBuildLinkFlags(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	if !hasCompilers() {
		t.Skip("no C compiler")
	}
	src := project(t, map[string]string{
		"go.mod":       "module example.com/m\n\ngo 1.24\n",
		"main.go":      "package main\n\nimport \"example.com/m/c\"\n\n// int forty_two(void);\n// #cgo LDFLAGS: -lx\nimport \"C\"\n\nfunc main() {\n\tif C.forty_two() == 42 && c.X() == 12 {\n\t\tprintln(\"ok\")\n\t}\n}\n",
		"c/c.go":       "package c\n\n// #include \"x.h\"\n// int fx(void);\nimport \"C\"\n\nfunc X() int { return int(C.fx()) }\n",
		"c/x.h":        "#define V 1\n",
		"c/x.c":        "#include \"x.h\"\nint fx(void) { return V; }\n",
		"gen/x2.h":     "#define V 2\n",
		"gen/x.c.in":   "#include \"x.h\"\nint fx(void) { return V + 10; }\n",
		"overlay.json": `{"Replace": {"c/x.h": "gen/x2.h", "c/x.c": "gen/x.c.in"}}`,
		"lib/x.c":      "int forty_two(void) { return 42; }\n",
	})
	for _, args := range [][]string{{"gcc", "-c", "x.c"}, {"ar", "rcsD", "libx.a", "x.o"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = filepath.Join(src, "lib")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	b := newBuilder(t, src)
	b.withCgo()
	b.cfg.Env["GO_EXTLINK_ENABLED"] = "1"
	b.withFlags("-overlay=overlay.json")
	b.cfg.Flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-extldflags=-L./lib -buildid="}
	b.compare("m")
}

// GOFIPS140 may select another version of the cryptographic packages than GOROOT/src has.
func TestBuildFIPS(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	b := newBuilder(t, project(t, map[string]string{
		"go.mod":  "module example.com/m\n\ngo 1.24\n",
		"main.go": "package main\n\nimport (\n\t\"crypto/fips140\"\n\t\"crypto/sha256\"\n)\n\nfunc main() {\n\tif fips140.Enabled() && sha256.Sum256(nil)[0] == 0xe3 {\n\t\tprintln(\"ok\")\n\t}\n}\n",
	}))
	b.cfg.Env["GOFIPS140"] = "v1.0.0"
	b.compare("m")
}

// The go command does not get flags and variables that the table drops.
func TestUseTable(t *testing.T) {
	for _, test := range []struct {
		env       map[string]string
		libraries bool
		want      map[string]string
		whole     string // the reason why only the go command can build
		err       string
	}{
		{env: map[string]string{"GOFLAGS": "-v -race -json --x=true -n", "GOCACHEPROG": "x", "GOBIN": "/x", "MINE": "1"}, want: map[string]string{"GOFLAGS": "-race", "MINE": "1"}},
		{env: map[string]string{"GOFLAGS": "-v"}, want: map[string]string{}},
		{env: map[string]string{"GOFLAGS": "-count=1 '-gcflags=all=-N -l'"}, want: map[string]string{"GOFLAGS": `-count=1 "-gcflags=all=-N -l"`}},
		{env: map[string]string{"GOFLAGS": "-buildmode=plugin -v"}, want: map[string]string{"GOFLAGS": "-buildmode=plugin"}, whole: "-buildmode=plugin"},
		{env: map[string]string{"GOFLAGS": "-buildmode=pie -linkshared=false"}, want: map[string]string{"GOFLAGS": "-buildmode=pie -linkshared=false"}},
		{env: map[string]string{"GOFLAGS": "-toolexec=x"}, want: map[string]string{"GOFLAGS": "-toolexec=x"}, whole: "-toolexec=x"},
		{env: map[string]string{"GOFLAGS": "-pgo=/x"}, want: map[string]string{"GOFLAGS": "-pgo=/x"}, whole: "-pgo=/x"},
		{env: map[string]string{"GOFLAGS": "-o=x"}, err: "GOFLAGS has -o=x: programs are in bin/"},
		{env: map[string]string{"GOFLAGS": "-compiler=gccgo"}, err: "GOFLAGS has -compiler=gccgo: dgd builds with gc"},
		{env: map[string]string{"GOFLAGS": "-o=x"}, libraries: true, want: map[string]string{"GOFLAGS": "-o=x"}},
		{env: map[string]string{"GOFLAGS": "'-v"}, err: "GOFLAGS: a quote has no end"},
	} {
		given := maps.Clone(test.env)
		cfg := &Config{Env: test.env, Libraries: test.libraries}
		err := cfg.useTable()
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%v: the error is %v, want %q", given, err, test.err)
		}
		if err != nil {
			continue
		}
		if !maps.Equal(cfg.Env, test.want) || (cfg.whole == nil) != (test.whole == "") || cfg.whole != nil && !strings.HasPrefix(cfg.whole.Error(), test.whole) {
			t.Errorf("%v: got %v and %v, want %v and %q", given, cfg.Env, cfg.whole, test.want, test.whole)
		}
		if !maps.Equal(test.env, given) {
			t.Errorf("%v has become %v", given, test.env)
		}
	}
}

func TestOverlaid(t *testing.T) {
	src := project(t, map[string]string{
		"m/o.json":   `{"Replace": {"a.go": "gen/a.txt", "b.go": "../c", "gone.go": "", "/x": "/nix/store/x", "d": "../../out"}}`,
		"m/bad.json": `{`,
	})
	for flags, want := range map[string][]string{
		"-overlay=o.json":           {"m/gen/a.txt", "m/o.json", "c", "m"},
		"-v --overlay=o.json -race": {"m/gen/a.txt", "m/o.json", "c", "m"},
		"-overlay=none.json":        nil,
		"-overlay=bad.json":         {"m/bad.json"},
		"-overlay=/o.json":          nil,
		"-modfile=o.mod":            nil,
	} {
		got := overlaid(src, "m", map[string]string{"GOFLAGS": flags})
		for _, name := range want {
			if name != "m" && !slices.Contains(got, name) {
				t.Errorf("%s: %s is missing in %q", flags, name, got)
			}
		}
		if want == nil && got != nil || slices.ContainsFunc(got, func(name string) bool { return !filepath.IsLocal(name) }) {
			t.Errorf("%s: got %q", flags, got)
		}
	}
}

func TestLinksInSources(t *testing.T) {
	dir := project(t, map[string]string{"lib/libx.a": "", "s.ld": "", "static": ""})
	for flags, want := range map[string]bool{
		"-ldflags=-s -w -buildid=":                              false,
		"-ldflags=-linkmode=external -extldflags=-static":       false,
		"-ldflags=-extldflags=-L./lib":                          true,
		"-ldflags=-extldflags '-static -Llib'":                  true,
		"-ldflags=all=-extldflags=-Wl,-T,s.ld":                  true,
		"-ldflags=-extldflags=-L/usr/lib":                       false,
		"-ldflags=-extldflags=lib/libx.a":                       true,
		"-ldflags=-extldflags=-L" + dir + "/lib":                true,
		"-ldflags=-extldflags=-L" + dir + "/none":               false,
		"-ldflags=-extldflags=-L" + dir + "2/lib":               false,
		"-ldflags=-extldflags=-L../lib":                         false,
		"-ldflags=-tmpdir=lib":                                  true,
		"-ldflags=-tmpdir lib":                                  true,
		"-ldflags=-X main.v=lib":                                false,
		"-ldflags=-X=main.v=lib '-X' 'main.w=lib lib'":          false,
		"-ldflags='-extldflags=-L./none -specs=s.ld'":           true,
		"-gcflags=-L./lib":                                      false,
		"-ldflags=-extldflags=-Wl,-rpath,$ORIGIN/lib,--as-need": false,
	} {
		if got := linksInSources([]string{"-trimpath", flags}, dir, dir); got != want {
			t.Errorf("%s: got %v", flags, got)
		}
	}
}

// dgd cannot make a program with a build ID.
func TestCheckBuildIDs(t *testing.T) {
	link := func(args ...string) *graph.Graph {
		return &graph.Graph{Nodes: []*graph.Node{{Kind: graph.Package, Name: "m"}, {Kind: graph.Link, Name: "m", Steps: []action.Step{{Mkdir: "x"}, {Run: &action.Run{Args: args}}}}}}
	}
	if err := checkBuildIDs(link("link", "-s", "-buildid=")); err != nil {
		t.Error(err)
	}
	if err := checkBuildIDs(link("link", "-s")); err == nil {
		t.Error("a program with a build ID is no error")
	}
}
