// Package action is the language between the planner and the executor: what
// one inner derivation carries out.
//
// It imports nothing but the standard library, because every inner derivation
// depends on the bytes of the executor.
package action

import (
	"fmt"
	"strings"
)

// A Spec is the whole work of one derivation. It reaches the executor as JSON
// in the file that the environment variable specPath names. That JSON has sorted
// keys, as builtins.toJSON writes it; hence the order of the fields of all structs
// that are part of a Spec.
type Spec struct {
	Units []Unit `json:"units"`
}

// A Unit is the work for one package or one link. The units of a Spec run in
// parallel as far as Needs allows; each has an object directory of its own.
//
// Every string of a unit may hold tokens, see Expand. The executor knows
// OBJ (the object directory), SRC (the root of the unit's sources), CORES (how
// many cores the derivation may use), the unit's own Vars, the derivation's Vars,
// and its outputs by their names (out, x).
type Unit struct {
	// Compilers is a file with the flags of C compilers, each by its command: see
	// Run.Compiler.
	Compilers string   `json:"compilers,omitempty"`
	Env       string   `json:"env,omitempty"`   // file with NUL-separated NAME=VALUE lines: the C compiler's environment
	Name      string   `json:"name"`            // import path, for messages
	Needs     []int    `json:"needs,omitempty"` // indexes of units that come first
	Sources   []Source `json:"sources,omitempty"`
	Steps     []Step   `json:"steps"`
	Vars      Vars     `json:"vars,omitempty"` // values may hold tokens of the derivation
}

// Vars are the values of tokens. Those of a derivation are all that in it
// refers to other store paths; they reach the executor as JSON in the file
// that the environment variable varsPath names.
type Vars map[string]string

// A Source is a file or directory of the store that the unit sees at the path
// At. Pure Go code sees it through a symbolic link; a C compiler resolves `..`
// and reports directories physically, so it gets a copy.
type Source struct {
	At   string `json:"at"`
	Copy bool   `json:"copy,omitempty"`
	From string `json:"from"`
}

// A Step is one action; exactly one field is set, but for Beside.
type Step struct {
	// Beside says that the step, which runs a program, and the one before it do
	// not depend on each other: they may run at the same time.
	Beside bool `json:"beside,omitempty"`

	Copy      *Copy      `json:"copy,omitempty"`
	DynImport *DynImport `json:"dynImport,omitempty"`
	Mkdir     string     `json:"mkdir,omitempty"`
	Pack      *Pack      `json:"pack,omitempty"`
	PkgConfig *PkgConfig `json:"pkgConfig,omitempty"`
	Run       *Run       `json:"run,omitempty"`
	Test      *Test      `json:"test,omitempty"`
	Trace     *Trace     `json:"trace,omitempty"`
	Write     *Write     `json:"write,omitempty"`
}

// Write writes Text to the file Path.
type Write struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// Copy copies a file, or with Tree a directory with all that is below it, whose
// files are then writable.
//
// Leaves and Comes say that files are texts that name the unit's directories, and
// go from this unit to another one's, or come from there: on the way, a stand-in
// is in the directories' place.
type Copy struct {
	Comes  bool   `json:"comes,omitempty"`
	From   string `json:"from"`
	Leaves bool   `json:"leaves,omitempty"`
	To     string `json:"to"`
	Tree   bool   `json:"tree,omitempty"`
}

// Run runs a program. A program without a slash is looked up in the PATH of
// Unit.Env.
type Run struct {
	Args []string `json:"args"`
	// Compiler is the command of a C compiler, by which Unit.Compilers has its
	// CompilerFlags. An argument that is the token BEFORE or AFTER alone stands for
	// these flags; one that begins with the token PREFIXMAP is left out where the
	// compiler has no such flag.
	Compiler string   `json:"compiler,omitempty"`
	Dir      string   `json:"dir,omitempty"` // working directory; OBJ where empty
	Env      []string `json:"env,omitempty"` // NAME=VALUE, on top of the unit's
	// IfExists lists arguments that are left out when there is no such file:
	// what a failed DynImport does not make.
	IfExists []string `json:"ifExists,omitempty"`
	// Parallel says that the program takes -c=N for its own concurrency.
	Parallel bool `json:"parallel,omitempty"`
}

// CompilerFlags are those flags of a C compiler that the go command finds out by
// trying them. They are the machine's: no plan depends on them.
type CompilerFlags struct {
	Before    []string `json:"before,omitempty"`    // before -fmessage-length=0
	After     []string `json:"after,omitempty"`     // behind it, but for the prefix map
	PrefixMap string   `json:"prefixMap,omitempty"` // -ffile-prefix-map, -fdebug-prefix-map or empty
}

// Probed is what the file Unit.Compilers has.
type Probed struct {
	Compilers map[string]CompilerFlags `json:"compilers"`
	// Failed is why there are none of some, or empty.
	Failed string `json:"failed,omitempty"`
}

// Tokens of Run.Args where there is a Run.Compiler.
const (
	FlagsBefore = "${BEFORE}"
	FlagsAfter  = "${AFTER}"
	PrefixMap   = "${PREFIXMAP}="
)

// Pack appends files to the archive, as `go tool pack r` does.
type Pack struct {
	Archive  string   `json:"archive"`
	Files    []string `json:"files"`
	IfExists []string `json:"ifExists,omitempty"` // see Run
}

// DynImport is the linking test of a cgo package: where Link succeeds, Import
// runs; where it fails, the empty file Fail is written, which tells the linker
// that the package needs the external linker.
type DynImport struct {
	Fail   string `json:"fail"`
	Import Run    `json:"import"`
	Link   Run    `json:"link"`
}

// Trace runs programs, whose output and failure count for nothing, and copies the
// files below From that they have opened to To, in their places. Where that
// cannot be told, or one of them fails, it copies all.
type Trace struct {
	From string `json:"from"`
	// Keep lists files that are copied in any case, if they are there, relative
	// to From.
	Keep []string `json:"keep,omitempty"`
	Runs []Run    `json:"runs"`
	To   string   `json:"to"`
}

// PkgConfig runs pkg-config and keeps its answer for the unit's later steps:
// an argument that is the token CFLAGS or LIBS alone stands for all words of
// the answer; within a longer argument QUOTEDLIBS stands for the quoted words,
// each after a space.
type PkgConfig struct {
	Libs bool `json:"libs,omitempty"` // the answer to --libs; else to --cflags
	Run  Run  `json:"run"`
}

// Test runs a test program as `go test` does, and writes a TestResult. A test
// that fails is a result, too, and no failure of the step.
//
// All look-ups of files below SRC and Modules are watched, whichever program
// makes them and in whichever way.
type Test struct {
	Args []string `json:"args"` // the program and its flags
	Dir  string   `json:"dir"`  // working directory
	Env  []string `json:"env"`  // NAME=VALUE, on top of the unit's
	// Modules is the place of a module proxy or a module cache, which is not
	// there in this run.
	Modules string `json:"modules"`
	Path    string `json:"path"`   // directory that comes first in PATH
	Result  string `json:"result"` // file for the TestResult
}

// A TestResult says how a test ended, and what it looked for in vain. Paths are
// slash-separated and relative to SRC.
type TestResult struct {
	Passed bool `json:"passed"`
	// Unseen says why look-ups may be missing here; empty where all are.
	Unseen string `json:"unseen,omitempty"`
	// Missing are files and directories that were looked up and were not there
	// when the test began: by the first part of a path that is missing, all that
	// were looked up at it or below it, the first MaxMissing of them.
	Missing map[string][]string `json:"missing,omitempty"`
	// Listed are directories whose entries were read, with their number when the
	// test began.
	Listed map[string]int `json:"listed,omitempty"`
	// Modules says that something was looked up at Test.Modules.
	Modules bool `json:"modules,omitempty"`
	// Leaving are symbolic links that were followed out of SRC to where nothing
	// is, with their targets.
	Leaving map[string]string `json:"leaving,omitempty"`
}

// MaxMissing is how many paths a TestResult has below one that is missing.
const MaxMissing = 20

// Escape makes a literal string safe from Expand.
func Escape(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// Expand replaces every token ${NAME} by its value and `$$` by a dollar sign.
// Any other dollar sign, and a name that lookup does not know, is an error.
func Expand(s string, lookup func(name string) (string, bool)) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	var b strings.Builder
	for rest := s; ; {
		i := strings.IndexByte(rest, '$')
		if i < 0 {
			b.WriteString(rest)
			return b.String(), nil
		}
		b.WriteString(rest[:i])
		rest = rest[i+1:]
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			rest = rest[1:]
		case strings.HasPrefix(rest, "{"):
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return "", fmt.Errorf("token without an end in %q", s)
			}
			name := rest[1:end]
			value, ok := lookup(name)
			if !ok {
				return "", fmt.Errorf("unknown token ${%s} in %q", name, s)
			}
			b.WriteString(value)
			rest = rest[end+1:]
		default:
			return "", fmt.Errorf("stray dollar sign in %q", s)
		}
	}
}
