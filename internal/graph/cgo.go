package graph

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// callPkgConfig keeps a call of pkg-config for the cgo run that follows. The script
// has the call, but not its output.
func (b *builder) callPkgConfig(a buildscript.Run) error {
	dir, err := b.token(&unit{node: &Node{}, objdir: "-", refs: map[Ref]string{}}, b.step.Dir)
	if err != nil {
		return err
	}
	b.pkgConfig = append(b.pkgConfig, &action.PkgConfig{
		Run:  action.Run{Dir: dir, Args: EscapeAll(a.Args)},
		Libs: slices.Contains(a.Args, "--libs"),
	})
	return nil
}

// cgo reads a run of the cgo tool. The first run of a package makes Go and C files,
// the second one reads the dynamic imports of the program that the linking test made.
func (b *builder) cgo(a buildscript.Run) error {
	if slices.Contains(a.Args, "-dynimport") {
		return b.dynImport(a)
	}
	objdir, err := flagValue(a.Args, "-objdir")
	if err != nil {
		return err
	}
	objdir = strings.TrimSuffix(buildscript.Undot(b.step.Dir, objdir), "/")
	u, err := b.unit(objdir+"/x", Package)
	if err != nil {
		return err
	}
	if u.written["_cgo_gotypes.go"] {
		return errors.New("a second run of cgo for the same package")
	}
	if u.flags, err = b.opt.CgoFlags(b.step.Dir); err != nil {
		return fmt.Errorf("reading the #cgo lines: %w", err)
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	u.node.Cgo = true
	for _, name := range []string{"_cgo_gotypes.go", "_cgo_export.c", "_cgo_export.h", "_cgo_main.c", "_cgo_flags"} {
		u.written[name] = true
	}
	sep := slices.Index(words, "--")
	if sep < 0 {
		return errors.New("has no -- before the compiler's flags")
	}
	for i, w := range words {
		if i > sep && strings.HasSuffix(w, ".go") && !strings.HasPrefix(w, "-") {
			b.addSource(u, w)
			stem := strings.TrimSuffix(path.Base(w), ".go")
			u.written[stem+".cgo1.go"] = true
			u.written[stem+".cgo2.c"] = true
		}
		if strings.HasPrefix(w, "-ldflags=") && (strings.Contains(w, b.opt.Src) || strings.Contains(w, b.opt.Vendor)) {
			u.node.LinkSrc = true
		}
	}
	if b.linksInModRoot(words) {
		if u.node.Src == nil {
			return errors.New("CGO_LDFLAGS name a file relative to modRoot, which the standard library is linked with, too")
		}
		u.linkDir, u.node.Src.Whole = true, true
	}
	// For a C library, cmd/go has cgo write a header for each package. Only that of
	// the main package is used: see exportHeader.
	words = slices.DeleteFunc(words, func(w string) bool { return w == "-exportheader="+u.objdir+"/_cgo_install.h" })
	sep = slices.Index(words, "--")
	u.native()
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	env := b.toolEnv(a.Env)
	dir, err := b.token(u, b.workDir(u))
	if err != nil {
		return err
	}
	u.cgoRun = &action.Run{Dir: dir, Env: env, Args: args}
	if len(b.pkgConfig) > 0 {
		if err := b.answerPkgConfig(u, sep); err != nil {
			return err
		}
	}
	u.add(action.Step{Run: u.cgoRun})
	return nil
}

// answerPkgConfig adds the calls of pkg-config as steps before the run of cgo, and
// tokens for their output to its arguments. The C compiler's flags in these begin at
// the index sep.
func (b *builder) answerPkgConfig(u *unit, sep int) error {
	u.hasPkg = true
	for _, p := range b.pkgConfig {
		if p.Run.Dir != u.cgoRun.Dir {
			return errors.New("the calls of pkg-config before it are in the directory of another package")
		}
		u.add(action.Step{PkgConfig: p})
	}
	b.pkgConfig = nil
	args, err := insertCflags(u.cgoRun.Args, sep)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(args[:sep], func(w string) bool { return strings.HasPrefix(w, "-ldflags=") }); i >= 0 {
		args[i] += "${QUOTEDLIBS}"
	} else {
		// cmd/go omits an empty -ldflags. With -ldflags it clears the variable.
		args = slices.Insert(args, sep, "-ldflags=${QUOTEDLIBS}")
		u.cgoRun.Env = append(u.cgoRun.Env, "CGO_LDFLAGS=")
	}
	u.cgoRun.Args = args
	return nil
}

// cgoFlag matches one quoted flag in the value of cgo's -ldflags.
var cgoFlag = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// linksInModRoot reports whether the words of a run of cgo have linker flags that name
// files relative to ModRoot, where cmd/go runs both the linking test and the link.
func (b *builder) linksInModRoot(words []string) bool {
	for _, w := range words {
		flags, ok := strings.CutPrefix(w, "-ldflags=")
		if !ok || b.opt.InModRoot == nil {
			continue
		}
		for _, quoted := range cgoFlag.FindAllString(flags, -1) {
			if flag, err := strconv.Unquote(quoted); err == nil && b.opt.InModRoot(flag) {
				return true
			}
		}
	}
	return false
}

// exportHeader adds the header of a C library to its link. The main package's run of
// cgo writes it to the output Header, if the package exports functions, and the link
// copies it. The script does not show this copy.
func (b *builder) exportHeader(link *unit, main Ref, name string) {
	u := b.order[main.Node]
	if u.cgoRun == nil {
		return
	}
	u.node.Header = true
	arg := "-exportheader=${HEADER}/" + action.Escape(name)
	u.cgoRun.Args = slices.Insert(u.cgoRun.Args, 1, arg)
	from := link.ref(Ref{Node: main.Node, Output: Header})
	link.add(action.Step{Copy: &action.Copy{From: from, To: "${BIN}", Tree: true}})
}

// insertCflags inserts the token for pkg-config's output where cmd/go puts it: before
// the object directory's -I, the last of the preprocessor's flags. It looks for that
// from the index from on.
func insertCflags(args []string, from int) ([]string, error) {
	for i := from; i+1 < len(args); i++ {
		if args[i] == "-I" && args[i+1] == "${OBJ}/" {
			return slices.Insert(args, i, "${CFLAGS}"), nil
		}
	}
	return nil, errors.New("has no -I for the object directory, before which pkg-config's flags go")
}

// cc reads a call of the C compiler: it compiles one file, or links all objects of a
// package, for the linking test that follows.
func (b *builder) cc(a buildscript.Run) error {
	at := slices.Index(a.Args, "-fmessage-length=0")
	if at < 0 {
		return errors.New("is no compiler call that dgd knows: it has no -fmessage-length=0")
	}
	command := compilerCommand(a.Args)
	if !b.opt.AnyCompiler && !slices.Contains(b.opt.Compilers, command) {
		reason := b.opt.Unprobed
		if reason != "" {
			reason = ": " + reason
		}
		return fmt.Errorf("dgd has not probed the compiler %q%s", command, reason)
	}
	u, out, err := b.writer(a.Args, "-o", Package)
	if err != nil {
		return err
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	u.node.Cgo = true
	u.written[strings.TrimPrefix(out, u.objdir+"/")] = true

	compiles := slices.Contains(words, "-c")
	if err := b.ccReads(u, words, compiles); err != nil {
		return err
	}
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	if u.hasPkg {
		if compiles {
			args, err = insertCflags(args, at)
			if err != nil {
				return err
			}
		} else {
			args = append(args, "${LIBS}")
		}
	}
	if compiles && (u.node.Src == nil || !b.opt.KeepPaths) {
		from, to, err := b.moduleRoot(u)
		if err != nil {
			return err
		}
		o := slices.Index(args, "-o")
		args = slices.Insert(args, o, action.PrefixMap+from+"=/_/"+action.Escape(to))
	}
	args = slices.Insert(args, at+1, action.PrefixMap+"${OBJ}=/tmp/go-build", action.FlagsAfter)
	args = slices.Insert(args, at, action.FlagsBefore)

	dir, err := b.token(u, b.workDir(u))
	if err != nil {
		return err
	}
	run := action.Run{Dir: dir, Env: EscapeAll(a.Env), Args: args, Compiler: action.Escape(command)}
	if compiles {
		u.addBeside(action.Step{Run: &run})
		return nil
	}
	if u.dynLink != nil || u.tested {
		return errors.New("a second link of a cgo package's objects")
	}
	u.dynLink = &run
	u.linked = words
	return nil
}

// ccReads records the sources that a call of the C compiler reads: the file that it
// compiles, or objects that it links.
func (b *builder) ccReads(u *unit, words []string, compiles bool) error {
	if !compiles {
		// Objects in the sources take part in the linking tests of all packages that
		// depend on theirs.
		for _, w := range words {
			if path.IsAbs(w) && strings.HasSuffix(w, ".syso") {
				b.addSource(u, w)
			}
		}
		return nil
	}
	// cmd/go runs the compiler in the file's directory.
	file := words[len(words)-1]
	if words[len(words)-2] != "-c" {
		return errors.New("does not end in -c FILE")
	}
	if !path.IsAbs(file) {
		file = b.step.Dir + "/" + file
	}
	if !path.IsAbs(file) {
		return b.checkWritten(u, file)
	}
	b.addSource(u, file)
	u.native()
	return nil
}

// workDir returns the directory in which a command of the unit runs. cmd/go runs the
// linking test in its own directory. For a package that is not below it, SRC takes
// its place, so that the package's node does not depend on ModRoot.
func (b *builder) workDir(u *unit) string {
	if b.step.Dir != b.opt.ModRoot || u.linkDir {
		return b.step.Dir
	}
	if s := u.node.Src; s != nil && !s.Vendored {
		if file := b.opt.Src + "/" + s.Files[0]; strings.HasPrefix(file, b.opt.ModRoot+"/") {
			return b.step.Dir
		}
	}
	return b.opt.Src
}

// moduleRoot returns the root of the module of the unit's package, which cmd/go hides
// from the output of the C compiler, and the name that takes its place. It follows
// from the sources that the unit has read so far.
func (b *builder) moduleRoot(u *unit) (from, to string, err error) {
	switch {
	case u.node.Src == nil:
		return "${GOROOT}", "GOROOT", nil
	case u.node.Src.Vendored && b.opt.ModCache == "":
		return "${SRC}/vendor", "vendor", nil
	}
	if u.node.Src.Vendored {
		return b.cachedRoot(u)
	}
	root, module := b.opt.ModRoot, b.opt.Module
	// Modules can be nested: the deepest directory counts.
	for dir := path.Dir(b.opt.Src + "/" + u.node.Src.Files[0]); len(dir) >= len(b.opt.Src); dir = path.Dir(dir) {
		if m, ok := b.opt.Modules[dir]; ok {
			root, module = dir, m
			break
		}
		if dir == b.opt.ModRoot {
			break
		}
	}
	if module == "" {
		return "", "", fmt.Errorf("compiles C in %s, which is in no module that dgd knows", u.node.Src.Dir)
	}
	return "${SRC}" + action.Escape(strings.TrimPrefix(root, b.opt.Src)), module, nil
}

// cachedRoot is moduleRoot for a package in the module cache: -trimpath has its
// directory and the name PATH@VERSION/DIRECTORY that takes its place.
func (b *builder) cachedRoot(u *unit) (from, to string, err error) {
	dir, as, _ := strings.Cut(b.trimmed[u.objdir], "=>")
	at := strings.Index(as, "@")
	if at < 0 {
		return "", "", errors.New("compiles C of a module whose root the -trimpath of the compile does not name")
	}
	end := at + strings.IndexByte(as[at:]+"/", '/')
	root, ok := strings.CutSuffix(dir, as[end:])
	if !ok {
		return "", "", fmt.Errorf("dgd cannot tell the root of the module from -trimpath %s=>%s", dir, as)
	}
	from, err = b.token(u, root)
	return from, as[:end], err
}

// linkTest reads the linking test. With -n its result is always "succeeded".
func (b *builder) linkTest(a buildscript.LinkTest) error {
	u, _, err := b.writer(a.Args, "-o", Package)
	if err != nil {
		return err
	}
	if u.dynLink == nil {
		return errors.New("tests a link that no earlier command has run")
	}
	if !slices.Equal(a.Args, u.linked) {
		return errors.New("tests another link than that before it")
	}
	u.tested = true
	return nil
}

// dynImport reads the run of cgo that lists the dynamic imports of the linked objects,
// and adds it and the linking test as one step.
func (b *builder) dynImport(a buildscript.Run) error {
	u, _, err := b.writer(a.Args, "-dynout", Package)
	if err != nil {
		return err
	}
	if u.dynLink == nil || !u.tested {
		return errors.New("reads the imports of a link that was not tested")
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	u.written["_cgo_import.go"] = true
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	dir, err := b.token(u, b.workDir(u))
	if err != nil {
		return err
	}
	u.add(action.Step{DynImport: &action.DynImport{
		Link:   *u.dynLink,
		Import: action.Run{Dir: dir, Env: b.toolEnv(a.Env), Args: args},
		Fail:   failMarker,
	}})
	u.dynLink = nil
	return nil
}

// compilerCommand returns the words before cmd/go's own first flag, -I: the compiler
// with the flags of $CC.
func compilerCommand(args []string) string {
	i := slices.Index(args, "-I")
	if i < 0 {
		i = 1
	}
	return strings.Join(args[:i], " ")
}
