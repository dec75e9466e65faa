package buildscript

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// checkShell parses the printed text of a command with a shell's parser, and returns
// an error unless that gives the command c, the result of split for the same text.
// So it is an error if a word of c is an operator, a redirection or an expansion to a
// shell.
//
// The go command's quoting is not a shell's: a few characters in words, those that
// isPlain refuses, have another meaning in a shell. A command with such a word is
// not checked.
func (p *parser) checkShell(c command, text string) error {
	if !c.isPlain() {
		return nil
	}
	// A text that does not end in a newline: see splitCat.
	added := ""
	if c.text != "" && !strings.HasSuffix(c.text, "\n") {
		added = "\n"
		text = strings.TrimSuffix(text, "EOF\n") + added + "EOF\n"
	}
	file, err := p.shell.Parse(strings.NewReader(text), "")
	if err != nil {
		return fmt.Errorf("not understood by the shell's parser: %w", err)
	}
	got, err := readShell(file)
	if err != nil {
		return fmt.Errorf("not understood after the shell's parser: %w", err)
	}
	got.text = strings.TrimSuffix(got.text, added)
	if !c.equal(got) {
		return errors.New("a shell reads this in another way than the go command prints it")
	}
	return nil
}

func (c command) equal(d command) bool {
	return slices.Equal(c.env, d.env) && slices.Equal(c.args, d.args) &&
		c.to == d.to && c.text == d.text && c.tail == d.tail
}

// isPlain reports whether a shell's parser must give the same command.
func (c command) isPlain() bool {
	for _, e := range c.env {
		if _, value, _ := strings.Cut(e, "="); !isPlain(value, singleQuoted) {
			return false
		}
	}
	for i, arg := range c.args {
		how := bare
		if c.run {
			how = goQuoted
		}
		if i > 0 && c.args[0] == "echo" && arg != "-n" {
			how = singleQuoted
		}
		if !isPlain(arg, how) {
			return false
		}
	}
	return isPlain(c.to, bare) && !syntax.IsKeyword(c.args[0])
}

// quoting says how the go command prints a word.
type quoting int

const (
	bare         quoting = iota // without quotes, whatever characters it has
	goQuoted                    // without quotes, or as a Go string literal: see needsQuotes
	singleQuoted                // between single quotes
)

// isPlain reports whether a shell's parser must give the same word. It does if the
// word has no characters that are special to a shell where they are printed, and
// none whose escape in a Go string literal a shell does not know.
func isPlain(word string, how quoting) bool {
	if how == singleQuoted {
		return !strings.Contains(word, "'") && utf8.ValidString(word)
	}
	for i := 0; i < len(word); i++ {
		switch c := word[i]; c {
		case '&', '|', '#', '\'', '`', '<':
			return false
		case '$':
			if !isWork(word[i:]) {
				return false
			}
		case ' ', '(', ')', '>', ';', '"', '\\':
			if how == bare {
				return false
			}
		default:
			if c < ' ' || c > '~' {
				return false
			}
		}
	}
	return true
}

// isWork reports whether s begins with the variable $WORK, and not with a longer name.
func isWork(s string) bool {
	rest, ok := strings.CutPrefix(s, workDir)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '=')
}

var errShell = errors.New("more than one simple command")

// readShell returns the one command of a shell script.
func readShell(file *syntax.File) (command, error) {
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
	return c, c.redirect(stmt.Redirs)
}

// redirect sets c.to and c.text from the redirections of the command.
func (c *command) redirect(list []*syntax.Redirect) error {
	for _, r := range list {
		var err error
		switch {
		case r.N != nil:
			err = errors.New("a redirection of a numbered file")
		case r.Op == syntax.RdrOut && c.to == "":
			c.to, err = literal(r.Word)
		case r.Op == syntax.Hdoc && r.Hdoc != nil && c.text == "":
			c.text, err = heredoc(r)
		default:
			err = fmt.Errorf("the redirection %s", r.Op)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isSimple reports whether a statement has only a command and redirections.
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

var errWord = errors.New("not a literal word")

// heredoc returns the text of a heredoc in which nothing is expanded.
func heredoc(r *syntax.Redirect) (string, error) {
	if _, quoted := r.Word.Parts[0].(*syntax.SglQuoted); !quoted || len(r.Hdoc.Parts) != 1 {
		return "", errWord
	}
	text, ok := r.Hdoc.Parts[0].(*syntax.Lit)
	if !ok {
		return "", errWord
	}
	return text.Value, nil
}

// literal returns the text of a word that is wholly quoted or not at all, and in
// which a shell would expand nothing but $WORK.
func literal(word *syntax.Word) (string, error) {
	if word == nil || len(word.Parts) == 0 {
		return "", errWord
	}
	switch part := word.Parts[0].(type) {
	case *syntax.SglQuoted:
		if part.Dollar || len(word.Parts) > 1 {
			return "", errWord
		}
		return part.Value, nil
	case *syntax.DblQuoted:
		if part.Dollar || len(word.Parts) > 1 {
			return "", errWord
		}
		return join(part.Parts, true)
	}
	return join(word.Parts, false)
}

// unescape undoes the escapes that are the same in a shell's double quotes and in a
// Go string literal.
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

// join returns the text of the parts of a word.
func join(parts []syntax.WordPart, quoted bool) (string, error) {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if !quoted && strings.Contains(part.Value, `\`) {
				return "", errWord
			}
			if quoted {
				unescape.WriteString(&b, part.Value)
			} else {
				b.WriteString(part.Value)
			}
		case *syntax.ParamExp:
			if !part.Short || "$"+part.Param.Value != workDir {
				return "", errWord
			}
			b.WriteString(workDir)
		default:
			return "", errWord
		}
	}
	return b.String(), nil
}
