package making

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"dgd/internal/gocmd"
)

// A goCommand runs the user's go command, with the user's settings.
type goCommand struct {
	program string
	dir     string // the working directory
	env     []string
	timeout time.Duration // after how long without data to give up
	proxy   string        // GOPROXY without passwords, for errors
	// moved returns a number that grows with downloads of which the go command
	// prints nothing. It may be nil.
	moved func() int64
}

// goEnv has variables of `go env -json`. GOFLAGS is without -mod.
type goEnv struct{ GOFLAGS, GOMODCACHE, GOPROXY, GOROOT string }

// findGo returns the go command in PATH, set up for a project, and its variables.
func findGo(ctx context.Context, p *Project, timeout time.Duration) (*goCommand, *goEnv, error) {
	program, err := exec.LookPath("go")
	if err != nil {
		return nil, nil, errors.New("there is no go command in PATH: install Go, or run this in a shell that has it")
	}
	g := &goCommand{
		program: program,
		dir:     p.Dir,
		env:     append(os.Environ(), "GO111MODULE=on", "GOWORK="+p.gowork),
		timeout: timeout,
	}
	out, err := g.run(ctx, "env", "-json", "GOFLAGS", "GOMODCACHE", "GOPROXY", "GOROOT")
	if err != nil {
		return nil, nil, err
	}
	var env goEnv
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, nil, fmt.Errorf("go env: %w", err)
	}
	if env.GOFLAGS, err = goFlags(env.GOFLAGS); err != nil {
		return nil, nil, err
	}
	// With -mod=readonly the go command neither reads a vendor directory nor writes
	// go.mod.
	g.env = append(g.env, "GOFLAGS="+strings.TrimSpace(env.GOFLAGS+" -mod=readonly"))
	g.proxy = redact(env.GOPROXY)
	return g, &env, nil
}

// goFlags returns GOFLAGS without -mod. Flags that a build with the lock does not
// have, and that change which files the go command reads, are an error.
func goFlags(flags string) (string, error) {
	var kept []string
	for _, flag := range strings.Fields(flags) {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		switch strings.TrimPrefix(name, "-") {
		case "mod":
			continue
		case "modfile", "overlay":
			return "", fmt.Errorf("GOFLAGS has %s, so that go reads other files than a build with the lock: remove it from GOFLAGS", flag)
		}
		kept = append(kept, flag)
	}
	return strings.Join(kept, " "), nil
}

// with returns the command with another working directory and further variables.
func (g *goCommand) with(dir string, env ...string) *goCommand {
	c := *g
	c.dir = dir
	c.env = append(c.env[:len(c.env):len(c.env)], env...)
	return &c
}

// A failure is an error message of the go command, without passwords.
type failure struct{ command, text string }

// newFailure returns the failure of a command that printed text.
func newFailure(command, text string) *failure { return &failure{command, paragraph(text)} }

func (e *failure) Error() string { return e.command + ": " + e.text }

// errIdle is the cause of ending a command that got no data for the timeout.
var errIdle = errors.New("idle")

// run runs the go command and returns its standard output. It ends the command,
// with all processes that it has started, if there is no data for the timeout or
// if ctx ends.
func (g *goCommand) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, g.program, args...)
	cmd.Dir = g.dir
	cmd.Env = append(g.env[:len(g.env):len(g.env)], "PWD="+g.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr counted
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	done := make(chan struct{})
	defer close(done)
	go watch(done, g.timeout, func() int64 {
		n := stdout.n.Load() + stderr.n.Load()
		if g.moved != nil {
			n += g.moved()
		}
		return n
	}, func() { cancel(errIdle) })
	err := cmd.Run()
	name := "go " + strings.Join(args[:min(2, len(args))], " ")
	switch {
	case errors.Is(context.Cause(ctx), errIdle):
		return nil, &failure{name, fmt.Sprintf("no data received for %v", g.timeout)}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil:
		return stdout.buf.Bytes(), nil
	}
	failed := newFailure(name, stderr.buf.String())
	if failed.text == "" {
		failed.text = err.Error()
	}
	return stdout.buf.Bytes(), failed
}

// counted is a buffer whose length can be read while it is written.
type counted struct {
	buf bytes.Buffer
	n   atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.buf.Write(b)
}

// watch calls idle once moved has returned the same number for the timeout. It
// returns when done is closed.
func watch(done <-chan struct{}, timeout time.Duration, moved func() int64, idle func()) {
	tick := time.NewTicker(max(timeout/20, time.Millisecond))
	defer tick.Stop()
	last, since := moved(), time.Now()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if now := moved(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) >= timeout {
			idle()
			return
		}
	}
}

// sizeOf returns the size in bytes of all files below directories. Directories
// that do not exist count as empty.
func sizeOf(dirs ...string) (n int64) {
	for _, dir := range dirs {
		// Files that are removed meanwhile do not count.
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if info, err := d.Info(); err == nil {
					n += info.Size()
				}
			}
			return nil
		})
	}
	return n
}

var credentials = regexp.MustCompile(`://[^/\s"'|,]*@`)

// paragraph returns an output of the go command without passwords and empty lines.
func paragraph(text string) string {
	var lines []string
	for line := range strings.Lines(redact(text)) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// redact removes user names and passwords from the URLs in a text.
func redact(text string) string { return credentials.ReplaceAllString(text, "://") }

// advice returns what to do about failures of the user's go command.
func (g *goCommand) advice() []gocmd.Advice {
	return []gocmd.Advice{
		{Says: `no data received for`, When: true, Do: "see whether GOPROXY answers (it is " + g.proxy + "), or set --timeout higher"},
		{Says: `checksum mismatch`, When: true, Do: "what GOPROXY serves (it is " + g.proxy + ") is not what go.sum says: find out which of them is right, and change go.sum only then"},
		{Says: `missing go\.sum entry`, When: true, Do: "go.sum is incomplete: run `go mod tidy` in " + g.dir},
		{Says: `malformed go\.sum`, When: true, Do: "go.sum is damaged: take it from version control, or remove it and run `go mod tidy` in " + g.dir},
		{Says: `updates to go\.mod needed|no required module provides|cannot find module providing|go mod tidy`, When: true,
			Do: "go.mod does not have all that the packages import: run `go mod tidy` in " + g.dir},
		{Says: `refusing to pass credentials to insecure URL`, When: true, Do: "GOPROXY (" + g.proxy + ") has a password, which go sends by https only: take https, or leave out the password"},
		{Says: `no secure protocol found`, When: true,
			Do: "git cannot read its repository: see what `git ls-remote https://PATH` says for the module's path; the server may require a password: for https, put it into ~/.netrc; for ssh, load the key"},
		{Says: `\b(401|403)\b|Unauthorized|Forbidden|could not read (Username|Password)|terminal prompts disabled|Authentication failed|Permission denied`, When: true,
			Do: "the server requires a password: for https, put it into ~/.netrc or the file that NETRC names; for ssh, load the key; GOPROXY is " + g.proxy},
		{Says: `\b(404|410)\b|not found|unknown revision|no such file or directory`, When: true,
			Do: "GOPROXY (" + g.proxy + ") does not have it: for a private module, set GOPRIVATE to its path, or GOPROXY to a proxy that has it"},
		{Says: `connection refused|no such host|network is unreachable|timeout|reset by peer|unable to access|Could not resolve`, When: true,
			Do: "GOPROXY (" + g.proxy + ") or the module's server does not answer: see whether it is up, and try again"},
		{Says: `EOF|invalid character|not a valid zip|zip:|malformed|invalid`, When: true, Do: "GOPROXY (" + g.proxy + ") does not answer as a module proxy: try another one, or try again"},
	}
}

// explain adds advice to an error that is a failure of the go command.
func (g *goCommand) explain(err error) error {
	var failed *failure
	if !errors.As(err, &failed) {
		return err
	}
	if a, ok := gocmd.Find(g.advice(), failed.text); ok {
		return fmt.Errorf("%w\n%s", err, a.Do)
	}
	return err
}
