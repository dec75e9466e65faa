package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"dgd/internal/source"

	"github.com/nix-community/go-nix/pkg/daemon"
)

// Recursive is the Store behind the socket that a derivation gets that
// requires the system feature recursive-nix.
type Recursive struct {
	dir    string
	client *daemon.Client
}

// OpenRecursive connects to the daemon that the value of NIX_REMOTE names
// (unix://PATH). storeDir is the store directory, /nix/store but for stores
// that were built for another one.
func OpenRecursive(ctx context.Context, remote, storeDir string) (*Recursive, error) {
	path, ok := strings.CutPrefix(remote, "unix://")
	if !ok {
		return nil, fmt.Errorf("NIX_REMOTE is %q, not unix://PATH: does the derivation require the system feature recursive-nix?", remote)
	}
	client, err := daemon.Connect(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("connecting to the Nix daemon at %s: %w", path, err)
	}
	return &Recursive{storeDir, client}, nil
}

// Close implements Store.
func (r *Recursive) Close() error { return r.client.Close() }

// Valid implements Store.
func (r *Recursive) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	all, err := r.client.QueryAllValidPaths(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the store which paths are valid: %w", err)
	}
	known := make(map[string]bool, len(all))
	for _, path := range all {
		known[path] = true
	}
	valid := make(map[string]bool, len(paths))
	for _, path := range paths {
		valid[path] = known[path]
	}
	return valid, nil
}

// AddTrees implements Store.
func (r *Recursive) AddTrees(ctx context.Context, trees []source.Hashed) ([]string, error) {
	paths := make([]string, len(trees))
	for i, t := range trees {
		pr, pw := io.Pipe()
		go func() { pw.CloseWithError(t.WriteNAR(pw)) }()
		err := r.add(ctx, t.Name, "fixed:r:sha256", nil, pr, t.StorePath(r.dir))
		pr.Close() // ends the goroutine if the daemon did not read all
		if err != nil {
			return nil, err
		}
		paths[i] = t.StorePath(r.dir)
	}
	return paths, nil
}

// AddDerivations implements Store.
func (r *Recursive) AddDerivations(ctx context.Context, drvs []Derivation) ([]string, error) {
	paths := make([]string, len(drvs))
	for i, d := range drvs {
		paths[i] = d.Path(r.dir)
		if err := r.add(ctx, d.Name, "text:sha256", d.Refs, bytes.NewReader(d.ATerm), paths[i]); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (r *Recursive) add(ctx context.Context, name, method string, refs []string, contents io.Reader, want string) error {
	info, err := r.client.AddToStore(ctx, &daemon.AddToStoreRequest{
		Name:             name,
		CAMethodWithAlgo: method,
		References:       refs,
		Source:           contents,
	})
	if err != nil {
		return fmt.Errorf("adding %s to the store: %w", name, err)
	}
	if info.StorePath != want {
		return fmt.Errorf("adding %s to the store: it became %s, not %s", name, info.StorePath, want)
	}
	return nil
}
