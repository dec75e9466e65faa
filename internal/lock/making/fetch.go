package making

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/sync/errgroup"

	"dgd/internal/modules"
	"dgd/internal/nix/nar"
)

// A tree is the directory of a module's unpacked files.
type tree struct {
	dir  string
	sum  string // "h1:…", as go.sum has it
	hash string // of the NAR, in SRI form
}

// A fetcher downloads modules into the user's module cache and hashes them.
type fetcher struct {
	g     *goCommand
	cache string // GOMODCACHE
	flags string // GOFLAGS
	tmp   string // a temporary directory
	jobs  int    // how many modules are downloaded at once
	sums  map[module.Version][]string
	// goSum is the text of all go.sum files together.
	goSum []byte
	// say reports progress.
	say   func(format string, args ...any)
	trees map[module.Version]tree // the modules hashed so far
}

// fetch returns the trees of modules. It downloads those that the module cache
// does not have, and hashes each module once.
func (f *fetcher) fetch(ctx context.Context, modules []module.Version) (map[module.Version]tree, error) {
	var todo []module.Version
	missing := 0
	for _, m := range modules {
		if _, ok := f.trees[m]; ok || slices.Contains(todo, m) {
			continue
		}
		todo = append(todo, m)
		if !f.has(m) {
			missing++
		}
	}
	if missing > 0 {
		f.say("%d of %d modules have to be fetched", missing, len(modules))
	}
	var mu sync.Mutex // guards done, f.trees and f.say
	done := 0
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(f.jobs)
	for i, m := range todo {
		group.Go(func() error {
			if running.Err() != nil {
				return context.Cause(running)
			}
			there := f.has(m)
			if !there {
				if err := f.download(running, m, i); err != nil {
					return err
				}
			}
			t, err := f.hash(m)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.trees[m] = t
			if !there {
				done++
				f.say("%d of %d: %s %s", done, missing, m.Path, m.Version)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return f.trees, nil
}

// inCache returns the paths of a module in the module cache: of its unpacked files,
// and of its files in the download cache without their suffix.
func inCache(cache string, m module.Version) (dir, file string, err error) {
	tree, err := modules.TreeName(m)
	if err != nil {
		return "", "", err
	}
	download, err := modules.DownloadName(m)
	if err != nil {
		return "", "", err
	}
	return filepath.Join(cache, filepath.FromSlash(tree)), filepath.Join(modules.DownloadDir(cache), filepath.FromSlash(download)), nil
}

// has reports whether the module cache has a module completely.
func (f *fetcher) has(m module.Version) bool {
	dir, file, err := inCache(f.cache, m)
	return err == nil && exists(dir) && exists(file+".ziphash") && !exists(file+".partial")
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// download downloads a module with the go command, which compares it with go.sum.
// The command runs in a temporary module, number i, so that no file of the user
// changes.
func (f *fetcher) download(ctx context.Context, m module.Version, i int) error {
	work := filepath.Join(f.tmp, fmt.Sprintf("download-%d", i))
	if err := os.MkdirAll(work, 0o777); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"go.mod": []byte("module dgd.invalid/download\n"), "go.sum": f.goSum} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o666); err != nil {
			return err
		}
	}
	_, file, err := inCache(f.cache, m)
	if err != nil {
		return err
	}
	g := f.g.with(work, "GOWORK=off", "GOFLAGS="+strings.TrimSpace(f.flags+" -mod=mod"))
	g.moved = func() int64 { return sizeOf(filepath.Dir(file), filepath.Join(f.cache, "cache", "vcs")) }
	out, err := g.run(ctx, "mod", "download", "-json", m.String())
	var answer struct{ Error string }
	if len(out) > 0 && json.Unmarshal(out, &answer) == nil && answer.Error != "" {
		err = newFailure("go mod download", answer.Error)
	}
	if err == nil && !f.has(m) {
		err = fmt.Errorf("go mod download: %s is not in %s", m, f.cache)
	}
	return f.g.explain(err)
}

// hash hashes a module in the module cache. It compares the checksum with go.sum
// first: the go command does so only when it unpacks the module.
func (f *fetcher) hash(m module.Version) (tree, error) {
	dir, file, err := inCache(f.cache, m)
	if err != nil {
		return tree{}, err
	}
	if err := checkFiles(dir); err != nil {
		return tree{}, fmt.Errorf("%s: %w", m, err)
	}
	sum, err := dirhash.HashDir(dir, m.String(), dirhash.Hash1)
	if err != nil {
		return tree{}, changed(dir, fmt.Sprintf("%s: %v", m, err))
	}
	if sums := f.sums[m]; !slices.Contains(sums, sum) {
		if stored, err := os.ReadFile(file + ".ziphash"); err == nil && string(bytes.TrimSpace(stored)) == sum {
			return tree{}, fmt.Errorf("%s was downloaded with the checksum %s, and go.sum says %s: find out which of them is right, and change go.sum only then", m, sum, strings.Join(sums, ", "))
		}
		return tree{}, changed(dir, fmt.Sprintf("%s has the checksum %s, and go.sum says %s", m, sum, strings.Join(sums, ", ")))
	}
	h, err := nar.Tree{Name: "source", Root: dir}.Hash()
	if err != nil {
		return tree{}, err
	}
	return tree{dir, sum, h.SRI()}, nil
}

// checkFiles returns an error unless a directory has only files that are not
// executable, and no empty directories, as the go command unpacks modules. A
// checksum of go.sum does not cover this, but the hash of a NAR does.
func checkFiles(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if entries, err := os.ReadDir(name); err != nil || len(entries) > 0 {
				return err
			}
			return changed(dir, name+" is empty")
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return changed(dir, name+" is not a file")
		}
		if info.Mode()&0o100 != 0 {
			return changed(dir, name+" is executable")
		}
		return nil
	})
}

// changed returns the error for a module whose files in the module cache are not
// those that were downloaded.
func changed(dir, what string) error {
	return fmt.Errorf("%s: the module cache was changed: remove it by `chmod -R u+w %s && rm -rf %s`, and try again", what, dir, dir)
}
