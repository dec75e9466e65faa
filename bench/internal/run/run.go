// Package run runs commands and measures them.
package run

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Gently makes a command's end an orderly one where its context is cancelled:
// it and what it has started are interrupted, and killed only if that does not
// help. A group of its own keeps it from the terminal's ^C, so that there is
// one way to the end only.
func Gently(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 20 * time.Second
}

// Tail is the end of a log.
func Tail(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// A Lock is a file that only one bench at a time may hold, on a machine where
// several run. An empty name locks nothing.
type Lock string

// Do calls f while it holds the lock.
func (l Lock) Do(ctx context.Context, f func() error) error {
	if l == "" {
		return f()
	}
	file, err := os.OpenFile(string(l), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("the lock: %w", err)
	}
	defer file.Close()
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the lock: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return f()
}

// Measure measures a command while it holds the lock.
func (l Lock) Measure(ctx context.Context, cmd *exec.Cmd, beside ...func() []int) (u Usage, err error) {
	err = l.Do(ctx, func() (err error) {
		u, err = Measure(cmd, beside...)
		return err
	})
	return u, err
}
