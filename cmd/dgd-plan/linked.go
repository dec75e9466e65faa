package main

import (
	"context"

	"dgd/internal/stage"
)

func linkedStage(_ context.Context, b *build) error {
	var cfg stage.LinkedConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	list, err := stage.Linked(&cfg)
	if err != nil {
		return err
	}
	return b.write(list)
}
