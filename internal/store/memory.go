package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"dgd/internal/source"
)

// Memory is a Store for tests: it holds what was added in maps.
type Memory struct {
	Dir   string            // the store directory
	Paths map[string][]byte // the valid paths: a tree's NAR, a derivation's text, or nothing
	Order []string          // what was added, in that order; a path twice if it was added twice
}

// NewMemory returns a store in which just the given paths are valid.
func NewMemory(dir string, valid ...string) *Memory {
	m := &Memory{Dir: dir, Paths: make(map[string][]byte)}
	for _, path := range valid {
		m.Paths[path] = nil
	}
	return m
}

func (m *Memory) add(path string, contents []byte) {
	m.Paths[path] = contents
	m.Order = append(m.Order, path)
}

// Valid implements Store.
func (m *Memory) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	valid := make(map[string]bool, len(paths))
	for _, path := range paths {
		_, valid[path] = m.Paths[path]
	}
	return valid, ctx.Err()
}

// AddTrees implements Store.
func (m *Memory) AddTrees(ctx context.Context, trees []source.Hashed) ([]string, error) {
	var paths []string
	for _, t := range trees {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var buf bytes.Buffer
		if err := t.WriteNAR(&buf); err != nil {
			return nil, err
		}
		path := t.StorePath(m.Dir)
		m.add(path, buf.Bytes())
		paths = append(paths, path)
	}
	return paths, nil
}

// AddDerivations implements Store. It refuses a derivation with a reference
// that is not valid, as Nix does.
func (m *Memory) AddDerivations(ctx context.Context, drvs []Derivation) ([]string, error) {
	var paths []string
	for _, d := range drvs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, ref := range d.Refs {
			if _, ok := m.Paths[ref]; !ok {
				return nil, fmt.Errorf("adding %s: path '%s' is not valid", d.Name, ref)
			}
		}
		path := d.Path(m.Dir)
		m.add(path, slices.Clone(d.ATerm))
		paths = append(paths, path)
	}
	return paths, nil
}

// Close implements Store.
func (m *Memory) Close() error { return nil }
