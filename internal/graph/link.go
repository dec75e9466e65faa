package graph

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// link reads the link of a program. The unit is finished by the mv that follows.
func (b *builder) link(a buildscript.Run) error {
	out, err := flagValue(a.Args, "-o")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(out, "$WORK/") {
		out = b.step.Dir + "/" + out // c-shared runs in its output directory
	}
	u, err := b.unit(out, Link)
	if err != nil {
		return err
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	dir, program := "", "${PROGRAM}"
	shared := slices.Contains(words, "-buildmode=c-shared")
	if shared {
		// The library may contain its own name. So it is linked with the name that
		// the go command gives it, in the directory of the file.
		if !strings.HasPrefix(b.step.Dir, "$WORK/") {
			return errors.New("links a library in a directory that is not below $WORK")
		}
		dir, program = "${OBJ}/exe", action.Escape(path.Base(out))
		u.add(action.Step{Mkdir: dir})
	}
	args, err := b.linkArgs(u, words, program)
	if err != nil {
		return err
	}
	if b.opt.LinkDir || slices.ContainsFunc(u.node.Refs, func(r Ref) bool { return b.order[r.Node].linkDir }) {
		if shared {
			return errors.New("links in another directory than the one that paths in the linker's flags are relative to")
		}
		rel, _ := b.below(b.opt.ModRoot)
		u.node.Src = &Sources{Dir: rel, Files: []string{}, Whole: true}
		dir = path.Join("${SRC}", action.Escape(rel))
	}
	mainPackage := b.byFile[words[len(words)-1]]
	if mainPackage.Output != Archive {
		return errors.New("does not end in the main package's archive")
	}
	u.node.Name = b.order[mainPackage.Node].node.Name
	u.program = path.Clean(out)
	u.library = mainPackage
	env := b.toolEnv(b.opt.LinkEnv)
	for _, v := range a.Env { // without -trimpath: GOROOT=PATH
		v, err = b.text(u, v)
		if err != nil {
			return err
		}
		env = append(env, v)
	}
	u.add(action.Step{Run: &action.Run{Dir: dir, Env: env, Args: args}})
	if shared {
		// A library is not executable. Copying to an existing file keeps its mode.
		u.add(action.Step{Write: &action.Write{Path: "${PROGRAM}"}})
		u.add(action.Step{Copy: &action.Copy{From: dir + "/" + program, To: "${PROGRAM}"}})
	}
	return nil
}

// linkArgs returns the linker's arguments with tokens. It writes to program.
func (b *builder) linkArgs(u *unit, words []string, program string) ([]string, error) {
	var args []string
	buildID := false
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-o":
			i++
			args = append(args, "-o", program)
			continue
		case strings.HasPrefix(w, "-buildid="):
			if !buildID {
				buildID = true // cmd/go's own flag, which is before the user's
				continue
			}
		case w == "-fipso" && i+1 < len(words):
			u.written[strings.TrimPrefix(words[i+1], u.objdir+"/")] = true
		case w == "-buildmode=c-shared" || w == "-buildmode=c-archive":
			u.isC = true
		case strings.HasPrefix(w, "-buildmode=") && w != "-buildmode=exe" && w != "-buildmode=pie":
			return nil, fmt.Errorf("dgd does not support %s", w)
		}
		t, err := b.token(u, w)
		if err != nil {
			return nil, err
		}
		args = append(args, t)
	}
	return args, nil
}

// move reads the mv that gives a linked program its name, and finishes the link.
func (b *builder) move(a buildscript.Move) error {
	objdir, err := objdirOf(a.From)
	if err != nil {
		return err
	}
	u := b.units[objdir+"/exe"]
	if u == nil || u.program != a.From {
		return errors.New("moves what no earlier command has linked")
	}
	if u.done {
		return errors.New("moves a program for the second time")
	}
	u.node.Main = path.Base(a.To)
	if u.isC {
		b.exportHeader(u, u.library, strings.TrimSuffix(u.node.Main, path.Ext(u.node.Main))+".h")
	}
	b.finish(u, a.From)
	return nil
}
