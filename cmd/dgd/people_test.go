package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"dgd/internal/inspect/drvdiff"
	"dgd/internal/testfiles"
)

// visible returns the commands that help shows, by their full names.
func visible() map[string]*cobra.Command {
	found := map[string]*cobra.Command{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		found[cmd.CommandPath()] = cmd
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	return found
}

// Each command has a help text, with an example that calls the command and uses only
// flags that it has.
func TestHelp(t *testing.T) {
	call := regexp.MustCompile(`(?m)dgd( [a-z]+)`)
	flag := regexp.MustCompile(`(?:^| )(--[a-z-]+)`)
	substitution := regexp.MustCompile(`\$\(.*?\)`) // may have flags of other commands
	commands := visible()
	if len(commands) < 6 {
		t.Errorf("there are only the commands %v", commands)
	}
	for name, cmd := range commands {
		if cmd.Short == "" || cmd.Long == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its help is %q and %q", name, cmd.Short, cmd.Long)
		}
		for line := range strings.Lines(cmd.Long) {
			if len([]rune(line)) > 104 {
				t.Errorf("%s: a line of its help is too long: %s", name, line)
			}
		}
		calls := call.FindAllStringSubmatch(cmd.Example, -1)
		if len(calls) == 0 {
			t.Errorf("%s: its help has no example", name)
		}
		for _, c := range calls {
			if cmd.HasParent() && "dgd"+c[1] != name || commands["dgd"+c[1]] == nil {
				t.Errorf("%s: its example calls dgd%s", name, c[1])
			}
		}
		for line := range strings.Lines(cmd.Example) {
			_, args, ok := strings.Cut(line, "dgd ")
			if !ok {
				continue
			}
			args, _, _ = strings.Cut(substitution.ReplaceAllString(args, ""), "|")
			for _, f := range flag.FindAllStringSubmatch(args, -1) {
				if cmd.Flags().Lookup(strings.TrimPrefix(f[1], "--")) == nil {
					t.Errorf("%s: its example has the flag %s, which it does not take", name, f[1])
				}
			}
		}
		var out bytes.Buffer
		root := newRoot()
		root.SetOut(&out)
		root.SetArgs(append(strings.Fields(name)[1:], "--help"))
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), "Examples:") {
			t.Errorf("%s --help: %v\n%s", name, err, out.String())
		}
	}
}

// complete returns the completions of the last argument, as the scripts for shells
// request them.
func complete(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, args...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, ":") {
			return words, line
		}
		words = append(words, line)
	}
	t.Fatalf("completing %q: %s", args, out.String())
	return nil, ""
}

func TestCompletion(t *testing.T) {
	const anything, nothing, directories = ":0", ":4", ":16"
	dir := t.TempDir()
	testfiles.Write(t, dir, map[string]string{
		"go.mod":   "module example.com/m\n\ngo 1.24\n",
		"main.go":  "package main\n\nimport _ \"example.com/m/a\"\n\nfunc main() {}\n",
		"a/a.go":   "package a\n",
		"bin/file": "",
	})
	t.Chdir(dir)
	for _, test := range []struct {
		args      []string
		has       string
		directive string
	}{
		{[]string{""}, "diff", nothing},
		{[]string{"s"}, "sbom", nothing},
		{[]string{"completion", ""}, "fish", nothing},
		{[]string{"graph", "--"}, "--dot", nothing},
		{[]string{"graph", ""}, "", directories},
		{[]string{"why", ""}, "example.com/m/a", nothing},
		{[]string{"why", "example.com/m/a", ""}, "", directories},
		{[]string{"diff", ""}, "", anything},
		{[]string{"sbom", ""}, "", anything},
		{[]string{"sbom", "--modules", ""}, "", anything},
	} {
		words, directive := complete(t, test.args...)
		if directive != test.directive || test.has != "" && !slices.Contains(words, test.has) {
			t.Errorf("completing %q: %q, %s; want %q, %s", test.args, words, directive, test.has, test.directive)
		}
	}
	if words, _ := complete(t, ""); slices.Contains(words, "bind") || slices.Contains(words, "skeleton") {
		t.Errorf("the commands of builders are completed: %q", words)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		status, out, errors := invoke(t, "completion", shell)
		if status != 0 || !strings.Contains(out, "dgd") || errors != "" {
			t.Errorf("completion %s: status %d, %.100s, %s", shell, status, out, errors)
		}
		if program, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(program, "-n")
			cmd.Stdin = strings.NewReader(out)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s does not read its script: %v\n%s", shell, err, text)
			}
		}
	}
}

// invoke runs dgd and returns its exit status and output, which is not a terminal.
func invoke(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1")
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errors.String()
}

// The commands for people print what they should and have the right exit status.
func TestPeople(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bin", "vendored")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../../examples/vendored"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := filepath.Join(filepath.Dir(program), "script")
	wrong := filepath.Join(t.TempDir(), "modules.json")
	empty := filepath.Join(t.TempDir(), "empty.json")
	for file, text := range map[string]string{script: "#!/bin/sh\n", wrong: `{"modules": []}`, empty: "[]"} {
		if err := os.WriteFile(file, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args           []string
		status         int
		stdout, stderr string // parts
	}{
		{[]string{"graph", "../../examples/vendored"}, 0, "in all: ", ""},
		{[]string{"graph", "../../examples/vendored", "."}, 0, "  github.com/mitchellh/go-wordwrap v1.0.1 (1 package)\n", ""},
		{[]string{"graph", "--dot", "../../examples/vendored"}, 0, "digraph packages {", ""},
		{[]string{"graph", "--dot", "--json"}, 2, "", "use one of them"},
		{[]string{"graph", "../../examples/vendored", "./nothing"}, 1, "", "dgd: go list in ../../examples/vendored: "},
		{[]string{"why", "bytes", "../../examples/vendored"}, 0, "example.com/vendored\n  imports github.com/", ""},
		{[]string{"why", "net/http", "../../examples/vendored"}, 1, "No program of the project imports net/http, directly or not.\n", ""},
		{[]string{"why", "net/http", "--json", "../../examples/vendored"}, 1, `"chain": []`, ""},
		{[]string{"why"}, 2, "", "accepts between 1 and 2 arg(s)"},
		{[]string{"why", "./x"}, 2, "", "is not an import path"},
		{[]string{"sbom", filepath.Dir(filepath.Dir(program))}, 0, `"name": "github.com/mitchellh/go-wordwrap"`, "script is not a Go program with module information"},
		{[]string{"sbom", program}, 0, `"specVersion": "1.6"`, ""},
		{[]string{"sbom", "--stamp", program}, 0, `"serialNumber": "urn:uuid:`, ""},
		{[]string{"sbom", "--modules", wrong, program}, 1, "", "is not the JSON of passthru.modules"},
		{[]string{"sbom", "--modules", empty, program}, 1, "", "the list is of another build"},
		{[]string{"sbom", "--license-texts", program}, 2, "", "needs --modules"},
		{[]string{"sbom", script}, 1, "", "is not a Go program with module information"},
		{[]string{"sbom", "../../examples"}, 1, "", "has no Go program"},
		{[]string{"sbom"}, 2, "", "requires at least 1 arg(s)"},
		{[]string{"completion"}, 2, "", "accepts 1 arg(s)"},
		{[]string{"completion", "tcsh"}, 2, "", `invalid argument "tcsh"`},
		{[]string{"diff", "x"}, 2, "", "accepts 2 arg(s)"},
	} {
		status, stdout, stderr := invoke(t, test.args...)
		if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || test.stdout == "" && stdout != "" || test.stderr == "" && stderr != "" || strings.Contains(stdout, "\x1b") {
			t.Errorf("dgd %q: status %d, want %d\n%s\n%s", test.args, status, test.status, stdout, stderr)
		}
	}
	var why struct{ Chain []string }
	_, stdout, _ := invoke(t, "why", "--json", "bytes", "../../examples/vendored")
	if err := json.Unmarshal([]byte(stdout), &why); err != nil || len(why.Chain) != 3 || why.Chain[2] != "bytes" {
		t.Errorf("%v: %s", err, stdout)
	}
	var graph struct {
		Packages []struct{ Path string }
		Modules  []struct {
			Path  string
			Bytes int64
		}
	}
	_, stdout, _ = invoke(t, "graph", "--json", "../../examples/vendored")
	if err := json.Unmarshal([]byte(stdout), &graph); err != nil || len(graph.Modules) != 4 || graph.Modules[0].Bytes == 0 {
		t.Errorf("%v: %s", err, stdout)
	}
}

// The first argument is DIR unless it can only be a package of the current module.
func TestProjectArgs(t *testing.T) {
	top := t.TempDir()
	for _, file := range []string{"one/go.mod", "one/sub/x.go", "two/go.mod", "two/sub/x.go", "ws/go.work", "ws/app/go.mod", "ws/app/sub/x.go", "none/x"} {
		file = filepath.Join(top, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		text := ""
		if filepath.Base(file) == "go.work" {
			text = "go 1.24\n\nuse ./app\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		from, arg string
		isDir     bool
	}{
		{".", "./two/sub", true}, {".", "two", true}, {".", "none", false}, {".", "./...", false}, {".", "example.com/x", false},
		{"one", "./sub", false}, {"one", "sub", false}, {"one", "../two/sub", true}, {"one/sub", "..", true}, {"one", ".", true},
		{"ws", "./app/sub", false}, {"ws", "./app", true}, {"ws/app", "./sub", false}, {"one", "../ws/app/sub", true},
	} {
		t.Chdir(filepath.Join(top, test.from))
		dir, patterns := projectArgs([]string{test.arg, "x"})
		want, left := ".", 2
		if test.isDir {
			want, left = test.arg, 1
		}
		if dir != want || len(patterns) != left {
			t.Errorf("in %s, %s x is the directory %s and the patterns %q", test.from, test.arg, dir, patterns)
		}
	}
}

func TestPrintDiff(t *testing.T) {
	file := drvdiff.Cause{Kind: "file", What: "a/a.go", Change: "changed"}
	toolchain := drvdiff.Cause{Kind: "toolchain", Old: "go-1.25", New: "go-1.26", Change: "changed"}
	report := &drvdiff.Report{
		Common: 7,
		Differ: []drvdiff.Pair{
			{Name: "example.com/a", Causes: []drvdiff.Cause{file}},
			{Name: "example.com/b", Because: []string{"example.com/a"}, Roots: []string{"example.com/a"}},
			{Name: "example.com/c", Because: []string{"example.com/b"}, Roots: []string{"example.com/a"}},
		},
		OnlyOld:  []drvdiff.Item{{Name: "example.com/old"}},
		OnlyNew:  []drvdiff.Item{{Name: "example.com/new"}},
		Unbuilt:  []drvdiff.Item{{Name: "example.com/c"}},
		Planning: drvdiff.Planning{Common: 3, Differ: []string{"plan", "skeleton"}},
	}
	want := `- example.com/old: only in the old state
+ example.com/new: only in the new state
~ example.com/a
    file a/a.go changed
~ example.com/b
    because of example.com/a
~ example.com/c
    because of example.com/b, caused by example.com/a
Not built yet: example.com/c. Derivations that depend on them count as different.
Planning: 3 in common, 2 differ (plan, skeleton).
7 in common, 3 differ, 1 only in the old state, 1 only in the new one.
`
	var out bytes.Buffer
	if err := printDiff(&out, false, report); err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
	out.Reset()
	if err := printDiff(&out, true, report); err != nil || !strings.Contains(out.String(), "\x1b[1mexample.com/a\x1b[0m") {
		t.Errorf("without colours: %v, %q", err, out.String())
	}

	// Many derivations with the same cause are one line, and of many causes only the
	// first ones are printed.
	many := &drvdiff.Report{}
	for i := range 8 {
		many.Differ = append(many.Differ, drvdiff.Pair{Name: fmt.Sprintf("p%d", i), Causes: []drvdiff.Cause{toolchain}})
	}
	files := drvdiff.Pair{Name: "files"}
	for i := range 12 {
		files.Causes = append(files.Causes, drvdiff.Cause{Kind: "file", What: fmt.Sprint(i), Change: "new"})
	}
	many.Differ = append(many.Differ, files)
	out.Reset()
	if err := printDiff(&out, false, many); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 2+1+10+1+1+1 || lines[0] != "~ p0, p1, p2, p3, p4 and 3 more" || lines[1] != "    toolchain go-1.25 → go-1.26" || lines[13] != "    and 2 more causes" {
		t.Errorf("%q", lines)
	}
}
