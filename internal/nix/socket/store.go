// Package socket adds source trees and derivations to a Nix store, from inside
// a derivation's sandbox.
package socket

import (
	"context"
	"os"

	"dgd/internal/nix/nar"
)

// A Store takes source trees and derivations. Its methods must not be called
// at the same time.
type Store interface {
	// Add adds what the store does not have of the batch. After an error a
	// part of the batch may have been added.
	Add(ctx context.Context, b Batch) error

	// SubmitDerivation makes a derivation the output of the client's own,
	// whose name and way of hashing must be those of the derivation. What it
	// refers to has been added.
	SubmitDerivation(ctx context.Context, d Derivation) error

	// SubmitFile makes a file with these contents the output of the
	// client's derivation. Nix finds its references in the contents.
	SubmitFile(ctx context.Context, contents []byte) error

	// Close ends the connection to the store. What was added stays.
	Close() error
}

// A Sandbox is what Nix tells the builder of a derivation, by the variables of
// its environment.
type Sandbox struct {
	Remote   string // NIX_REMOTE: where the store listens, or "" where it does not
	Out      string // out: where the output belongs, or "" where it has to be submitted
	Name     string // name of the derivation
	StoreDir string // /nix/store but for stores that were built for another one
}

// Open opens the way to the store that a sandbox offers: that of the system
// feature builder-rpc-v0 where the derivation has no output path, that of
// recursive-nix else. It returns nil where there is none.
func Open(ctx context.Context, s Sandbox) (Store, error) {
	switch {
	case s.Remote == "":
		return nil, nil
	case s.Out == "":
		b, err := OpenBuilder(ctx, s)
		if err != nil {
			return nil, err
		}
		return b, nil
	}
	r, err := OpenRecursive(ctx, s.Remote, s.StoreDir)
	if err != nil {
		return nil, err
	}
	r.out = s.Out
	return r, nil
}

// writeOutput makes the file that a derivation leaves behind as its output.
func writeOutput(ctx context.Context, out string, contents []byte) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return os.WriteFile(out, contents, 0o666)
}

// A Batch is what is added together: trees, and derivations that refer to the
// trees, to each other, and to what is in the store already.
type Batch struct {
	// Trees must not have changed since they were hashed. The same tree may
	// be there more than once.
	Trees []nar.Hashed
	// Derivations must each come after those that they refer to.
	Derivations []Derivation
	// Use are the paths that the client's output will refer to. Of the rest
	// of the batch it is only sure that the store has it: to make a path
	// that it has usable in a sandbox takes as long as to add one.
	Use []string
}

// A Derivation is a .drv file to be.
type Derivation struct {
	Name  string   // of the store path, with the suffix ".drv"
	ATerm []byte   // the contents
	Refs  []string // store paths: all input sources and input derivations
}

// Path returns the store path of the .drv file.
func (d Derivation) Path(storeDir string) string {
	return nar.TextPath(storeDir, d.Name, d.ATerm, d.Refs)
}
