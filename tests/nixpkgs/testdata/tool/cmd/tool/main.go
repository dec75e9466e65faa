// Tool has what definitions in nixpkgs ask of a program: a version, shell
// completions, and variables that the linker sets.
package main

import (
	"os"

	"example.com/tool/shared"
)

var version, commit, dir, tag, note string

func main() {
	if len(os.Args) == 3 && os.Args[1] == "completion" {
		say("# complete tool in " + os.Args[2])
		return
	}
	say("tool " + version + "|" + commit + "|" + dir + "|" + tag + "|" + note + "|" + shared.Text())
}

func say(s string) { os.Stdout.WriteString(s + "\n") }
