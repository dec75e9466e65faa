package main

import (
	"context"

	"dgd/internal/planner"
)

func stdSpecsStage(_ context.Context, b *build) error {
	var cfg planner.StdSpecsConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return planner.WriteStdSpecs(&cfg, b.out)
}
