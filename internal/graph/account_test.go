package graph

import (
	"encoding/json"
	"fmt"
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
