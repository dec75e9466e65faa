package gocmd

import (
	"fmt"
	"io"
	"regexp"
)

// ServeNoCache speaks the protocol of GOCACHEPROG as a build cache that is always
// empty. With -n the go command uses a cache only to find out what is built already,
// but its own cache would get several files for each package, which nobody reads.
func ServeNoCache(in io.Reader, out io.Writer) error {
	// It knows neither get nor put nor close. The go command refuses an empty list.
	if _, err := fmt.Fprintln(out, `{"ID":0,"KnownCommands":["none"]}`); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in) // until the go command exits
	return err
}

// slowCache matches the message of the go command that the cache's program has not
// started yet, as happens on a busy machine.
var slowCache = regexp.MustCompile(`(?m)^# still waiting for GOCACHEPROG .*\n`)
