package drvgen

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
)

// maxArgs is the number of bytes of arguments, at most, that a program is given
// directly. A process can have some 2 MB, and no argument more than 128 KB.
const maxArgs = 96 << 10

// respond returns the steps with long lists of arguments of Go's tools in response
// files, as in the go command: objabi.Flagparse replaces an argument @FILE by the lines
// of FILE.
func respond(steps []action.Step) []action.Step {
	var out []action.Step
	for i, s := range steps {
		if s.Run != nil && takesResponse(s.Run.Args[0]) && size(s.Run.Args) > maxArgs {
			files, run := responseFiles(*s.Run, fmt.Sprintf("${OBJ}/args%d", i))
			out = append(out, files...)
			s.Run = &run
		}
		out = append(out, s)
	}
	return out
}

// takesResponse reports whether a program reads response files: see useResponseFile in
// the sources of cmd/go.
func takesResponse(program string) bool {
	return slices.Contains([]string{"compile", "link", "cgo", "asm", "cover"}, path.Base(program))
}

// size returns an upper bound of the arguments' size in bytes with tokens expanded.
func size(args []string) int {
	const token = 100
	n := 0
	for _, arg := range args {
		n += len(arg) + 1 + token*strings.Count(arg, "${")
	}
	return n
}

// responseFiles returns the run with its arguments in response files, and the steps that
// write these files, whose names begin with name. Arguments that the executor may omit or
// replace by several stay arguments: a file has those between two of them.
func responseFiles(run action.Run, name string) (files []action.Step, _ action.Run) {
	args := run.Args[:1:1]
	var text strings.Builder
	flush := func() {
		if text.Len() == 0 {
			return
		}
		file := fmt.Sprintf("%s.%d", name, len(files))
		files = append(files, action.Step{Write: &action.Write{Path: file, Text: text.String()}})
		args = append(args, "@"+file)
		text.Reset()
	}
	for _, arg := range run.Args[1:] {
		if slices.Contains(run.IfExists, arg) || arg == "${CFLAGS}" || strings.Contains(arg, "LIBS}") {
			flush()
			args = append(args, arg)
			continue
		}
		text.WriteString(responseLine.Replace(arg) + "\n")
	}
	flush()
	run.Args = args
	return files, run
}

// responseLine escapes an argument as a line of a response file.
var responseLine = strings.NewReplacer(`\`, `\\`, "\n", `\n`)

// CanonicalSteps returns steps in the form that specs have, without the brackets of the
// list.
func CanonicalSteps(steps []action.Step) (string, error) {
	text, err := encode(respond(steps))
	if err != nil {
		return "", err
	}
	return string(text[1 : len(text)-1]), nil
}
