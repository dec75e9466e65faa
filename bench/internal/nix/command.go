package nix

import (
	"bytes"
	"context"
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

// environment is that of a Nix that uses the store. Later lines of NIX_CONFIG
// win.
func (s *Store) environment() []string {
	config := os.Getenv("NIX_CONFIG") + "\n"
	if s.Root != "" {
		config += "store = local?root=" + s.Root + "\n"
	}
	if s.MaxJobs > 0 {
		config += "max-jobs = " + strconv.Itoa(s.MaxJobs) + "\n"
	}
	return append(os.Environ(), "NIX_CONFIG="+config, "XDG_CACHE_HOME="+s.Cache)
}

// Output runs a command of Nix on the store and returns its standard output
// without the final newline.
func (s *Store) Output(ctx context.Context, name string, args ...string) (string, error) {
	return s.output(ctx, nil, name, args...)
}

func (s *Store) output(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
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
	machine := Store{Cache: s.Cache}
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

// A Build is what came of a run of nix-build.
type Build struct {
	Out     string // the store path
	Time    time.Duration
	PeakKB  int // of nix-build's own memory
	Derived []Derivation
}

// A Derivation is one that Nix built.
type Derivation struct {
	Name string // without hash and suffix
	Time time.Duration
}

// Build builds an attribute of an expression and keeps no link to the result.
func (s *Store) Build(ctx context.Context, expression, attribute string) (*Build, error) {
	cmd := exec.CommandContext(ctx, "nix-build", "--no-out-link", "--log-format", "internal-json", "-E", expression, "-A", attribute)
	run.Gently(cmd)
	cmd.Env = s.environment()
	log := &eventLog{}
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, log
	usage, err := run.Measure(cmd)
	if err != nil {
		return nil, fmt.Errorf("nix-build -A %s: %w\n%s", attribute, err, run.Tail(log.messages.String()))
	}
	return &Build{
		Out:     strings.TrimSpace(stdout.String()),
		Time:    usage.Time,
		PeakKB:  usage.PeakKB,
		Derived: log.built,
	}, nil
}
