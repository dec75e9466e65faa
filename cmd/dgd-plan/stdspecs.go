package main

import (
	"context"

	"dgd/internal/stage"
)

func stdSpecsStage(_ context.Context, b *build) error {
	var cfg stage.StdSpecsConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return stage.WriteStdSpecs(&cfg, b.out)
}
