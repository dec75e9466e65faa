package main

import (
	"context"

	"dgd/internal/planner"
)

func testsStage(ctx context.Context, b *build) error {
	var cfg planner.TestConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	plan, err := planner.MakeTests(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(plan)
}
