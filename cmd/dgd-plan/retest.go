package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/drvgen"
	"dgd/internal/stage"
)

// retestStage is one of a derivation of the executor's, which writes $out.
func retestStage(ctx context.Context, b *build) error {
	var cfg drvgen.RetestConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "configPath=") || strings.HasPrefix(v, "out=")
	})
	cores, err := strconv.Atoi(os.Getenv("NIX_BUILD_CORES"))
	if err != nil {
		return fmt.Errorf("NIX_BUILD_CORES: %w", err)
	}
	return stage.Retest(ctx, &cfg, env, cores, os.Stdout)
}
