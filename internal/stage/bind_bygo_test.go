package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// The go command builds a plan that cannot be bound, but mistakes in the sources stay
// errors.
func TestBindByGo(t *testing.T) {
	src, plan := manyPackages(t)
	missing := filepath.Join(src, "pc", "x.go")
	if err := os.Remove(missing); err != nil {
		t.Fatal(err)
	}
	byGo := plan
	byGo.ByGo = &graph.Node{
		Kind: graph.ByGo, Name: "go build", Inputs: []graph.Input{graph.Toolchain}, Src: &graph.Sources{Dir: ".", Files: []string{}},
		Steps: []action.Step{{Run: &action.Run{Args: []string{"${GO}/bin/go", "build"}}}},
	}
	bound, err := Bind(t.Context(), files(t, src, plan, Plan{}, nil))
	if err == nil || !strings.Contains(err.Error(), "pc/x.go") {
		t.Errorf("without the fallback: %+v, %v", bound, err)
	}
	bound, err = Bind(t.Context(), files(t, src, byGo, Plan{}, nil))
	if err != nil || len(bound.Derivations) != 1 || len(bound.Trees) != 1 || !strings.Contains(bound.Unplanned, "pc/x.go") {
		t.Errorf("%+v, %v", bound, err)
	}
	if err := os.Symlink("../../elsewhere.go", missing); err != nil {
		t.Fatal(err)
	}
	if bound, err = Bind(t.Context(), files(t, src, byGo, Plan{}, nil)); err == nil || !strings.Contains(err.Error(), "is a symlink to") {
		t.Errorf("a link that leads out of the sources: %+v, %v", bound, err)
	}
}

// The same holds for tests: a wrong testData stays an error.
func TestBindTestsByGo(t *testing.T) {
	src := project(t, map[string]string{"a/a_test.go": "package a\n"})
	missing := node("example.com/m/b", false, "b/b.go")
	run := &graph.Node{Kind: graph.Test, Name: "example.com/m/a", Src: &graph.Sources{Dir: "a", Files: []string{"a/a_test.go"}}, Steps: []action.Step{{Mkdir: "${out}"}}, Refs: []graph.Ref{{Node: 0, Output: graph.Export}}}
	tests := Plan{Graph: graph.Graph{Nodes: []*graph.Node{missing, run}}, ByGo: &graph.Node{Kind: graph.ByGo, Name: "go test", Src: &graph.Sources{Dir: ".", Files: []string{}}}}
	cfg := files(t, src, Plan{}, Plan{}, nil)
	cfg.Tests = filepath.Join(t.TempDir(), "tests")
	if err := WriteJSON(cfg.Tests, tests); err != nil {
		t.Fatal(err)
	}
	bound, err := Bind(t.Context(), cfg)
	if err != nil || !strings.Contains(bound.Unplanned, "b/b.go") || len(bound.Derivations) != 1 {
		t.Errorf("%+v, %v", bound, err)
	}
	run.Refs = nil
	tests.Graph.Nodes = []*graph.Node{run}
	if err := os.Remove(cfg.Tests); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(cfg.Tests, tests); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{"../x": "is not a path below src", "none": "no such file"} {
		cfg.TestData = map[string][]string{"*": {data}}
		if bound, err := Bind(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", data, bound, err)
		}
	}
}
