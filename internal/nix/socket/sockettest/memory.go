// Package sockettest has a client of a store in memory, for tests.
package sockettest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"dgd/internal/nix/socket"
)

// Memory is a socket.Client of a store in memory.
type Memory struct {
	Dir   string            // the store directory
	Paths map[string][]byte // the valid paths: the NAR of a tree, the text of a derivation, or nil
	Order []string          // the paths in the order in which they were added, with duplicates
	Used  map[string]bool   // the paths in Use of a batch

	Submitted []byte // the output of the client's derivation
}

// NewMemory returns a store in which the given paths are valid.
func NewMemory(dir string, valid ...string) *Memory {
	m := &Memory{Dir: dir, Paths: make(map[string][]byte), Used: make(map[string]bool)}
	for _, path := range valid {
		m.Paths[path] = nil
	}
	return m
}

// Add implements socket.Client. As Nix does, it refuses a derivation that refers to a
// path that is not valid.
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
	for _, d := range b.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, ref := range d.Refs {
			if _, ok := m.Paths[ref]; !ok {
				return fmt.Errorf("adding %s to the store: path '%s' is not valid", d.Name, ref)
			}
		}
		m.add(d.Path(m.Dir), slices.Clone(d.Text))
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

// SubmitDerivation implements socket.Client, with the errors of Add.
func (m *Memory) SubmitDerivation(ctx context.Context, d socket.TextFile) error {
	if err := m.Add(ctx, socket.Batch{Files: []socket.TextFile{d}, Use: []string{d.Path(m.Dir)}}); err != nil {
		return err
	}
	return m.SubmitFile(ctx, d.Text)
}

// SubmitFile implements socket.Client.
func (m *Memory) SubmitFile(ctx context.Context, contents []byte) error {
	m.Submitted = slices.Clone(contents)
	return ctx.Err()
}

// Close implements socket.Client.
func (m *Memory) Close() error { return nil }
