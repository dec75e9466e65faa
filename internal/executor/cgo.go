package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"dgd/internal/action"
)

// troubles are what a compiler or a linker says when it fails for want of disk
// or memory, and not because of what it was given.
var troubles = []string{
	"No space left on device",
	"Cannot allocate memory",
	"memory exhausted",
	"out of memory",
	"signal terminated program", // gcc: fatal error: Killed signal terminated program cc1
	"terminated with signal",    // collect2: fatal error: ld terminated with signal 9
}

// dynImport runs the linking test of a cgo package and branches on it as
// cmd/go does: a package that does not link on its own is marked for the
// external linker, which is no failure. A test that did not come to an answer
// is one: the mark would stay in the store.
func (r *runner) dynImport(ctx context.Context, d *action.DynImport) error {
	out, err := r.command(ctx, &d.Link)
	if errors.Is(err, ErrShown) && !containsAny(out, troubles) {
		fail, err := r.expand(d.Fail)
		if err != nil {
			return err
		}
		return os.WriteFile(fail, nil, 0o666)
	}
	if err != nil {
		r.show(out)
		return err
	}
	out, err = r.command(ctx, &d.Import)
	r.show(out)
	return err
}

func containsAny(text []byte, list []string) bool {
	for _, s := range list {
		if bytes.Contains(text, []byte(s)) {
			return true
		}
	}
	return false
}

func (r *runner) pkgConfig(ctx context.Context, p *action.PkgConfig) error {
	out, err := r.command(ctx, &p.Run)
	if err != nil {
		r.show(out)
		return err
	}
	words, err := splitPkgConfig(strings.TrimSpace(string(out)))
	if err != nil {
		return err
	}
	if p.Libs {
		r.libs = append(r.libs, words...)
	} else {
		r.cflags = append(r.cflags, words...)
	}
	return nil
}

// splitPkgConfig splits pkg-config's output into words as cmd/go does, by the
// shell's rules without its expansions: what a shell would expand or take for
// an operator is an error where it is not quoted.
func splitPkgConfig(s string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool // a word has begun, which may be empty: ''
		quote  byte
	)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'', quote == '"' && strings.IndexByte("$`\\", c) < 0:
			word.WriteByte(c)
		case c == '\\':
			if i++; i == len(s) {
				return nil, fmt.Errorf("pkg-config printed a backslash at its end: %s", s)
			}
			// Within double quotes a backslash escapes only what is special there.
			if quote == '"' && strings.IndexByte("$`\"\\\n", s[i]) < 0 {
				word.WriteByte('\\')
			}
			if s[i] != '\n' { // else the line goes on
				word.WriteByte(s[i])
			}
		case strings.IndexByte("|&;<>()$`", c) >= 0:
			return nil, fmt.Errorf("pkg-config printed the shell's character %q without a quote: %s", c, s)
		case c == '\'' || c == '"':
			quote = c
			inWord = true
		case c == ' ' || c == '\t' || c == '\n':
			if inWord || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("pkg-config printed an unbalanced quote: %s", s)
	}
	if inWord || word.Len() > 0 {
		words = append(words, word.String())
	}
	return words, nil
}

// flagsOf returns the flags of a C compiler, and none where no compiler is named.
func (r *runner) flagsOf(command string) (flags action.CompilerFlags, err error) {
	if command == "" {
		return flags, nil
	}
	if command, err = r.expand(command); err != nil {
		return flags, err
	}
	file, err := r.expand(r.unit.Compilers)
	if err != nil {
		return flags, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return flags, fmt.Errorf("reading the flags of C compilers: %w", err)
	}
	var probed action.Probed
	if err := json.Unmarshal(text, &probed); err != nil {
		return flags, fmt.Errorf("reading the flags of C compilers in %s: %w", file, err)
	}
	flags, ok := probed.Compilers[command]
	if !ok {
		return flags, fmt.Errorf("dgd does not know which flags the go command adds to those of the C compiler %q: %s", command, probed.Failed)
	}
	return flags, nil
}
