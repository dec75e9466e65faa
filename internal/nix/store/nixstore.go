// Package store reads from the store that the commands of Nix use on this
// machine. It does not change the store.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/nar"
	"github.com/nix-community/go-nix/pkg/wire"

	"dgd/internal/nix/drvfile"
)

// Derivations returns the derivations, by .drv path, that the store has.
func (s *Store) Derivations(ctx context.Context, drvs []string) (map[string]*drvfile.Derivation, error) {
	found := make(map[string]*drvfile.Derivation, len(drvs))
	var unread []string
	for _, drv := range drvs {
		if d := s.drvs[drv]; d != nil {
			found[drv] = d
		} else {
			unread = append(unread, drv)
		}
	}
	valid, err := s.Valid(ctx, unread)
	if err != nil {
		return nil, err
	}
	unread = slices.Sorted(maps.Keys(valid))
	err = s.ask(ctx, daemon.OpNarFromPath, unread, func(drv string, r io.Reader) error {
		text := ""
		err := readArchive(r, func(name string, f File) { text = string(f.Text) })
		if err != nil {
			return err
		}
		d, err := drvfile.Parse(text)
		if err != nil {
			return err
		}
		s.drvs[drv], found[drv] = d, d
		return nil
	})
	return found, err
}

// Recorded returns, by .drv path and output name, the outputs that the store has
// and records for exactly these derivations. Before Nix 2.35 there is a record for
// each derivation that was built, since then for resolved ones only. [Store.Outputs]
// finds the outputs in both cases.
func (s *Store) Recorded(ctx context.Context, drvs []string) (map[string]map[string]string, error) {
	valid, err := s.Valid(ctx, drvs)
	if err != nil {
		return nil, err
	}
	found := make(map[string]map[string]string, len(valid))
	err = s.ask(ctx, daemon.OpQueryDerivationOutputMap, slices.Sorted(maps.Keys(valid)), func(drv string, r io.Reader) (err error) {
		found[drv], err = wire.NewDecoder(r, daemon.MaxStringSize).ReadStringMap()
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, s.dropAbsent(ctx, found)
}

// dropAbsent deletes from outputs those that the store does not have.
func (s *Store) dropAbsent(ctx context.Context, outputs map[string]map[string]string) error {
	var paths []string
	for _, list := range outputs {
		for _, p := range list {
			if p != "" {
				paths = append(paths, p)
			}
		}
	}
	valid, err := s.Valid(ctx, paths)
	if err != nil {
		return err
	}
	for _, list := range outputs {
		for name, p := range list {
			if !valid[p] {
				delete(list, name)
			}
		}
	}
	return nil
}

// Valid returns the set of those paths that the store has. It substitutes none.
func (s *Store) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	valid := map[string]bool{}
	if len(paths) == 0 {
		return valid, nil
	}
	const substitute = false
	list, err := s.client.QueryValidPaths(ctx, paths, substitute)
	if err != nil {
		return nil, fmt.Errorf("asking the store for %s: %w", some(paths), err)
	}
	for _, p := range list {
		valid[p] = true
	}
	return valid, nil
}

// Derivers returns, by store path, the .drv paths that the store records as
// derivers, if it has them.
func (s *Store) Derivers(ctx context.Context, paths []string) (map[string]string, error) {
	found := map[string]string{}
	err := s.ask(ctx, daemon.OpQueryPathInfo, paths, func(p string, r io.Reader) error {
		dec := wire.NewDecoder(r, daemon.MaxStringSize)
		if valid, err := dec.ReadBool(); err != nil || !valid {
			return err
		}
		info, err := daemon.ReadPathInfo(dec, p, s.client.Info().Version)
		if err == nil && info.Deriver != "" {
			found[p] = info.Deriver
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	valid, err := s.Valid(ctx, slices.Collect(maps.Values(found)))
	for p, drv := range found {
		if !valid[drv] {
			delete(found, p)
		}
	}
	return found, err
}

// A File is a file or a symlink in a store path.
type File struct {
	Mode fs.FileMode // fs.ModeSymlink, or 0o111 for an executable file, or 0
	Text []byte      // the contents, or the target of a symlink
}

// Files returns the files of a store path by their relative paths; the name is "."
// if the store path itself is a file. If the store does not have the path, the
// error is fs.ErrNotExist.
func (s *Store) Files(ctx context.Context, storePath string) (map[string]File, error) {
	valid, err := s.Valid(ctx, []string{storePath})
	if err != nil {
		return nil, err
	}
	if !valid[storePath] {
		return nil, fmt.Errorf("%s: %w", storePath, fs.ErrNotExist)
	}
	files := map[string]File{}
	err = s.ask(ctx, daemon.OpNarFromPath, []string{storePath}, func(_ string, r io.Reader) error {
		return readArchive(r, func(name string, f File) { files[name] = f })
	})
	return files, err
}

// readArchive reads one NAR from r and calls file for each of its files.
func readArchive(r io.Reader, file func(name string, f File)) error {
	archive, err := nar.NewReader(r)
	if err != nil {
		return err
	}
	defer archive.Close()
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f := File{}
		switch h.Type {
		case nar.TypeDirectory:
			continue
		case nar.TypeSymlink:
			f = File{Mode: fs.ModeSymlink, Text: []byte(h.LinkTarget)}
		case nar.TypeRegular:
			if f.Text, err = io.ReadAll(archive); err != nil {
				return err
			}
			if h.Executable {
				f.Mode = 0o111
			}
		}
		file(path.Clean(strings.TrimPrefix(h.Path, "/")), f)
	}
}
