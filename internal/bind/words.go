package bind

import (
	"os"
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
var PathFlags = []string{
	"-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I", "-L", "-F", "-T",
	"-B", "-isysroot", "--sysroot=", "-specs=", "--specs=", iprefix, "-iframework", "-resource-dir",
}

// handsOver are flags of C compilers with a file or a directory in which these look
// by rules of their own, in the same word or the next one: for other flags, for
// programs and plugins, for what another flag has the rest of the name of.
var handsOver = []string{
	"-B", "-isysroot", "--sysroot", "-specs", "--specs", "-wrapper", "-fplugin", "-ivfsoverlay", "-fmodule-map-file",
	"-iframework", "-resource-dir", "--gcc-toolchain",
}

// iprefix is what -iwithprefix has its own value behind, letter by letter.
const iprefix = "-iprefix"

// handOver reports whether the words of C commands that run in dir hand over what
// the sources have: then any file of the sources may be read. disk is the place of a
// path relative to SRC. Of a directory that a flag names it is known only for some
// that no more than headers are looked for there.
func handOver(dir string, words []string, disk func(string) string) bool {
	for i, w := range words {
		before := words[max(i-1, 0)]
		is := strings.HasPrefix(w, "@") || strings.Contains(w, ",@") || slices.Contains(handsOver, before) ||
			slices.ContainsFunc(handsOver, func(flag string) bool { return strings.HasPrefix(w, flag) })
		isDir := strings.HasPrefix(w, "-") && !onlySearches(w)
		for _, p := range wordPaths(dir, w) {
			if before == iprefix || strings.HasPrefix(w, iprefix) {
				return true
			}
			if info, err := os.Stat(disk(p)); err == nil && (is || isDir && info.IsDir()) {
				return true
			}
		}
	}
	return false
}

// onlySearches reports whether headers and libraries alone are looked for in what a
// flag names, or nothing at all.
func onlySearches(flag string) bool {
	return slices.ContainsFunc([]string{"-i", "-I", "-F", "-L", "-l", "-T", "-D", "-U", "-W", "-ldflags="}, func(prefix string) bool {
		return strings.HasPrefix(flag, prefix)
	})
}

// DefinedNames returns what the macros that words of C commands define say of files.
func DefinedNames(words []string) Names {
	var text strings.Builder
	for i, w := range words {
		_, def, ok := strings.Cut(w, "-D")
		if !ok && i > 0 && words[i-1] == "-D" {
			def, ok = w, true
		}
		if ok {
			name, body, _ := strings.Cut(def, "=")
			text.WriteString("#define " + strings.NewReplacer("\n", " ", "$$", "$").Replace(name+" "+body) + "\n")
		}
	}
	return NamesIn("", []byte(text.String()))
}

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
