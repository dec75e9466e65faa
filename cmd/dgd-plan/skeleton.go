package main

import (
	"context"

	"dgd/internal/planner"
)

func skeletonStage(ctx context.Context, b *build) error {
	var cfg planner.SkeletonConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return planner.WriteSkeleton(ctx, &cfg, b.out)
}
