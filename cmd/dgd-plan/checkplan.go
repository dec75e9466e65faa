package main

import (
	"context"
	"os"

	"dgd/internal/planner"
)

func checkPlanStage(ctx context.Context, b *build) error {
	var cfg planner.CheckConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	if err := planner.CheckFile(ctx, &cfg, b.dir); err != nil {
		return err
	}
	return os.WriteFile(b.out, nil, 0o666)
}
