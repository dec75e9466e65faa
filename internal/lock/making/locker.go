// Package making makes the lock of a project: it asks the user's go command
// which modules are needed, downloads them into the user's module cache, and
// hashes them there. In the project it writes only the lock.
package making

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"dgd/internal/gocmd"
	"dgd/internal/lock"
	"dgd/internal/modules"
	"dgd/internal/nix/nar"
)

// Options say how a lock is made.
type Options struct {
	Jobs    int           // how many modules are downloaded at once
	Timeout time.Duration // after how long without data to give up
	// Progress gets a line for each module that is downloaded. It may be nil.
	Progress io.Writer
}

// Write makes the project's lock and writes it to its file. If there is an error
// the file does not change. Write reports whether the file changed.
func Write(ctx context.Context, p *Project, opts Options) (l *lock.Lock, changed bool, err error) {
	l, err = Make(ctx, p, opts)
	if err != nil {
		return nil, false, err
	}
	changed, err = ReplaceFile(p.LockFile(), l.Format())
	return l, changed, err
}

// ReplaceFile replaces the contents of a file atomically, or creates the file. If
// the name is that of a symlink, it replaces the target of that. It reports
// whether the contents changed.
func ReplaceFile(name string, text []byte) (changed bool, err error) {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	temporary := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%s.%d", filepath.Base(name), os.Getpid()))
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return false, err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err == nil, err
}

// A maker makes one lock.
type maker struct {
	p   *Project
	r   *lock.Requirements
	g   *goCommand // runs in the project
	env *goEnv
	f   *fetcher
	tmp string // removed at the end
}

// Make makes the project's lock. Its errors tell the user what to do.
func Make(ctx context.Context, p *Project, opts Options) (*lock.Lock, error) {
	m, err := newMaker(ctx, p, opts)
	if err != nil {
		return nil, err
	}
	defer removeAll(m.tmp)
	return m.make(ctx)
}

// newMaker returns a maker. The caller removes its tmp.
func newMaker(ctx context.Context, p *Project, opts Options) (*maker, error) {
	r, err := p.Read()
	if err != nil {
		return nil, err
	}
	g, env, err := findGo(ctx, p, opts.Timeout)
	if err != nil {
		return nil, err
	}
	m := &maker{p: p, r: r, g: g, env: env}
	if m.tmp, err = os.MkdirTemp("", "dgd-lock-"); err != nil {
		return nil, err
	}
	if err := m.copyWork(); err != nil {
		removeAll(m.tmp)
		return nil, err
	}
	m.f = &fetcher{
		g: m.g, cache: env.GOMODCACHE, flags: env.GOFLAGS, tmp: m.tmp, jobs: max(opts.Jobs, 1),
		sums: r.Sums, trees: map[module.Version]tree{},
		say: func(format string, args ...any) {
			if opts.Progress != nil {
				fmt.Fprintf(opts.Progress, format+"\n", args...)
			}
		},
	}
	for _, file := range p.GoSums {
		m.f.goSum = append(append(m.f.goSum, file.Text...), '\n')
	}
	return m, nil
}

// copyWork gives the go command a copy of go.work, so that it writes go.work.sum
// beside the copy.
func (m *maker) copyWork() error {
	if m.p.GoWork == nil {
		return nil
	}
	text, err := m.p.absoluteWork()
	if err != nil {
		return err
	}
	work := filepath.Join(m.tmp, "go.work")
	if err := writeFile(work, text); err != nil {
		return err
	}
	m.g = m.g.with(m.p.Dir, "GOWORK="+work)
	for _, file := range m.p.GoSums {
		if file.Name == m.p.gowork+".sum" {
			return writeFile(work+".sum", file.Text)
		}
	}
	return nil
}

// make makes the lock.
func (m *maker) make(ctx context.Context) (*lock.Lock, error) {
	l := &lock.Lock{Main: m.r.Main}
	list := required(m.r)
	if !m.r.Complete {
		var err error
		if list, err = m.buildList(ctx); err != nil {
			return nil, err
		}
	}
	if len(m.p.GoSums) == 0 && slices.ContainsFunc(list, func(m lock.Module) bool { return m.Source().Version != "" }) {
		return nil, fmt.Errorf("%s has no go.sum, although it needs modules: run `go mod tidy` there", m.p.Dir)
	}

	if exists(filepath.Join(m.p.Dir, "vendor", "modules.txt")) {
		m.f.say("%s makes no difference: the lock is of go.mod and go.sum", filepath.Join(m.p.Dir, "vendor"))
	}

	// Most modules of go.sum are needed. Downloading several at once takes less
	// time than the go command takes while it looks for packages.
	var known []module.Version
	for _, mod := range list {
		if len(m.r.Sums[mod.Source()]) > 0 {
			known = append(known, mod.Source())
		}
	}
	slices.SortFunc(known, func(a, b module.Version) int { return strings.Compare(a.Path, b.Path) })
	if _, err := m.f.fetch(ctx, known); err != nil {
		return nil, err
	}
	vendored, err := m.vendored(ctx)
	if err != nil {
		return nil, err
	}
	packages, err := m.p.mainPackages()
	if err != nil {
		return nil, err
	}
	files, bare := needed(m.r, list, vendored, packages)
	for {
		if err := m.hash(ctx, files); err != nil {
			return nil, err
		}
		goMods, more, err := m.goMods(ctx, files)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			l.Modules, l.GoMods = append(files, bare...), goMods
			return l, nil
		}
		if files, bare, err = move(list, files, bare, more); err != nil {
			return nil, err
		}
	}
}

// hash sets the sums and hashes of modules.
func (m *maker) hash(ctx context.Context, list []lock.Module) error {
	var sources []module.Version
	for _, mod := range list {
		source := mod.Source()
		if len(m.r.Sums[source]) == 0 {
			// This happens in a workspace only: otherwise `go mod vendor` fails.
			return fmt.Errorf("neither a go.sum nor go.work.sum has %s: run `go mod download` in %s", source, m.p.Dir)
		}
		sources = append(sources, source)
	}
	trees, err := m.f.fetch(ctx, sources)
	if err != nil {
		return err
	}
	for i, source := range sources {
		list[i].Sum, list[i].Hash = trees[source].sum, trees[source].hash
	}
	return nil
}

// buildList returns the build list, by `go list -m all`.
func (m *maker) buildList(ctx context.Context) ([]lock.Module, error) {
	out, err := m.g.run(ctx, "list", "-m", "-json=Path,Version,Main,Replace", "all")
	if err != nil {
		return nil, m.g.explain(err)
	}
	found, err := gocmd.Decode[struct {
		Path, Version string
		Main          bool
		Replace       *module.Version
	}]("go list -m", out)
	if err != nil {
		return nil, err
	}
	var list []lock.Module
	for _, mod := range found {
		if mod.Main {
			continue
		}
		locked := lock.Module{Path: mod.Path, Version: mod.Version}
		if mod.Replace != nil {
			locked.Replace = *mod.Replace
		}
		list = append(list, locked)
	}
	return list, nil
}

// vendored returns the packages that any package, tool or test of the main modules
// needs on any platform: those that `go mod vendor` copies.
func (m *maker) vendored(ctx context.Context) ([]modules.Module, error) {
	kind := "mod"
	if m.p.GoWork != nil {
		kind = "work"
	}
	dir := filepath.Join(m.tmp, "vendor")
	if _, err := m.g.run(ctx, kind, "vendor", "-o", dir); err != nil {
		return nil, m.g.explain(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "modules.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no packages are needed
	}
	if err != nil {
		return nil, err
	}
	return modules.Parse(text), nil
}

// goMods returns the go.mod files that the go command reads other than those of
// the modules in the lock. To find out, it lists the packages with a module cache
// that has only these modules, and with the user's module cache as the proxy. If
// the go command downloads modules from there, it returns these as more.
func (m *maker) goMods(ctx context.Context, files []lock.Module) (mods *lock.GoMods, more []module.Version, err error) {
	cache, err := os.MkdirTemp(m.tmp, "modcache-")
	if err != nil {
		return nil, nil, err
	}
	downloads, ofUser := modules.DownloadDir(cache), modules.DownloadDir(m.env.GOMODCACHE)
	have := map[string]bool{}
	for _, mod := range files {
		name, err := m.link(cache, mod)
		if err != nil {
			return nil, nil, err
		}
		have[name] = true
	}
	// The user's answers of the checksum database are reused.
	if err := os.MkdirAll(downloads, 0o777); err != nil {
		return nil, nil, err
	}
	if sumdb := filepath.Join(ofUser, "sumdb"); exists(sumdb) {
		if err := os.Symlink(sumdb, filepath.Join(downloads, "sumdb")); err != nil {
			return nil, nil, err
		}
	}
	proxy := (&url.URL{Scheme: "file", Path: filepath.ToSlash(ofUser)}).String()
	isolated := m.g.with(m.p.Dir, "GOMODCACHE="+cache, "GOPROXY="+proxy, "GONOPROXY=none", "GOTOOLCHAIN=local")
	// The toolchain that the project's go.mod selects. The go command in PATH would
	// look for it in the new cache.
	isolated.program = filepath.Join(m.env.GOROOT, "bin", "go")
	args := []string{"list", "-deps", "-test", "-e", "-f", "{{with .Error}}{{.}}{{end}}"}
	for _, dir := range m.p.Members {
		args = append(args, dir+"/...")
	}
	list := func(g *goCommand) error {
		out, err := g.run(ctx, args...)
		for line := range bytes.Lines(out) {
			// Other errors of packages do not concern the lock.
			if err == nil && bytes.Contains(line, []byte(proxy)) {
				err = newFailure("go list", string(line))
			}
		}
		return err
	}
	if err := list(isolated); err != nil {
		// Either the user's module cache lacks a file, which this call downloads, or
		// the call fails with the same error.
		if err := list(m.g); err != nil {
			return nil, nil, m.g.explain(err)
		}
		if err := list(isolated); err != nil {
			return nil, nil, m.g.explain(err)
		}
	}
	return readDownloads(downloads, have, filepath.Join(m.tmp, "gomods"))
}

// readDownloads returns what the go command has added to a download cache that had
// the files in had: modules, and the go.mod files of other modules, which it
// copies to dir.
func readDownloads(downloads string, had map[string]bool, dir string) (*lock.GoMods, []module.Version, error) {
	var mods lock.GoMods
	var unpacked []module.Version
	err := filepath.WalkDir(downloads, func(name string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(name)
		if err != nil || ext != ".mod" && ext != ".zip" || had[name] {
			return err
		}
		rel, err := filepath.Rel(downloads, name)
		if err != nil {
			return err
		}
		v, err := modules.OfDownload(rel)
		if err != nil {
			return err
		}
		if ext == ".zip" {
			unpacked = append(unpacked, v)
			return nil
		}
		if exists(strings.TrimSuffix(name, ext) + ".zip") {
			return nil
		}
		mods.Modules = append(mods.Modules, v)
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(dir, rel), text)
	})
	if err != nil || len(mods.Modules) == 0 {
		return nil, unpacked, err
	}
	hash, err := nar.Tree{Name: "source", Root: dir}.Hash()
	mods.Hash = hash.SRI()
	return &mods, unpacked, err
}

// link adds a module to a module cache, by a symlink as in a build, and returns the
// path of its go.mod file in the download cache.
func (m *maker) link(cache string, mod lock.Module) (string, error) {
	dir, file, err := inCache(cache, mod.Source())
	if err != nil {
		return "", err
	}
	tree := m.f.trees[mod.Source()].dir
	text, err := os.ReadFile(filepath.Join(tree, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("module "+modfile.AutoQuote(mod.Source().Path)+"\n"), nil
	}
	if err != nil {
		return "", err
	}
	if err := writeFile(file+".mod", text); err != nil {
		return "", err
	}
	if err := writeFile(file+".ziphash", []byte(mod.Sum)); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return "", err
	}
	return file + ".mod", os.Symlink(tree, dir)
}

// removeAll removes a directory that may have read-only directories, as the go
// command makes them.
func removeAll(dir string) {
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
