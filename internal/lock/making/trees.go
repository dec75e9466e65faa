package making

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"

	"dgd/internal/gocmd"
	"dgd/internal/lock"
	"dgd/internal/modules"
)

// A Cached is a module of a lock in the user's module cache.
type Cached struct {
	Module module.Version // the module that the files come from
	Sum    string         // "h1:…", as go.sum has it
	Dir    string         // the unpacked files
}

// Toolchain returns the GOROOT of the toolchain that the project's go.mod
// selects.
func Toolchain(ctx context.Context, p *Project) (goroot string, err error) {
	_, env, err := findGo(ctx, p, time.Minute)
	if err != nil {
		return "", err
	}
	return env.GOROOT, nil
}

// Trees downloads those modules of a lock that the user's module cache does not
// have, and returns all of them. If the lock names further go.mod files, it copies
// them into the directory goMods, which it creates.
func Trees(ctx context.Context, p *Project, l *lock.Lock, goMods string) ([]Cached, error) {
	g, env, err := findGo(ctx, p, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	var trees []Cached
	var missing []string
	have := func(m module.Version, sum string) (dir string, ok bool, err error) {
		dir, file, err := inCache(env.GOMODCACHE, m)
		if err != nil {
			return "", false, err
		}
		text, err := os.ReadFile(file + ".ziphash")
		return dir, err == nil && strings.TrimSpace(string(text)) == sum && exists(dir), nil
	}
	for _, m := range l.Modules {
		if m.Hash == "" {
			continue
		}
		dir, ok, err := have(m.Source(), m.Sum)
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, m.Source().String())
		}
		trees = append(trees, Cached{m.Source(), m.Sum, dir})
	}
	if err := download(ctx, g, missing); err != nil {
		return nil, err
	}
	for _, t := range trees {
		if _, ok, err := have(t.Module, t.Sum); err != nil || !ok {
			return nil, errors.Join(err, fmt.Errorf("%s is in the module cache with another checksum than %s has: run `dgd lock`", t.Module, lock.Name))
		}
	}
	if l.GoMods == nil {
		return trees, nil
	}
	return trees, copyGoMods(ctx, g, env.GOMODCACHE, l.GoMods.Modules, goMods)
}

// download downloads modules, named PATH@VERSION, into the module cache.
func download(ctx context.Context, g *goCommand, names []string) error {
	const atOnce = 200 // of arguments
	for len(names) > 0 {
		n := min(len(names), atOnce)
		out, err := g.run(ctx, append([]string{"mod", "download", "-json"}, names[:n]...)...)
		// If the output is cut short, err has the reason.
		list, _ := gocmd.Decode[struct{ Error string }]("go mod download", out)
		for _, m := range list {
			if m.Error != "" {
				return g.explain(newFailure("go mod download", m.Error))
			}
		}
		if err != nil {
			return g.explain(err)
		}
		names = names[n:]
	}
	return nil
}

// copyGoMods copies go.mod files of modules from the module cache, which downloads
// them if needed, to the directory dir.
func copyGoMods(ctx context.Context, g *goCommand, cache string, of []module.Version, dir string) error {
	for _, m := range of {
		_, file, err := inCache(cache, m)
		if err != nil {
			return err
		}
		if !exists(file + ".mod") {
			if _, err := g.run(ctx, "list", "-m", m.String()); err != nil {
				return g.explain(err)
			}
		}
		rel, err := filepath.Rel(modules.DownloadDir(cache), file+".mod")
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file + ".mod")
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, rel), text); err != nil {
			return err
		}
	}
	return nil
}
