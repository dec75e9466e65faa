// Package testrun runs a test program as `go test` does: see
// cmd/go/internal/test.
//
// The executor and the planner import it. Like the executor it imports nothing
// but the standard library: every inner derivation depends on its bytes.
package testrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A Run is a run of a test program.
type Run struct {
	Dir  string
	Env  []string // all of it, but for PWD
	Path string   // directory that comes first in PATH
	Args []string // the program and its flags
}

// Run runs the test. It returns what it printed, with what `go test` adds to a
// failure, and an error if it failed.
func (t *Run) Run(ctx context.Context) ([]byte, error) {
	return t.Start(ctx, func(cmd *exec.Cmd) (func(), error) { return func() {}, cmd.Start() })
}

// Start is Run where start starts the program. What it begins beside that, end
// ends when the program is gone.
func (t *Run) Start(ctx context.Context, start func(*exec.Cmd) (end func(), err error)) ([]byte, error) {
	waitDelay, killAfter := t.limits()
	if killAfter > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, killAfter)
		defer cancel()
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, t.Args[0], t.Args[1:]...)
	cmd.Dir = t.Dir
	path := t.Path
	if old := variable(t.Env, "PATH"); old != "" {
		path += string(os.PathListSeparator) + old
	}
	cmd.Env = append(t.Env[:len(t.Env):len(t.Env)], "PATH="+path, "PWD="+t.Dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	killed := false
	cmd.Cancel = func() error {
		// In the hope of a stack trace.
		err := cmd.Process.Signal(syscall.SIGQUIT)
		killed = err == nil
		return err
	}
	cmd.WaitDelay = waitDelay
	end, err := start(cmd)
	if err == nil {
		err = cmd.Wait()
		end()
	}
	if err == nil {
		return out.Bytes(), nil
	}
	silent := out.Len() == 0
	switch {
	case killed:
		fmt.Fprintf(&out, "*** Test killed with %v: ran too long (%v).\n", syscall.SIGQUIT, killAfter)
	case errors.Is(err, exec.ErrWaitDelay):
		fmt.Fprintf(&out, "*** Test I/O incomplete %v after exiting.\n", waitDelay)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Exited() || silent {
		fmt.Fprintf(&out, "%s\n", err)
	} else if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	return out.Bytes(), err
}

// Verbose reports whether what a test prints is shown where it passes, too.
func (t *Run) Verbose() bool {
	for _, arg := range t.Args[1:] {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "test.v" && value != "false" || name == "test.bench" && value != "" {
			return true
		}
	}
	return false
}

// limits are how long the program's output may stay open after its end, and
// after how long it is killed: none of both where the test may run for ever.
func (t *Run) limits() (waitDelay, killAfter time.Duration) {
	var timeout time.Duration
	forever := false
	for _, arg := range t.Args[1:] {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch name {
		case "test.timeout":
			timeout, _ = time.ParseDuration(value)
		case "test.bench", "test.fuzz":
			forever = forever || value != ""
		}
	}
	if timeout <= 0 || forever {
		return 0, 0
	}
	waitDelay = max(timeout/10, 5*time.Second)
	return waitDelay, timeout + max(waitDelay, time.Minute)
}

// variable returns the value of a variable: the last one counts.
func variable(env []string, name string) string {
	value := ""
	for _, v := range env {
		if v, ok := strings.CutPrefix(v, name+"="); ok {
			value = v
		}
	}
	return value
}
