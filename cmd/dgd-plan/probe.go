package main

import (
	"context"

	"dgd/internal/planner"
)

func probeStage(ctx context.Context, b *build) error {
	var cfg planner.Config
	if err := b.read(&cfg); err != nil {
		return err
	}
	flags, err := planner.Probe(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(flags)
}
