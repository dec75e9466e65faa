package main

import (
	"context"

	"dgd/internal/planner"
)

func planStage(ctx context.Context, b *build) error {
	var cfg planner.Config
	if err := b.read(&cfg); err != nil {
		return err
	}
	plan, err := planner.Make(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(plan)
}
