package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/drvgen"
	"dgd/internal/modules"
	"dgd/internal/stage"
	"dgd/internal/workspace"
)

// stages are the stages by name, which is that of the attribute in
// lib/stages/planning.nix, too. The last two are steps of derivations that bind makes.
var stages = map[string]func(context.Context, *build) error{
	// arguments that phases have changed, with stand-ins for what only a link depends on
	"settings": of(func(_ context.Context, b *build, cfg *stage.SettingsConfig) error {
		return stage.HideSettings(cfg, b.out)
	}),
	// sources that were built, with what symlinks into the store lead to
	"sources": of(func(_ context.Context, b *build, cfg *stage.SourcesConfig) error {
		return stage.WriteSources(cfg, b.out)
	}),
	// the part of the sources that a plan depends on
	"skeleton": of(func(ctx context.Context, b *build, cfg *stage.SkeletonConfig) error {
		return stage.WriteSkeleton(ctx, cfg, b.out)
	}),
	// go build -n, parsed into a graph
	"plan": of(func(ctx context.Context, b *build, cfg *stage.Config) error {
		return b.write(stage.Make(ctx, cfg, b.dir))
	}),
	// go test -n, parsed into a graph
	"tests": of(func(ctx context.Context, b *build, cfg *stage.TestConfig) error {
		return b.write(stage.MakeTests(ctx, cfg, b.dir))
	}),
	// a plan in a file, compared with the sources
	"check-plan": of(func(ctx context.Context, b *build, cfg *stage.CheckConfig) error {
		if err := stage.CheckFile(ctx, cfg, b.dir); err != nil {
			return err
		}
		return os.WriteFile(b.out, nil, 0o666)
	}),
	// what the parts of the standard library's plan are built by
	"std-specs": of(func(_ context.Context, b *build, cfg *stage.StdSpecsConfig) error {
		return stage.WriteStdSpecs(cfg, b.out)
	}),
	// the C compilers' answers to cmd/go's probes
	"probe": of(func(ctx context.Context, b *build, cfg *stage.Config) error {
		return b.write(stage.Probe(ctx, cfg, b.dir))
	}),
	// a module download cache, unpacked
	"unpack": of(func(ctx context.Context, b *build, cfg *struct{ Downloads string }) error {
		return modules.Unpack(ctx, cfg.Downloads, b.out)
	}),
	// the modules of a lock, as a module cache
	"modcache": of(func(_ context.Context, b *build, cfg *workspace.Locked) error {
		return cfg.WriteCache(b.out)
	}),
	// a vendor directory, or what was unpacked, split into modules
	"modules": of(splitModules),
	// the derivation of what every program uses of the standard library
	"std": of(func(ctx context.Context, b *build, cfg *stage.BindConfig) error {
		bound, err := stage.BindStd(cfg)
		return b.pass(ctx, bound, err, cfg)
	}),
	// a plan and its sources, made into derivations
	"bind": of(func(ctx context.Context, b *build, cfg *stage.BindConfig) error {
		bound, err := stage.Bind(ctx, cfg)
		return b.pass(ctx, bound, err, cfg)
	}),
	// the modules that planned programs are linked from
	"linked": of(func(_ context.Context, b *build, cfg *stage.LinkedConfig) error {
		return b.write(stage.Linked(cfg))
	}),
	// which tests must run with all of src
	"needs": of(func(_ context.Context, b *build, cfg *drvgen.NeedsConfig) error {
		return b.write(stage.FindNeeds(cfg))
	}),
	// the runs of these
	"retest": of(retest),
}

// of makes a stage of a function, for which it reads the configuration.
func of[C any](do func(context.Context, *build, *C) error) func(context.Context, *build) error {
	return func(ctx context.Context, b *build) error {
		var cfg C
		if err := b.read(&cfg); err != nil {
			return err
		}
		return do(ctx, b, &cfg)
	}
}

func splitModules(ctx context.Context, b *build, cfg *stage.SplitConfig) error {
	st, err := b.store(ctx, cfg.StoreDir)
	if err != nil {
		return err
	}
	if st == nil {
		return b.write(stage.SplitModules(ctx, cfg, nil))
	}
	defer st.Close()
	list, err := stage.SplitModules(ctx, cfg, st)
	if err != nil {
		return err
	}
	text, err := stage.JSON(list)
	if err != nil {
		return err
	}
	return st.SubmitFile(ctx, text)
}

// pass passes derivations to Nix, or the error on: over the store socket if the sandbox
// has one, else as data.
func (b *build) pass(ctx context.Context, bound *stage.Bound, err error, cfg *stage.BindConfig) error {
	if err != nil {
		return err
	}
	st, err := b.store(ctx, cfg.StoreDir)
	if err != nil {
		return err
	}
	if st == nil {
		if err := os.Mkdir(b.out, 0o777); err != nil {
			return err
		}
		return bound.WriteTo(b.out, cfg.StoreDir)
	}
	defer st.Close()
	// Where evaluation reads the plan, it says so.
	if bound.Unplanned != "" {
		fmt.Fprintln(os.Stderr, bound.Unplanned)
	}
	return bound.AddTo(ctx, st, cfg)
}

// retest is a step of a derivation of the executor's, which writes $out.
func retest(ctx context.Context, _ *build, cfg *drvgen.RetestConfig) error {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "configPath=") || strings.HasPrefix(v, "out=")
	})
	cores, err := strconv.Atoi(os.Getenv("NIX_BUILD_CORES"))
	if err != nil {
		return fmt.Errorf("NIX_BUILD_CORES: %w", err)
	}
	return stage.Retest(ctx, cfg, env, cores, os.Stdout)
}
