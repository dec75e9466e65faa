package main

import (
	"context"

	"dgd/internal/stage"
)

func modulesStage(ctx context.Context, b *build) error {
	var cfg stage.SplitConfig
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
	list, err := stage.SplitModules(ctx, &cfg, st)
	if err != nil {
		return err
	}
	if st == nil {
		return b.write(list)
	}
	text, err := stage.JSON(list)
	if err != nil {
		return err
	}
	return st.SubmitFile(ctx, text)
}
