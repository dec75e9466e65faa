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

// stages are the stages by name. Those that lib/stages calls have the same names
// there; the last two are steps of derivations that bind makes.
var stages = map[string]func(context.Context, *build) error{
	// settings that phases have changed, with placeholders for the values of -X
	"settings": of(func(_ context.Context, b *build, cfg *stage.SettingsConfig) error {
		return stage.HideSettings(cfg, b.out)
	}),
	// built sources, with copies in place of symlinks into the store
	"sources": of(func(_ context.Context, b *build, cfg *stage.SourcesConfig) error {
		return stage.WriteSources(cfg, b.out)
	}),
	// the part of the sources that the plan depends on
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
	// fails if a plan in a file is not the plan of the sources
	"check-plan": of(func(ctx context.Context, b *build, cfg *stage.CheckConfig) error {
		if err := stage.CheckFile(ctx, cfg, b.dir); err != nil {
			return err
		}
		return os.WriteFile(b.out, nil, 0o666)
	}),
	// the specs of the derivations of the standard library's parts
	"std-specs": of(func(_ context.Context, b *build, cfg *stage.StdSpecsConfig) error {
		return stage.WriteStdSpecs(cfg, b.out)
	}),
	// the flags of C compilers that cmd/go finds out by running them
	"probe": of(func(ctx context.Context, b *build, cfg *stage.Config) error {
		return b.write(stage.Probe(ctx, cfg, b.dir))
	}),
	// the modules of a module download cache, unpacked
	"unpack": of(func(ctx context.Context, b *build, cfg *struct{ Downloads string }) error {
		return modules.Unpack(ctx, cfg.Downloads, b.out)
	}),
	// the modules of a lock, as a module cache
	"modcache": of(func(_ context.Context, b *build, cfg *workspace.Locked) error {
		return cfg.WriteCache(b.out)
	}),
	// a vendor directory, or a directory of unpacked modules, split into modules
	"modules": of(splitModules),
	// the derivation of the first part of the standard library
	"std": of(func(ctx context.Context, b *build, cfg *stage.BindConfig) error {
		bound, err := stage.BindStd(cfg)
		return b.pass(ctx, bound, err, cfg)
	}),
	// the derivations of a plan and its sources
	"bind": of(func(ctx context.Context, b *build, cfg *stage.BindConfig) error {
		bound, err := stage.Bind(ctx, cfg)
		return b.pass(ctx, bound, err, cfg)
	}),
	// the modules that the planned programs are linked from
	"linked": of(func(_ context.Context, b *build, cfg *stage.LinkedConfig) error {
		return b.write(stage.Linked(cfg))
	}),
	// which tests must run with all of src
	"needs": of(func(_ context.Context, b *build, cfg *drvgen.NeedsConfig) error {
		return b.write(stage.FindNeeds(cfg))
	}),
	// runs these tests
	"retest": of(retest),
}

// of returns a stage that reads its configuration and calls do.
func of[C any](do func(context.Context, *build, *C) error) func(context.Context, *build) error {
	return func(ctx context.Context, b *build) error {
		var cfg C
		if err := b.read(&cfg); err != nil {
			return err
		}
		return do(ctx, b, &cfg)
	}
}

// splitModules is the stage modules.
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

// pass hands derivations to Nix, over the store socket if the sandbox has one, or else
// as data. It returns err if that is not nil.
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
	// With import from derivation, evaluation prints this message.
	if bound.Unplanned != "" {
		fmt.Fprintln(os.Stderr, bound.Unplanned)
	}
	return bound.AddTo(ctx, st, cfg)
}

// retest is the stage retest: a step of a derivation of the executor, whose next step
// writes $out.
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
