package stage

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"dgd/internal/action"
	"dgd/internal/goflags"
	"dgd/internal/graph"
)

// Binding replaces the stand-ins by their values, in the linker's arguments and in those of
// the go command.
func TestReadPlan(t *testing.T) {
	const ldflags = "-X 'main.a=two $words' -X=main.b="
	hidden, values := goflags.HideValues(ldflags)
	dir := t.TempDir()
	run := func(args ...string) []action.Step {
		return []action.Step{{Mkdir: "${OBJ}"}, {Run: &action.Run{Args: args}}}
	}
	linkArgs := func(ldflags string) []string {
		words, err := goflags.Split(ldflags)
		if err != nil {
			t.Fatal(err)
		}
		return append(append([]string{"${GOROOT}/link", "-s"}, graph.EscapeAll(words)...), "${R0}")
	}
	plan := Plan{Graph: graph.Graph{Nodes: []*graph.Node{
		{Kind: graph.Package, Name: "p", Steps: run("compile", "a=_dgd_value_0_")},
		{Kind: graph.Link, Name: "p", Steps: run(linkArgs(hidden)...)},
		{Kind: graph.ByGo, Name: "go build", Steps: run("go", "build", action.Escape("-ldflags="+hidden))},
	}}}
	want := [][]string{
		{"compile", "a=_dgd_value_0_"},
		{"${GOROOT}/link", "-s", "-X", "main.a=two $$words", "-X=main.b=", "${R0}"},
		{"go", "build", "-ldflags=-X 'main.a=two $$words' -X=main.b="},
	}
	file := filepath.Join(dir, "plan")
	if err := WriteJSON(file, plan); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "settings")
	if err := os.WriteFile(settings, []byte("tags=x\x00ldflags="+ldflags+"\x00A=-X a=b\x00"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]BindConfig{"values": {Values: values}, "settings": {Settings: settings}} {
		var got Plan
		if err := cfg.readPlan(file, &got); err != nil {
			t.Fatal(err)
		}
		for i, n := range got.Graph.Nodes {
			if args := n.Steps[1].Run.Args; !slices.Equal(args, want[i]) {
				t.Errorf("%s: the arguments of node %d are %q, want %q", name, i, args, want[i])
			}
		}
	}
}

// Hiding values in settings changes nothing else, and keeps flags that name the sources.
func TestHideSettings(t *testing.T) {
	for text, want := range map[string]string{
		"tags=a b\x00ldflags=-s -X main.a=1\x00FOO=-X main.b=2\n\x00":           "tags=a b\x00ldflags=-s -X main.a=_dgd_value_0_\x00FOO=-X main.b=2\n\x00",
		"sources=/build/s\x00ldflags=-X main.a=/build/s/x\x00modRoot=m\x00":     "sources=/build/s\x00ldflags=-X main.a=/build/s/x\x00modRoot=m\x00",
		"sources=/build/s\x00modRoot=m\x00ldflags=-X main.a=/build/of -w\x00x=": "sources=/build/s\x00modRoot=m\x00ldflags=-X main.a=_dgd_value_0_ -w\x00x=\x00",
		"": "",
	} {
		dir := t.TempDir()
		cfg := SettingsConfig{Settings: filepath.Join(dir, "settings")}
		if err := os.WriteFile(cfg.Settings, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := HideSettings(&cfg, filepath.Join(dir, "out")); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil || !reflect.DeepEqual(string(got), want) {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
	}
}
