package main

import (
	"context"

	"dgd/internal/drvgen"
	"dgd/internal/stage"
)

func needsStage(_ context.Context, b *build) error {
	var cfg drvgen.NeedsConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	needs, err := stage.FindNeeds(&cfg)
	if err != nil {
		return err
	}
	return b.write(needs)
}
