package modules

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"dgd/internal/nix/nar"

	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
	"golang.org/x/sync/errgroup"
)

// Unpack unpacks the modules of a download cache, which `go mod download` has
// written, to the new directory dir. Each gets its TreeName there. It is an error
// if the hash of an archive is not that of its .ziphash file.
func Unpack(ctx context.Context, downloads, dir string) error {
	var zips []string
	err := filepath.WalkDir(downloads, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && path.Ext(file) == ".zip" && path.Base(path.Dir(file)) == "@v" {
			zips = append(zips, file)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the module cache: %w", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, zip := range zips {
		group.Go(func() error {
			if running.Err() != nil {
				return context.Cause(running)
			}
			if err := unpack(downloads, zip, dir); err != nil {
				return fmt.Errorf("unpacking %s: %w", zip, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// unpack checks and unpacks the archive of one module. The go command trusts the
// .ziphash file, so that the archive has to be compared with it here.
func unpack(downloads, file, dir string) error {
	rel, err := filepath.Rel(downloads, file)
	if err != nil {
		return err
	}
	m, err := OfDownload(rel)
	if err != nil {
		return err
	}
	name, err := TreeName(m)
	if err != nil {
		return err
	}
	want, err := os.ReadFile(file + "hash")
	if err != nil {
		return err
	}
	got, err := dirhash.HashZip(file, dirhash.Hash1)
	if err != nil {
		return err
	}
	if got != strings.TrimSpace(string(want)) {
		return fmt.Errorf("its hash is %s, but %s has %s", got, path.Base(file)+"hash", strings.TrimSpace(string(want)))
	}
	return zip.Unzip(filepath.Join(dir, filepath.FromSlash(name)), m, file)
}

// ReadUnpacked returns the modules, with their trees, in a directory that Unpack has
// made.
func ReadUnpacked(dir string) ([]Module, error) {
	var mods []Module
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || !strings.Contains(entry.Name(), "@") {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		v, err := ofTree(rel)
		if err != nil {
			return err
		}
		m := Module{Path: v.Path, Version: v.Version}
		m.Tree = nar.Tree{Name: m.storeName(), Root: name}
		mods = append(mods, m)
		return fs.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("reading the unpacked modules: %w", err)
	}
	return mods, nil
}
