package main

import (
	"context"

	"dgd/internal/planner"
)

func settingsStage(_ context.Context, b *build) error {
	var cfg planner.SettingsConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return planner.HideSettings(&cfg, b.out)
}
