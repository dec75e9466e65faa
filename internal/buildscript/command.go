package buildscript

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// A command is one command of the script, split into words.
//
// It is made twice: first by split, which knows how the go command prints its
// commands, and then, from a shell's view of the first, by reread. The two must
// agree. The first knows nothing of a shell, and the second nothing of the go
// command: together they say that the script, with its quoting repaired, does
// what the first made of it, and holds nothing that a shell would expand,
// run beside or run in the background.
type command struct {
	env  []string // NAME=VALUE
	args []string
	to   string // the file that the output goes to
	text string // the text of a heredoc
	tail string // what follows the command, one of the tails below

	// run says that the command runs a program, which is the given tool of the
	// Go toolchain or, if that is "", another. Only split knows these two.
	run  bool
	tool string
}

const (
	tailNone     = ""
	tailInternal = "# internal"
	tailProbe    = "|| true"
	tailLinkTest = "# test for internal linking errors ("
)

// split splits the command that begins with line. A heredoc's text is taken from
// the lines that follow.
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

// isTestProgram reports whether the path is that of a test program.
func isTestProgram(path string) bool {
	return strings.HasPrefix(path, workDir+"/") && strings.HasSuffix(path, ".test")
}

// splitTest splits the run of a test program, whose words are printed without
// any quoting. Who adds flags to it must see to it that they have no spaces.
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

// The arguments of the commands that follow are paths that are printed without
// any quoting. A path with a space in it is understood where there is just one
// way to read the line.

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
		return c, checkWrite(c.to, "")
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
	return c, checkWrite(c.to, text)
}

// splitCat reads a heredoc. Its text is printed before "EOF\n" as it is, so
// that EOF stands on a line of its own unless the text does not end in a
// newline. The only such text is the embed configuration, JSON that is indented
// and so has no line of its own that begins with a brace before its last.
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
		c := command{args: []string{"cat"}, to: path, text: p.text[start:end], tail: tailInternal}
		if c.text == "" {
			return command{}, errors.New("the text is empty")
		}
		if strings.HasSuffix(path, "/vet.cfg") {
			c.text = fixVetConfig(c.text)
		}
		return c, checkWrite(path, c.text)
	}
	return command{}, errors.New("the text has no end")
}

// checkWrite checks the path and the text of a file. The go command writes
// nothing but files in the work directory.
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

// cutPaths cuts s into two paths, at its only space or where one of the given
// functions, asked in turn, knows the place.
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

// cutBeforeWork finds the only place where a path in the work directory can
// begin after a space.
func cutBeforeWork(s string) (int, bool) {
	i := strings.Index(s, " "+workDir+"/")
	return i, i > 0 && i == strings.LastIndex(s, " "+workDir+"/")
}

// cutAfterBuilt finds the end of the path of a program, an archive or a library
// that the go command has built, whose names have no spaces, before a path that
// is not in the work directory.
func cutAfterBuilt(s string) (int, bool) {
	i := strings.IndexByte(s, ' ')
	if !strings.HasPrefix(s, workDir+"/") || strings.Contains(s[i:], " "+workDir) {
		return 0, false
	}
	_, name := cutBase(s[:i])
	return i, name == "_pkg_.a" || strings.HasPrefix(name, "a.out") || strings.HasSuffix(strings.TrimSuffix(name, ".exe"), ".test")
}

// splitRun splits a command that runs a program. See quotes.
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

// cutTail cuts off what the go command may print after a command.
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

// reread writes c down for a shell, and reads it with the shell's parser.
func (p *parser) reread(c command) (command, error) {
	script, added := c.appendScript(p.buf[:0])
	p.buf = script
	file, err := p.shell.Parse(bytes.NewReader(script), "")
	if err != nil {
		return command{}, fmt.Errorf("not understood by the shell's parser: %w", err)
	}
	got, err := fromFile(file)
	if err != nil {
		return command{}, fmt.Errorf("not understood after the shell's parser: %w", err)
	}
	got.text = strings.TrimSuffix(got.text, added)
	if !c.equal(got) {
		return command{}, errors.New("a shell reads this in another way than the go command prints it")
	}
	got.run, got.tool = c.run, c.tool
	return got, nil
}

func (c command) equal(d command) bool {
	return slices.Equal(c.env, d.env) && slices.Equal(c.args, d.args) &&
		c.to == d.to && c.text == d.text && c.tail == d.tail
}

// appendScript appends c to b as a shell script with nothing in it to expand,
// and returns what had to be added to the text of the heredoc.
func (c command) appendScript(b []byte) (script []byte, added string) {
	for _, e := range c.env {
		name, value, _ := strings.Cut(e, "=")
		b = append(b, name...)
		b = append(b, '=')
		b = appendWord(b, value, false)
		b = append(b, ' ')
	}
	for i, arg := range c.args {
		if i > 0 {
			b = append(b, ' ')
		}
		// In quotes, the first word cannot be a word of the shell's own.
		b = appendWord(b, arg, i > 0)
	}
	if c.to != "" {
		b = append(b, " > "...)
		b = appendWord(b, c.to, false)
	}
	if c.text != "" {
		b = append(b, " << 'EOF'"...)
	}
	if c.tail != "" {
		b = append(b, ' ')
		b = append(b, c.tail...)
	}
	b = append(b, '\n')
	if c.text != "" {
		b = append(b, c.text...)
		if !strings.HasSuffix(c.text, "\n") {
			added = "\n"
			b = append(b, added...)
		}
		b = append(b, "EOF\n"...)
	}
	return b, added
}

// appendWord appends a word so that a shell takes it literally: as it is if it
// may be plain, between single quotes, or with escapes.
func appendWord(b []byte, word string, plain bool) []byte {
	plain = plain && word != ""
	quotable := true
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_./+,:@%", c) >= 0:
		case c < ' ', c >= 0x7f, c == '\'', c == '\\':
			plain, quotable = false, false
		default:
			plain = false
		}
	}
	switch {
	case plain:
		return append(b, word...)
	case quotable:
		b = append(b, '\'')
		b = append(b, word...)
		return append(b, '\'')
	}
	b = append(b, "$'"...)
	for i := 0; i < len(word); i++ {
		if c := word[i]; c < ' ' || c >= 0x7f || c == '\'' || c == '\\' {
			b = fmt.Appendf(b, `\x%02x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '\'')
}

var errShell = errors.New("more than one simple command")

// fromFile returns the one command of a shell script.
func fromFile(file *syntax.File) (command, error) {
	if len(file.Stmts) != 1 || len(file.Last) > 0 {
		return command{}, errShell
	}
	stmt := file.Stmts[0]
	c := command{}
	for _, comment := range stmt.Comments {
		c.tail += "#" + comment.Text
	}
	if or, ok := stmt.Cmd.(*syntax.BinaryCmd); ok {
		if !isProbe(stmt, or) {
			return command{}, errShell
		}
		c.tail += tailProbe
		stmt = or.X
	}
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || !isSimple(stmt) {
		return command{}, errShell
	}
	for _, a := range call.Assigns {
		if a.Append || a.Naked || a.Index != nil || a.Array != nil {
			return command{}, errors.New("not a simple assignment")
		}
		value, err := literal(a.Value)
		if err != nil {
			return command{}, err
		}
		c.env = append(c.env, a.Name.Value+"="+value)
	}
	for _, word := range call.Args {
		arg, err := literal(word)
		if err != nil {
			return command{}, err
		}
		c.args = append(c.args, arg)
	}
	for _, r := range stmt.Redirs {
		var err error
		switch {
		case r.N != nil:
			err = errors.New("a redirection of a numbered file")
		case r.Op == syntax.RdrOut && c.to == "":
			c.to, err = literal(r.Word)
		case r.Op == syntax.Hdoc && r.Hdoc != nil && c.text == "":
			c.text, err = literal(r.Hdoc)
		default:
			err = fmt.Errorf("the redirection %s", r.Op)
		}
		if err != nil {
			return command{}, err
		}
	}
	return c, nil
}

// isSimple reports whether a statement is nothing but its command and its
// redirections.
func isSimple(s *syntax.Stmt) bool {
	return !s.Negated && !s.Background && !s.Coprocess && !s.Disown && !s.Semicolon.IsValid()
}

// isProbe reports whether or, the command of stmt, is COMMAND || true.
func isProbe(stmt *syntax.Stmt, or *syntax.BinaryCmd) bool {
	if or.Op != syntax.OrStmt || !isSimple(stmt) || len(stmt.Redirs) > 0 || !isSimple(or.Y) || len(or.Y.Redirs) > 0 {
		return false
	}
	call, ok := or.Y.Cmd.(*syntax.CallExpr)
	return ok && len(call.Assigns) == 0 && len(call.Args) == 1 && call.Args[0].Lit() == "true"
}

// literal returns the text of a word in which nothing is to be expanded.
func literal(word *syntax.Word) (string, error) {
	if word == nil || len(word.Parts) != 1 {
		return "", errors.New("not a literal word")
	}
	switch part := word.Parts[0].(type) {
	case *syntax.Lit:
		return part.Value, nil
	case *syntax.SglQuoted:
		if part.Dollar {
			return unescape(part.Value)
		}
		return part.Value, nil
	}
	return "", errors.New("not a literal word")
}

// unescape undoes the escapes of appendWord.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `\x`)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		if len(after) < 2 {
			return "", errors.New("a short escape")
		}
		c, err := strconv.ParseUint(after[:2], 16, 8)
		if err != nil {
			return "", fmt.Errorf("a bad escape: %w", err)
		}
		b.WriteByte(byte(c))
		s = after[2:]
	}
}
