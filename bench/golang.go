package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"dgd/bench/internal/run"
)

// goFlags are what dgd plans with.
func goFlags(p *program) []string {
	flags := []string{"-trimpath", "-buildvcs=false", strings.TrimSpace("-ldflags=-buildid= " + p.ldflags())}
	if len(p.tags) > 0 {
		flags = append(flags, "-tags="+strings.Join(p.tags, ","))
	}
	if p.vendor != "" {
		flags = append(flags, "-mod=vendor")
	}
	return flags
}

func pattern(p *program) string { return "./" + strings.TrimPrefix(p.subPackage, "./") }

// goCommand is a call of the toolchain that dgd uses, with a build cache.
func (b *bench) goCommand(ctx context.Context, w *workspace, cache string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(b.toolchain, "bin/go"), args...)
	run.Gently(cmd)
	cmd.Dir = w.goSrc()
	home := b.path("home")
	cmd.Env = append([]string{"PATH="}, w.compiler...)
	cmd.Env = append(cmd.Env,
		// Compiler wrappers ask for what Nix gives to a build.
		"NIX_BUILD_TOP="+b.dir,
		"HOME="+home, "TMPDIR="+b.dir, "GOPATH="+filepath.Join(home, "go"), "GOCACHE="+cache,
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on", "PWD="+cmd.Dir,
	)
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		cmd.Env = append(cmd.Env, name+"="+w.env[name])
	}
	return cmd
}

// goHome makes the toolchain's home. Telemetry is switched off by a file only.
func (b *bench) goHome() error {
	return writeFile(b.path("home/.config/go/telemetry/mode"), "off")
}

// goBuild builds a workspace's program with the given cache and says where it
// is.
func (b *bench) goBuild(ctx context.Context, w *workspace, cache string) (bin string, took run.Usage, err error) {
	bin = filepath.Join(w.dir, "bin")
	if err := os.RemoveAll(bin); err != nil {
		return "", took, err
	}
	took, err = b.timeGo(ctx, w, cache, bin)
	return bin, took, err
}

// timeGo is what go build takes into the directory bin, with these flags
// beside dgd's own.
func (b *bench) timeGo(ctx context.Context, w *workspace, cache, bin string, flags ...string) (run.Usage, error) {
	args := slices.Concat([]string{"build", "-o", bin + "/"}, flags, goFlags(w.program), []string{pattern(w.program)})
	usage, err := b.measure(ctx, b.goCommand(ctx, w, cache, args...))
	if err != nil {
		return run.Usage{}, fmt.Errorf("go %s: %s: %w", strings.Join(append([]string{"build"}, flags...), " "), w.name, err)
	}
	return usage, nil
}

// measure runs a command while nothing else is measured. An error has the end
// of what it printed.
func (b *bench) measure(ctx context.Context, cmd *exec.Cmd) (usage run.Usage, err error) {
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	err = b.exclusive(ctx, func() error {
		usage, err = run.Measure(cmd)
		return err
	})
	if err != nil {
		return run.Usage{}, fmt.Errorf("%w\n%s", err, run.Tail(log.String()))
	}
	return usage, nil
}

// goList is what `go list -deps` says, line by line, in the given format.
func (b *bench) goList(ctx context.Context, w *workspace, format string) ([]string, error) {
	args := []string{"list", "-deps", "-f", format}
	if w.vendor != "" {
		args = append(args, "-mod=vendor")
	}
	out, err := b.goCommand(ctx, w, b.path("list-cache"), append(args, pattern(w.program))...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %s: %w", w.name, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// copyCache copies a build cache.
func (b *bench) copyCache(cache string) (string, error) {
	to := b.unique("cache")
	return to, copyTree(cache, to)
}

// same checks that two directories hold the same programs.
func same(a, b string) error {
	programs, err := os.ReadDir(a)
	if err != nil {
		return err
	}
	others, err := os.ReadDir(b)
	if err != nil {
		return err
	}
	if len(programs) == 0 || len(programs) != len(others) {
		return fmt.Errorf("%d programs and %d are not the same", len(programs), len(others))
	}
	for _, p := range programs {
		one, err := os.ReadFile(filepath.Join(a, p.Name()))
		if err != nil {
			return err
		}
		two, err := os.ReadFile(filepath.Join(b, p.Name()))
		if err != nil {
			return err
		}
		if !bytes.Equal(one, two) {
			return fmt.Errorf("%s differs from what go build makes", p.Name())
		}
	}
	return nil
}
