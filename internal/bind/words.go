package bind

import (
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// wordPaths returns the paths, relative to SRC, that a word of a C command may name,
// which runs in dir. A relative path may be a part of any flag, so every part of the
// word counts: most of what it returns does not exist. A path that begins with ../ is
// outside of SRC.
func wordPaths(dir, word string) []string {
	if graph.IsPrefixMap(word) {
		return nil
	}
	var list []string
	for _, p := range srcPaths(word) {
		list = append(list, path.Clean("."+p))
	}
	for _, p := range RelativeParts(word) {
		list = append(list, path.Join(dir, strings.ReplaceAll(p, "$$", "$")))
	}
	return list
}

// PathFlags are flags of C compilers that have a path as their value, in the same word
// or the next one.
var PathFlags = []string{"-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I", "-L", "-B", "-F", "-T"}

// RelativeParts returns the parts of a word of a C command that may be relative
// paths: the word, what flags have behind them, as in -Iinclude or -fplugin=x, and
// what they hand on, as -Wa,-I,include does.
func RelativeParts(word string) []string {
	var list []string
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("=,:;@ \"'", r) }) {
		for _, flag := range PathFlags {
			if rest, ok := strings.CutPrefix(part, flag); ok {
				part = rest
				break
			}
		}
		if part != "" && strings.IndexByte("-/$", part[0]) < 0 {
			list = append(list, part)
		}
	}
	return list
}

// cWords returns the words of a package's C commands. Those of the Go compiler name
// nothing that C reads.
func cWords(steps []action.Step) []string {
	var list []string
	for _, s := range steps {
		switch {
		case s.Run != nil && !strings.HasSuffix(s.Run.Args[0], "/compile"):
			list = append(list, s.Run.Args[1:]...)
		case s.Trace != nil:
			for _, run := range s.Trace.Runs {
				list = append(list, run.Args[1:]...)
			}
		}
	}
	return list
}

// commandPaths returns what the words of the C commands of a package in dir may name,
// relative to SRC, each once.
func commandPaths(dir string, steps []action.Step) []string {
	var list []string
	for _, word := range cWords(steps) {
		list = append(list, wordPaths(dir, word)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
