// Package graph turns the actions of a build script into a graph of packages
// and links, each with the steps that an executor carries out.
//
// It is pure: actions in, graph out. A node's steps do not depend on the
// program, the directory or the order in which they were planned, so that the
// same package of two programs gives the same node.
package graph

import (
	"strconv"
	"strings"

	"dgd/internal/action"
)

// A Graph is the plan of a build. Nodes stand after what they depend on.
type Graph struct {
	Nodes []*Node `json:"nodes"`
}

// Kind says what a node makes.
type Kind string

const (
	// Package makes export data (for importers) and an archive (for the linker).
	Package Kind = "package"
	// Link makes a program.
	Link Kind = "link"
	// Test runs a test program, and makes a file that says how that ended: see
	// action.TestResult.
	Test Kind = "test"
	// Untested says that a package without tests has to compile for tests to pass. It
	// is no work of its own, and refers to the package's export data.
	Untested Kind = "untested"
	// File makes a single file that other nodes read, such as a preprocessed profile.
	File Kind = "file"
	// ByGo is a run of the go command itself, which builds all programs, or runs
	// all tests. It is the only node of its graph, and writes the output `out`.
	ByGo Kind = "by-go"

	// What Apart makes of a package with cgo, beside a Package without C:

	// Cgo runs the cgo tool.
	Cgo Kind = "cgo"
	// Objects compiles files of C and its relatives to a directory of objects.
	Objects Kind = "objects"
	// Ask finds out which files Objects nodes read, and makes a tree for each of these.
	Ask Kind = "ask"
)

// A Node is the work for one package, link or file.
//
// The strings of Steps may hold these tokens (see action.Expand) beside those
// that the executor knows:
//
//	GOROOT   the Go toolchain
//	EXPORT   a package's export data, which the node writes
//	ARCHIVE  a package's archive, which the node writes
//	PROGRAM  a link's program, which the node writes
//	FILE     a file node's file; the directory of objects
//	GOFILES, CFILES  what cgo makes
//	TREE0, TREE1…  of a Cgo or Ask node: the trees of files that C files read
//	HEADER   the directory of a header, which the node writes: a library's, or that of
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
	Src   *Sources      `json:"src,omitempty"`  // nil where the node reads no sources outside of GOROOT
	Main  string        `json:"main,omitempty"` // of a link: the program's file name
	// LinkSrc means that the flags which a cgo package leaves to the linker name
	// files of its sources: links that refer to it need them at the same place.
	LinkSrc bool `json:"linkSrc,omitempty"`
	// Snapshot lists the files of Options.Snapshot that a package of the standard
	// library is compiled from, relative to that. They belong to the toolchain:
	// the caller of New adds steps that write them below OBJ/SnapshotDir.
	Snapshot []string `json:"-"`
	// Weight is how many bytes of Go a package has, as it was planned: of the main
	// module without the bodies of functions.
	Weight int64 `json:"weight,omitempty"`
	// Part tells the nodes that Apart makes of a package from each other.
	Part string `json:"part,omitempty"`
	// Trees says, of each tree that a Cgo or Ask node makes, of which files among
	// Src.Files it is: it holds what these read. A Trace step makes it.
	Trees [][]string `json:"trees,omitempty"`
	// Header means that a package makes a third output: a directory that holds
	// the C header of its exported functions, and nothing where it has none.
	Header bool `json:"header,omitempty"`
	// Inputs are what else the node reads of what the whole build has in common,
	// each with the token that Token says.
	Inputs []Input `json:"inputs,omitempty"`
}

// An Input is a store path that the library hands to the whole build.
type Input string

const (
	Toolchain Input = "go"        // the Go toolchain, with bin/go
	Vendor    Input = "vendor"    // a vendor directory that was fetched
	Downloads Input = "downloads" // a module download cache that was fetched
	Unpacked  Input = "unpacked"  // the modules of it
	ModCache  Input = "modCache"  // a module cache of the modules of a lock
	UserEnv   Input = "userEnv"   // an environment with the user's inputs, which the node runs in
	CheckEnv  Input = "checkEnv"  // the same with those of tests
)

// Token is the name of the token that stands for the input in steps.
func (i Input) Token() string { return strings.ToUpper(string(i)) }

// SnapshotDir is the place of Node.Snapshot below OBJ.
const SnapshotDir = "fips140"

// Output says which output of a node a Ref means.
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

// Tree is the output of a Cgo or Ask node that holds one of its Trees.
func Tree(i int) Output { return Output("tree" + strconv.Itoa(i)) }

// A Ref is an output of another node.
type Ref struct {
	Node   int    `json:"node"`
	Output Output `json:"output"`
}

// Sources are the files below SRC that a node reads.
type Sources struct {
	// Dir is the package's directory, slash-separated and relative to SRC; "."
	// for SRC itself.
	Dir string `json:"dir"`
	// Files are relative to SRC: Go files, embedded files, assembly, C.
	Files []string `json:"files"`
	// Native means that the package has assembly or C, whose includes the
	// script does not list.
	Native bool `json:"native,omitempty"`
	// Vendored means that the files belong to a module below SRC/vendor: in a
	// directory named by its path, or by its path and version as in a module
	// cache.
	Vendored bool `json:"vendored,omitempty"`
	// Whole means that any file may be read, and the directory written to; with
	// Cgo, that paths of the C compiler's environment lead into the sources.
	Whole bool `json:"whole,omitempty"`
	// Reach says where includes and flags of a vendored package's C or assembly
	// lead.
	Reach Reach `json:"reach,omitempty"`
	// Sizes are those of a vendored package's C files, and Exports says that one
	// may include the header that cgo writes of its exported functions.
	Sizes   map[string]int64 `json:"sizes,omitempty"`
	Exports bool             `json:"exports,omitempty"`
}

// Reach says how far the files that a vendored package reads are from it.
type Reach string

const (
	ReachModule  Reach = ""        // they are of its own module
	ReachModules Reach = "modules" // or of another vendored one
	ReachAll     Reach = "all"     // or of the main module
)
