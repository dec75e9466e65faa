package graph

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// Options says where the script's paths are and what `go build -n` leaves out.
type Options struct {
	Goroot  string // GOROOT as the script names it
	Src     string // the directory that holds all sources
	ModRoot string // the main module's directory, Src or below it
	Module  string // the main module's path
	Vendor  string // the vendor directory; empty for that of ModRoot
	// Modules are further modules whose packages are read where they are: of a
	// workspace, or in the place of another one. It gives their paths, with the
	// version where they have one, by directory.
	Modules map[string]string
	// ModCache is the module cache, as GOMODCACHE, where modules do not come
	// from a vendor directory.
	ModCache string
	// Snapshot is the directory of the cryptography that GOFIPS140 chooses, below
	// the module cache; empty for that of GOROOT/src. See Node.Snapshot.
	Snapshot string
	// LinkDir means that flags of the linker name files of the sources, relative
	// to ModRoot: links run there, with the whole source.
	LinkDir bool
	// InModRoot reports whether a flag of the linker in a #cgo line names a file
	// relative to ModRoot; nil means that none does.
	InModRoot func(flag string) bool
	// LinkEnv is what the linker takes from cmd/go's environment beside ToolEnv.
	LinkEnv []string
	// ToolEnv is what Go's tools take from cmd/go's environment without the
	// script saying so: GOOS, GOARCH and the like, as NAME=VALUE.
	ToolEnv []string
	// KeepPaths means that the script is one without -trimpath.
	KeepPaths bool
	// Compilers are the commands of C compilers that the executor knows the flags
	// of: see action.Probed.
	Compilers []string
	// Unprobed is why some compilers are not among them, or nothing.
	Unprobed string
	// AnyCompiler means that it will know those of any.
	AnyCompiler bool
	// CgoFlags gives the flags in the #cgo lines of the package in dir, word
	// by word: only they can tell a relative path that the author wrote from
	// one that cmd/go shortened for display.
	CgoFlags func(dir string) ([]string, error)
	// LookAt looks at the files of a package, and says in Weight and Src what it has
	// found; nil leaves these as they are.
	LookAt func(n *Node) error
	// Tests says of each package p.test, by this name, what the script of
	// `go test -n` leaves out.
	Tests map[string]TestMain
	// TestEnv and TestArgs are variables and flags of test programs, on top of
	// what the script says, with tokens.
	TestEnv, TestArgs []string
}

// A TestMain is what `go test -n` does not print of a package p.test.
type TestMain struct {
	Dir  string // of the package that is tested, where the program runs
	Text string // of the generated _testmain.go
}

// New builds the graph of a script. Each command of the script ends up in a
// node's steps or is one of those that are left out on purpose:
//
//   - mkdir of an object directory, rm of one, and mkdir of the directory for
//     the programs: the executor makes its own;
//   - buildid: dgd's outputs carry no build IDs;
//   - probes of the C compiler: the executor has the answers, see action.Probed;
//   - a package's own import path in its import config: a test variant's has it,
//     so that the package itself is built first, and the compiler never reads it;
//   - -test.testlogfile of a test run: it is for the go command's own cache.
//
// Anything else is a *buildscript.Error.
func New(script *buildscript.Script, opt Options) (*Graph, error) {
	b := newBuilder(opt)
	b.lookAhead(script)
	for i := range script.Steps {
		if err := b.read(&script.Steps[i]); err != nil {
			return nil, err
		}
	}
	return b.finishAll()
}

type root struct{ path, token string }

// A builder is the state while the script is read.
type builder struct {
	opt       Options
	roots     []root
	graph     Graph
	step      *buildscript.Step
	banner    string
	pkgConfig []*action.PkgConfig // calls that stand before their cgo run
	trimmed   map[string]string   // by object directory: the first rewriting of the compile's -trimpath
	units     map[string]*unit    // by object directory; a link has the key objdir + "/exe"
	all       []*unit             // in the order in which they began
	order     []*unit             // in the order in which they came to their end
	byFile    map[string]Ref      // what the script's files are outputs of: $WORK/b001/_pkg_.a
}

// A unit is a node while it is collected.
type unit struct {
	node    *Node
	objdir  string          // $WORK/b001
	written map[string]bool // files below objdir that a step has written
	refs    map[Ref]string  // to the token
	done    bool
	beside  bool        // the last step makes an object file
	hasPkg  bool        // has called pkg-config
	dynLink *action.Run // the link of _cgo_.o that waits for its test
	linked  []string    // its words, as the test repeats them
	program string      // what a link writes
	library Ref         // of a link of a C library: the main package
	isC     bool        // links a C library
	cgoRun  *action.Run // the first run of cgo
	covered []string    // what the run of cover writes
	tested  bool        // the test has been read
	line    int
	text    string
	flags   []string // of #cgo lines
	read    map[string]bool
	placed  bool // the package's directory is known
	linkDir bool // flags that it leaves to the linker name files relative to ModRoot
}

func newBuilder(opt Options) *builder {
	if opt.Vendor == "" {
		opt.Vendor = opt.ModRoot + "/vendor"
	}
	if opt.ModCache != "" {
		opt.Vendor = opt.ModCache
	}
	b := &builder{
		opt:     opt,
		trimmed: map[string]string{},
		units:   map[string]*unit{},
		byFile:  map[string]Ref{},
	}
	b.roots = []root{
		{opt.Vendor, "${SRC}/vendor"},
		{opt.Src, "${SRC}"},
		{opt.Goroot, "${GOROOT}"},
	}
	if opt.Snapshot != "" {
		b.roots = slices.Insert(b.roots, 0, root{opt.Snapshot, "${OBJ}/" + SnapshotDir})
	}
	return b
}

// lookAhead keeps what the C compiler's flags depend on, and only a later
// command says: which module a package belongs to.
func (b *builder) lookAhead(script *buildscript.Script) {
	for i := range script.Steps {
		run, ok := script.Steps[i].Action.(buildscript.Run)
		if !ok || run.Tool != "compile" {
			continue
		}
		out, err := flagValue(run.Args, "-o")
		if err != nil {
			continue // read complains
		}
		if trim, err := flagValue(run.Args, "-trimpath"); err == nil {
			first, _, _ := strings.Cut(trim, ";")
			b.trimmed[path.Dir(buildscript.Undot(script.Steps[i].Dir, out))] = first
		}
	}
}

// read reads one step of the script.
func (b *builder) read(step *buildscript.Step) error {
	b.step = step
	if err := b.add(step.Action); err != nil {
		return &buildscript.Error{Line: step.Line, Text: step.Text, Msg: err.Error()}
	}
	return nil
}

// finishAll returns the graph. It fails if a unit did not come to its end.
func (b *builder) finishAll() (*Graph, error) {
	if b.pkgConfig != nil {
		return nil, &buildscript.Error{Line: b.step.Line, Text: b.step.Text, Msg: "the script ends before the cgo run that a call of pkg-config is for"}
	}
	for _, u := range b.all {
		if err := u.finished(); err != nil {
			return nil, err
		}
	}
	for _, u := range b.order {
		if u.node.Src != nil && b.opt.LookAt != nil {
			if err := b.opt.LookAt(u.node); err != nil {
				return nil, fmt.Errorf("%s: %w", u.node.Name, err)
			}
		}
		b.graph.Nodes = append(b.graph.Nodes, u.node)
	}
	if err := b.markCgoLinks(); err != nil {
		return nil, err
	}
	return &b.graph, nil
}

func (u *unit) finished() error {
	fail := func(format, about string) error {
		return &buildscript.Error{Line: u.line, Text: u.text, Msg: fmt.Sprintf(format, about)}
	}
	switch {
	case !u.done:
		return fail("object directory %s is used, but what is made there has no use", u.objdir)
	case u.dynLink != nil:
		return fail("the imports of the objects that are linked for a test in %s are not read", u.objdir)
	}
	if u.node.Src != nil {
		for _, file := range u.node.Src.Files {
			if !utf8.ValidString(file) { // JSON would give it another name
				return fail("the name of the source file %q is not UTF-8: dgd does not support that", file)
			}
		}
	}
	return nil
}

// add reads one action.
func (b *builder) add(a buildscript.Action) error {
	switch a := a.(type) {
	case buildscript.Banner:
		b.banner = a.ImportPath
		return nil
	case buildscript.Probe:
		return nil
	case buildscript.Remove:
		for _, p := range a.Paths {
			if !isObjdir(strings.TrimSuffix(p, "/")) {
				return fmt.Errorf("removes what is not an object directory")
			}
		}
		return nil
	case buildscript.Mkdir:
		return b.mkdir(a)
	case buildscript.Write:
		return b.write(a)
	case buildscript.Copy:
		return b.copy(a)
	case buildscript.Move:
		return b.move(a)
	case buildscript.LinkTest:
		return b.linkTest(a)
	case buildscript.Test:
		return b.test(a)
	case buildscript.Run:
		switch a.Tool {
		case "compile":
			return b.compile(a)
		case "asm":
			return b.asm(a)
		case "pack":
			return b.pack(a)
		case "cgo":
			return b.cgo(a)
		case "link":
			return b.link(a)
		case "preprofile":
			return b.preprofile(a)
		case "cover":
			return b.cover(a)
		case "buildid":
			return nil
		case "":
			if slices.ContainsFunc(a.Args, func(w string) bool { return w == "--cflags" || w == "--libs" }) && slices.Contains(a.Args, "--") {
				return b.callPkgConfig(a)
			}
			return b.cc(a)
		}
	}
	return fmt.Errorf("dgd does not know how to carry this out")
}

// isObjdir reports whether p is the object directory of an action: $WORK/b001.
func isObjdir(p string) bool {
	id, ok := strings.CutPrefix(p, "$WORK/b")
	return ok && id != "" && strings.Trim(id, "0123456789") == ""
}

// objdirOf returns the object directory that holds the file p.
func objdirOf(p string) (string, error) {
	parts := strings.SplitN(p, "/", 3)
	if len(parts) < 3 || !isObjdir(parts[0]+"/"+parts[1]) {
		return "", fmt.Errorf("%s is not below an object directory", p)
	}
	return parts[0] + "/" + parts[1], nil
}

// unit returns the unit that writes the file p, which is new where none has
// written there before or where the last one has come to its end.
func (b *builder) unit(p string, kind Kind) (*unit, error) {
	objdir, err := objdirOf(p)
	if err != nil {
		return nil, err
	}
	key := objdir
	if kind == Link {
		key += "/exe"
	}
	u := b.units[key]
	if u == nil {
		u = &unit{
			node:    &Node{Kind: kind},
			objdir:  objdir,
			written: map[string]bool{},
			read:    map[string]bool{},
			refs:    map[Ref]string{},
			line:    b.step.Line,
			text:    b.step.Text,
		}
		b.units[key] = u
		b.all = append(b.all, u)
	}
	// pack and go_asm.h come after the compile: a unit may go on.
	return u, nil
}

// finish gives the unit its place in the graph and its file a meaning.
func (b *builder) finish(u *unit, file string, outputs ...Output) {
	if u.done {
		return
	}
	u.done = true
	for _, o := range outputs {
		if o != Export {
			b.byFile[file] = Ref{Node: len(b.order), Output: o}
		}
	}
	b.order = append(b.order, u)
}

func (u *unit) add(s action.Step) {
	u.node.Steps = append(u.node.Steps, s)
	u.beside = false
}

// addBeside adds a command that makes an object file: it does not depend on the
// one before it, if that makes one, too.
func (u *unit) addBeside(s action.Step) {
	s.Beside = u.beside
	u.add(s)
	u.beside = true
}

// ref returns the token for another node's output.
func (u *unit) ref(r Ref) string {
	if t, ok := u.refs[r]; ok {
		return t
	}
	t := fmt.Sprintf("${R%d}", len(u.node.Refs))
	u.refs[r] = t
	u.node.Refs = append(u.node.Refs, r)
	return t
}

// markCgoLinks gives the C compiler to the links of programs with cgo: the
// linker may have to call it.
//
// Where the standard library's packages alone have C, their linking tests decide
// whether it has to. These run without sources, so that flags which name files there
// are an error.
func (b *builder) markCgoLinks() error {
	for _, n := range b.graph.Nodes {
		if n.Kind != Link {
			continue
		}
		var own bool
		var std string // a package that is linked for a test with files of the sources
		for _, r := range n.Refs {
			used := b.graph.Nodes[r.Node]
			if !used.Cgo {
				continue
			}
			n.Cgo = true
			switch {
			case !used.Std:
				own = true
			case used.LinkSrc:
				std = used.Name
			}
		}
		if std != "" && !own {
			return fmt.Errorf("CGO_LDFLAGS name files of the sources, which %s is linked with for a test, and that decides how %s is linked", std, n.Name)
		}
	}
	return nil
}
