package drvgen

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/executor"
)

// Short lists of arguments and those of other programs do not change.
func TestRespondNot(t *testing.T) {
	long := strings.Repeat("x", maxArgs)
	steps := []action.Step{
		{Mkdir: "${OBJ}/x"},
		{Run: &action.Run{Args: []string{"${GOROOT}/pkg/tool/compile", "-p", "x"}}},
		{Run: &action.Run{Args: []string{"gcc", long}}},
	}
	if got := respond(steps); len(got) != len(steps) || got[1].Run != steps[1].Run || got[2].Run != steps[2].Run {
		t.Errorf("got %v", got)
	}
}

// A tool gets the arguments of the step in order, but for those that the executor omits.
func TestRespond(t *testing.T) {
	args := []string{"", "-p", "a b", `back\slash`, "two\nlines", "$$dollar", "${SRC}/x.go"}
	for i := range 30000 {
		args = append(args, fmt.Sprintf("${SRC}/file%d.go", i))
	}
	args = append(args, "${OBJ}/there.go", "${OBJ}/not.go", "last")

	dir := t.TempDir()
	// A program instead of the compiler, which reads response files in the same way and
	// prints its arguments.
	tool := filepath.Join(dir, "compile")
	script := `#!/bin/bash
for a; do
  case $a in
    @*) while IFS= read -r line; do line=${line//\\\\/$'\x01'}; line=${line//\\n/$'\n'}; printf '%s\0' "${line//$'\x01'/\\}"; done < "${a#@}" ;;
    *) printf '%s\0' "$a" ;;
  esac
done > "$OUT"
`
	if err := os.WriteFile(tool, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	args[0] = tool
	run := &action.Run{Args: args, IfExists: []string{"${OBJ}/there.go", "${OBJ}/not.go"}, Env: []string{"OUT=${out}", "PATH=" + os.Getenv("PATH")}}
	unit := action.Unit{Name: "p", Steps: respond([]action.Step{{Write: &action.Write{Path: "${OBJ}/there.go"}}, {Run: run}})}
	out := filepath.Join(dir, "out")
	top := filepath.Join(dir, "top")
	err := executor.Run(t.Context(), &action.Spec{Units: []action.Unit{unit}}, executor.Config{Top: top, Cores: 1, Vars: action.Vars{"out": out}, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	var want []string
	for _, arg := range args[1:] {
		if arg != "${OBJ}/not.go" {
			want = append(want, strings.NewReplacer("${SRC}", top+"/0/src", "${OBJ}", top+"/0/obj", "$$", "$").Replace(arg))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the tool got %d arguments, want %d: %.300q", len(got), len(want), got)
	}
	for _, s := range unit.Steps {
		if s.Run != nil && size(s.Run.Args) > maxArgs {
			t.Errorf("the step has %d bytes of arguments", size(s.Run.Args))
		}
	}
}
