package main

import (
	"context"

	"dgd/internal/planner"
)

func linkedStage(_ context.Context, b *build) error {
	var cfg planner.LinkedConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	list, err := planner.Linked(&cfg)
	if err != nil {
		return err
	}
	return b.write(list)
}
