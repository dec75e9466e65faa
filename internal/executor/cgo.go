package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"dgd/internal/action"
)

// dynImport runs the linking test of a cgo package and branches on it as
// cmd/go does: a package that does not link on its own is marked for the
// external linker, which is no failure.
func (r *runner) dynImport(ctx context.Context, d *action.DynImport) error {
	if _, err := r.command(ctx, &d.Link); err != nil {
		if !errors.Is(err, ErrShown) {
			return err
		}
		fail, err := r.expand(d.Fail)
		if err != nil {
			return err
		}
		return os.WriteFile(fail, nil, 0o666)
	}
	out, err := r.command(ctx, &d.Import)
	r.show(out, err)
	return err
}

func (r *runner) pkgConfig(ctx context.Context, p *action.PkgConfig) error {
	out, err := r.command(ctx, &p.Run)
	if err != nil {
		r.show(out, err)
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

// splitPkgConfig splits pkg-config's output into words. It quotes as a shell
// does: single quotes are literal, within double quotes and outside of quotes
// a backslash takes the next character literally.
func splitPkgConfig(s string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  byte
	)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
			word.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\':
			if i++; i == len(s) {
				return nil, fmt.Errorf("pkg-config printed a backslash at its end: %s", s)
			}
			// Within double quotes a backslash escapes only what is special there.
			if quote == '"' && !strings.ContainsRune("$`\"\\\n", rune(s[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
			inWord = true
		case c == '\'' || c == '"':
			quote = c
			inWord = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("pkg-config printed an unbalanced quote: %s", s)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
