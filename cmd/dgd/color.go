package main

import (
	"io"
	"os"
)

// A painter adds colours to texts if it is true.
type painter bool

// newPainter returns the painter for w. It adds colours if w is a terminal, unless
// NO_COLOR is set or TERM is dumb.
func newPainter(w io.Writer) painter {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return painter(err == nil && info.Mode()&os.ModeCharDevice != 0)
}

// paint adds an ANSI code to a text.
func (p painter) paint(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) bold(text string) string  { return p.paint("1", text) }
func (p painter) red(text string) string   { return p.paint("31", text) }
func (p painter) green(text string) string { return p.paint("32", text) }
