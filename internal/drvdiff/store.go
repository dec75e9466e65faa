package drvdiff

import (
	"context"

	"dgd/internal/drvfile"
	"dgd/internal/nixstore"
)

// A Store answers what derivations are, and what became of them, see
// [nixstore.Store].
type Store interface {
	Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error)
	Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error)
	Derivers(ctx context.Context, paths []string) (map[string]string, error)
	Files(ctx context.Context, path string) (map[string]nixstore.File, error)
}
