package main

import (
	"context"
	"fmt"
	"os"

	"dgd/internal/stage"
)

func bindStage(ctx context.Context, b *build) error {
	var cfg stage.BindConfig
	if err := b.read(&cfg); err != nil {
		return err
	}
	bound, err := stage.Bind(ctx, &cfg)
	if err != nil {
		return err
	}
	return b.hand(ctx, bound, &cfg)
}

// hand hands derivations to Nix: over the store socket, where the sandbox has one,
// else as data.
func (b *build) hand(ctx context.Context, bound *stage.Bound, cfg *stage.BindConfig) error {
	st, err := b.store(ctx, cfg.StoreDir)
	if err != nil {
		return err
	}
	if st == nil {
		if err := os.Mkdir(b.out, 0o777); err != nil {
			return err
		}
		return bound.WriteTo(b.out, cfg.StoreDir)
	}
	defer st.Close()
	// Where evaluation reads the plan, it says so.
	if bound.Unplanned != "" {
		fmt.Fprintln(os.Stderr, bound.Unplanned)
	}
	return bound.AddTo(ctx, st, cfg)
}
