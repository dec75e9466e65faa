package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/graph"
	"dgd/internal/stage"
	"dgd/internal/testfiles"
	"dgd/internal/testrpc"
)

// derivation sets the environment in which Nix runs dgd-plan, and returns $out.
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

// read decodes a JSON file into v.
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

// The stages of a build run in turn, with the configurations of the library.
func TestStages(t *testing.T) {
	src := t.TempDir()
	testfiles.Write(t, src, map[string]string{
		"go.mod":                        "module example.com/m\n\ngo 1.24\n\nrequire example.org/lib v1.0.0\n",
		"main.go":                       "package main\n\nimport _ \"example.org/lib\"\n\nfunc main() {}\n//" + strings.Repeat(" ", 1<<20), // too large for its derivation
		"vendor/modules.txt":            "# example.org/lib v1.0.0\n## explicit; go 1.24\nexample.org/lib\n",
		"vendor/example.org/lib/lib.go": "package lib\n",
	})
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
		"flags": []string{"-trimpath", "-buildvcs=false", "-ldflags=-buildid="}, "env": map[string]string{"CGO_ENABLED": "0"},
	})
	run("plan")
	var plan stage.Plan
	read(t, planFile, &plan)
	if n := len(plan.Graph.Nodes); n < 3 || plan.Graph.Nodes[n-1].Kind != graph.Link || plan.Graph.Nodes[n-1].Main != "m" {
		t.Errorf("the plan has %d nodes", n)
	}

	modulesFile := derivation(t, map[string]any{"vendor": filepath.Join(src, "vendor"), "storeDir": "/nix/store"})
	run("modules")
	var modules []stage.ModuleTree
	read(t, modulesFile, &modules)
	if len(modules) != 1 || modules[0].Dir != "example.org/lib" || !strings.HasPrefix(modules[0].Store, "/nix/store/") {
		t.Errorf("the modules are %+v", modules)
	}

	std := derivation(t, nil)
	if err := stage.WriteJSON(std, stage.Plan{}); err != nil {
		t.Fatal(err)
	}
	bind := map[string]any{
		"plan": planFile, "stdPlan": std, "src": src, "modules": modulesFile, "name": "m-1.0", "storeDir": "/nix/store",
		"inner": map[string]any{"granularity": "auto"},
	}
	bound := derivation(t, bind)
	run("bind")
	var data struct {
		Derivations []struct{ Name string }
		Sources     []stage.SourceTree
	}
	read(t, filepath.Join(bound, "derivations.json"), &data)
	if n := len(data.Derivations); n != 4 || data.Derivations[3].Name != "m-1.0" || len(data.Sources) != 1 {
		t.Errorf("bound to %+v", data)
	}
}

// In derivations without an output path, the stages that need the store submit the
// results that they write to $out otherwise.
func TestSubmittingStages(t *testing.T) {
	const goroot, executor = "/nix/store/00000000000000000000000000000000-go", "/nix/store/11111111111111111111111111111111-dgd-exec"
	src := t.TempDir()
	testfiles.Write(t, src, map[string]string{
		"main.go":                       "package main\n",
		"vendor/modules.txt":            "# example.org/lib v1.0.0\n## explicit; go 1.24\nexample.org/lib\n",
		"vendor/example.org/lib/lib.go": "package lib\n",
	})
	// inSandbox runs a stage and returns what it submits.
	inSandbox := func(command, name, method string, config any, paths ...string) ([]byte, testrpc.Object, *testrpc.Server) {
		t.Helper()
		derivation(t, config)
		server := &testrpc.Server{Name: name, Method: method}
		server.Start(t, paths...)
		t.Setenv("NIX_REMOTE", server.Remote())
		t.Setenv("name", name)
		t.Setenv("out", "")
		if err := runStage(t.Context(), command); err != nil {
			t.Fatal(err)
		}
		_, object, err := server.Finish()
		if err != nil {
			t.Fatal(err)
		}
		text, err := object.Text()
		if err != nil {
			t.Fatal(err)
		}
		return text, object, server
	}

	split := map[string]any{"vendor": filepath.Join(src, "vendor"), "storeDir": "/nix/store"}
	file := derivation(t, split)
	if err := runStage(t.Context(), "modules"); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, object, server := inSandbox("modules", "modules", "nar", split)
	if string(got) != string(want) {
		t.Errorf("submitted %s, want %s", got, want)
	}
	if len(object.Refs) != 1 || server.Objects[object.Refs[0]].Name != "example.org-lib-v1.0.0" {
		t.Errorf("the list of modules refers to %q", object.Refs)
	}

	node := &graph.Node{Kind: graph.Link, Main: "m", Src: &graph.Sources{Files: []string{"main.go"}}}
	plan := derivation(t, nil)
	if err := stage.WriteJSON(plan, stage.Plan{Graph: graph.Graph{Nodes: []*graph.Node{node}}}); err != nil {
		t.Fatal(err)
	}
	std := derivation(t, nil)
	if err := stage.WriteJSON(std, stage.Plan{}); err != nil {
		t.Fatal(err)
	}
	got, object, server = inSandbox("bind", "m-1.0.drv", "text", map[string]any{
		"plan": plan, "stdPlan": std, "src": src, "modules": file, "name": "m-1.0", "storeDir": "/nix/store",
		"system": "x86_64-linux", "executor": executor, "inputs": map[string]string{"go": goroot},
		"inner": map[string]any{"contentAddressed": true, "granularity": "auto", "disallowedReferences": []string{goroot}},
	}, goroot, executor, object.Refs[0])
	if !strings.HasPrefix(string(got), `Derive([("out",`) || !strings.Contains(string(got), executor+"/bin/dgd-exec") {
		t.Errorf("submitted %s", got)
	}
	for _, ref := range []string{goroot, executor} {
		if !slices.Contains(object.Refs, ref) {
			t.Errorf("it refers to %q, but not to %s", object.Refs, ref)
		}
	}
	if n := len(server.Objects); n != 2 {
		t.Errorf("added %d objects, want the sources and the derivation", n)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		command string
		config  any
		remote  string
		want    string
	}{
		{"make", nil, "", `there is no stage "make"`},
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

// TestMain runs dgd-plan itself in processes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCommandLine(t *testing.T) {
	const usage = "dgd-plan: takes one argument, the name of a stage: bind, check-plan, linked, modcache, modules, needs, plan, probe, retest, settings, skeleton, sources, std, std-specs, tests, unpack\n"
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{nil, 2, usage},
		{[]string{"plan", "x"}, 2, usage},
		{[]string{"make"}, 1, "dgd-plan: there is no stage \"make\"\n"},
		{[]string{"--make"}, 1, "dgd-plan: there is no stage \"--make\"\n"},
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

// The library or, for steps of derivations that bind makes, package drvgen calls
// each stage, and no other stages.
func TestNames(t *testing.T) {
	files, err := filepath.Glob("../../lib/*/*.nix")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	called := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bcommand = "(.*?)";`).FindAllStringSubmatch(string(text), -1) {
			called[m[1]] = true
		}
	}
	text, err := os.ReadFile("../../internal/drvgen/tests.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`gen\.stage\(&d, "(.*?)"`).FindAllStringSubmatch(string(text), -1) {
		called[m[1]] = true
	}
	for name := range stages {
		if !called[name] {
			t.Errorf("the library does not call the stage %s", name)
		}
	}
	for name := range called {
		if stages[name] == nil {
			t.Errorf("the library calls %q, which is no stage", name)
		}
	}
}
