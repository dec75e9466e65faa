// Command dgd-exec is the builder of every inner derivation: it carries out
// the actions of the file that $specPath names (see internal/action).
//
// Every inner derivation depends on its bytes, so it changes rarely.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"dgd/internal/executor"
)

func main() {
	var err error
	if len(os.Args) > 1 && os.Args[1] == executor.WatchedCommand {
		err = executor.Watched(os.Args[2:])
	} else {
		err = executor.Main(context.Background(), os.Stderr)
	}
	if err == nil {
		return
	}
	// A failed step has shown its program's own output already.
	if !errors.Is(err, executor.ErrShown) {
		fmt.Fprintln(os.Stderr, "dgd-exec:", err)
	}
	os.Exit(1)
}
