package main

import (
	"context"

	"dgd/internal/workspace"
)

func modcacheStage(_ context.Context, b *build) error {
	var cfg workspace.Locked
	if err := b.read(&cfg); err != nil {
		return err
	}
	return cfg.WriteCache(b.out)
}
