package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
	"dgd/internal/nix/ownstore"
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

// A bench measures. All that it makes on disk is in one directory. Its methods
// end the scenario where they fail.
type bench struct {
	ctx       context.Context // ends what is measured
	opt       options
	repo      string
	dir       string
	made      int
	machine   nix.Store // the machine's own store
	toolchain string    // on disk
	planner   string    // dgd-plan on disk
	dgd       string    // the same of dgd
	base      *nix.Store
	programs  map[string]*program
	warm      map[string]*workspace
	versions  record.Versions
}

// newBench makes a bench in dir, which close removes.
func newBench(ctx context.Context, opt options, dir string) *bench {
	b := &bench{ctx: ctx, opt: opt, dir: dir, programs: map[string]*program{}, warm: map[string]*workspace{}}
	b.machine.Cache = b.path("nix-cache")
	b.base = &nix.Store{Store: ownstore.Store{Root: b.path("base"), Cache: b.machine.Cache, Bin: opt.nix}, Daemon: !opt.oneProcess, Lock: opt.lock}
	if opt.maxJobs > 0 {
		b.base.Config = []string{fmt.Sprint("max-jobs = ", opt.maxJobs)}
	}
	return b
}

// prepare builds what each scenario uses.
func (b *bench) prepare() {
	b.repo = must(os.Getwd())
	if _, err := os.Stat(filepath.Join(b.repo, "bench/bench.nix")); err != nil {
		fail("run the bench in dgd's own directory: %w", err)
	}
	writeFile(b.path("home/.config/go/telemetry/mode"), "off") // a file is the only switch
	own := "import " + b.repo + "/bench/bench.nix { src = \"\"; }"
	b.toolchain, b.planner = b.onDisk(b.built(own, "go")), b.onDisk(b.built(own, "dgd-plan"))
	b.dgd = b.onDisk(b.built(own, "dgd"))
	version := must(b.base.Output(b.ctx, "nix-build", "--version"))
	b.versions = record.Versions{
		InMemory: inMemory(b.dir),
		Machine:  record.ThisMachine(),
		Nix:      version[strings.LastIndex(version, " ")+1:],
		Go:       strings.TrimPrefix(must(ownstore.Output(exec.CommandContext(b.ctx, filepath.Join(b.toolchain, "bin/go"), "env", "GOVERSION"))), "go"),
		DGD:      must(ownstore.Output(exec.CommandContext(b.ctx, "git", "-C", b.repo, "describe", "--always", "--dirty", "--abbrev=12"))),
	}
}

func (b *bench) close() error { return ownstore.Remove(b.dir) }

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
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// built is the store path of an attribute, built in the machine's own store.
func (b *bench) built(expression, attribute string) string {
	return must(b.machine.Output(b.ctx, "nix-build", "--no-out-link", "-E", expression, "-A", attribute))
}

// fill puts into the base store what is there before a measurement of the
// program begins.
func (b *bench) fill(w *workspace) {
	if w.program.based {
		return
	}
	b.say("preparing a store for %s", w.name)
	// What is built, and what that is made of, because the package set may name
	// paths that no derivation makes.
	prepared := b.expression(w.program, w.program.src, "")
	drv := must(b.machine.Output(b.ctx, "nix-instantiate", "-E", prepared, "-A", "prepared"))
	check(b.base.Fill(b.ctx, &b.machine.Store, b.onDisk(""), drv, b.built(prepared, "prepared")))
	// Nix does not take over which derivation made a content-addressed path, so
	// that the store has to build dgd's two programs once.
	for _, attribute := range []string{"dgd-plan", "dgd-exec"} {
		b.build(w, b.base, attribute)
	}
	// To evaluate brings in what derivations are made of, such as scripts.
	for _, attribute := range []string{single, "prepared", trivial} {
		b.evaluate(w, b.base, attribute)
	}
	w.program.based = true
}

// cold is a store in which nothing of the workspace's program is planned or
// compiled.
func (b *bench) cold(w *workspace) *nix.Store {
	b.fill(w)
	return must(b.base.Clone(b.ctx, b.unique("store")))
}

// build builds an attribute of a workspace's program in a store.
func (b *bench) build(w *workspace, store *nix.Store, attribute string) *nix.Build {
	return must(store.Build(b.ctx, b.ofWorkspace(w, attribute), attribute))
}

// ofWorkspace is the expression that has an attribute of a workspace's program. A
// plan in a file is of its source as it is now; to write it is no part of a build.
func (b *bench) ofWorkspace(w *workspace, attribute string) string {
	if attribute == byPlan {
		b.writePlan(w)
	}
	return b.expression(w.program, w.src(), w.goSrc())
}

// evaluate evaluates it alone.
func (b *bench) evaluate(w *workspace, store *nix.Store, attribute string) run.Usage {
	return must(store.Evaluate(b.ctx, b.ofWorkspace(w, attribute), attribute))
}

// workspace is a fresh workspace of a program.
func (b *bench) workspace(name string) *workspace {
	p := b.program(name)
	w := b.newWorkspace(p)
	if p.packages == 0 {
		p.packages = len(b.goList(w, "{{.ImportPath}}"))
	}
	return w
}

// warmed is the workspace of a program whose store and build cache know it.
// There is one for all edits.
func (b *bench) warmed(name string) *workspace {
	if w, ok := b.warm[name]; ok {
		return w
	}
	w := b.workspace(name)
	w.use(b.cold(w), b.unique("cache"))
	b.say("%s: the first build, not measured", name)
	b.settle(w, b.opt.modes...)
	b.warm[name] = w
	return w
}

// settle brings a workspace's store and cache up to date, for what is measured
// next.
func (b *bench) settle(w *workspace, modes ...string) {
	made, _ := b.goBuild(w, w.cache)
	for _, mode := range modes {
		b.same(w, b.build(w, w.store, mode), mode, made)
	}
}
