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

// Options says which paths the script has, and supplies facts that `go build -n`
// does not print. All paths are absolute.
type Options struct {
	Goroot  string // GOROOT as the script has it
	Src     string // the directory of all sources
	ModRoot string // the main module's directory, Src or below it
	Module  string // the main module's path
	Vendor  string // the vendor directory; "" for that of ModRoot
	// Modules are further modules whose packages are read in place: members of the
	// workspace and replacements. It has PATH or PATH@VERSION by directory.
	Modules map[string]string
	// ModCache is GOMODCACHE, or "" if modules come from a vendor directory.
	ModCache string
	// Snapshot is the directory, below the module cache, of the cryptographic packages
	// that GOFIPS140 selects, or "" for those of GOROOT/src. See Node.Snapshot.
	Snapshot string
	// LinkDir means that linker flags name files of the sources relative to ModRoot:
	// links run there, with the whole source.
	LinkDir bool
	// InModRoot reports whether a linker flag in a #cgo line names a file relative to
	// ModRoot; nil means that none does.
	InModRoot func(flag string) bool
	// LinkEnv are the variables, NAME=VALUE, that the linker reads beside ToolEnv.
	LinkEnv []string
	// ToolEnv are the variables, NAME=VALUE, that Go's tools inherit from cmd/go and
	// that the script does not print: GOOS, GOARCH and the like.
	ToolEnv []string
	// KeepPaths means that the script was made without -trimpath.
	KeepPaths bool
	// Compilers are the commands of C compilers whose flags the executor knows: see
	// action.Probed.
	Compilers []string
	// Unprobed is the reason why compilers are missing in Compilers, or "".
	Unprobed string
	// AnyCompiler means that the executor will know the flags of all compilers.
	AnyCompiler bool
	// CgoFlags returns the words of the #cgo lines of the package in dir. They tell
	// relative paths that the author wrote from paths that cmd/go printed in short
	// form.
	CgoFlags func(dir string) ([]string, error)
	// LookAt sets Weight and fields of Src from the files of a package. It may be nil.
	LookAt func(n *Node) error
	// Tests supplies facts that `go test -n` does not print, by the name p.test of a
	// test's main package.
	Tests map[string]TestMain
	// TestEnv and TestArgs are further variables and flags of test programs, with
	// tokens.
	TestEnv, TestArgs []string
}

// A TestMain describes the main package p.test of a test.
type TestMain struct {
	Dir  string // the directory of the tested package, in which the program runs
	Text string // the text of the generated _testmain.go
}

// New builds the graph of a script. Each command of the script becomes a step of a
// node, but for these, which are left out on purpose:
//
//   - mkdir of an object directory, rm of one, and mkdir of the directory for
//     the programs: the executor makes its own;
//   - buildid: dgd's outputs carry no build IDs;
//   - probes of the C compiler: the executor has the answers, see action.Probed;
//   - a package's own import path in its import config: cmd/go adds it for a test
//     variant so that the package itself is built first; the compiler does not read it;
//   - -test.testlogfile of a test run: it is for the go command's own cache.
//
// A command that it does not understand is a *buildscript.Error.
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
	pkgConfig []*action.PkgConfig // calls whose cgo run has not been read yet
	trimmed   map[string]string   // by object directory: the first rewriting of the compile's -trimpath
	units     map[string]*unit    // by object directory; a link has the key objdir + "/exe"
	all       []*unit             // in the order of their first steps
	order     []*unit             // in the order in which they were finished: that of the nodes
	byFile    map[string]Ref      // the outputs that files of the script are, such as $WORK/b001/_pkg_.a
}

// A unit is a node whose steps are being collected.
type unit struct {
	node    *Node
	objdir  string          // $WORK/b001
	written map[string]bool // files below objdir that a step has written
	refs    map[Ref]string  // the token of each
	done    bool            // it has been given its place among the nodes
	beside  bool            // the last step makes an object file
	hasPkg  bool            // it has called pkg-config
	dynLink *action.Run     // the link of _cgo_.o whose imports have not been read yet
	linked  []string        // the words of dynLink, which its test repeats
	program string          // of a link: the file that it writes
	library Ref             // of a link of a C library: the main package
	isC     bool            // it links a C library
	cgoRun  *action.Run     // the first run of cgo
	covered []string        // the files that the run of cover writes
	tested  bool            // the linking test has been read
	line    int             // of the first step, for errors
	text    string          // of the first step
	flags   []string        // of #cgo lines
	read    map[string]bool // files in node.Src.Files
	placed  bool            // the package's directory is known
	linkDir bool            // linker flags in #cgo lines name files relative to ModRoot
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

// lookAhead sets trimmed. Flags of the C compiler depend on a package's module, which
// only the later compile of its Go files tells.
func (b *builder) lookAhead(script *buildscript.Script) {
	for i := range script.Steps {
		run, ok := script.Steps[i].Action.(buildscript.Run)
		if !ok || run.Tool != "compile" {
			continue
		}
		out, err := flagValue(run.Args, "-o")
		if err != nil {
			continue // read reports it
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

// finishAll returns the graph. It is an error if a unit is not finished.
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

// unit returns the unit that writes the file p: that of its object directory, or a
// new one. A link has one of its own. A finished unit may get more steps: pack comes
// after the compile.
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
	return u, nil
}

// finish makes the unit the next node of the graph, and its file these outputs.
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

// addBeside adds a step that makes an object file. If the step before makes one, too,
// the two can run at once.
func (u *unit) addBeside(s action.Step) {
	s.Beside = u.beside
	u.add(s)
	u.beside = true
}

// ref returns the token for an output of another node, and adds it to the refs.
func (u *unit) ref(r Ref) string {
	if t, ok := u.refs[r]; ok {
		return t
	}
	t := fmt.Sprintf("${R%d}", len(u.node.Refs))
	u.refs[r] = t
	u.node.Refs = append(u.node.Refs, r)
	return t
}

// markCgoLinks sets Cgo for links of programs with cgo: the linker may have to call
// the C compiler.
//
// If only packages of the standard library have C, their linking tests decide whether
// it has to. These run without sources, so that linker flags which name files of the
// sources are an error.
func (b *builder) markCgoLinks() error {
	for _, n := range b.graph.Nodes {
		if n.Kind != Link {
			continue
		}
		var own bool
		var std string // a package whose linking test is given files of the sources
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
