// Package nix runs Nix on stores of the bench's own, and watches it at work.
package nix

import (
	"context"
	"errors"
	"os"

	"dgd/bench/internal/run"
	"dgd/internal/nix/ownstore"
)

// A Store is a Nix store of the bench.
type Store struct {
	ownstore.Store
	Daemon bool     // whether builds go through a daemon
	Lock   run.Lock // held while something is measured
}

// Clone makes a store with the same contents. Files of the store are hard
// links, since Nix never changes one that is there; the rest, above all the
// database, is copied.
func (s *Store) Clone(ctx context.Context, root string) (*Store, error) {
	clone := *s
	clone.Root = root
	dir := clone.Path("/nix")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &clone, errors.Join(ownstore.Copy(ctx, true, dir, s.Path("/nix/store")), ownstore.Copy(ctx, false, dir, s.Path("/nix/var")))
}

// Output runs a command of Nix on the store and returns its standard output
// without the final newline.
func (s *Store) Output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := s.Command(ctx, name, args...)
	run.Gently(cmd)
	return ownstore.Output(cmd)
}
