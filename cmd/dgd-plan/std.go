package main

import (
	"context"

	"dgd/internal/stage"
)

func stdStage(ctx context.Context, b *build) error {
	var cfg stage.BindConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	bound, err := stage.BindStd(&cfg)
	if err != nil {
		return err
	}
	return b.hand(ctx, bound, &cfg)
}
