package main

import (
	"context"

	"dgd/internal/stage"
)

func probeStage(ctx context.Context, b *build) error {
	var cfg stage.Config
	if err := b.read(&cfg); err != nil {
		return err
	}
	probed, err := stage.Probe(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(probed)
}
