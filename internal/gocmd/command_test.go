package gocmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fake returns a go command that is a shell script.
func fake(t *testing.T, script string) *Command {
	t.Helper()
	goroot := t.TempDir()
	if err := os.Mkdir(filepath.Join(goroot, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(goroot, "bin/go"), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	g, err := New(goroot, "", map[string]string{"GOFLAGS": "-trimpath -mod=mod", "GOPROXY": "direct"}, filepath.Join(t.TempDir(), "work"))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNew(t *testing.T) {
	g := fake(t, "")
	if got := g.variable("GOPROXY"); got != "off" {
		t.Errorf("GOPROXY is %q: planning has no network", got)
	}
	if got := g.variable("NONE"); got != "" {
		t.Errorf("NONE is %q", got)
	}
	kept := g.KeepingPaths()
	if kept.variable("GOFLAGS") != "-mod=mod" || kept.variable("GOCACHE") == g.variable("GOCACHE") || g.variable("GOFLAGS") != "-trimpath -mod=mod" {
		t.Errorf("with paths, GOFLAGS is %q, the cache %s", kept.variable("GOFLAGS"), kept.variable("GOCACHE"))
	}
	dir := t.TempDir()
	if _, err := New("/go", "/nowhere", nil, filepath.Join(dir, "a")); err == nil {
		t.Error("a file of variables that is not there is no error")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("A=b\x00C=d\x00"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := New("/go", "", nil, filepath.Join(file, "x")); err == nil {
		t.Error("works below a file")
	}
	g, err := New("/go", file, map[string]string{"C": "e"}, filepath.Join(dir, "b"))
	if err != nil || g.variable("A") != "b" || g.variable("C") != "e" {
		t.Errorf("%v, %v", g, err)
	}
}

func TestRun(t *testing.T) {
	g := fake(t, `case $1 in
env) printf '{"GOROOT":"/r"}' ;;
list) printf '{"ImportPath":"a","GoFiles":["x.go"]}\n{"ImportPath":"b"}' ;;
build) echo "mkdir -p \$WORK/b001/" >&2 ;;
vet) echo "$PWD/x.go:1: wrong in `+"`pwd`"+`/y.go" >&2; exit 1 ;;
*) echo "go: $1: no" >&2; exit 2 ;;
esac
`)
	dir := t.TempDir()
	if vars, err := g.Variables(t.Context()); err != nil || vars["GOROOT"] != "/r" {
		t.Errorf("%v, %v", vars, err)
	}
	list, err := g.List(t.Context(), dir, []string{"./..."})
	if err != nil || len(list) != 2 || list[0].ImportPath != "a" || !slices.Equal(list[0].GoFiles, []string{"x.go"}) {
		t.Errorf("%v, %v", list, err)
	}
	if text, err := g.Script(t.Context(), dir, []string{"build"}); err != nil || text != "mkdir -p $WORK/b001/\n" {
		t.Errorf("%q, %v", text, err)
	}
	_, err = g.Script(t.Context(), dir, []string{"vet"})
	if failed, ok := err.(*Failure); !ok || failed.Text != "x.go:1: wrong in y.go" {
		t.Errorf("the error is %#v", err)
	}
	if _, err := g.Output(t.Context(), dir, "tool"); err == nil || err.Error() != "go tool: go: tool: no" {
		t.Errorf("the error is %v", err)
	}
	g.Path = "/nowhere"
	for _, call := range []func() error{
		func() error { _, err := g.Output(t.Context(), dir, "x"); return err },
		func() error { _, err := g.Script(t.Context(), dir, []string{"x"}); return err },
		func() error { _, err := g.List(t.Context(), dir, nil); return err },
		func() error { _, err := g.Variables(t.Context()); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestMessagesIn(t *testing.T) {
	const script = "mkdir -p $WORK/b001/\n\n#\n# p\n#\n\necho '# import config' > $WORK/b001/importcfg # internal\ncd /src\n"
	for text, want := range map[string]string{
		"go: no go.mod\n":                        "go: no go.mod\n",
		script + "example.com/p: invalid flag\n": "example.com/p: invalid flag\n",
		"p: first\n" + script + "p: second\n\tof two lines\nmkdir -p $WORK/b002/\np: third\n": "p: first\np: second\n\tof two lines\np: third\n",
		script:    script,
		"wrong\n": "wrong\n",
		"mkdir -p $WORK/b001/\nx.go:1: wrong\n\ty.go:2: too\ngo: warning: x\n": "x.go:1: wrong\n\ty.go:2: too\ngo: warning: x\n",
		"mkdir -p $WORK/b001/\n": "mkdir -p $WORK/b001/\n",
	} {
		if got := messagesIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A script is printed without a build cache; all else has one.
func TestNoCache(t *testing.T) {
	g := fake(t, `echo "# still waiting for GOCACHEPROG dgd no-cache ..." >&2; echo "cache $GOCACHEPROG." >&2`)
	g.NoCache = "dgd no-cache"
	for flag, want := range map[string]string{"-n": "cache dgd no-cache.\n", "-x": "cache .\n"} {
		if text, err := g.Script(t.Context(), t.TempDir(), []string{"build", flag}); err != nil || text != want {
			t.Errorf("go build %s: %q (%v), want %q", flag, text, err, want)
		}
	}
	var out strings.Builder
	if err := ServeNoCache(strings.NewReader("{}\n"), &out); err != nil || !strings.HasSuffix(out.String(), "}\n") {
		t.Errorf("it says %q (%v)", out.String(), err)
	}
}
