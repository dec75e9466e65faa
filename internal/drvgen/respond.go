package drvgen

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
)

// maxArgs is how many bytes of arguments a program is given directly. A process
// can have some 2 MB of them, and no argument more than 128 KB.
const maxArgs = 96 << 10

// respond hands long lists of arguments to Go's tools in response files, as the
// go command does: objabi.Flagparse takes an argument @FILE for the lines of FILE.
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

// takesResponse reports whether a program is one of those that read such files:
// see useResponseFile in the sources of cmd/go.
func takesResponse(program string) bool {
	return slices.Contains([]string{"compile", "link", "cgo", "asm", "cover"}, path.Base(program))
}

// size is at least what the arguments come to when their tokens are expanded.
func size(args []string) int {
	const token = 100
	n := 0
	for _, arg := range args {
		n += len(arg) + 1 + token*strings.Count(arg, "${")
	}
	return n
}

// responseFiles writes the arguments to files that begin with this name: each run
// of arguments between those that the executor may leave out, or put others for.
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

// responseLine makes an argument a line.
var responseLine = strings.NewReplacer(`\`, `\\`, "\n", `\n`)

// CanonicalSteps returns steps as a spec has them, without the brackets around.
func CanonicalSteps(steps []action.Step) (string, error) {
	text, err := marshal(respond(steps))
	if err != nil {
		return "", err
	}
	return string(text[1 : len(text)-1]), nil
}
