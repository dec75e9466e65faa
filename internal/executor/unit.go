package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"dgd/internal/action"
)

// A runner carries out one unit.
type runner struct {
	unit     *action.Unit
	vars     action.Vars   // of the derivation
	obj, src string        // what the tokens OBJ and SRC stand for
	top      string        // the directory that all units work below
	cores    int           // of the derivation
	parallel int           // what a program that can work in parallel may take
	slots    chan struct{} // of the whole derivation; the unit holds one
	locks    Locks
	self     []string // see Config.Self
	env      []string
	cflags   []string // pkg-config's answers
	libs     []string
	log      bytes.Buffer
}

func (r *runner) run(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return fmt.Errorf("%s: %w", r.unit.Name, err)
	}
	for steps := r.unit.Steps; len(steps) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 1
		for n < len(steps) && steps[n].Beside {
			n++
		}
		if err := r.beside(ctx, steps[:n]); err != nil {
			if errors.Is(err, ErrShown) {
				return err
			}
			return fmt.Errorf("%s: %w", r.unit.Name, err)
		}
		steps = steps[n:]
	}
	// A bundle of many packages would otherwise keep every package's
	// intermediate files until its end. What cannot be removed, such as a module
	// cache that a test has left behind read-only, Nix removes later.
	_ = os.RemoveAll(filepath.Dir(r.obj))
	return nil
}

// prepare makes the directories, the sources' places and the environment.
func (r *runner) prepare() error {
	if err := os.MkdirAll(filepath.Join(r.obj, "tmp"), 0o777); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.src), 0o777); err != nil {
		return err
	}
	for _, s := range r.unit.Sources {
		at, err := r.expand(s.At)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return err
		}
		from, err := r.expand(s.From)
		if err != nil {
			return err
		}
		if s.Copy {
			err = copyTree(from, at)
		} else {
			err = os.Symlink(from, at)
		}
		if err != nil {
			return fmt.Errorf("placing the sources: %w", err)
		}
	}
	// cmd/go runs every tool with the working directory of the package or
	// with the module's root, which must exist.
	if err := os.MkdirAll(r.src, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	tmp := filepath.Join(r.obj, "tmp")
	r.env = []string{"TMPDIR=" + tmp}
	if r.unit.Env != "" {
		// What Nix gives to a build: compiler wrappers and tests ask for it.
		r.env = append(r.env, "TMP="+tmp, "TEMP="+tmp, "TEMPDIR="+tmp,
			"NIX_BUILD_TOP="+r.top, "NIX_BUILD_CORES="+strconv.Itoa(r.cores))
		// Go's own tools do without a home: with one, each keeps telemetry
		// in it.
		r.env = append(r.env, "HOME=/homeless-shelter")
		file, err := r.expand(r.unit.Env)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading the C compiler's environment: %w", err)
		}
		for _, v := range strings.Split(string(text), "\x00") {
			if v != "" {
				r.env = append(r.env, v)
			}
		}
	}
	return nil
}

func (r *runner) step(ctx context.Context, s *action.Step) error {
	switch {
	case s.Mkdir != "":
		dir, err := r.expand(s.Mkdir)
		if err != nil {
			return err
		}
		return os.MkdirAll(dir, 0o777)
	case s.Write != nil:
		return r.write(s.Write)
	case s.Copy != nil:
		from, err := r.expand(s.Copy.From)
		if err != nil {
			return err
		}
		to, err := r.expand(s.Copy.To)
		if err != nil {
			return err
		}
		copied := copyFile
		switch dir := filepath.Dir(r.obj); {
		case s.Copy.Leaves:
			copied = replacing(dir, elsewhere)
		case s.Copy.Comes:
			copied = replacing(elsewhere, dir)
		}
		if s.Copy.Tree {
			return copyTreeBy(copied, from, to)
		}
		return copied(from, to)
	case s.Run != nil:
		out, err := r.command(ctx, s.Run)
		r.show(out)
		return err
	case s.Pack != nil:
		return r.pack(s.Pack)
	case s.DynImport != nil:
		return r.dynImport(ctx, s.DynImport)
	case s.PkgConfig != nil:
		return r.pkgConfig(ctx, s.PkgConfig)
	case s.Test != nil:
		return r.test(ctx, s.Test)
	case s.Trace != nil:
		return r.trace(ctx, s.Trace)
	}
	return errors.New("a step without an action")
}

// beside carries out steps that do not depend on each other, at the same time as
// far as there are free slots. Their output is shown in their order; after a
// failure no other begins.
func (r *runner) beside(ctx context.Context, steps []action.Step) error {
	if len(steps) == 1 {
		return r.step(ctx, &steps[0])
	}
	type result struct {
		out []byte
		err error
	}
	results := make([]result, len(steps))
	var next atomic.Int64
	var failed atomic.Bool
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(steps) || failed.Load() {
				return
			}
			res := &results[i]
			if steps[i].Run == nil {
				res.err = errors.New("a step beside another that runs no program")
			} else {
				res.out, res.err = r.command(ctx, steps[i].Run)
			}
			if res.err != nil {
				failed.Store(true)
			}
		}
	}
	var wg sync.WaitGroup
	for range steps[1:] {
		select {
		case r.slots <- struct{}{}:
			wg.Go(func() {
				defer func() { <-r.slots }()
				work()
			})
		default:
		}
	}
	work()
	wg.Wait()
	for _, res := range results {
		r.show(res.out)
		if res.err != nil {
			return res.err
		}
	}
	return nil
}

func (r *runner) write(w *action.Write) error {
	path, err := r.expand(w.Path)
	if err != nil {
		return err
	}
	text, err := r.expand(w.Text)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o666)
}

// command runs a program and returns its standard output and error. A program
// that fails gives ErrShown: its output is the message. One that is killed has
// said nothing of the reason.
func (r *runner) command(ctx context.Context, c *action.Run) ([]byte, error) {
	args, err := r.words(c)
	if err != nil {
		return nil, err
	}
	dir := r.obj
	if c.Dir != "" {
		if dir, err = r.expand(c.Dir); err != nil {
			return nil, err
		}
	}
	env, err := r.environment(c.Env)
	if err != nil {
		return nil, err
	}
	if c.Parallel && r.parallel > 1 {
		args = append([]string{args[0], "-c=" + strconv.Itoa(r.parallel)}, args[1:]...)
	}
	program, err := lookPath(args[0], env)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Dir = dir
	// Compilers report the directory that PWD names, where it is the same.
	cmd.Env = append(env, "PWD="+dir)
	free := r.locks.take(ctx)
	out, err := cmd.CombinedOutput()
	free()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() {
			if len(bytes.TrimSpace(out)) == 0 {
				out = fmt.Appendf(out, "%s: %v\n", filepath.Base(args[0]), err)
			}
			return out, ErrShown
		}
		return out, fmt.Errorf("running %s: %w", args[0], err)
	}
	return out, nil
}

// environment is the unit's with more variables on top, of which the last one
// of a name counts.
func (r *runner) environment(more []string) ([]string, error) {
	env := append([]string(nil), r.env...)
	for _, v := range more {
		v, err := r.expand(v)
		if err != nil {
			return nil, err
		}
		env = append(env, v)
	}
	return env, nil
}

// show logs what a program printed, as `go build` does: below the package's
// name, with paths as the package's author knows them.
func (r *runner) show(out []byte) {
	if len(out) == 0 {
		return
	}
	text := strings.NewReplacer(r.src+"/", "", r.obj+"/", "$WORK/").Replace(string(out))
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	fmt.Fprintf(&r.log, "# %s\n%s", r.unit.Name, text)
}

// words expands the arguments of a run, and leaves out those that IfExists lists
// and that are not there.
func (r *runner) words(run *action.Run) ([]string, error) {
	flags, err := r.flagsOf(run.Compiler)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, arg := range run.Args {
		switch arg {
		case "${CFLAGS}":
			words = append(words, r.cflags...)
			continue
		case "${LIBS}":
			words = append(words, r.libs...)
			continue
		}
		if run.Compiler != "" {
			switch arg {
			case action.FlagsBefore:
				words = append(words, flags.Before...)
				continue
			case action.FlagsAfter:
				words = append(words, flags.After...)
				continue
			}
			if mapped, ok := strings.CutPrefix(arg, action.PrefixMap); ok {
				if flags.PrefixMap == "" {
					continue
				}
				arg = action.Escape(flags.PrefixMap) + "=" + mapped
			}
		}
		word, err := r.expand(arg)
		if err != nil {
			return nil, err
		}
		if contains(run.IfExists, arg) {
			if _, err := os.Lstat(word); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return nil, errors.New("a step without a program")
	}
	return words, nil
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func (r *runner) expand(s string) (string, error) {
	return action.Expand(s, func(name string) (string, bool) {
		switch name {
		case "OBJ":
			return r.obj, true
		case "SRC":
			return r.src, true
		case "CORES":
			return strconv.Itoa(r.cores), true
		case "QUOTEDLIBS":
			var b strings.Builder
			for _, l := range r.libs {
				b.WriteString(" " + strconv.Quote(l))
			}
			return b.String(), true
		}
		if value, ok := r.unit.Vars[name]; ok {
			value, err := action.Expand(value, r.derivationVar)
			return value, err == nil
		}
		return r.derivationVar(name)
	})
}

func (r *runner) derivationVar(name string) (string, bool) {
	value, ok := r.vars[name]
	return value, ok
}

// lookPath finds a program in the PATH of env: the last one counts.
func lookPath(program string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	path := variable(env, "PATH")
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("program %q is not in PATH=%q", program, path)
}

// variable returns the value of a variable: the last one counts.
func variable(env []string, name string) string {
	value := ""
	for _, v := range env {
		if v, ok := strings.CutPrefix(v, name+"="); ok {
			value = v
		}
	}
	return value
}
