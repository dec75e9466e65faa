package main

import (
	"context"

	"dgd/internal/stage"
)

func settingsStage(_ context.Context, b *build) error {
	var cfg stage.SettingsConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	return stage.HideSettings(&cfg, b.out)
}
