// Package sockettest has a store for tests of what uses package socket.
package sockettest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"dgd/internal/nix/socket"
)

// Memory is a socket.Store: it holds what was added in maps.
type Memory struct {
	Dir   string            // the store directory
	Paths map[string][]byte // the valid paths: a tree's NAR, a derivation's text, or nothing
	Order []string          // what was added, in that order; a path twice if it was added twice
	Used  map[string]bool   // the paths that some batch said it would use

	Submitted []byte // the output of the client's derivation
}

// NewMemory returns a store in which just the given paths are valid.
func NewMemory(dir string, valid ...string) *Memory {
	m := &Memory{Dir: dir, Paths: make(map[string][]byte), Used: make(map[string]bool)}
	for _, path := range valid {
		m.Paths[path] = nil
	}
	return m
}

// Add implements Store. It refuses a derivation with a reference that is not
// valid, as Nix does.
func (m *Memory) Add(ctx context.Context, b socket.Batch) error {
	for _, t := range b.Trees {
		if err := ctx.Err(); err != nil {
			return err
		}
		var buf bytes.Buffer
		if err := t.WriteNAR(&buf); err != nil {
			return err
		}
		m.add(t.StorePath(m.Dir), buf.Bytes())
	}
	for _, d := range b.Derivations {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, ref := range d.Refs {
			if _, ok := m.Paths[ref]; !ok {
				return fmt.Errorf("adding %s to the store: path '%s' is not valid", d.Name, ref)
			}
		}
		m.add(d.Path(m.Dir), slices.Clone(d.ATerm))
	}
	for _, path := range b.Use {
		if _, ok := m.Paths[path]; !ok {
			return fmt.Errorf("%s is not in the store", path)
		}
		m.Used[path] = true
	}
	return nil
}

func (m *Memory) add(path string, contents []byte) {
	m.Paths[path] = contents
	m.Order = append(m.Order, path)
}

// SubmitDerivation implements Store. It refuses what Add does.
func (m *Memory) SubmitDerivation(ctx context.Context, d socket.Derivation) error {
	if err := m.Add(ctx, socket.Batch{Derivations: []socket.Derivation{d}, Use: []string{d.Path(m.Dir)}}); err != nil {
		return err
	}
	return m.SubmitFile(ctx, d.ATerm)
}

// SubmitFile implements Store.
func (m *Memory) SubmitFile(ctx context.Context, contents []byte) error {
	m.Submitted = slices.Clone(contents)
	return ctx.Err()
}

// Close implements Store.
func (m *Memory) Close() error { return nil }
