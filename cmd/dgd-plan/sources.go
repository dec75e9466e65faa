package main

import (
	"context"

	"dgd/internal/stage"
)

func sourcesStage(_ context.Context, b *build) error {
	var cfg stage.SourcesConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return stage.WriteSources(&cfg, b.out)
}
