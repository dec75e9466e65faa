package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"dgd/internal/action"
)

// A runner carries out one unit.
type runner struct {
	unit     *action.Unit
	vars     action.Vars // of the derivation
	obj, src string      // what the tokens OBJ and SRC stand for
	top      string      // the directory that all units work below
	cores    int         // of the derivation
	parallel int         // what a program that can work in parallel may take
	self     []string    // see Config.Self
	env      []string
	cflags   []string // pkg-config's answers
	libs     []string
	log      bytes.Buffer
}

func (r *runner) run(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return fmt.Errorf("%s: %w", r.unit.Name, err)
	}
	for i := range r.unit.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.step(ctx, &r.unit.Steps[i]); err != nil {
			if errors.Is(err, ErrShown) {
				return err
			}
			return fmt.Errorf("%s: %w", r.unit.Name, err)
		}
	}
	// A bundle of many packages would otherwise keep every package's
	// intermediate files until its end.
	return os.RemoveAll(filepath.Dir(r.obj))
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
		if s.Copy.Tree {
			return copyTree(from, to)
		}
		return copyFile(from, to)
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
	}
	return errors.New("a step without an action")
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
	args, err := r.words(c.Args, c.IfExists)
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
	out, err := cmd.CombinedOutput()
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

// words expands arguments, and leaves out those of optional whose file is not
// there.
func (r *runner) words(args, optional []string) ([]string, error) {
	var words []string
	for _, arg := range args {
		switch arg {
		case "${CFLAGS}":
			words = append(words, r.cflags...)
			continue
		case "${LIBS}":
			words = append(words, r.libs...)
			continue
		}
		word, err := r.expand(arg)
		if err != nil {
			return nil, err
		}
		if contains(optional, arg) {
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

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666|info.Mode()&0o111)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// copyTree copies a file or a directory with all that is below it; symbolic
// links stay what they are. What it makes is writable.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o777)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			// Copies of overlapping trees may meet.
			if old, err := os.Readlink(target); err == nil && old == link {
				return nil
			}
			return os.Symlink(link, target)
		}
		return copyFile(path, target)
	})
}
