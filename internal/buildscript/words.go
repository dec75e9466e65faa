package buildscript

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The go command prints a word of a command as a Go string literal if the word is
// empty, has one of the characters ` ()>;`, or is changed by strconv.Quote. Else it
// prints the word unchanged, even with characters that are operators, comments,
// expansions or quotes to a shell, as in the file names a&b.go, a#b.go, a$b.go and
// a'b.go.

// needsQuotes reports whether the go command prints word as a Go string literal.
func needsQuotes(word string) bool {
	must, nonASCII := quotes(word)
	return must || nonASCII && len(strconv.Quote(word)) > len(word)+2
}

// quotes reports whether the go command must print word as a Go string literal. If
// nonASCII is set, word has other characters than those of ASCII, and the answer can
// also depend on the version of Unicode, and so of Go.
func quotes(word string) (must, nonASCII bool) {
	must = word == ""
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c >= utf8.RuneSelf:
			nonASCII = true
		case c <= ' ', c == 0x7f, c == '"', c == '\\', c == '(', c == ')', c == '>', c == ';':
			must = true
		}
	}
	return must || nonASCII && !utf8.ValidString(word), nonASCII
}

// splitWords splits a command line into words, and removes the quotes.
func splitWords(s string) ([]string, error) {
	words := make([]string, 0, 1+strings.Count(s, " "))
	for {
		word, rest, err := cutWord(s)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		if rest == "" {
			return words, nil
		}
		s = rest[1:]
	}
}

// cutWord cuts the first word off s. The rest is empty or begins with a space.
func cutWord(s string) (word, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", errors.New("unbalanced quote")
		}
		word, _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
		rest = s[len(quoted):]
		if rest != "" && rest[0] != ' ' {
			return "", "", fmt.Errorf("text after the closing quote of %s", quoted)
		}
		if must, nonASCII := quotes(word); !nonASCII && (!must || strconv.Quote(word) != quoted) {
			return "", "", fmt.Errorf("the go command does not print a word as %s", quoted)
		}
		return word, rest, nil
	}
	word, rest = s, ""
	if i := strings.IndexByte(s, ' '); i >= 0 {
		word, rest = s[:i], s[i:]
	}
	if must, _ := quotes(word); must {
		return "", "", fmt.Errorf("the go command does not print a word as %q without quotes", word)
	}
	return word, rest, nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=['"]`)

// cutEnv cuts the NAME=VALUE assignments off the front of s. A value is printed
// between single quotes, or as a Go string literal if it has a single quote.
func cutEnv(s string) (env []string, rest string, err error) {
	for {
		name := envName.FindString(s)
		if name == "" {
			return env, s, nil
		}
		quote := len(name) - 1
		name = name[:quote]
		var value string
		if s[quote] == '\'' {
			var ok bool
			if value, s, ok = strings.Cut(s[quote+1:], "'"); !ok {
				return nil, "", errors.New("unbalanced quote")
			}
		} else {
			quoted, err := strconv.QuotedPrefix(s[quote:])
			if err != nil {
				return nil, "", errors.New("unbalanced quote")
			}
			value, _ = strconv.Unquote(quoted)
			_, nonASCII := quotes(value)
			if !strings.Contains(value, "'") || !nonASCII && strconv.Quote(value) != quoted {
				return nil, "", fmt.Errorf("the go command does not print a value as %s", quoted)
			}
			s = s[quote+len(quoted):]
		}
		if s == "" || s[0] != ' ' {
			return nil, "", fmt.Errorf("no space after the value of %s", strings.TrimSuffix(name, "="))
		}
		s = s[1:]
		env = append(env, name+value)
	}
}

// workDir is how -n prints the work directory.
const workDir = "$WORK"

// checkWords returns an error for words that cannot be arguments, and for words in
// which $WORK may not be the work directory.
func checkWords(words []string) error {
	for _, word := range words {
		if strings.IndexByte(word, 0) >= 0 {
			return fmt.Errorf("a word has a zero byte: %q", word)
		}
		if err := checkWork(word); err != nil {
			return err
		}
	}
	return nil
}

// The go command makes the names of generated Go files absolute in two places. Under
// -n it takes $WORK there for a relative path, and prints DIR/$WORK/b001/x.cover.go.
// A real build has $WORK/b001/x.cover.go.

// fixCgoFiles corrects such names among the arguments of cgo.
func fixCgoFiles(dir string, args []string) {
	for i, arg := range args {
		if file, ok := strings.CutPrefix(Undot(dir, arg), dir+"/"+workDir+"/"); ok && strings.HasSuffix(file, ".go") {
			args[i] = workDir + "/" + file
		}
	}
}

// fixVetConfig corrects such names in the configuration of vet, indented JSON that
// has the directory as Dir.
func fixVetConfig(text string) string {
	_, dir, ok := strings.Cut(text, "\n\t\"Dir\": \"")
	if !ok {
		return text
	}
	dir, _, _ = strings.Cut(dir, "\",\n")
	return strings.ReplaceAll(text, "\n\t\t\""+dir+"/"+workDir+"/", "\n\t\t\""+workDir+"/")
}

// checkPath returns an error unless path can be printed without quoting: it must not
// be empty, and have no control characters.
func checkPath(path string) error {
	if path == "" {
		return errors.New("a path is missing")
	}
	if strings.ContainsFunc(path, unicode.IsControl) {
		return fmt.Errorf("a path has a control character: %q", path)
	}
	return checkWork(path)
}

// checkWork returns an error unless each $WORK in s must be the work directory. Under
// -n the go command prints the literal text $WORK for it, in file texts, too, so that
// a user's file with $WORK in its name looks the same. The work directory is an
// absolute path. So after a slash, a dot or a letter (but for a flag, -I$WORK), and
// before anything but a slash or the end of a path, $WORK is part of a longer name.
func checkWork(s string) error {
	for rest, off := s, 0; ; {
		i := strings.Index(rest, workDir)
		if i < 0 {
			return nil
		}
		i += off
		end := i + len(workDir)
		if !workBefore(s[:i]) || !workAfter(s[end:]) {
			return fmt.Errorf("%s is part of a longer name here, and may not be the work directory", workDir)
		}
		rest, off = s[end:], end
	}
}

func workBefore(s string) bool {
	if s == "" {
		return true
	}
	switch c := s[len(s)-1]; {
	case c == '/', c == '.', c == '-', c == '_', c == '$', c == '\\', c >= utf8.RuneSelf, '0' <= c && c <= '9':
		return false
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		// -I, -L, -isystem: letters only between a dash and here.
		flag := strings.TrimRightFunc(s, unicode.IsLetter)
		return flag == "-"
	}
	return true
}

func workAfter(s string) bool {
	return s == "" || strings.IndexByte("/=;:,\"' \n)", s[0]) >= 0
}

// Undot undoes the shortening of words in a Step whose Shortened is set. The go
// command has replaced each " "+dir by " ." there, where dir is the Step's Dir. So a
// word that begins with a dot began with dir:
//
//	Undot("/src/p", ".") = "/src/p"
//	Undot("/src/p", "./x.c") = "/src/p/x.c"
//	Undot("/src/p", ".q/x.c") = "/src/pq/x.c"
//	Undot("$WORK/b001/", "./x.c") = "$WORK/b001/x.c"
//
// A word that began with a dot itself, as a #cgo flag may, looks the same: Undot
// expands it, and a caller that knows the user's flags has to correct that. Undot
// does not change
//
//   - words that begin with "..": -I ../x is far more likely than a directory
//     /src/p. beside /src/p;
//   - words that are printed in quotes, as there is no space before the path;
//   - a dot after a space in a quoted word: Parse refuses these, unless there are
//     two dots.
//
// It must not be used for words of steps that are not Shortened.
func Undot(dir, word string) string {
	dot := "."
	if strings.HasSuffix(dir, "/") {
		dot = "./"
	}
	rest, ok := strings.CutPrefix(word, dot)
	if !ok || !shortens(dir) || word == ".." || strings.HasPrefix(word, "../") || needsQuotes(word) {
		return word
	}
	return dir + rest
}

// shortens reports whether the go command shortens words that begin with dir: not
// if dir is a dot, or if it causes the words to be quoted.
func shortens(dir string) bool {
	return dir != "" && dir != "/" && dir != "." && !needsQuotes(dir)
}

// checkShortened returns an error for commands in which the shortening of dir cannot
// be undone.
func checkShortened(dir string, c command) error {
	if dir == "" || dir == "." {
		return nil
	}
	// If dir has a space, words that begin with it are quoted and not shortened. But
	// two words, of which the first ends and the second begins with a part of dir's
	// name, become one.
	if strings.Contains(dir, " ") {
		for _, word := range c.args {
			if strings.HasPrefix(word, ".") {
				return fmt.Errorf("%q is ambiguous in a directory with a space in its name, %q", word, dir)
			}
		}
	}
	for _, list := range [][]string{c.env, c.args} {
		for _, word := range list {
			if dottedInside(word) {
				return fmt.Errorf("in %q the dot after a space may stand for the directory %q", word, dir)
			}
		}
	}
	return nil
}

// dottedInside reports whether the word has a dot after a space, which may be a
// shortened path. Two dots do not count, as in Undot.
func dottedInside(word string) bool {
	for {
		_, rest, ok := strings.Cut(word, " .")
		if !ok {
			return false
		}
		if !strings.HasPrefix(rest, ".") {
			return true
		}
		word = rest
	}
}
