// Command dgd-plan is the planner, the builder of the planning derivations:
// `dgd-plan STAGE`. A stage reads its configuration, a JSON file, from
// $configPath and writes its result to $out, or to the store socket of a sandbox
// without $out. The command line for people is cmd/dgd.
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
		fmt.Fprintln(os.Stderr, "dgd-plan: takes one argument, the name of a stage:", strings.Join(slices.Sorted(maps.Keys(stages)), ", "))
		os.Exit(2)
	}
	if err := runStage(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dgd-plan:", err)
		os.Exit(1)
	}
}

// runStage runs a stage in the surroundings that Nix gives a builder.
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

// A build has the paths that Nix gives the builder of a derivation.
type build struct {
	config string // the file with the configuration
	out    string // the output; empty if the result is submitted to the store
	dir    string // a directory for temporary files, which does not exist yet
}

// read decodes the configuration into cfg.
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

// write writes the result as JSON, or returns err.
func (b *build) write(result any, err error) error {
	if err != nil {
		return err
	}
	return stage.WriteJSON(b.out, result)
}

// store returns a connection to the store, or nil if the sandbox offers none.
func (b *build) store(ctx context.Context, storeDir string) (socket.Client, error) {
	return socket.Open(ctx, socket.Sandbox{
		Remote:   os.Getenv("NIX_REMOTE"),
		Out:      b.out,
		Name:     os.Getenv("name"),
		StoreDir: storeDir,
	})
}
