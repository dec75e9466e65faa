package stage

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

func TestExplain(t *testing.T) {
	const newHash = "set vendorHash = \"\"; and Nix will report the correct hash"
	long := "go: inconsistent vendoring in .:\n" + strings.Repeat("\texample.org/x@v1.0.0: is explicitly required\n", 20)
	for _, test := range []struct {
		text   string
		vendor string // or /downloads
		want   string
	}{
		{"some words of go's", "", "some words of go's"},
		{"main.go:9:2: module lookup disabled by GOPROXY=off", "/downloads", "main.go:9:2: module lookup disabled by GOPROXY=off\n\ndgd: vendorHash is stale: it is the hash of modules for another go.mod, whose fetch is still in the store.\nSet vendorHash = \"\"; and Nix will report the correct hash"},
		{"main.go:9:2: module lookup disabled by GOPROXY=off", "", "main.go:9:2: module lookup disabled by GOPROXY=off"},
		{"main.go:9:2: missing go.sum entry for a", "/downloads", "main.go:9:2: missing go.sum entry for a\n\ndgd: go.sum does not fit go.mod: run `go mod tidy`, then " + newHash},
		{long, "/vendor", long[:strings.Index(long, "\n")] + strings.Repeat("\n\texample.org/x@v1.0.0: is explicitly required", 7) +
			"\n…\n\ndgd: vendorHash is stale: it is the hash of modules for another go.mod, whose fetch is still in the store.\nSet vendorHash = \"\"; and Nix will report the correct hash"},
		{"go: inconsistent vendoring", "", "go: inconsistent vendoring\n\ndgd: src has a vendor directory that does not fit its go.mod: run `go mod vendor`"},
		{"x.go:1:1: cannot find module providing package a.b/c", "", "x.go:1:1: cannot find module providing package a.b/c\n\ndgd: an import is in no module of go.mod: run `go mod tidy`, then " + newHash},
		{"x.go:1:1: no required module provides package a.b/c", "", "x.go:1:1: no required module provides package a.b/c\n\ndgd: an import is in no module of go.mod: run `go mod tidy`, then " + newHash},
		{"go: no main packages to build", "", "go: no main packages to build\n\ndgd: subPackage lib, cmd/x is not a program: name a package with `package main`"},
		{"stat x: directory not found", "", "stat x: directory not found\n\ndgd: subPackage names a directory with a program, relative to the module's root, or the import path of a program; it is lib, cmd/x"},
		{"main.go:8:12: pattern text: no matching files found", "", "main.go: pattern text: no matching files found"},
		{"go: go.mod requires go >= 1.99 (running go 1.26)", "", "go: go.mod requires go >= 1.99 (running go 1.26)\n\ndgd: go.mod requires a newer Go than the argument `go` gives: pass another toolchain, as in go = pkgs.go_latest;"},
	} {
		cfg := &Config{Vendor: test.vendor, Package: []string{"lib", "cmd/x"}}
		if test.vendor == "/downloads" {
			cfg.Vendor, cfg.Downloads = "", test.vendor
		}
		if got := explain(&gocmd.Failure{Text: test.text}, cfg); got.Error() != test.want {
			t.Errorf("%.40s: the message is\n%v\nwant\n%s", test.text, got, test.want)
		}
	}
	if other := errors.New("go build: no such file"); explain(other, &Config{}) != other {
		t.Error("an error that is not go's is changed")
	}
}

// fakeGo makes a toolchain whose bin/go is a shell script.
func fakeGo(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "go"), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestToolchainErrors(t *testing.T) {
	src := project(t, map[string]string{"go.mod": "module example.com/m\n", "main.go": "package main\n\nfunc main() {}\n"})
	env := `case $1 in env) printf '{"GOROOT":"%s","CC":"my-gcc -m32","CXX":""}' "${0%/bin/go}/share/go"; exit;; esac` + "\n"
	for _, test := range []struct {
		name, script string
		change       func(*Config)
		want         string
	}{
		{"no go", "", func(c *Config) { c.Go = "/nowhere" }, "go env: fork/exec /nowhere/bin/go: no such file or directory"},
		{"go env fails", "echo 'go: bad GOOS' >&2; exit 2\n", nil, "go env: go: bad GOOS"},
		{"go env prints no JSON", "echo linux\n", nil, "go env: invalid character"},
		{"GOROOT elsewhere", `echo '{"GOROOT":"/usr/lib/go"}'`, nil, "has its GOROOT elsewhere: /usr/lib/go"},
		{"go is killed", env + "kill -9 $$\n", nil, ""},
		{"an unknown line", env + "echo 'make all' >&2\n", nil, `go build -n, line 1: unknown command "make": make all`},
		{"an unknown use", env + "echo 'my-gcc --version' >&2\n", nil, "line 1: is no compiler call that dgd knows"},
		{"no answers of compilers", env, func(c *Config) { c.Probe = "/nowhere" }, "open /nowhere: no such file or directory"},
		{"no environment", env, func(c *Config) { c.EnvFile = "/nowhere" }, "open /nowhere: no such file or directory"},
		{"no program", env, nil, "of the 1 subPackages (.) only 0 are programs"},
		{"no sources", env, func(c *Config) { c.Skeleton = "/nowhere" }, "open /nowhere: no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, src)
			cfg.Go = fakeGo(t, test.script)
			if test.change != nil {
				test.change(cfg)
			}
			_, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}

	cfg := config(t, src)
	cfg.Go = fakeGo(t, env)
	file := filepath.Join(t.TempDir(), "flags")
	if err := os.WriteFile(file, []byte("[]"), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg.Probe = file
	if _, err := Make(t.Context(), cfg, t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), file+": ") {
		t.Errorf("the error is %v", err)
	}
	if _, err := Make(t.Context(), cfg, filepath.Join(file, "x")); err == nil {
		t.Error("worked below a file")
	}
}

// Variables that keep planning pure override those of the user and of the C compiler's
// set-up.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "env")
	if err := os.WriteFile(file, []byte("PATH=/cc/bin\x00HOME=/cc\x00MULTI=a\nb\x00\x00"), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := &Config{Go: "/go", EnvFile: file, Env: map[string]string{"GOPROXY": "direct", "PATH": "/user", "GOOS": "plan9"}}
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PATH=/cc/bin", "HOME=/cc", "MULTI=a\nb",
		"GOOS=plan9", "GOPROXY=direct", "PATH=/user",
		"HOME=" + dir + "/home", "TMPDIR=" + dir + "/tmp", "TMP=" + dir + "/tmp", "TEMP=" + dir + "/tmp", "TEMPDIR=" + dir + "/tmp",
		"NIX_BUILD_TOP=" + dir, "NIX_BUILD_CORES=1", "GOCACHE=" + dir + "/cache", "GOPATH=" + dir + "/gopath", "GOMODCACHE=" + dir + "/mod",
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
	}
	if !slices.Equal(g.Env, want) {
		t.Errorf("the environment is\n%q, want\n%q", g.Env, want)
	}
	cmd := g.Command(t.Context(), "/src", "build", "-n")
	if !slices.Equal(cmd.Args, []string{"/go/bin/go", "build", "-n"}) || cmd.Dir != "/src" || !slices.Equal(cmd.Env, append(want, "PWD=/src")) {
		t.Errorf("runs %q in %s with %q", cmd.Args, cmd.Dir, cmd.Env)
	}
}

// No process of the go command must go on after it has exited.
func TestTelemetry(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, "")
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.Command(t.Context(), "/", "env", "GOTELEMETRY").Output()
	if err != nil || strings.TrimSpace(string(out)) != "off" {
		t.Errorf("telemetry is %q, %v", out, err)
	}
	if workspace.Exists(filepath.Join(dir, "home/.config/go/telemetry/local")) {
		t.Error("telemetry has counted something")
	}
}

func TestPrograms(t *testing.T) {
	got := programs(map[string]string{"CC": "ccache gcc -m32", "CXX": "", "FC": "gfortran", "PKG_CONFIG": "/bin/pc", "GOOS": "linux"})
	if want := []string{"ccache", "gfortran", "/bin/pc"}; !slices.Equal(got, want) {
		t.Errorf("the programs are %q, want %q", got, want)
	}
}

func TestReadFlags(t *testing.T) {
	for _, test := range []struct {
		call    string
		command string
		want    action.CompilerFlags
		err     string
	}{
		{
			call:    "gcc -I . -fPIC -m64 -pthread -fmessage-length=0 -o x.o -c c.c",
			command: "gcc",
		},
		{
			call:    "ccache gcc -m32 -I . -mthreads -fno-caret-diagnostics -Wl,--no-gc-sections -fmessage-length=0 -fdebug-prefix-map=/w/b001=/tmp/go-build -gno-record-gcc-switches -fno-common -I /w/b001/ -O2 -o x.o -c c.c",
			command: "ccache gcc -m32",
			want: action.CompilerFlags{
				Before:    []string{"-fno-caret-diagnostics", "-Wl,--no-gc-sections"},
				After:     []string{"-gno-record-gcc-switches"},
				PrefixMap: "-fdebug-prefix-map",
			},
		},
		{
			call:    "gcc -I . -fmessage-length=0 -ffile-prefix-map=/other=/place -o x.o -c c.c",
			command: "gcc",
			want:    action.CompilerFlags{After: []string{"-ffile-prefix-map=/other=/place"}},
		},
		{call: "gcc -fmessage-length=0 -o x.o -c c.c", err: "not a compiler call as cmd/go makes it"},
		{call: "gcc -fmessage-length=0 -I . -o x.o -c c.c", err: "not a compiler call as cmd/go makes it"},
		{call: "gcc -o x.o -I . -fmessage-length=0 -c c.c", err: "not a compiler call as cmd/go makes it"},
		{call: "-I . -fmessage-length=0 -o x.o -c c.c", err: "not a compiler call as cmd/go makes it"},
	} {
		command, got, err := readFlags(strings.Fields(test.call))
		if test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: the error is %v, want %s", test.call, err, test.err)
			}
			continue
		}
		if command != test.command || !reflect.DeepEqual(got, test.want) || err != nil {
			t.Errorf("%s: %q %+v, %v; want %q %+v", test.call, command, got, err, test.command, test.want)
		}
	}
}

func TestCompilerFlagsErrors(t *testing.T) {
	const flags = " -I . -fmessage-length=0 -o x.o"
	for _, test := range []struct{ text, want string }{
		{"", "go list -compiled -x of a tiny cgo package ran no C compiler"},
		{"gcc" + flags + " -c other.c\n/goroot/pkg/tool/linux_amd64/compile -fmessage-length=0 -c c.c\n", "go list -compiled -x of a tiny cgo package ran no C compiler"},
		{"make" + flags + " -c c.c\n", `go build -n, line 1: unknown command "make"`},
		{"gcc -fmessage-length=0 -o x.o -c c.c\n", "not a compiler call as cmd/go makes it: gcc -fmessage-length=0 -o x.o -c c.c"},
	} {
		if got, err := compilerFlags(test.text, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v, %v; want the error %s", test.text, got, err, test.want)
		}
	}
	got, err := compilerFlags("my-cc"+flags+" -c c.c\n", []string{"my-cc"})
	if want := map[string]action.CompilerFlags{"my-cc": {}}; !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// TestProbe probes the machine's own compilers, and compares the result with the flags
// that cmd/go is known to pass to them.
func TestProbe(t *testing.T) {
	if !hasCompilers() {
		t.Skip("no C compiler")
	}
	b := newBuilder(t, "")
	b.withCgo()
	probed := &action.Probed{}
	err := readJSON(b.cfg.Probe, probed)
	if err != nil {
		t.Fatal(err)
	}
	flags := probed.Compilers
	for _, command := range []string{"gcc", "g++"} {
		f, ok := flags[command]
		if !ok {
			t.Errorf("%s is not among %v", command, flags)
		}
		if f.PrefixMap != "-ffile-prefix-map" && f.PrefixMap != "-fdebug-prefix-map" {
			t.Errorf("%s hides directories by %q", command, f.PrefixMap)
		}
		for _, w := range slices.Concat(f.Before, f.After) {
			if strings.Contains(w, b.dir) || !strings.HasPrefix(w, "-") || slices.Contains([]string{"-I", "-O2", "-g", "-c", "-o"}, w) {
				t.Errorf("%s is given %q, which is of that build alone", command, w)
			}
		}
	}

	// The error has the message of a compiler that fails, without the script.
	b.cfg.Env["CC"] = filepath.Join(t.TempDir(), "cc")
	if err := os.WriteFile(b.cfg.Env["CC"], []byte("#!/bin/sh\necho 'cc: NIX_BUILD_TOP: unbound variable' >&2\nexit 1\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if probed, err = Probe(t.Context(), b.cfg, t.TempDir()); err != nil || !strings.Contains(probed.Failed, "NIX_BUILD_TOP: unbound variable") || strings.Contains(probed.Failed, "# internal") || len(probed.Compilers) > 0 {
		t.Errorf("a failing compiler gives %+v, %v", probed, err)
	}
	// Without a C++ compiler, the C compiler is probed.
	b.cfg.Env["CC"], b.cfg.Env["CXX"] = "gcc", "no-such-compiler"
	if probed, err = Probe(t.Context(), b.cfg, t.TempDir()); err != nil || !strings.Contains(probed.Failed, "no-such-compiler") || !reflect.DeepEqual(probed.Compilers["gcc"], flags["gcc"]) || len(probed.Compilers) != 1 {
		t.Errorf("without C++: %+v, %v", probed, err)
	}

	b.cfg.Go = fakeGo(t, "exit 2\n")
	if _, err := Probe(t.Context(), b.cfg, t.TempDir()); err == nil || err.Error() != "go env: " {
		t.Errorf("the error is %v", err)
	}
	// A failure, or a script that is not understood, is a result without compilers.
	for _, test := range []struct{ script, want string }{
		{"echo 'C compiler \"gcc\" not found' >&2; exit 1\n", "building a tiny cgo package:\nC compiler \"gcc\" not found"},
		{"", "go list -compiled -x of a tiny cgo package ran no C compiler"},
	} {
		b.cfg.Go = fakeGo(t, "case $1 in env) echo '{}'; exit;; esac\n"+test.script)
		if probed, err := Probe(t.Context(), b.cfg, t.TempDir()); err != nil || len(probed.Compilers) != 0 || probed.Failed != test.want {
			t.Errorf("%q gives %+v, %v", test.script, probed, err)
		}
	}
	b.cfg.EnvFile = "/nowhere"
	if _, err := Probe(t.Context(), b.cfg, t.TempDir()); err == nil {
		t.Error("worked without the environment")
	}
}

// The plan of the standard library has no programs, and no other packages.
func TestStdPlan(t *testing.T) {
	cfg := config(t, "")
	cfg.Package = nil
	plan, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, n := range plan.Graph.Nodes {
		names[n.Name] = true
		if n.Kind != graph.Package || !n.Std || n.Src != nil || n.Cgo {
			t.Errorf("%s: %+v", n.Name, n)
		}
	}
	for _, name := range []string{"runtime", "net/http", "vendor/golang.org/x/net/idna", "testing"} {
		if !names[name] {
			t.Errorf("%s is not in the standard library", name)
		}
	}
}

func TestCgoFlagsQuotes(t *testing.T) {
	dir := filepath.Join(project(t, map[string]string{
		"a [b]/a.go": "package a\n\n/*\n#cgo CFLAGS: \"-include\" './x.h' -DX=\"a b\"\n #cgo !windows,amd64 LDFLAGS: ${SRCDIR}/l.a\n#cgo noescape f\n#define y\n*/\nimport \"C\"\n",
	}), "a [b]")
	got, err := cgoFlags(dir)
	if want := []string{"-include", "./x.h", "-DX=a", "b", dir + "/l.a"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// Messages of a command without -trimpath, or with another cache, have the same file names
// as those of the first command.
func TestFailureOfOthers(t *testing.T) {
	g := &gocmd.Command{Path: "go", Src: "/build/src", Env: []string{"GOCACHE=/build/cache", "GOFLAGS=-trimpath -race"}}
	for name, other := range map[string]*gocmd.Command{"the first": g, "another cache": g.WithCache("list"), "with paths": g.KeepingPaths()} {
		err := other.Failure("/build/src/m", "cmd/server/main.go: package example.com/a/b\n/build/src/m/x.go: y\n/build/src/z.go: z\n")
		if want := "cmd/server/main.go: package example.com/a/b\nx.go: y\nz.go: z"; err.Error() != want {
			t.Errorf("%s says\n%v, want\n%s", name, err, want)
		}
	}
}
