package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Locks are files of which a program holds one, by flock(2), while it runs: as
// many as the machine has cores. They are in the store, beside the executor, so
// that all derivations that a machine builds have the same ones, each in its
// sandbox. Nix is told to build more derivations at once than there are cores,
// since a derivation does more than to compile; but compilers that share a core
// take each other's cache, a fifth of their time.
//
// They order programs in time and nothing else: where there are none, and where
// all have been held by others for as long as the patience lasts, a program
// runs without.
type Locks struct {
	Files    []string
	Patience time.Duration
}

// locksBeside returns the first n files of the directory cores beside the
// executor's own: none where there are fewer.
func locksBeside(executor string, n int) Locks {
	locks := Locks{Patience: time.Minute}
	dir := filepath.Join(filepath.Dir(filepath.Dir(executor)), "cores")
	if _, err := os.Stat(filepath.Join(dir, fmt.Sprint(n-1))); err != nil {
		return locks
	}
	for i := range n {
		locks.Files = append(locks.Files, filepath.Join(dir, fmt.Sprint(i)))
	}
	return locks
}

// take waits for a lock and returns the function that gives it back.
func (l Locks) take(ctx context.Context) (free func()) {
	const pause = 2 * time.Millisecond
	for end := time.Now().Add(l.Patience); len(l.Files) > 0; {
		for _, name := range l.Files {
			f, err := os.Open(name)
			if err != nil {
				return func() {}
			}
			switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
			case err == nil:
				return func() { f.Close() }
			case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
				f.Close()
				return func() {} // a file system without locks
			}
			f.Close()
		}
		if !time.Now().Before(end) {
			break
		}
		select {
		case <-ctx.Done():
			return func() {}
		case <-time.After(pause):
		}
	}
	return func() {}
}
