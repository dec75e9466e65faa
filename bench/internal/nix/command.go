package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dgd/bench/internal/run"
)

// environment is that of a Nix that uses the store.
func (s *Store) environment() []string {
	store := ""
	if s.Root != "" {
		store = "local?root=" + s.Root
	}
	return append(os.Environ(), "NIX_CONFIG="+s.config(store), "XDG_CACHE_HOME="+s.Cache)
}

// config is NIX_CONFIG with a store's address, or the configured one where it
// is empty. Later lines win.
func (s *Store) config(store string) string {
	config := os.Getenv("NIX_CONFIG") + "\n"
	if store != "" {
		config += "store = " + store + "\n"
	}
	if s.MaxJobs > 0 {
		config += "max-jobs = " + strconv.Itoa(s.MaxJobs) + "\n"
	}
	return config
}

// program is a program of Nix.
func (s *Store) program(name string) string {
	if s.Bin == "" {
		return name
	}
	return filepath.Join(s.Bin, name)
}

// Output runs a command of Nix on the store and returns its standard output
// without the final newline.
func (s *Store) Output(ctx context.Context, name string, args ...string) (string, error) {
	return s.output(ctx, nil, name, args...)
}

func (s *Store) output(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.program(name), args...)
	run.Gently(cmd)
	cmd.Env = s.environment()
	cmd.Stdin = stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, run.Tail(stderr.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// Fill brings in store paths, and all that they refer to, of the machine's own
// store, which is at machineRoot: as links, as far as the file system allows.
func (s *Store) Fill(ctx context.Context, machineRoot string, paths ...string) error {
	machine := Store{Cache: s.Cache, Bin: s.Bin}
	out, err := machine.Output(ctx, "nix-store", append([]string{"--query", "--requisites"}, paths...)...)
	if err != nil {
		return err
	}
	all := strings.Fields(out)
	slices.Sort(all)
	all = slices.Compact(all)
	for _, path := range all {
		if _, err := os.Lstat(s.Path(path)); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(s.Path(path)), 0o755); err != nil {
			return err
		}
		if err := mirror(ctx, machineRoot+path, s.Path(path), linkOrCopy); err != nil {
			return fmt.Errorf("filling the store: %w", err)
		}
	}
	entries, err := machine.Output(ctx, "nix-store", append([]string{"--dump-db"}, all...)...)
	if err != nil {
		return err
	}
	_, err = s.output(ctx, strings.NewReader(entries+"\n"), "nix-store", "--load-db")
	return err
}

// A Build is what came of a run of nix-build. The memory is that of nix-build
// itself, or of the daemon's process that builds for it, without the builders.
type Build struct {
	run.Usage
	Out     string // the store path
	Derived []Derivation
}

// A Derivation is one that Nix built.
type Derivation struct {
	Name string // without hash and suffix
	Time time.Duration
}

// Build builds an attribute of an expression and keeps no link to the result.
func (s *Store) Build(ctx context.Context, expression, attribute string) (*Build, error) {
	log := &eventLog{}
	out, usage, err := s.measure(ctx, log, "nix-build", "--no-out-link", "--log-format", "internal-json", "-E", expression, "-A", attribute)
	if err != nil {
		return nil, fmt.Errorf("nix-build -A %s: %w\n%s", attribute, err, run.Tail(log.messages.String()))
	}
	return &Build{Usage: usage, Out: out, Derived: log.built}, nil
}

// Evaluate instantiates an attribute of an expression.
func (s *Store) Evaluate(ctx context.Context, expression, attribute string) (run.Usage, error) {
	var log bytes.Buffer
	_, usage, err := s.measure(ctx, &log, "nix-instantiate", "-E", expression, "-A", attribute)
	if err != nil {
		return usage, fmt.Errorf("nix-instantiate -A %s: %w\n%s", attribute, err, run.Tail(log.String()))
	}
	return usage, nil
}

// measure runs a command, with a daemon of its own where the store has one, and
// returns the last line that it prints, with what both have used.
func (s *Store) measure(ctx context.Context, stderr io.Writer, name string, args ...string) (out string, usage run.Usage, err error) {
	cmd := exec.CommandContext(ctx, s.program(name), args...)
	run.Gently(cmd)
	cmd.Env = s.environment()
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	if !s.Daemon {
		usage, err = run.Measure(cmd)
		return strings.TrimSpace(stdout.String()), usage, err
	}
	d, err := s.startDaemon(ctx)
	if err != nil {
		return "", usage, err
	}
	// The client reads the store's files where they are, and writes none.
	cmd.Env = append(cmd.Env, "NIX_CONFIG="+s.config("unix://"+d.socket+"?root="+s.Root))
	usage, err = run.Measure(cmd, d.workers)
	cpu, stopErr := d.stop()
	usage.CPU += cpu
	return strings.TrimSpace(stdout.String()), usage, errors.Join(err, stopErr)
}
