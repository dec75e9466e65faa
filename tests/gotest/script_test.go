package gotest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A script is a test of cmd/go whose commands are carried out. Commands that change
// files do so; for each call of the go command that builds or tests, a case is made with
// the sources as they are at that point.
type script struct {
	name    string
	goBin   string
	work    string // $WORK
	cwd     string
	env     map[string]string
	out     string // the directory for the cases
	line    int
	cases   []*testCase
	skipped []skip
	last    *testCase // the case to which a check of output applies
	goroot  string    // GOROOT of goBin
}

// A skip is a call of the go command that is not a case, with the reason.
type skip struct{ name, reason string }

// A stop is the reason to end a script: the rest depends on a command that cannot be
// carried out.
type stop struct{ reason string }

func (s *stop) Error() string { return s.reason }

// archive splits a txtar file.
func archive(text string) (comment string, files map[string]string) {
	files = map[string]string{}
	var name string
	var b strings.Builder
	end := func() {
		data := b.String()
		if data != "" && !strings.HasSuffix(data, "\n") {
			data += "\n"
		}
		if name == "" {
			comment = data
		} else {
			files[name] = data
		}
		b.Reset()
	}
	for line := range strings.Lines(text) {
		marker := strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(marker, "-- ") && strings.HasSuffix(marker, " --") && len(marker) >= len("-- x --") {
			end()
			name = strings.TrimSpace(marker[3 : len(marker)-3])
			continue
		}
		b.WriteString(line)
	}
	end()
	return comment, files
}

// newScript writes the files of a script to the directory work.
func newScript(name, goBin, goroot, work, out, text string) (s *script, commands string, err error) {
	s = &script{name: name, goBin: goBin, goroot: goroot, work: work, out: out}
	s.cwd = filepath.Join(work, "gopath", "src")
	s.env = map[string]string{
		"WORK": work, "GOPATH": filepath.Join(work, "gopath"), "HOME": "/no-home", "TMPDIR": filepath.Join(work, "tmp"),
		"GOROOT": goroot, "GOOS": runtime.GOOS, "GOARCH": runtime.GOARCH, "GOEXE": "", "exe": "", "devnull": os.DevNull, "PWD": s.cwd,
		"CMDGO_TEST": "", "/": "/", ":": ":", "$": "$",
	}
	commands, files := archive(text)
	for _, dir := range []string{s.cwd, filepath.Join(work, "tmp")} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, "", err
		}
	}
	for file, data := range files {
		file = s.path(os.Expand(file, func(v string) string { return s.env[v] }))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return nil, "", err
		}
		if err := os.WriteFile(file, []byte(data), 0o666); err != nil {
			return nil, "", err
		}
	}
	return s, commands, nil
}

func (s *script) path(p string) string {
	if !filepath.IsAbs(p) {
		p = filepath.Join(s.cwd, p)
	}
	return filepath.Clean(p)
}

// run carries out the commands.
func (s *script) run(commands string) error {
	for line := range strings.Lines(commands) {
		s.line++
		words, err := s.words(line)
		if err != nil {
			return &stop{err.Error()}
		}
		var must string
	prefixes:
		for len(words) > 0 {
			w := words[0].raw
			switch {
			case w == "!" || w == "?":
				must = w
			case strings.HasPrefix(w, "[") && strings.HasSuffix(w, "]"):
				holds, err := s.condition(w[1 : len(w)-1])
				if err != nil {
					return err
				}
				if !holds {
					words = nil
					break prefixes
				}
			default:
				break prefixes
			}
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		if err := s.command(must, words); err != nil {
			return err
		}
	}
	return nil
}

// A word is a word of a command: as it is written, with variables expanded, and as a
// regular expression in which the values of variables are quoted.
type word struct{ raw, text, pattern string }

// words splits a line by the rules of the script engine.
func (s *script) words(line string) ([]word, error) {
	var words []word
	var w word
	inWord, quoted := false, false
	var plain strings.Builder
	flush := func() {
		text := plain.String()
		plain.Reset()
		lookup := func(name string) string { return s.env[name] }
		w.raw += text
		w.text += os.Expand(text, lookup)
		w.pattern += os.Expand(text, func(name string) string { return regexp.QuoteMeta(lookup(name)) })
	}
	line = strings.TrimRight(line, "\r\n")
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '\'' && i+1 < len(line) && line[i+1] == '\'':
			w.raw, w.text, w.pattern = w.raw+"'", w.text+"'", w.pattern+"'"
			i++
		case quoted && c == '\'':
			quoted = false
		case quoted:
			w.raw, w.text, w.pattern = w.raw+string(c), w.text+string(c), w.pattern+string(c)
		case c == '\'':
			flush()
			quoted, inWord = true, true
		case c == ' ' || c == '\t':
			if inWord {
				flush()
				words = append(words, w)
				w, inWord = word{}, false
			}
		case c == '#' && !inWord:
			return words, nil
		default:
			inWord = true
			plain.WriteByte(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("line %d: a quote without an end", s.line)
	}
	if inWord {
		flush()
		words = append(words, w)
	}
	return words, nil
}

// condition reports whether a condition holds in a sandbox without network.
func (s *script) condition(c string) (bool, error) {
	negated := strings.HasPrefix(c, "!")
	name, arg, _ := strings.Cut(strings.TrimPrefix(c, "!"), ":")
	var holds bool
	switch name {
	case "short", "net", "git", "bzr", "hg", "svn", "fossil", "go-builder", "root", "mismatched-goroot", "msan", "asan", "cgolinkext",
		"mustlinkext", "pielinkext", "cross", "abscc", "git-sha256", "git-min-vers", "windows", "darwin", "plan9", "gccgo", "verbose":
	case "cgo", "race", "symlink", "link", "case-sensitive", "trimpath", "buildmode", "gc", "fuzz", "fuzz-instrumented", "linux", "amd64", "exec":
		holds = true
	case "GOOS":
		holds = arg == runtime.GOOS
	case "GOARCH":
		holds = arg == runtime.GOARCH
	case "compiler":
		holds = arg == "gc"
	case "cc":
		holds = arg == "gcc"
	case "GODEBUG", "GOEXPERIMENT":
	default:
		return false, &stop{"a condition that is not known: " + name}
	}
	return holds != negated, nil
}

// command carries out one command.
func (s *script) command(must string, words []word) error {
	args := make([]string, len(words)-1)
	for i, w := range words[1:] {
		args[i] = w.text
	}
	switch verb := words[0].text; verb {
	case "go":
		return s.goCommand(args)
	case "stdout", "stderr":
		s.check(must == "!", words[1:])
	case "cmp", "cmpenv", "exists", "grep", "stale", "wait", "echo", "cat", "sleep", "help":
	case "exec":
		s.last = nil
	case "skip", "stop":
		return &stop{"the script ends here"}
	case "cc", "kill":
		return &stop{"runs " + verb}
	case "cd":
		s.cwd = s.path(args[0])
		s.env["PWD"] = s.cwd
	case "env":
		for _, a := range args {
			name, value, ok := strings.Cut(a, "=")
			if !ok {
				continue
			}
			if strings.HasPrefix(name, "TESTGO") || name == "GOROOT" || name == "GOTOOLCHAIN" || name == "PATH" || name == "GOROOT_FINAL" || name == "GOVCS" {
				return &stop{"sets " + name}
			}
			s.env[name] = value
		}
	default:
		return s.fileCommand(verb, args)
	}
	return nil
}

// fileCommand carries out a command that changes files.
func (s *script) fileCommand(verb string, args []string) error {
	var err error
	switch verb {
	case "mkdir":
		for _, a := range args {
			err = os.MkdirAll(s.path(a), 0o777)
		}
	case "rm":
		for _, a := range args {
			err = os.RemoveAll(s.path(a))
		}
	case "mv":
		err = os.Rename(s.path(args[0]), s.path(args[1]))
	case "cp":
		err = s.cp(args)
	case "chmod":
		mode, perr := strconv.ParseUint(args[0], 0, 32)
		err = perr
		for _, a := range args[1:] {
			if err == nil {
				err = os.Chmod(s.path(a), fs.FileMode(mode))
			}
		}
	case "symlink":
		if err = os.MkdirAll(filepath.Dir(s.path(args[0])), 0o777); err == nil {
			err = os.Symlink(args[2], s.path(args[0]))
		}
	case "replace":
		file := s.path(args[len(args)-1])
		text, rerr := os.ReadFile(file)
		for i := 0; rerr == nil && i+1 < len(args)-1; i += 2 {
			unquote := func(v string) string {
				if u, err := strconv.Unquote(`"` + v + `"`); err == nil {
					return u
				}
				return v
			}
			text = []byte(strings.ReplaceAll(string(text), unquote(args[i]), unquote(args[i+1])))
		}
		if err = rerr; err == nil {
			err = os.WriteFile(file, text, 0o666)
		}
	default:
		return &stop{"the command " + verb}
	}
	if err != nil {
		return &stop{"a file that only an output before it makes"}
	}
	return nil
}

func (s *script) cp(args []string) error {
	to := s.path(args[len(args)-1])
	info, err := os.Stat(to)
	isDir := err == nil && info.IsDir()
	for _, a := range args[:len(args)-1] {
		if a == "stdout" || a == "stderr" {
			return &stop{"uses what a command has printed"}
		}
		text, err := os.ReadFile(s.path(a))
		if err != nil {
			return err
		}
		target := to
		if isDir {
			target = filepath.Join(to, filepath.Base(a))
		}
		if err := os.WriteFile(target, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// check adds a check of the output of the last case.
func (s *script) check(negated bool, words []word) {
	words = slices.DeleteFunc(slices.Clone(words), func(w word) bool { return w.raw == "-q" })
	if s.last == nil || negated || len(words) != 1 {
		return
	}
	s.last.Words = append(s.last.Words, words[0].pattern)
}

// goCommand makes a case of a call, or runs a call that changes the sources.
func (s *script) goCommand(args []string) error {
	s.last = nil
	if len(args) > 0 && args[len(args)-1] == "&" {
		args = args[:len(args)-1]
	}
	if len(args) == 0 {
		return nil
	}
	switch args[0] {
	case "build", "install", "run", "test":
		name := fmt.Sprintf("%s-%d", s.name, s.line)
		c, reason, err := s.take(name, args[0], args[1:])
		if err != nil {
			return err
		}
		if reason != "" {
			s.skipped = append(s.skipped, skip{name, reason})
			return nil
		}
		s.cases = append(s.cases, c)
		s.last = c
		return nil
	case "list", "env", "version", "vet", "doc", "tool", "help", "clean", "bug", "fix":
		if args[0] == "env" && slices.Contains(args, "-w") {
			return &stop{"go env -w"}
		}
		return nil
	case "mod", "work", "fmt":
		cmd := s.command0(args...)
		if out, err := cmd.CombinedOutput(); err != nil && strings.Contains(string(out), "GOPROXY=off") {
			return &stop{"needs modules of a proxy"}
		}
		return nil
	}
	return &stop{"go " + args[0]}
}

// command0 returns a command that runs the go command without network.
func (s *script) command0(args ...string) *exec.Cmd {
	cmd := exec.Command(s.goBin, args...)
	cmd.Dir = s.cwd
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOCACHE=" + filepath.Join(s.out, "cache")}
	for name, value := range s.env {
		if name != "/" && name != ":" && name != "$" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOENV=off", "GOVCS=*:off")
	return cmd
}

// module returns the directory and the name of the go.mod file of the current
// directory.
func (s *script) module() (dir, file string) {
	for dir = s.cwd; ; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			return dir, string(text)
		}
		if dir == s.work || dir == "/" {
			return "", ""
		}
	}
}

// pattern returns a package pattern relative to the module, or the reason why dgd does
// not take it.
func (s *script) pattern(p, dir, modPath string) (string, string) {
	switch {
	case strings.HasSuffix(p, ".go"):
		return "", "names files"
	case strings.Contains(p, "@"):
		return "", "names a version"
	case filepath.IsAbs(p) && !strings.HasPrefix(p, dir):
		return "", "names a directory outside of the module"
	case filepath.IsAbs(p):
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return "", "names a directory outside of the module"
		}
		return "./" + rel, ""
	case p == "." || p == ".." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../"):
		rel, err := filepath.Rel(dir, filepath.Join(s.cwd, p))
		switch {
		case err != nil || strings.HasPrefix(rel, ".."):
			return "", "names a directory outside of the module"
		case rel == ".":
			return ".", ""
		}
		return "./" + rel, ""
	case p == modPath:
		return ".", ""
	case strings.HasPrefix(p, modPath+"/"):
		return "./" + strings.TrimPrefix(p, modPath+"/"), ""
	case p == "all" || p == "std" || p == "cmd" || p == "tool" || p == "work" || strings.HasPrefix(p, "cmd/"):
		return "", "packages of the toolchain, or all"
	}
	if _, err := os.Stat(filepath.Join(s.goroot, "src", path.Clean(strings.TrimSuffix(p, "/...")))); err == nil {
		return "", "packages of the toolchain, or all"
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(strings.TrimSuffix(first, "..."), ".") {
		return "", "an import path without a dot, which is a directory where dgd is given it"
	}
	return p, ""
}
