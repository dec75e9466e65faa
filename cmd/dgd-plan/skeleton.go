package main

import (
	"context"

	"dgd/internal/stage"
)

func skeletonStage(ctx context.Context, b *build) error {
	var cfg stage.SkeletonConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return stage.WriteSkeleton(ctx, &cfg, b.out)
}
