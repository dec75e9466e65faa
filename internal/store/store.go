// Package store adds source trees and derivations to a Nix store, from inside
// a derivation's sandbox.
package store

import (
	"context"

	"dgd/internal/source"
)

// A Store takes source trees and derivations. Its methods must not be called
// at the same time.
type Store interface {
	// Valid reports for each path whether the store has it and lets this
	// client use it. It takes one round trip at most. A path for which it
	// says false may still be in the store.
	Valid(ctx context.Context, paths []string) (map[string]bool, error)

	// AddTrees adds trees and returns their store paths, in the order of
	// the argument. The tree's contents must not have changed since it was
	// hashed.
	AddTrees(ctx context.Context, trees []source.Hashed) ([]string, error)

	// AddDerivations adds derivations and returns the store paths of their
	// .drv files, in the order of the argument. A reference of each must be
	// in the store, or be a derivation that comes earlier in the argument.
	AddDerivations(ctx context.Context, drvs []Derivation) ([]string, error)

	// Close ends the connection to the store. What was added stays.
	Close() error
}

// A Derivation is a .drv file to be.
type Derivation struct {
	Name  string   // of the store path, with the suffix ".drv"
	ATerm []byte   // the contents
	Refs  []string // store paths: all input sources and input derivations
}

// Path returns the store path of the .drv file.
func (d Derivation) Path(storeDir string) string {
	return source.TextPath(storeDir, d.Name, d.ATerm, d.Refs)
}

// AddTree hashes and adds one tree and returns its store path.
func AddTree(ctx context.Context, s Store, t source.Tree) (string, error) {
	h, err := t.Hash()
	if err != nil {
		return "", err
	}
	return one(s.AddTrees(ctx, []source.Hashed{{Tree: t, Hash: h}}))
}

// AddDerivation adds one derivation, named as in [Derivation], and returns the
// store path of its .drv file.
func AddDerivation(ctx context.Context, s Store, name string, aterm []byte, refs []string) (string, error) {
	return one(s.AddDerivations(ctx, []Derivation{{name, aterm, refs}}))
}

func one(paths []string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return paths[0], nil
}
