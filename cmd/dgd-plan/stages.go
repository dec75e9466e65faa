package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dgd/internal/modules"
	"dgd/internal/planner"
	"dgd/internal/store"
)

// stages are the commands of builders. What a stage works on is the JSON file
// that $configPath names, and the result goes to $out.
var stages = []struct{ name, short string }{
	{"skeleton", "What of the sources a plan depends on"},
	{"plan", "go build -n, parsed into a graph"},
	{"tests", "go test -n, parsed into a graph"},
	{"probe", "The C compilers' answers to cmd/go's probes"},
	{"unpack", "A module download cache, unpacked"},
	{"modcache", "The modules of a lock, as a module cache"},
	{"modules", "A vendor directory, or what was unpacked, split into modules"},
	{"bind", "A plan and its sources, made into derivations"},
	{"linked", "The modules that planned programs are linked from"},
}

// stageCommands returns the commands of builders, which the help leaves out.
func stageCommands() []*cobra.Command {
	var list []*cobra.Command
	for _, stage := range stages {
		list = append(list, &cobra.Command{
			Use:    stage.name,
			Short:  stage.short,
			Long:   stage.short + ".\n\nA derivation of dgd's library runs this as its builder, with $configPath and $out.",
			Args:   misused(cobra.NoArgs),
			Hidden: true,
			RunE:   func(cmd *cobra.Command, _ []string) error { return runStage(cmd.Context(), stage.name) },
		})
	}
	return list
}

func runStage(ctx context.Context, command string) error {
	out := os.Getenv("out")
	dir := filepath.Join(os.Getenv("NIX_BUILD_TOP"), "dgd")
	switch command {
	case "skeleton":
		var cfg struct {
			Src   string
			Tests bool
		}
		if err := config(&cfg); err != nil {
			return err
		}
		return planner.WriteSkeleton(ctx, cfg.Src, out, cfg.Tests)
	case "plan":
		var cfg planner.Config
		if err := config(&cfg); err != nil {
			return err
		}
		plan, err := planner.Make(ctx, &cfg, dir)
		if err != nil {
			return err
		}
		return planner.WriteJSON(out, plan)
	case "tests":
		var cfg planner.TestConfig
		if err := config(&cfg); err != nil {
			return err
		}
		plan, err := planner.MakeTests(ctx, &cfg, dir)
		if err != nil {
			return err
		}
		return planner.WriteJSON(out, plan)
	case "probe":
		var cfg planner.Config
		if err := config(&cfg); err != nil {
			return err
		}
		flags, err := planner.Probe(ctx, &cfg, dir)
		if err != nil {
			return err
		}
		return planner.WriteJSON(out, flags)
	case "unpack":
		var cfg struct{ Downloads string }
		if err := config(&cfg); err != nil {
			return err
		}
		return modules.Unpack(ctx, cfg.Downloads, out)
	case "modcache":
		var cfg planner.Locked
		if err := config(&cfg); err != nil {
			return err
		}
		return cfg.WriteCache(out)
	case "modules":
		var cfg planner.SplitConfig
		if err := config(&cfg); err != nil {
			return err
		}
		st, err := openStore(ctx, cfg.StoreDir)
		if err != nil {
			return err
		}
		if st != nil {
			defer st.Close()
		}
		list, err := planner.SplitModules(ctx, &cfg, st)
		if err != nil {
			return err
		}
		if st == nil {
			return planner.WriteJSON(out, list)
		}
		text, err := planner.JSON(list)
		if err != nil {
			return err
		}
		return st.SubmitFile(ctx, text)
	case "linked":
		var cfg planner.LinkedConfig
		if err := config(&cfg); err != nil {
			return err
		}
		list, err := planner.Linked(&cfg)
		if err != nil {
			return err
		}
		return planner.WriteJSON(out, list)
	case "bind":
		var cfg planner.BindConfig
		if err := config(&cfg); err != nil {
			return err
		}
		bound, err := planner.Bind(ctx, &cfg)
		if err != nil {
			return err
		}
		st, err := openStore(ctx, cfg.StoreDir)
		if err != nil {
			return err
		}
		if st == nil {
			if err := os.Mkdir(out, 0o777); err != nil {
				return err
			}
			return bound.WriteTo(out, cfg.StoreDir)
		}
		defer st.Close()
		return bound.AddTo(ctx, st, &cfg)
	}
	return fmt.Errorf("unknown stage %q", command)
}

// openStore opens the way to the store, where the sandbox has one.
func openStore(ctx context.Context, storeDir string) (store.Store, error) {
	return store.Open(ctx, store.Sandbox{
		Remote:   os.Getenv("NIX_REMOTE"),
		Out:      os.Getenv("out"),
		Name:     os.Getenv("name"),
		StoreDir: storeDir,
	})
}

func config(v any) error {
	text, err := os.ReadFile(os.Getenv("configPath"))
	if err != nil {
		return fmt.Errorf("reading $configPath: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("reading $configPath: %w", err)
	}
	return nil
}
