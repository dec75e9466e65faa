package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/run"
	"dgd/internal/nix/ownstore"
)

// goFlags are what dgd plans with, and the package.
func goFlags(p *program) []string {
	flags := []string{"-trimpath", "-buildvcs=false", strings.Join(append([]string{"-ldflags=-buildid="}, p.ldflags()...), " ")}
	if len(p.tags) > 0 {
		flags = append(flags, "-tags="+strings.Join(p.tags, ","))
	}
	if p.vendor != "" {
		flags = append(flags, "-mod=vendor")
	}
	return append(flags, "./"+strings.TrimPrefix(p.subPackage, "./"))
}

// goCommand is a call of the toolchain that dgd uses, with a build cache.
func (b *bench) goCommand(w *workspace, cache string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, filepath.Join(b.toolchain, "bin/go"), args...)
	run.Gently(cmd)
	cmd.Dir = w.goSrc()
	home := b.path("home")
	cmd.Env = slices.Concat([]string{"PATH="}, w.compiler, []string{
		// Compiler wrappers ask for what Nix gives to a build.
		"NIX_BUILD_TOP=" + b.dir,
		"HOME=" + home, "TMPDIR=" + b.dir, "GOPATH=" + filepath.Join(home, "go"), "GOCACHE=" + cache,
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on", "PWD=" + cmd.Dir,
		"CGO_ENABLED=" + w.cgo(),
	})
	return cmd
}

// goBuild builds a workspace's program with a cache, which is the workspace's
// from then on, and says where it is.
func (b *bench) goBuild(w *workspace, cache string, flags ...string) (bin string, took run.Usage) {
	bin = filepath.Join(w.dir, "bin")
	check(os.RemoveAll(bin))
	args := slices.Concat([]string{"build", "-o", bin + "/"}, flags, goFlags(w.program))
	took = b.time(b.goCommand(w, cache, args...))
	w.use(w.store, cache)
	return bin, took
}

// time is what a command takes while nothing else is measured.
func (b *bench) time(cmd *exec.Cmd) run.Usage {
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	usage, err := b.opt.lock.Measure(b.ctx, cmd)
	if err != nil {
		fail("%s: %w\n%s", strings.Join(cmd.Args[:2], " "), err, run.Tail(log.String()))
	}
	return usage
}

// goList is what `go list -deps` says, line by line, in the given format.
func (b *bench) goList(w *workspace, format string) []string {
	args := append([]string{"list", "-deps", "-f", format}, goFlags(w.program)...)
	return strings.Split(must(ownstore.Output(b.goCommand(w, b.path("list-cache"), args...))), "\n")
}

// same checks that a build has made the programs that the go command has.
func (b *bench) same(w *workspace, built *nix.Build, mode, made string) {
	want, got := contents(made), contents(w.store.Path(built.Out+"/bin"))
	if len(want) == 0 || !maps.Equal(want, got) {
		fail("%s, mode %s: the programs %v are not those that go build makes, %v", w.name, mode, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// contents are those of the files in a directory.
func contents(dir string) map[string]string {
	files := map[string]string{}
	for _, entry := range must(os.ReadDir(dir)) {
		files[entry.Name()] = readFile(filepath.Join(dir, entry.Name()))
	}
	return files
}
