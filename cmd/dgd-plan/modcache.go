package main

import (
	"context"

	"dgd/internal/planner"
)

func modcacheStage(_ context.Context, b *build) error {
	var cfg planner.Locked
	if err := b.read(&cfg); err != nil {
		return err
	}
	return cfg.WriteCache(b.out)
}
