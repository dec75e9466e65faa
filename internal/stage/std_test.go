package stage

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// The derivation that is made before a program is planned is the one that Bind
// makes.
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
	// Where the standard library cannot be planned there is nothing to build.
	empty, err := BindStd(files(t, src, plan, Plan{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	d := empty.Derivations[0]
	if d.Name != "std" || !slices.Equal(d.Outputs, []string{"out", "x"}) || len(d.Vars) != 0 || strings.Contains(d.Spec, "run") {
		t.Errorf("got %+v", d)
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
