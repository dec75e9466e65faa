package bind

import (
	"os"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
)

// wordPaths returns the paths, relative to SRC, that a word of a C command in dir may
// name. A relative path may be a part of any flag, so every part of the word counts,
// and most of the paths do not exist. A path that begins with ../ is outside of SRC.
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

// handOverFlags are flags of C compilers that name, in the same word or the next one, a
// file or a directory which the compiler uses by rules that dgd does not follow: it may
// have flags, programs, plugins or the names of other files.
var handOverFlags = []string{
	"-B", "-isysroot", "--sysroot", "-specs", "--specs", "-wrapper", "-fplugin", "-ivfsoverlay", "-fmodule-map-file",
	"-iframework", "-resource-dir", "--gcc-toolchain",
}

// iprefix sets a prefix, which -iwithprefix puts before its own value without a slash.
const iprefix = "-iprefix"

// handOver reports whether the words of C commands that run in dir hand over a file or a
// directory of the sources to the compiler, so that it may read any file of them. That
// is so for handOverFlags, and for flags that name a directory, but for those that are known
// to search it for headers or libraries only. Disk returns the file of a path relative
// to SRC.
func handOver(dir string, words []string, disk func(string) string) bool {
	for i, w := range words {
		before := words[max(i-1, 0)]
		is := strings.HasPrefix(w, "@") || strings.Contains(w, ",@") || slices.Contains(handOverFlags, before) ||
			slices.ContainsFunc(handOverFlags, func(flag string) bool { return strings.HasPrefix(w, flag) })
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

// onlySearches reports whether the compiler uses a directory in the flag, if any, only
// to search it for headers or libraries.
func onlySearches(flag string) bool {
	return slices.ContainsFunc([]string{"-i", "-I", "-F", "-L", "-l", "-T", "-D", "-U", "-W", "-ldflags="}, func(prefix string) bool {
		return strings.HasPrefix(flag, prefix)
	})
}

// DefinedNames returns the names of files in the macros that words of C commands
// define.
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

// RelativeParts returns the parts of a word of a C command that may be relative paths:
// the word itself, the value of a flag, as in -Iinclude or -fplugin=x, and values for
// other programs, as in -Wa,-I,include.
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

// cWords returns the arguments of all commands of a package but the Go compiler's,
// which name no file that C reads.
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

// commandPaths returns the paths, relative to SRC, that the words of the C commands of a
// package in dir may name, each once.
func commandPaths(dir string, steps []action.Step) []string {
	var list []string
	for _, word := range cWords(steps) {
		list = append(list, wordPaths(dir, word)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
