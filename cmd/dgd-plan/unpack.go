package main

import (
	"context"

	"dgd/internal/modules"
)

func unpackStage(ctx context.Context, b *build) error {
	var cfg struct{ Downloads string }
	if err := b.read(&cfg); err != nil {
		return err
	}
	return modules.Unpack(ctx, cfg.Downloads, b.out)
}
