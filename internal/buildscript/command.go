package buildscript

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A command is one command of the script, split into words.
//
// The printed text is parsed twice: by split, by the rules by which the go command
// prints commands, and by readShell, by the rules of a shell. The two results must
// agree: see checkShell.
type command struct {
	env  []string // NAME=VALUE
	args []string
	to   string // the file that standard output goes to
	text string // the text of a heredoc
	tail string // one of the tails below

	// run means that the command runs a program: the tool of the Go toolchain, or
	// another program if tool is "". Only split sets these two.
	run  bool
	tool string
}

const (
	tailNone     = ""
	tailInternal = "# internal"
	tailProbe    = "|| true"
	tailLinkTest = "# test for internal linking errors ("
)

// split splits the command that begins with line, and reads the lines of a heredoc.
func (p *parser) split(line string) (command, error) {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "mkdir":
		return splitMkdir(rest)
	case "cat":
		return p.splitCat(rest)
	case "echo":
		return splitEcho(rest)
	case "cp":
		return splitCopy(rest)
	case "mv":
		return splitMove(rest)
	case "ln":
		return splitSymlink(rest)
	case "rm":
		return splitRemove(rest)
	case "touch":
		return command{}, errors.New("the result is installed already")
	}
	if isTestProgram(name) {
		return splitTest(line)
	}
	return p.splitRun(line)
}

// isTestProgram reports whether the path is $WORK/…/NAME.test.
func isTestProgram(path string) bool {
	return strings.HasPrefix(path, workDir+"/") && strings.HasSuffix(path, ".test")
}

// splitTest splits the run of a test program, whose words are printed without any
// quoting. So flags of `go test` must not have spaces.
func splitTest(line string) (command, error) {
	c := command{args: strings.Split(line, " ")}
	if slices.Contains(c.args, "") {
		return command{}, errSplit
	}
	if strings.ContainsFunc(line, unicode.IsControl) {
		return command{}, errors.New("a word has a control character")
	}
	return c, cmp.Or(checkPath(c.args[0]), checkWords(c.args[1:]))
}

// The arguments of the following commands are paths that are printed without any
// quoting. A path may have a space only if there is just one way to split the line.

var errForm = errors.New("not a form of this command that the go command prints")

func splitMkdir(s string) (command, error) {
	path, ok := strings.CutPrefix(s, "-p ")
	if !ok {
		return command{}, errForm
	}
	return command{args: []string{"mkdir", "-p", path}}, checkPath(path)
}

func splitEcho(s string) (command, error) {
	s, ok := strings.CutSuffix(s, " "+tailInternal)
	if !ok {
		return command{}, errForm
	}
	c := command{tail: tailInternal}
	if path, ok := strings.CutPrefix(s, "-n > "); ok {
		c.args, c.to = []string{"echo", "-n"}, path
		return c, nil
	}
	s, ok = strings.CutPrefix(s, "'")
	if !ok {
		return command{}, errForm
	}
	text, path, ok := strings.Cut(s, "' > ")
	if !ok {
		return command{}, errForm
	}
	if strings.Contains(path, "' > ") {
		return command{}, errors.New("ambiguous: the text or the path holds a quote")
	}
	if text == "-n" {
		return command{}, errForm
	}
	c.args, c.to = []string{"echo", text}, path
	return c, nil
}

// splitCat reads a heredoc. The go command prints "EOF\n" directly after the text, so
// that EOF is in a line of its own only if the text ends in a newline. The one text
// that does not is the embed configuration. It is indented JSON, in which only the
// last line begins with "}".
func (p *parser) splitCat(s string) (command, error) {
	path, ok := strings.CutPrefix(s, ">")
	if !ok {
		return command{}, errors.New("not a file written by the go command; was the build cache empty?")
	}
	path, ok = strings.CutSuffix(path, " << 'EOF' "+tailInternal)
	if !ok {
		return command{}, errForm
	}
	start := p.pos
	json := false
	for p.pos < len(p.text) {
		at := p.pos
		line, err := p.next()
		if err != nil {
			return command{}, err
		}
		if at == start {
			json = line == "{"
		}
		end := at
		switch {
		case json && line == "}EOF":
			end++
		case line != "EOF":
			continue
		}
		if start == end {
			return command{}, errors.New("the text is empty")
		}
		return command{args: []string{"cat"}, to: path, text: p.text[start:end], tail: tailInternal}, nil
	}
	return command{}, errors.New("the text has no end")
}

// checkWrite checks the path and the text of a file that the script writes. The path
// must be in the work directory.
func checkWrite(path, text string) error {
	if err := checkWorkPath(path); err != nil {
		return err
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' {
			return fmt.Errorf("the text has a control character, %q", c)
		}
	}
	return checkWork(text)
}

// checkWorkPath checks a path that must be in the work directory.
func checkWorkPath(path string) error {
	if !strings.HasPrefix(path, workDir+"/") {
		return fmt.Errorf("%q is not in the work directory", path)
	}
	return checkPath(path)
}

// splitCopy splits FROM TO, where TO is always in the work directory.
func splitCopy(s string) (command, error) {
	from, to, err := cutPaths(s, cutBeforeWork)
	if err != nil {
		return command{}, err
	}
	return command{args: []string{"cp", from, to}}, cmp.Or(checkPath(from), checkWorkPath(to))
}

// splitMove splits FROM TO, where FROM is always in the work directory.
func splitMove(s string) (command, error) {
	from, to, err := cutPaths(s, cutBeforeWork, cutAfterBuilt)
	if err != nil {
		return command{}, err
	}
	return command{args: []string{"mv", from, to}}, cmp.Or(checkWorkPath(from), checkPath(to))
}

func splitSymlink(s string) (command, error) {
	s, ok := strings.CutPrefix(s, "-s ")
	if !ok {
		return command{}, errForm
	}
	from, to, err := cutPaths(s)
	if err != nil {
		return command{}, err
	}
	return command{args: []string{"ln", "-s", from, to}}, cmp.Or(checkPath(from), checkPath(to))
}

// splitRemove splits -rf PATH..., which are all in the work directory.
func splitRemove(s string) (command, error) {
	flag, paths, ok := strings.Cut(s, " ")
	if !ok || flag != "-rf" && flag != "-f" {
		return command{}, errForm
	}
	c := command{args: []string{"rm", flag}}
	for paths != "" {
		path := paths
		if i := strings.Index(paths, " "+workDir+"/"); i >= 0 {
			path, paths = paths[:i], paths[i+1:]
		} else {
			paths = ""
		}
		if strings.Contains(path, " ") {
			return command{}, errSplit
		}
		if err := checkWorkPath(path); err != nil {
			return command{}, err
		}
		c.args = append(c.args, path)
	}
	if len(c.args) == 2 {
		return command{}, errForm
	}
	return c, nil
}

var errSplit = errors.New("a path has a space, and the line can be split in more than one way")

// cutPaths cuts s into two paths: at its only space, or else at the offset that the
// first of cuts finds.
func cutPaths(s string, cuts ...func(string) (int, bool)) (from, to string, err error) {
	switch strings.Count(s, " ") {
	case 0:
		return "", "", errForm
	case 1:
		from, to, _ = strings.Cut(s, " ")
		return from, to, nil
	}
	for _, cut := range cuts {
		if i, ok := cut(s); ok {
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errSplit
}

// cutBeforeWork finds the space before a path in the work directory, if there is just
// one.
func cutBeforeWork(s string) (int, bool) {
	i := strings.Index(s, " "+workDir+"/")
	return i, i > 0 && i == strings.LastIndex(s, " "+workDir+"/")
}

// cutAfterBuilt finds the space after the path of a program, an archive or a library
// that the go command has built, whose name has no space. A path that is not in the
// work directory must follow.
func cutAfterBuilt(s string) (int, bool) {
	i := strings.IndexByte(s, ' ')
	if !strings.HasPrefix(s, workDir+"/") || strings.Contains(s[i:], " "+workDir) {
		return 0, false
	}
	_, name := cutBase(s[:i])
	return i, name == "_pkg_.a" || strings.HasPrefix(name, "a.out") || strings.HasSuffix(strings.TrimSuffix(name, ".exe"), ".test")
}

// splitRun splits a command that runs a program, whose words may be quoted: see
// quotes.
func (p *parser) splitRun(line string) (command, error) {
	c := command{run: true}
	line, c.tail = cutTail(line)
	var err error
	if c.env, line, err = cutEnv(line); err != nil {
		return command{}, err
	}
	program, _, err := cutWord(line)
	if err != nil {
		return command{}, err
	}
	if !p.known(program) && !isGo(program) {
		return command{}, fmt.Errorf("unknown command %q", program)
	}
	if c.args, err = splitWords(line); err != nil {
		return command{}, err
	}
	if c.tool, err = toolName(c.args); err != nil {
		return command{}, err
	}
	return c, nil
}

// cutTail cuts off the comment or the "|| true" after a command.
func cutTail(line string) (cmd, tail string) {
	for _, tail := range []string{
		tailInternal,
		tailProbe,
		tailLinkTest + "succeeded)",
		tailLinkTest + "failed)",
	} {
		if cmd, ok := strings.CutSuffix(line, " "+tail); ok {
			return cmd, tail
		}
	}
	return line, tailNone
}
