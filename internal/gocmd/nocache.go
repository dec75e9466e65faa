package gocmd

import (
	"fmt"
	"io"
	"regexp"
)

// ServeNoCache speaks as a program that GOCACHEPROG names: it is a build cache that
// has nothing and keeps nothing. With -n the go command only looks for what it could
// leave out; by itself it would write some files for each package, which nobody reads.
func ServeNoCache(in io.Reader, out io.Writer) error {
	// Of get, put and close it knows none, and a list without any command is an error.
	if _, err := fmt.Fprintln(out, `{"ID":0,"KnownCommands":["none"]}`); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in) // until the go command ends
	return err
}

// slowCache matches what the go command says while the cache's program begins, on a
// machine that has much to do.
var slowCache = regexp.MustCompile(`(?m)^# still waiting for GOCACHEPROG .*\n`)
