package drvdiff

import (
	"context"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/store"
)

// Records is the part of [store.Store] that this package needs.
type Records interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error)
	Derivers(ctx context.Context, paths []string) (map[string]string, error)
	Files(ctx context.Context, path string) (map[string]store.File, error)
}
