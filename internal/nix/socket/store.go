// Package socket adds source trees and derivations to a Nix store, from inside
// a derivation's sandbox.
package socket

import (
	"context"
	"os"

	"dgd/internal/nix/nar"
)

// A Client is a connection to a store. Its methods must not be called
// concurrently.
type Client interface {
	// Add adds the objects of a batch that the store does not have. After an
	// error, a part of the batch may have been added.
	Add(ctx context.Context, b Batch) error

	// SubmitDerivation makes a .drv file the output of the client's derivation,
	// which must have the same name and hash its output as text. All that the
	// file refers to must have been added.
	SubmitDerivation(ctx context.Context, d TextFile) error

	// SubmitFile makes a file with these contents the output of the client's
	// derivation. Nix scans the contents for references.
	SubmitFile(ctx context.Context, contents []byte) error

	// Close closes the connection. Objects that were added stay in the store.
	Close() error
}

// A Sandbox has the variables that Nix sets in the environment of a derivation's
// builder.
type Sandbox struct {
	Remote   string // NIX_REMOTE: the address of the store socket, or ""
	Out      string // out: the path of the output, or "" if the output has to be submitted
	Name     string // name of the derivation
	StoreDir string // the store directory, usually /nix/store
}

// Open connects to the store socket that a sandbox offers: that of the system
// feature builder-rpc-v0 if the derivation has no output path, or else that of
// recursive-nix. It returns nil if there is no socket.
func Open(ctx context.Context, s Sandbox) (Client, error) {
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

// writeOutput writes the output of the client's derivation.
func writeOutput(ctx context.Context, out string, contents []byte) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return os.WriteFile(out, contents, 0o666)
}

// A Batch is a set of objects that are added together: trees, and text files that refer
// to the trees, to each other, and to objects in the store.
type Batch struct {
	// Trees must not have changed since they were hashed. Duplicates are
	// allowed.
	Trees []nar.Hashed
	// Files are in an order in which each comes after those that it refers to.
	Files []TextFile
	// Use are the paths that the client's output will refer to. The sandbox can
	// access these afterwards; of the other objects it is only guaranteed that
	// the store has them, as making an existing path accessible takes as long as
	// adding one.
	Use []string
}

// A TextFile is what Nix's addTextToStore adds: here a .drv file, or the file of a spec.
type TextFile struct {
	Name string   // of the store path: that of a .drv file has the suffix ".drv"
	Text []byte   // the contents
	Refs []string // store paths: all input sources and input derivations
}

// Path returns the store path of the file.
func (d TextFile) Path(storeDir string) string {
	return nar.TextPath(storeDir, d.Name, d.Text, d.Refs)
}
