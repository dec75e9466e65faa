// Command dgd-plan is the planner: derivations of dgd's library run it as
// their builder, `dgd-plan STAGE`. A stage works on the JSON file that
// $configPath names, and its result goes to $out, or to the store socket of a
// sandbox that has no $out. Each stage is a file here, which reads its
// configuration and calls the package that does the work. The command line
// for people is cmd/dgd.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"dgd/internal/nix/socket"
	"dgd/internal/stage"
)

// stages are the stages by name, which is that of the attribute in
// lib/stages/planning.nix, too. The last two are steps of derivations that bind makes.
var stages = map[string]func(context.Context, *build) error{
	"settings":   settingsStage,  // arguments that phases have changed, with stand-ins for what only a link depends on
	"sources":    sourcesStage,   // sources that were built, with what symlinks into the store lead to
	"skeleton":   skeletonStage,  // the part of the sources that a plan depends on
	"plan":       planStage,      // go build -n, parsed into a graph
	"tests":      testsStage,     // go test -n, parsed into a graph
	"check-plan": checkPlanStage, // a plan in a file, compared with the sources
	"std-specs":  stdSpecsStage,  // what the parts of the standard library's plan are built by
	"probe":      probeStage,     // the C compilers' answers to cmd/go's probes
	"unpack":     unpackStage,    // a module download cache, unpacked
	"modcache":   modcacheStage,  // the modules of a lock, as a module cache
	"modules":    modulesStage,   // a vendor directory, or what was unpacked, split into modules
	"std":        stdStage,       // the derivation of what every program uses of the standard library
	"bind":       bindStage,      // a plan and its sources, made into derivations
	"linked":     linkedStage,    // the modules that planned programs are linked from
	"needs":      needsStage,     // which tests must run with all of src
	"retest":     retestStage,    // the runs of these
}

func main() {
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

// write writes the result as JSON.
func (b *build) write(result any) error { return stage.WriteJSON(b.out, result) }

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
