package stage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/group"
)

// BindStd and Bind make the same derivation of the first part.
func TestBindStd(t *testing.T) {
	std := Plan{Goroot: "share/go", Graph: graph.Graph{Nodes: []*graph.Node{node("errors", true), node("net/http", true), node("io", true), node("unused", true)}}}
	std.Graph.Nodes[1].Refs = []graph.Ref{{Node: 0, Output: graph.Export}}
	std.Graph.Nodes[2].Cgo = true
	link := &graph.Node{Kind: graph.Link, Name: "m", Main: "m", Steps: []action.Step{{Run: &action.Run{Args: []string{"link"}}}}}
	link.Refs = []graph.Ref{{Node: 1, Output: graph.Archive}, {Node: 2, Output: graph.Archive}}
	plan := Plan{Goroot: "share/go", Graph: graph.Graph{Nodes: append(slices.Clone(std.Graph.Nodes[:3]), node("m", false, "main.go"), link)}}
	src := project(t, map[string]string{"main.go": "package main"})
	cfg := files(t, src, plan, std, nil)
	all, err := Bind(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	first, err := BindStd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Derivations) != 1 || first.Derivations[0].Name != "std" || !reflect.DeepEqual(first.Derivations[0], all.Derivations[0]) {
		t.Errorf("got %+v, want %+v", first.Derivations, all.Derivations[0])
	}
	// If the standard library cannot be planned, there is nothing to build.
	empty, err := BindStd(files(t, src, plan, Plan{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	d := empty.Derivations[0]
	if d.Name != "std" || !slices.Equal(d.Outputs, []string{"out", "x"}) || len(d.Vars) != 0 || strings.Contains(d.Spec, "run") {
		t.Errorf("got %+v", d)
	}
}

// WriteStdSpecs writes each spec that derivations of the standard library name.
func TestWriteStdSpecs(t *testing.T) {
	std := Plan{Goroot: "share/go", Graph: graph.Graph{Nodes: []*graph.Node{node("errors", true), node("net", true), node("example.com/own", true)}}}
	dir := t.TempDir()
	cfg := &StdSpecsConfig{StdPlan: filepath.Join(dir, "std")}
	if err := WriteJSON(cfg.StdPlan, std); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "specs")
	if err := WriteStdSpecs(cfg, out); err != nil {
		t.Fatal(err)
	}
	drvs, _, err := stdDerivations(&std, group.Std(&std.Graph))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drvs {
		text, err := os.ReadFile(filepath.Join(out, d.SpecFile.Suffix))
		if err != nil || !strings.HasPrefix(string(text), `{"units":[{`) {
			t.Errorf("the spec of %s is %q, %v", d.Name, text, err)
		}
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != len(drvs) || len(drvs) < 2 {
		t.Errorf("there are %d specs for %d derivations: %v", len(entries), len(drvs), err)
	}
	if err := WriteStdSpecs(cfg, out); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into a directory that is there: %v", err)
	}
	if err := WriteStdSpecs(&StdSpecsConfig{StdPlan: cfg.StdPlan + ".none"}, out+"2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a plan: %v", err)
	}
}

// For wasip1, packages of c-shared programs are compiled as for other programs.
func TestStdFlagsOfWASI(t *testing.T) {
	if got := stdFlags([]string{"-buildmode=c-shared", "-race"}, "wasip1"); !slices.Equal(got, []string{"-race"}) {
		t.Errorf("got %q", got)
	}
}

func TestForStd(t *testing.T) {
	for _, test := range []struct {
		flags   []string
		goflags string
		want    []string
		wantEnv string
	}{
		{flags: []string{"-trimpath", "-tags=a,b"}, want: []string{"-trimpath", "-tags=a,b"}},
		{flags: []string{"-gcflags=-N -l"}},
		{flags: []string{"-gcflags= -N"}},
		{flags: []string{"-gcflags="}},
		{flags: []string{"-gcflags=all=-N -l"}, want: []string{"-gcflags=all=-N -l"}},
		{goflags: "-race", wantEnv: "-race"},
		{goflags: "-cover -covermode=atomic --coverpkg=./... -race", wantEnv: "-race"},
		{goflags: "-buildmode=c-shared", wantEnv: "-buildmode=pie"},
		{goflags: "--buildmode=c-archive", wantEnv: "-buildmode=pie"},
		{goflags: "-buildmode=pie", wantEnv: "-buildmode=pie"},
		{goflags: "-buildmode=exe", wantEnv: "-buildmode=archive"},
		{goflags: "-buildmode=plugin\n-race", wantEnv: "-race"},
		{goflags: "-pgo=x.pgo -modfile=other.mod -overlay=o.json -race", wantEnv: "-race"},
		{goflags: `'-gcflags=all=-N -l' "-asmflags=-D 'X'" '-asmflags=all=-D "X"'`, wantEnv: `"-gcflags=all=-N -l" '-asmflags=all=-D "X"'`},
	} {
		cfg := &Config{Flags: test.flags, Env: map[string]string{"GOARCH": "arm64"}}
		if test.goflags != "" {
			cfg.Env["GOFLAGS"] = test.goflags
		}
		got, err := forStd(cfg)
		if err != nil {
			t.Errorf("%q %s: %v", test.flags, test.goflags, err)
			continue
		}
		if !slices.Equal(got.Flags, test.want) || got.Env["GOFLAGS"] != test.wantEnv || got.Env["GOARCH"] != "arm64" {
			t.Errorf("%q %s: got %q %v, want %q %s", test.flags, test.goflags, got.Flags, got.Env, test.want, test.wantEnv)
		}
		if cfg.Env["GOFLAGS"] != test.goflags {
			t.Errorf("%s: the program's own flags have become %s", test.goflags, cfg.Env["GOFLAGS"])
		}
	}
	if _, err := forStd(&Config{Env: map[string]string{"GOFLAGS": "-race '-gcflags=-N"}}); err == nil {
		t.Error("a quote without an end is no error")
	}
}
