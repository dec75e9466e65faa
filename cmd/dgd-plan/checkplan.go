package main

import (
	"context"
	"os"

	"dgd/internal/stage"
)

func checkPlanStage(ctx context.Context, b *build) error {
	var cfg stage.CheckConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	if err := stage.CheckFile(ctx, &cfg, b.dir); err != nil {
		return err
	}
	return os.WriteFile(b.out, nil, 0o666)
}
