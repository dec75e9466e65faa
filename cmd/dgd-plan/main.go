// Command dgd-plan is the planner: derivations of dgd's library run it as
// their builder, `dgd-plan STAGE`. A stage works on the JSON file that
// $configPath names, and its result goes to $out, or to the store socket of a
// sandbox that has no $out. Each stage reads its configuration here and calls
// the package that does the work. The command line for people is cmd/dgd.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"dgd/internal/nix/socket"
	"dgd/internal/stage"
)

func main() {
	// It lives for a second or so, and its memory is small.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "dgd-plan: it takes one argument, a stage:", strings.Join(slices.Sorted(maps.Keys(stages)), ", "))
		os.Exit(2)
	}
	if err := runStage(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dgd-plan:", err)
		os.Exit(1)
	}
}

func runStage(ctx context.Context, name string) error {
	stage, ok := stages[name]
	if !ok {
		return fmt.Errorf("there is no stage %q", name)
	}
	return stage(ctx, &build{
		config: os.Getenv("configPath"),
		out:    os.Getenv("out"),
		dir:    filepath.Join(os.Getenv("NIX_BUILD_TOP"), "dgd"),
	})
}

// A build is what Nix gives the builder of a derivation.
type build struct {
	config string // the file with the configuration
	out    string // where the result goes; empty where it is submitted to the store
	dir    string // a directory of its own, which does not exist yet
}

// read reads the configuration.
func (b *build) read(cfg any) error {
	text, err := os.ReadFile(b.config)
	if err != nil {
		return fmt.Errorf("reading $configPath: %w", err)
	}
	if err := json.Unmarshal(text, cfg); err != nil {
		return fmt.Errorf("reading $configPath: %w", err)
	}
	return nil
}

// write writes the result as JSON, or returns the error.
func (b *build) write(result any, err error) error {
	if err != nil {
		return err
	}
	return stage.WriteJSON(b.out, result)
}

// store opens the way to the store, where the sandbox has one; else it returns
// nil.
func (b *build) store(ctx context.Context, storeDir string) (socket.Store, error) {
	return socket.Open(ctx, socket.Sandbox{
		Remote:   os.Getenv("NIX_REMOTE"),
		Out:      b.out,
		Name:     os.Getenv("name"),
		StoreDir: storeDir,
	})
}
