// Package graph turns the actions of a build script into a graph of packages and
// links, each with the steps that the executor carries out.
//
// It is pure: it reads no files. The steps of a node do not depend on the program,
// the directory or the order in which they were planned, so that a package of two
// programs gives the same node.
package graph

import (
	"strconv"
	"strings"

	"dgd/internal/action"
)

// A Graph is the plan of a build. Nodes come after the nodes that they depend on.
type Graph struct {
	Nodes []*Node `json:"nodes"`
}

// Kind says what a node makes.
type Kind string

const (
	// Package makes export data, for importers, and an archive, for the linker.
	Package Kind = "package"
	// Link makes a program.
	Link Kind = "link"
	// Test runs a test program and makes a file with the result: an
	// action.TestResult.
	Test Kind = "test"
	// Untested refers to the export data of a package without tests, which has to
	// compile for tests to pass. It has no steps.
	Untested Kind = "untested"
	// File makes a single file that other nodes read, such as a preprocessed profile.
	File Kind = "file"
	// ByGo runs the go command itself, which builds all programs or runs all tests.
	// It is the only node of its graph, and writes the output `out`.
	ByGo Kind = "by-go"

	// Apart divides a package with cgo into a Package without C and these:

	// Cgo runs the cgo tool.
	Cgo Kind = "cgo"
	// Objects compiles files of C, C++ and the like to a directory of objects.
	Objects Kind = "objects"
	// Ask finds out which files Objects nodes read, and makes a tree for each of them.
	Ask Kind = "ask"
)

// A Node is the work for one package, link or file.
//
// Beside the executor's own tokens, the strings of Steps may have these (see
// action.Expand):
//
//	GOROOT   the Go toolchain
//	EXPORT   a package's export data, which the node writes
//	ARCHIVE  a package's archive, which the node writes
//	PROGRAM  a link's program, which the node writes
//	FILE     a file node's file; the directory of objects
//	GOFILES, CFILES  the directories of the Go and C files that cgo makes
//	TREE0, TREE1…  of a Cgo or Ask node: the trees of files that C files read
//	HEADER   the directory of a header, which the node writes: that of a library, or of
//	         a Cgo node's exported functions
//	BIN      the directory of a link's program
//	RESULT   the file with a test's result
//	R0, R1…  the outputs that Refs lists
type Node struct {
	Kind  Kind          `json:"kind"`
	Name  string        `json:"name"`           // import path
	Std   bool          `json:"std,omitempty"`  // part of the standard library
	Refs  []Ref         `json:"refs,omitempty"` // outputs of other nodes
	Cgo   bool          `json:"cgo,omitempty"`  // needs the C compiler and its environment
	Steps []action.Step `json:"steps"`          // with tokens
	Src   *Sources      `json:"src,omitempty"`  // nil if the node reads no sources outside of GOROOT
	Main  string        `json:"main,omitempty"` // of a link: the program's file name
	// LinkSrc means that linker flags of a cgo package name files of its sources:
	// links that refer to the package need them at the same place.
	LinkSrc bool `json:"linkSrc,omitempty"`
	// Snapshot lists the files, relative to Options.Snapshot, from which a package of
	// the standard library is compiled. They belong to the toolchain: the caller of
	// New adds steps that write them below OBJ/SnapshotDir.
	Snapshot []string `json:"-"`
	// Weight is the size of a package's Go files in bytes, as planned: of the main
	// module without the bodies of functions.
	Weight int64 `json:"weight,omitempty"`
	// Part distinguishes the nodes into which Apart divides a package.
	Part string `json:"part,omitempty"`
	// Trees has, for each tree that a Cgo or Ask node makes, the files of Src.Files
	// that the tree is for: it has the files that these include. A Trace step makes it.
	Trees [][]string `json:"trees,omitempty"`
	// Header means that a package makes a third output: a directory with the C
	// header of its exported functions, or an empty one if it exports none.
	Header bool `json:"header,omitempty"`
	// Inputs are the inputs of the whole build that the node reads. Each has a token,
	// see Input.Token.
	Inputs []Input `json:"inputs,omitempty"`
}

// An Input is a store path that the library hands to the whole build.
type Input string

const (
	Toolchain Input = "go"        // the Go toolchain, with bin/go
	Vendor    Input = "vendor"    // a vendor directory that was fetched
	Downloads Input = "downloads" // a module download cache that was fetched
	Unpacked  Input = "unpacked"  // its modules, unpacked
	ModCache  Input = "modCache"  // a module cache with the modules of a lock
	UserEnv   Input = "userEnv"   // an environment with the user's inputs, in which the node runs
	CheckEnv  Input = "checkEnv"  // the same with the inputs of tests
)

// Token returns the name of the token that stands for the input in steps.
func (i Input) Token() string { return strings.ToUpper(string(i)) }

// SnapshotDir is the directory of the files of Node.Snapshot, relative to OBJ.
const SnapshotDir = "fips140"

// Output names an output of a node.
type Output string

const (
	Export  Output = "export"
	Archive Output = "archive"
	Header  Output = "header"
	GoFiles Output = "go"      // of a Cgo node
	CFiles  Output = "c"       // of a Cgo node
	Whole   Output = "file"    // the only output of a File or Objects node
	Program Output = "program" // of a Link
)

// Tree returns the output of a Cgo or Ask node that has element i of its Trees.
func Tree(i int) Output { return Output("tree" + strconv.Itoa(i)) }

// A Ref is an output of another node.
type Ref struct {
	Node   int    `json:"node"`
	Output Output `json:"output"`
}

// Sources are the files below SRC that a node reads.
type Sources struct {
	// Dir is the package's directory, relative to SRC and with slashes; "." for SRC.
	Dir string `json:"dir"`
	// Files are Go files, embedded files, assembly and C, relative to SRC.
	Files []string `json:"files"`
	// Native means that the package has assembly or C, whose includes the script
	// does not list.
	Native bool `json:"native,omitempty"`
	// Vendored means that the files belong to a module below SRC/vendor. The
	// module's directory is its path, or its path and version as in a module cache.
	Vendored bool `json:"vendored,omitempty"`
	// Whole means that the node may read any file and write to the directory. With
	// Cgo it also means that variables of the C compiler may name files of the
	// sources.
	Whole bool `json:"whole,omitempty"`
	// Reach says which modules' files the C or assembly of a vendored package reads.
	Reach Reach `json:"reach,omitempty"`
	// Sizes are the sizes in bytes of a vendored package's C files. Exports means
	// that one of them may include the header of functions that cgo exports.
	Sizes   map[string]int64 `json:"sizes,omitempty"`
	Exports bool             `json:"exports,omitempty"`
}

// Reach says which modules' files a vendored package may read.
type Reach string

const (
	ReachModule  Reach = ""        // those of its own module
	ReachModules Reach = "modules" // those of all vendored modules
	ReachAll     Reach = "all"     // also those of the main module
)
