package main

import (
	"context"

	"dgd/internal/stage"
)

func testsStage(ctx context.Context, b *build) error {
	var cfg stage.TestConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	plan, err := stage.MakeTests(ctx, &cfg, b.dir)
	if err != nil {
		return err
	}
	return b.write(plan)
}
