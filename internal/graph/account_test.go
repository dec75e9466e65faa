package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// An accountant checks a builder step by step. Each command of the script, but those
// that New documents to leave out, must have become one step of one node. From that
// step the accountant makes the command again: with the tokens replaced by paths, and
// New's documented changes undone, the words must be those of the script.
type accountant struct {
	b         *builder
	seen      map[*unit]int // the number of steps of a node that are accounted for
	pkgConfig []*buildscript.Step
	links     map[*unit]*buildscript.Step // of cgo packages' objects, before their test
	tests     map[*unit]*buildscript.Step
	sources   map[*unit]map[string]bool // the files below Src that the script's commands name
}

// account builds a graph as New does, and checks each step. The error is New's; a
// command that is not accounted for is a test failure. Exact, for real scripts, means
// that nodes have just the sources that the script's commands name.
func account(t testing.TB, script *buildscript.Script, opt Options, exact bool) (*Graph, error) {
	t.Helper()
	a := &accountant{
		b:       newBuilder(opt),
		seen:    map[*unit]int{},
		links:   map[*unit]*buildscript.Step{},
		tests:   map[*unit]*buildscript.Step{},
		sources: map[*unit]map[string]bool{},
	}
	a.b.lookAhead(script)
	for i := range script.Steps {
		step := &script.Steps[i]
		if err := a.b.read(step); err != nil {
			return nil, err
		}
		if err := a.step(step); err != nil {
			t.Fatalf("line %d is not accounted for: %v\n%s", step.Line, err, step.Text)
		}
	}
	g, err := a.b.finishAll()
	if err != nil {
		return nil, err
	}
	if len(a.pkgConfig) > 0 || len(a.links) > 0 || len(a.tests) > 0 {
		t.Fatalf("lost at the end: %d calls of pkg-config, %d links and %d tests of cgo packages", len(a.pkgConfig), len(a.links), len(a.tests))
	}
	for u, n := range a.seen {
		if n != len(u.node.Steps) || !u.done || !slices.Contains(g.Nodes, u.node) {
			t.Errorf("%s has %d steps, of which %d are in the script", u.node.Name, len(u.node.Steps), n)
		}
		var want, got []string
		for file := range a.sources[u] {
			want = append(want, file)
		}
		if u.node.Src != nil {
			got = slices.Clone(u.node.Src.Files)
		}
		if !exact {
			got = slices.DeleteFunc(got, func(file string) bool { return !slices.Contains(want, file) })
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has the sources\n%q, but reads\n%q", u.node.Name, got, want)
		}
	}
	checkGraph(t, g)
	return g, nil
}

// checkGraph checks the properties that every graph has.
func checkGraph(t testing.TB, g *Graph) {
	t.Helper()
	for i, n := range g.Nodes {
		for _, r := range n.Refs {
			if r.Node >= i {
				t.Fatalf("node %d (%s) refers to node %d", i, n.Name, r.Node)
			}
			kind := g.Nodes[r.Node].Kind
			want := Archive
			switch {
			case n.Kind == Test:
				want = Program
				if kind != Link {
					t.Fatalf("node %d, the test of %s, runs a %s", i, n.Name, kind)
				}
			case kind == File:
				want = Whole
			case n.Kind == Package:
				want = Export
			case r.Output == Header:
				want = Header
				if !g.Nodes[r.Node].Header {
					t.Errorf("node %d (%s) refers to a header that %s has not", i, n.Name, g.Nodes[r.Node].Name)
				}
			}
			if kind == Link && n.Kind != Test || kind == Test || r.Output != want {
				t.Errorf("node %d (%s) refers to %s of %s, a %s", i, n.Name, r.Output, g.Nodes[r.Node].Name, kind)
			}
		}
		if n.Name == "" || (n.Main != "") != (n.Kind == Link) {
			t.Errorf("node %d: %+v", i, n)
		}
	}
}

// checkTokens checks that no step names a path of the script's machine.
func checkTokens(t testing.TB, g *Graph) {
	t.Helper()
	for i, n := range g.Nodes {
		text, err := json.Marshal(n.Steps)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"WORK", "/goroot", "\"/src", "}/src/"} {
			if strings.Contains(strings.ReplaceAll(string(text), "${GOROOT}/src/", ""), path) {
				t.Errorf("node %d (%s) names %s: %s", i, n.Name, path, text)
			}
		}
	}
}

// step accounts for one step of the script.
func (a *accountant) step(step *buildscript.Step) error {
	u, added, err := a.added()
	if err != nil {
		return err
	}
	none := func() error {
		if u != nil {
			return fmt.Errorf("it is left out, but made %d steps", len(added))
		}
		return nil
	}
	// Left out on purpose.
	switch act := step.Action.(type) {
	case buildscript.Banner, buildscript.Probe, buildscript.Remove:
		return none()
	case buildscript.Mkdir:
		dir := strings.TrimSuffix(strings.TrimSuffix(act.Path, "/"), "/exe")
		if !strings.HasPrefix(dir, "$WORK/") || strings.Count(dir, "/") == 1 {
			return none()
		}
	case buildscript.Run:
		if act.Tool == "buildid" {
			return none()
		}
	}
	// Recorded for a later step.
	switch act := step.Action.(type) {
	case buildscript.LinkTest:
		out := act.Args[slices.Index(act.Args, "-o")+1]
		u := a.b.units[path.Dir(out)]
		link := a.links[u]
		if link == nil || !slices.Equal(undot(link, link.Action.(buildscript.Run).Args), act.Args) {
			return fmt.Errorf("it tests another link than\n%+v", link)
		}
		a.tests[u] = step
		return none()
	case buildscript.Test:
		return a.test(u, added, act)
	case buildscript.Move:
		if u != nil && u.isC {
			return a.header(u, added, path.Base(act.To))
		}
		if none() != nil {
			return none()
		}
		objdir, err := objdirOf(act.From)
		if err != nil {
			return err
		}
		u := a.b.units[objdir+"/exe"]
		if u == nil || !u.done || u.node.Main != path.Base(act.To) {
			return fmt.Errorf("the program has not got its name: %+v", u)
		}
		return nil
	case buildscript.Run:
		words := undot(step, act.Args)
		if act.Tool == "" && slices.Contains(words, "--") && (slices.Contains(words, "--libs") || slices.Contains(words, "--cflags")) {
			a.pkgConfig = append(a.pkgConfig, step)
			return none()
		}
		if act.Tool == "" && !slices.Contains(words, "-c") {
			out := words[slices.Index(words, "-o")+1]
			a.links[a.b.units[path.Dir(out)]] = step
			return none()
		}
	}
	if u == nil {
		return fmt.Errorf("it made no step")
	}
	// In a node.
	if a.sources[u] == nil {
		a.sources[u] = map[string]bool{}
	}
	run, _ := step.Action.(buildscript.Run)
	if run.Tool == "cgo" && !slices.Contains(run.Args, "-dynimport") {
		if added, err = a.answers(u, added); err != nil {
			return err
		}
	}
	if run.Tool == "compile" {
		if added, err = a.testMain(u, added, undot(step, run.Args)); err != nil {
			return err
		}
	}
	if run.Tool == "link" && slices.Contains(run.Args, "-buildmode=c-shared") {
		if added, err = a.library(added, run.Args); err != nil {
			return err
		}
	}
	if len(added) != 1 {
		return fmt.Errorf("it made %d steps", len(added))
	}
	return a.compare(u, added[0], step)
}

// library accounts for the steps around the link of a shared library, which writes to
// its working directory.
func (a *accountant) library(added []action.Step, words []string) ([]action.Step, error) {
	name := words[slices.Index(words, "-o")+1]
	if len(added) != 4 || added[0].Mkdir != "${OBJ}/exe" || added[2].Write == nil || *added[2].Write != (action.Write{Path: "${PROGRAM}"}) ||
		added[3].Copy == nil || *added[3].Copy != (action.Copy{From: "${OBJ}/exe/" + name, To: "${PROGRAM}"}) {
		return nil, fmt.Errorf("it is %+v", added)
	}
	return added[1:2], nil
}

// testMain accounts for the file of a test program that the script does not
// print.
func (a *accountant) testMain(u *unit, added []action.Step, words []string) ([]action.Step, error) {
	t, known := a.b.opt.Tests[a.b.banner]
	if !known || !slices.Contains(words, u.objdir+"/_testmain.go") {
		return added, nil
	}
	want := action.Write{Path: "${OBJ}/_testmain.go", Text: action.Escape(t.Text)}
	if len(added) != 2 || added[0].Write == nil || *added[0].Write != want {
		return nil, fmt.Errorf("the generated file is not written: %+v", added)
	}
	return added[1:], nil
}

// test accounts for the run of a test program: the same program in the same
// directory, with all arguments but the file of the go command's cache.
func (a *accountant) test(u *unit, added []action.Step, act buildscript.Test) error {
	link := a.b.units[path.Dir(act.Program)+"/exe"]
	if link == nil || !link.done || link.program != act.Program || link.node.Main != path.Base(act.Program) {
		return fmt.Errorf("the program is not linked: %+v", link)
	}
	name := strings.TrimSuffix(link.node.Name, ".test")
	if u == nil || u.node.Kind != Test || u.node.Name != name || len(u.node.Refs) != 1 || a.b.order[u.node.Refs[0].Node] != link {
		return fmt.Errorf("it is no test of %s: %+v", name, u)
	}
	if len(added) != 2 || added[0].Copy == nil || added[1].Test == nil {
		return fmt.Errorf("it is %+v", added)
	}
	// The program runs in the object directory, under its own name.
	own, err := a.plain(u, added[0].Copy.From)
	copied := "${OBJ}/" + action.Escape(link.node.Main)
	if err != nil || own != act.Program || added[0].Copy.To != copied {
		return fmt.Errorf("it copies %s to %s (%v)", own, added[0].Copy.To, err)
	}
	words := []string{act.Program}
	for _, w := range act.Args {
		if !strings.HasPrefix(w, "-test.testlogfile=") {
			words = append(words, w)
		}
	}
	words = append(words, a.b.opt.TestArgs...)
	run := *added[1].Test
	if len(run.Args) == 0 || run.Args[0] != copied {
		return fmt.Errorf("it runs %q", run.Args)
	}
	args, err := a.plainAll(u, run.Args[1:])
	if err != nil || !slices.Equal(args, words[1:]) {
		return fmt.Errorf("it runs\n%q, want\n%q (%v)", args, words, err)
	}
	dir, err := a.plain(u, run.Dir)
	if want := a.b.opt.Tests[link.node.Name].Dir; err != nil || dir != want {
		return fmt.Errorf("it runs in %q, want %q (%v)", dir, want, err)
	}
	if run.Result != "${RESULT}" || run.Path != "${GOROOT}/bin" || run.Modules == "" {
		return fmt.Errorf("it is %+v", run)
	}
	return nil
}

// header accounts for the header of a C library. The script has cgo write it, but not
// its copy.
func (a *accountant) header(u *unit, added []action.Step, library string) error {
	if !u.done || u.node.Main != library {
		return fmt.Errorf("the library has not got its name: %+v", u)
	}
	ref := u.node.Refs[len(u.node.Refs)-1]
	main := a.b.order[ref.Node].node
	want := action.Copy{From: fmt.Sprintf("${R%d}", len(u.node.Refs)-1), To: "${BIN}", Tree: true}
	if len(added) != 1 || added[0].Copy == nil || *added[0].Copy != want || ref.Output != Header || main.Name != u.node.Name || !main.Header {
		return fmt.Errorf("it is %+v of %+v", added, ref)
	}
	stem, _, _ := strings.Cut(library, ".")
	for _, s := range main.Steps {
		if s.Run != nil && slices.Contains(s.Run.Args[:slices.Index(append(s.Run.Args, "--"), "--")], "-exportheader=${HEADER}/"+stem+".h") {
			return nil
		}
	}
	return fmt.Errorf("the header %s.h is not made: %+v", stem, main)
}

// answers accounts for the calls of pkg-config before a run of cgo.
func (a *accountant) answers(u *unit, added []action.Step) ([]action.Step, error) {
	for _, p := range a.pkgConfig {
		call := p.Action.(buildscript.Run)
		if len(added) == 0 || added[0].PkgConfig == nil {
			return nil, fmt.Errorf("the call of pkg-config in line %d is lost", p.Line)
		}
		got := added[0].PkgConfig
		if err := a.run(u, &got.Run, p, call.Args, nil); err != nil {
			return nil, err
		}
		if got.Libs != slices.Contains(call.Args, "--libs") {
			return nil, fmt.Errorf("the answer of pkg-config is taken for others")
		}
		added = added[1:]
	}
	a.pkgConfig = nil
	return added, nil
}

// added returns the unit that has new steps, and these steps.
func (a *accountant) added() (*unit, []action.Step, error) {
	var found *unit
	var steps []action.Step
	for _, u := range a.b.all {
		if n := a.seen[u]; n < len(u.node.Steps) {
			if found != nil {
				return nil, nil, fmt.Errorf("it made steps of %s and of %s", found.objdir, u.objdir)
			}
			found, steps = u, u.node.Steps[n:]
		}
	}
	if found != nil {
		a.seen[found] = len(found.node.Steps)
	}
	return found, steps, nil
}

// undot returns the words of a step as they were before they were shortened.
func undot(step *buildscript.Step, words []string) []string {
	words = slices.Clone(words)
	if step.Shortened {
		for i := range words {
			words[i] = buildscript.Undot(step.Dir, words[i])
		}
	}
	return words
}

// plain replaces the tokens of a node by the script's own paths.
func (a *accountant) plain(u *unit, s string) (string, error) {
	// The vendor directory of a module below Src is moved to SRC itself.
	s = strings.ReplaceAll(s, "${SRC}/vendor", action.Escape(a.b.opt.ModRoot)+"/vendor")
	return action.Expand(s, func(name string) (string, bool) {
		switch name {
		case "OBJ":
			return u.objdir, true
		case "SRC":
			return a.b.opt.Src, true
		case "GOROOT":
			return a.b.opt.Goroot, true
		case "ARCHIVE":
			return u.objdir + "/_pkg_.a", true
		case "EXPORT":
			return u.objdir + "/_pkg_.x", true
		case "QUOTEDLIBS":
			return "", u.hasPkg
		case "FILE":
			return a.file(u), u.node.Kind == File
		case "PROGRAM":
			return "PROGRAM", u.node.Kind == Link
		}
		i, err := strconv.Atoi(strings.TrimPrefix(name, "R"))
		if err != nil || i >= len(u.node.Refs) {
			return "", false
		}
		ref := a.b.order[u.node.Refs[i].Node]
		switch ref.node.Kind {
		case File:
			return a.file(ref), true
		case Link:
			return ref.program, true
		}
		return ref.objdir + "/_pkg_.a", true
	})
}

// file returns the file that the node of u makes.
func (a *accountant) file(u *unit) string {
	for file, ref := range a.b.byFile {
		if a.b.order[ref.Node] == u {
			return file
		}
	}
	return ""
}

func (a *accountant) plainAll(u *unit, words []string) ([]string, error) {
	var out []string
	for _, w := range words {
		if (w == "${CFLAGS}" || w == "${LIBS}") && u.hasPkg {
			continue
		}
		p, err := a.plain(u, w)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// compare compares a node's step with the script's.
func (a *accountant) compare(u *unit, got action.Step, step *buildscript.Step) error {
	same := func(what, got, want string) error {
		got, err := a.plain(u, got)
		if err == nil && got != want {
			err = fmt.Errorf("%s is\n%q, want\n%q", what, got, want)
		}
		return err
	}
	switch act := step.Action.(type) {
	case buildscript.Mkdir:
		return same("the directory", got.Mkdir, act.Path)
	case buildscript.Copy:
		if got.Copy == nil || got.Copy.Tree {
			return fmt.Errorf("it is %+v", got)
		}
		a.source(u, act.From)
		if err := same("the source", got.Copy.From, act.From); err != nil {
			return err
		}
		return same("the target", got.Copy.To, act.To)
	case buildscript.Write:
		if got.Write == nil {
			return fmt.Errorf("it is %+v", got)
		}
		if err := same("the file", got.Write.Path, act.Path); err != nil {
			return err
		}
		if path.Base(act.Path) == "embedcfg" {
			return a.embed(u, got.Write.Text, act.Text)
		}
		text := act.Text
		if path.Base(act.Path) == "importcfg" {
			text = a.withoutItself(text)
		}
		return same("the text", got.Write.Text, text)
	case buildscript.Run:
		return a.program(u, got, step, act)
	}
	return fmt.Errorf("a %T is in a node", step.Action)
}

// withoutItself removes the package's own path from its import config.
func (a *accountant) withoutItself(config string) string {
	var out strings.Builder
	for line := range strings.Lines(config) {
		if !strings.HasPrefix(line, "packagefile "+a.b.banner+"=") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func (a *accountant) embed(u *unit, got, want string) error {
	got, err := a.plain(u, got)
	if err != nil {
		return err
	}
	var g, w struct {
		Patterns map[string][]string
		Files    map[string]string
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err
	}
	for _, file := range w.Files {
		a.source(u, file)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil || !maps.Equal(g.Files, w.Files) || !maps.EqualFunc(g.Patterns, w.Patterns, slices.Equal) {
		return fmt.Errorf("the embed config is\n%v, want\n%v (%v)", g, w, err)
	}
	return nil
}

// program compares a step that runs a program.
func (a *accountant) program(u *unit, got action.Step, step *buildscript.Step, act buildscript.Run) error {
	words := undot(step, act.Args)
	if act.Tool == "" { // the last word is the file that is compiled
		file := words[len(words)-1]
		if !path.IsAbs(file) {
			file = step.Dir + "/" + file
		}
		a.source(u, file)
	}
	for _, w := range words[1:] {
		switch path.Ext(w) {
		case ".go", ".s", ".S", ".c", ".cc", ".cpp", ".m", ".f90", ".h", ".syso", ".pgo":
			a.source(u, w)
		}
	}
	if act.Tool == "pack" {
		archive := slices.Index(words, "r") + 1
		if got.Pack == nil || archive < 1 {
			return fmt.Errorf("it is %+v", got)
		}
		files, err := a.plainAll(u, append([]string{got.Pack.Archive}, got.Pack.Files...))
		if err != nil {
			return err
		}
		marker := u.objdir + "/dynimportfail"
		if slices.Contains(files, marker) != u.node.Cgo || len(got.Pack.IfExists) > 0 != u.node.Cgo {
			return fmt.Errorf("the marker of a failed test: %+v", got.Pack)
		}
		files = slices.DeleteFunc(files, func(f string) bool { return f == marker })
		if !slices.Equal(files, words[archive:]) {
			return fmt.Errorf("it packs\n%q, want\n%q", files, words[archive:])
		}
		return nil
	}
	if d := got.DynImport; d != nil {
		link := a.links[u]
		if link == nil || a.tests[u] == nil {
			return fmt.Errorf("the link or its test is missing")
		}
		delete(a.links, u)
		delete(a.tests, u)
		l := link.Action.(buildscript.Run)
		for _, w := range l.Args {
			if strings.HasSuffix(w, ".syso") {
				a.source(u, buildscript.Undot(link.Dir, w))
			}
		}
		if err := a.run(u, &d.Link, link, undot(link, l.Args), l.Env); err != nil {
			return err
		}
		if d.Fail != "${OBJ}/dynimportfail" {
			return fmt.Errorf("the marker is %s", d.Fail)
		}
		return a.run(u, &d.Import, step, words, slices.Concat(a.b.opt.ToolEnv, act.Env))
	}
	if got.Run == nil {
		return fmt.Errorf("it is %+v", got)
	}
	env := slices.Concat(a.b.opt.ToolEnv, act.Env)
	run := *got.Run
	switch act.Tool {
	case "compile":
		words = drop(words, func(w string) int {
			switch {
			case w == "-buildid":
				return 2
			case strings.HasPrefix(w, "-c="):
				return 1
			}
			return 0
		})
		o := slices.Index(words, "-o") + 1
		words = slices.Replace(words, o, o+1, u.objdir+"/_pkg_.x", "-linkobj", u.objdir+"/_pkg_.a")
		if !run.Parallel || u.node.Std != slices.Contains(words, "-std") {
			return fmt.Errorf("it is %+v", u.node)
		}
		for _, f := range run.IfExists {
			if f != "${OBJ}/_cgo_import.go" || !slices.Contains(run.Args, f) {
				return fmt.Errorf("%s need not exist", f)
			}
		}
	case "link":
		found := false
		words = drop(words, func(w string) int {
			if found || !strings.HasPrefix(w, "-buildid=") {
				return 0
			}
			found = true
			return 1
		})
		if o := slices.Index(words, "-o") + 1; !slices.Contains(words, "-buildmode=c-shared") {
			words[o] = "PROGRAM"
		} else {
			words[o] = path.Base(words[o])
		}
	case "cgo":
		words = drop(words, func(w string) int {
			if w == "-exportheader="+u.objdir+"/_cgo_install.h" {
				return 1
			}
			return 0
		})
		sep := slices.Index(words, "--")
		if u.hasPkg && !slices.ContainsFunc(words[:sep], func(w string) bool { return strings.HasPrefix(w, "-ldflags=") }) {
			env = append(env, "CGO_LDFLAGS=")
			words = slices.Insert(words, sep, "-ldflags=")
		}
	case "":
		env = act.Env
	}
	return a.run(u, &run, step, words, env)
}

// run compares the call of a program.
func (a *accountant) run(u *unit, got *action.Run, step *buildscript.Step, words, env []string) error {
	given := got.Args
	if got.Compiler != "" {
		if !strings.HasPrefix(strings.Join(words, " ")+" ", got.Compiler+" ") {
			return fmt.Errorf("it has the flags of %s", got.Compiler)
		}
		given = drop(given, func(w string) int {
			if w == action.FlagsBefore || w == action.FlagsAfter || strings.HasPrefix(w, action.PrefixMap) {
				return 1
			}
			return 0
		})
	}
	args, err := a.plainAll(u, given)
	if err != nil {
		return err
	}
	if !slices.Equal(args, words) {
		return fmt.Errorf("it runs\n%q, want\n%q", args, words)
	}
	gotEnv, err := a.plainAll(u, got.Env)
	if err != nil {
		return err
	}
	if !slices.Equal(gotEnv, env) {
		return fmt.Errorf("its environment is %q, want %q", gotEnv, env)
	}
	if got.Dir != "" {
		want := step.Dir
		if want == a.b.opt.ModRoot && !a.isBelow(u, want) {
			want = a.b.opt.Src // in place of the go command's directory, which has no sources of the package
		}
		dir, err := a.plain(u, got.Dir)
		if err != nil || dir != want && dir+"/" != want {
			return fmt.Errorf("it runs in %q, want %q (%v)", dir, want, err)
		}
	}
	return nil
}

// isBelow reports whether the unit has read sources below the directory.
func (a *accountant) isBelow(u *unit, dir string) bool {
	for rel := range a.sources[u] {
		if strings.HasPrefix(a.b.opt.Src+"/"+rel, dir+"/") {
			return true
		}
	}
	return false
}

// source records a file that a command names, if it is one of the sources.
func (a *accountant) source(u *unit, file string) {
	if rel, ok := strings.CutPrefix(file, a.b.opt.Src+"/"); ok {
		if inVendor, ok := strings.CutPrefix(file, a.b.opt.ModRoot+"/vendor/"); ok {
			rel = "vendor/" + inVendor
		}
		a.sources[u][rel] = true
	}
}

// drop removes words: f returns the number to remove from the given one on.
func drop(words []string, f func(string) int) []string {
	var out []string
	for i := 0; i < len(words); {
		n := f(words[i])
		if n == 0 {
			out = append(out, words[i])
			n = 1
		}
		i += n
	}
	return out
}
