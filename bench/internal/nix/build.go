package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"dgd/bench/internal/run"
)

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
	log := &eventLog{stop: map[uint64]func(){}}
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
		err = fmt.Errorf("nix-instantiate -A %s: %w\n%s", attribute, err, run.Tail(log.String()))
	}
	return usage, err
}

// measure runs a command, with a daemon of its own where the store has one, and
// returns the last line that it prints, with what both have used.
func (s *Store) measure(ctx context.Context, stderr io.Writer, name string, args ...string) (out string, usage run.Usage, err error) {
	client, workers := s.Store, []func() []int(nil)
	var d *daemon
	if s.Daemon {
		if d, err = s.startDaemon(ctx); err != nil {
			return "", usage, err
		}
		// The client reads the store's files where they are, and writes none.
		client.Config = slices.Concat(client.Config, []string{"store = unix://" + d.socket + "?root=" + s.Root})
		workers = append(workers, d.workers)
	}
	cmd := client.Command(ctx, name, args...)
	run.Gently(cmd)
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	usage, err = s.Lock.Measure(ctx, cmd, workers...)
	if d != nil {
		cpu, stopErr := d.stop()
		usage.CPU += cpu
		err = errors.Join(err, stopErr)
	}
	return strings.TrimSpace(stdout.String()), usage, err
}
