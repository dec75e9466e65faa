// Package buildscript parses the script that `go build -n` or `go test -n` prints
// into typed actions.
//
// It is pure: it reads no files, expands no variables and runs nothing. A line that
// it does not understand is an error that names the line; no line is skipped.
package buildscript

// A Script is a parsed `go build -n` script.
type Script struct {
	// Steps has the commands in the order of the script. Each line belongs to one
	// step, but for blank lines, cd commands and messages.
	Steps []Step

	// Messages are the go command's messages to its user among the commands, such as
	// "warning: …". A message can have more lines, which are indented.
	Messages []string
}

// A Step is one command of the script.
type Step struct {
	Line   int    // 1-based number of the command's first line
	Text   string // the command as printed, for error messages
	Dir    string // the argument of the last `cd`; "" before the first
	Action Action

	// Shortened means that paths below Dir were printed relative to it, so that
	// Undot applies to the words. It is set for Run, except of buildid, and Probe.
	// In other steps relative paths are relative to the go command's directory.
	Shortened bool
}

// An Action is the action of one command. Paths and words are as printed: the work
// directory is `$WORK`, and if the step is Shortened, a path below its Dir is `.` or
// `./…` (see Undot).
type Action interface{ action() }

type (
	// Banner is the `# import/path` header that cmd/go prints before a package.
	Banner struct{ ImportPath string }

	// Mkdir is `mkdir -p PATH`.
	Mkdir struct{ Path string }

	// Write is a file written from a heredoc or an echo.
	Write struct{ Path, Text string }

	// Copy is `cp FROM TO`.
	Copy struct{ From, To string }

	// Move is `mv FROM TO`.
	Move struct{ From, To string }

	// Symlink is `ln -s OLD NEW`.
	Symlink struct{ Old, New string }

	// Remove is `rm -rf PATH…` or `rm -f PATH…`.
	Remove struct{ Paths []string }

	// Run runs a program: a tool of the Go toolchain, the C compiler, pkg-config.
	Run struct {
		Env  []string // NAME=VALUE assignments before the command
		Tool string   // the Go tool's name (compile, asm, cgo, link, pack, buildid, preprofile, cover, vet, covdata), or "" for any other program
		Args []string // Args[0] is the program as printed; `go tool NAME` is three words
	}

	// Probe asks the C compiler whether it knows a flag: `gcc FLAGS -o /dev/null ||
	// true`. With -n it is not run.
	Probe struct{ Args []string }

	// Test is the run of a test program: `$WORK/b001/p.test FLAGS`.
	Test struct {
		Program string
		Args    []string
	}

	// LinkTest is the linking test of a cgo package, printed after the link
	// itself with the comment `# test for internal linking errors (RESULT)`.
	LinkTest struct {
		Args   []string
		Result string
	}
)

func (Banner) action()   {}
func (Mkdir) action()    {}
func (Write) action()    {}
func (Copy) action()     {}
func (Move) action()     {}
func (Symlink) action()  {}
func (Remove) action()   {}
func (Run) action()      {}
func (Probe) action()    {}
func (LinkTest) action() {}
func (Test) action()     {}
