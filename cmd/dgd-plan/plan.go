package main

import (
	"context"

	"dgd/internal/stage"
)

func planStage(ctx context.Context, b *build) error {
	var cfg stage.Config
	if err := b.read(&cfg); err != nil {
		return err
	}
	plan, err := stage.Make(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(plan)
}
