package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/graph"
	"dgd/internal/planner"
)

// A derivation is what dgd-plan finds when Nix runs it.
func derivation(t *testing.T, config any) (out string) {
	t.Helper()
	dir := t.TempDir()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(dir, "out")
	t.Setenv("configPath", filepath.Join(dir, "config"))
	t.Setenv("NIX_BUILD_TOP", dir)
	t.Setenv("NIX_REMOTE", "")
	t.Setenv("out", out)
	return out
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// The stages of a build, as the library calls them.
func TestStages(t *testing.T) {
	src := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                        "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n",
		"main.go":                       "package main\n\nimport _ \"example.org/lib\"\n\nfunc main() {}\n",
		"vendor/modules.txt":            "# example.org/lib v1.0.0\n## explicit; go 1.24\nexample.org/lib\n",
		"vendor/example.org/lib/lib.go": "package lib\n",
	} {
		file := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := func(command string) {
		t.Helper()
		if err := runStage(t.Context(), command); err != nil {
			t.Fatal(err)
		}
	}

	skeleton := derivation(t, map[string]any{"src": src})
	run("skeleton")

	planFile := derivation(t, map[string]any{
		"go": strings.TrimSpace(string(goroot)), "skeleton": skeleton, "subPackages": []string{"."},
		"flags": []string{"-trimpath", "-buildvcs=false"}, "env": map[string]string{"CGO_ENABLED": "0"},
	})
	run("plan")
	var plan planner.Plan
	read(t, planFile, &plan)
	if n := len(plan.Graph.Nodes); n < 3 || plan.Graph.Nodes[n-1].Kind != graph.Link || plan.Graph.Nodes[n-1].Main != "m" {
		t.Errorf("the plan has %d nodes", n)
	}

	modulesFile := derivation(t, map[string]any{"vendor": filepath.Join(src, "vendor"), "storeDir": "/nix/store"})
	run("modules")
	var modules []planner.ModuleTree
	read(t, modulesFile, &modules)
	if len(modules) != 1 || modules[0].Path != "example.org/lib" || !strings.HasPrefix(modules[0].Store, "/nix/store/") {
		t.Errorf("the modules are %+v", modules)
	}

	std := derivation(t, nil)
	if err := planner.WriteJSON(std, planner.Plan{}); err != nil {
		t.Fatal(err)
	}
	bind := map[string]any{
		"plan": planFile, "stdPlan": std, "src": src, "modules": modulesFile, "name": "m-1.0", "storeDir": "/nix/store",
		"granularity": "module",
	}
	bound := derivation(t, bind)
	run("bind")
	var data struct {
		Derivations []struct{ Name string }
		Sources     []planner.SourceTree
	}
	read(t, filepath.Join(bound, "derivations.json"), &data)
	if n := len(data.Derivations); n != 4 || data.Derivations[3].Name != "m-1.0" || len(data.Sources) != 1 {
		t.Errorf("bound to %+v", data)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		command string
		config  any
		remote  string
		want    string
	}{
		{"make", nil, "", `unknown stage "make"`},
		{"skeleton", []int{}, "", "reading $configPath: json: cannot unmarshal array"},
		{"plan", []int{}, "", "reading $configPath: json: cannot unmarshal array"},
		{"probe", []int{}, "", "reading $configPath: json: cannot unmarshal array"},
		{"modules", []int{}, "", "reading $configPath: json: cannot unmarshal array"},
		{"bind", []int{}, "", "reading $configPath: json: cannot unmarshal array"},
		{"skeleton", map[string]any{"src": "/nowhere"}, "", "making the skeleton: lstat /nowhere: no such file or directory"},
		{"plan", map[string]any{"go": "/nowhere"}, "", "go env: fork/exec /nowhere/bin/go: no such file or directory"},
		{"probe", map[string]any{"go": "/nowhere"}, "", "go env: fork/exec /nowhere/bin/go: no such file or directory"},
		{"modules", map[string]any{}, "daemon", `NIX_REMOTE is "daemon", not unix://PATH`},
		{"bind", map[string]any{"plan": "/nowhere"}, "", "open /nowhere: no such file or directory"},
	} {
		derivation(t, test.config)
		t.Setenv("NIX_REMOTE", test.remote)
		if err := runStage(context.Background(), test.command); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.command, err, test.want)
		}
	}
	t.Setenv("configPath", "/nowhere")
	if err := runStage(context.Background(), "plan"); err == nil || err.Error() != "reading $configPath: open /nowhere: no such file or directory" {
		t.Errorf("the error is %v", err)
	}
}

// TestMain is dgd-plan itself where a test wants to run it.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{nil, 2, "dgd-plan: a command is missing\nSee dgd-plan --help\n"},
		{[]string{"plan", "x"}, 2, "dgd-plan: unknown command \"x\" for \"dgd-plan plan\"\nSee dgd-plan --help\n"},
		{[]string{"make"}, 2, "dgd-plan: unknown command \"make\" for \"dgd-plan\"\nSee dgd-plan --help\n"},
		{[]string{"--make"}, 2, "dgd-plan: unknown flag: --make\nSee dgd-plan --help\n"},
		{[]string{"plan"}, 1, "dgd-plan: reading $configPath: open : no such file or directory\n"},
	} {
		cmd := exec.Command(os.Args[0], test.args...)
		cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1", "configPath=")
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != test.status || string(out) != test.stderr {
			t.Errorf("dgd-plan %q: status %d, %q; want %d, %q", test.args, status, out, test.status, test.stderr)
		}
	}
}
