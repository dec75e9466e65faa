package main

import (
	"context"

	"dgd/internal/planner"
)

func modulesStage(ctx context.Context, b *build) error {
	var cfg planner.SplitConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	st, err := b.store(ctx, cfg.StoreDir)
	if err != nil {
		return err
	}
	if st != nil {
		defer st.Close()
	}
	list, err := planner.SplitModules(ctx, &cfg, st)
	if err != nil {
		return err
	}
	if st == nil {
		return b.write(list)
	}
	text, err := planner.JSON(list)
	if err != nil {
		return err
	}
	return st.SubmitFile(ctx, text)
}
