package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

// options are what the flags say about measuring.
type options struct {
	modes          []string
	runs           int
	inputAddressed bool
	oneProcess     bool   // without a daemon
	nix            string // the directory of Nix's programs; empty: in PATH
	maxJobs        int
	lock           run.Lock
	dir            string // where the bench's own directory is made; empty: see place
}

// A bench measures. All that it makes on disk is in one directory.
type bench struct {
	opt       options
	repo      string
	dir       string
	made      int
	progress  io.Writer
	machine   nix.Store // the machine's own store
	toolchain string    // on disk
	planner   string    // dgd-plan on disk
	base      *nix.Store
	based     map[string]bool // programs whose sources and modules base has
	programs  map[string]*program
	warm      map[string]*workspace
	versions  record.Versions
}

// newBench makes a bench; close removes what it leaves on disk.
func newBench(ctx context.Context, opt options, progress io.Writer) (_ *bench, err error) {
	b := &bench{
		opt:      opt,
		progress: progress,
		based:    map[string]bool{},
		programs: map[string]*program{},
		warm:     map[string]*workspace{},
	}
	if b.repo, err = os.Getwd(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(b.repo, "bench/bench.nix")); err != nil {
		return nil, fmt.Errorf("run the bench in dgd's own directory: %w", err)
	}
	if b.dir, err = os.MkdirTemp(place(opt.dir), "dgd-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	b.machine = nix.Store{Cache: b.path("nix-cache")}
	b.base = &nix.Store{Root: b.path("base"), Cache: b.machine.Cache, MaxJobs: opt.maxJobs, Bin: opt.nix, Daemon: !opt.oneProcess}
	b.versions.InMemory = inMemory(b.dir)
	if err := b.goHome(); err != nil {
		return nil, err
	}
	for _, tool := range []struct {
		attribute string
		to        *string
	}{{"go", &b.toolchain}, {"dgd-plan", &b.planner}} {
		path, err := b.machine.Output(ctx, "nix-build", "--no-out-link", "-E", "import "+b.repo+"/bench/bench.nix { src = \"\"; }", "-A", tool.attribute)
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", tool.attribute, err)
		}
		*tool.to = b.onDisk(path)
	}
	return b, b.readVersions(ctx)
}

func (b *bench) close() error { return nix.Remove(b.dir) }

// path is a place in the bench's directory.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// unique is a place of its own.
func (b *bench) unique(name string) string {
	b.made++
	return b.path(fmt.Sprintf("%s.%d", name, b.made))
}

// onDisk is where a path of the machine's store is: an ordinary user's store is
// not at its own place.
func (b *bench) onDisk(path string) string { return os.Getenv("DGD_STORE_ROOT") + path }

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// exclusive calls f while nothing else is measured on this machine.
func (b *bench) exclusive(ctx context.Context, f func() error) error { return b.opt.lock.Do(ctx, f) }

func (b *bench) readVersions(ctx context.Context) error {
	version, err := b.base.Output(ctx, "nix-build", "--version")
	if err != nil {
		return err
	}
	b.versions.Nix = version[strings.LastIndex(version, " ")+1:]
	text, err := os.ReadFile(filepath.Join(b.toolchain, "share/go/VERSION"))
	if err != nil {
		if text, err = os.ReadFile(filepath.Join(b.toolchain, "VERSION")); err != nil {
			return err
		}
	}
	b.versions.Go, _, _ = strings.Cut(strings.TrimPrefix(string(text), "go"), "\n")
	b.versions.DGD, err = commit(ctx, b.repo)
	return err
}

// fill puts into the base store what is there before a measurement of the
// program begins.
func (b *bench) fill(ctx context.Context, w *workspace) error {
	if b.based[w.name] {
		return nil
	}
	b.say("preparing a store for %s", w.name)
	expression := b.expression(w.program, w.src())
	paths, err := b.prepared(ctx, w.program)
	if err != nil {
		return err
	}
	if err := b.base.Fill(ctx, b.onDisk(""), paths...); err != nil {
		return err
	}
	// Nix does not take over which derivation made a content-addressed path, so
	// that the store has to build dgd's two programs once.
	for _, attribute := range []string{"dgd-plan", "dgd-exec"} {
		if _, err := b.base.Build(ctx, expression, attribute); err != nil {
			return err
		}
	}
	// To evaluate brings in what derivations are made of, such as scripts.
	for _, attribute := range []string{"single", "prepared", "trivial"} {
		if _, err := b.base.Output(ctx, "nix-instantiate", "-E", expression, "-A", attribute); err != nil {
			return err
		}
	}
	b.based[w.name] = true
	return nil
}

// prepared are paths of the machine's store that refer to all that a program's
// build needs beforehand: what is built, and what that is made of, because the
// package set may name paths that no derivation makes.
func (b *bench) prepared(ctx context.Context, p *program) ([]string, error) {
	expression := b.expression(p, p.src)
	built, err := b.machine.Output(ctx, "nix-build", "--no-out-link", "-E", expression, "-A", "prepared")
	if err != nil {
		return nil, err
	}
	drv, err := b.machine.Output(ctx, "nix-instantiate", "-E", expression, "-A", "prepared")
	if err != nil {
		return nil, err
	}
	all, err := b.machine.Output(ctx, "nix-store", "--query", "--requisites", drv)
	if err != nil {
		return nil, err
	}
	paths := []string{built}
	for _, path := range strings.Fields(all) {
		if !strings.HasSuffix(path, ".drv") {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// cold is a store in which nothing of the workspace's program is planned or
// compiled.
func (b *bench) cold(ctx context.Context, w *workspace) (*nix.Store, error) {
	if err := b.fill(ctx, w); err != nil {
		return nil, err
	}
	return b.base.Clone(ctx, b.unique("store"))
}

// build builds a workspace's program in a store.
func (b *bench) build(ctx context.Context, w *workspace, store *nix.Store, attribute string) (built *nix.Build, err error) {
	err = b.exclusive(ctx, func() error {
		built, err = store.Build(ctx, b.expression(w.program, w.src()), attribute)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	return built, nil
}

// bin is where the programs of a build are.
func bin(store *nix.Store, built *nix.Build, attribute string) string {
	if attribute == "single" {
		return store.Path(built.Out + "/program/bin")
	}
	return store.Path(built.Out + "/bin")
}

// workspace is a fresh workspace of a program.
func (b *bench) workspace(ctx context.Context, name string) (*workspace, error) {
	p, err := b.program(ctx, name)
	if err != nil {
		return nil, err
	}
	w, err := b.newWorkspace(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if p.packages == 0 {
		list, err := b.goList(ctx, w, "{{.ImportPath}}")
		if err != nil {
			return nil, err
		}
		p.packages = len(list)
	}
	return w, nil
}

// warmed is the workspace of a program whose store and build cache know it.
// There is one for all edits.
func (b *bench) warmed(ctx context.Context, name string) (*workspace, error) {
	if w, ok := b.warm[name]; ok {
		return w, nil
	}
	w, err := b.workspace(ctx, name)
	if err != nil {
		return nil, err
	}
	if w.store, err = b.cold(ctx, w); err != nil {
		return nil, err
	}
	w.cache = b.unique("cache")
	b.say("%s: the first build, not measured", name)
	if err := b.settle(ctx, w, b.opt.modes...); err != nil {
		return nil, err
	}
	b.warm[name] = w
	return w, nil
}

// adopt keeps a workspace for the edits, where there is none yet.
func (b *bench) adopt(w *workspace) error {
	if b.warm[w.name] != nil {
		return w.discard()
	}
	b.warm[w.name] = w
	return nil
}

// settle brings a workspace's store and cache up to date, for what is measured
// next.
func (b *bench) settle(ctx context.Context, w *workspace, modes ...string) error {
	made, _, err := b.goBuild(ctx, w, w.cache)
	if err != nil {
		return err
	}
	for _, mode := range modes {
		built, err := b.build(ctx, w, w.store, mode)
		if err != nil {
			return err
		}
		if err := same(bin(w.store, built, mode), made); err != nil {
			return fmt.Errorf("%s, mode %s: %w", w.name, mode, err)
		}
	}
	return nil
}
