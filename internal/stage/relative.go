package stage

import (
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/bind"
)

// searchPaths are variables of C compilers that list directories. An empty element is the
// directory in which the compiler runs.
var searchPaths = map[string]bool{
	"CPATH": true, "C_INCLUDE_PATH": true, "CPLUS_INCLUDE_PATH": true, "OBJC_INCLUDE_PATH": true, "LIBRARY_PATH": true,
	"COMPILER_PATH": true, "GCC_EXEC_PREFIX": true, "PKG_CONFIG_PATH": true, "PKG_CONFIG_LIBDIR": true,
}

// relativeEnv reports whether a C compiler's environment has relative paths, which are
// relative to the directory of each package.
func relativeEnv(env []string) bool {
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if searchPaths[name] && value != "" {
			for _, dir := range filepath.SplitList(value) {
				if !filepath.IsAbs(dir) {
					return true
				}
			}
		}
		// Nix's compiler wrapper reads flags from these, with the name of the platform as
		// suffix.
		if (strings.HasPrefix(name, "NIX_CFLAGS_") || strings.HasPrefix(name, "NIX_CXXSTDLIB_") || strings.HasPrefix(name, "NIX_LDFLAGS")) && relativeFlags(strings.Fields(value)) {
			return true
		}
	}
	return false
}

func relativeFlags(words []string) bool {
	defined := bind.DefinedNames(words)
	if defined.Computed || slices.ContainsFunc(defined.Files, func(name string) bool { return !filepath.IsAbs(name) }) {
		return true
	}
	isPath := false // the word is the value of the flag before it
	for _, w := range words {
		value, has := w, isPath
		isPath = false
		if !has {
			for _, flag := range bind.PathFlags {
				if rest, ok := strings.CutPrefix(w, flag); ok {
					value, has, isPath = rest, rest != "", rest == ""
					break
				}
			}
		}
		if has && !filepath.IsAbs(value) {
			return true
		}
		// A part of another flag. The text of a macro is not a path.
		isDefine := strings.HasPrefix(w, "-D") || strings.HasPrefix(w, "-U")
		if !has && w[0] == '-' && !isDefine && slices.ContainsFunc(bind.RelativeParts(w), func(part string) bool { return strings.Contains(part, "/") }) {
			return true
		}
		// A word that is a file.
		if !has && !isPath && w[0] != '-' && !filepath.IsAbs(w) && (strings.Contains(w, "/") || w[0] == '@' || w == "..") {
			return true
		}
	}
	return false
}
