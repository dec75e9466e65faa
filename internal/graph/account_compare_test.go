package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

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
