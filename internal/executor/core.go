package executor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
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
// others have held all for as long as the patience lasts, a program runs
// without.
type Locks struct {
	// Queue is held by the one program that looks for a lock: the others wait for
	// it at less cost.
	Queue    string
	Cores    []string
	Patience time.Duration
}

// locksBeside returns the locks of n cores in the directory cores beside the
// executor's own: none where it has fewer.
func locksBeside(executor string, n int) Locks {
	dir := filepath.Join(filepath.Dir(filepath.Dir(executor)), "cores")
	if _, err := os.Stat(filepath.Join(dir, strconv.Itoa(n-1))); err != nil {
		return Locks{}
	}
	locks := Locks{Queue: filepath.Join(dir, "queue"), Patience: time.Minute}
	for i := range n {
		locks.Cores = append(locks.Cores, filepath.Join(dir, strconv.Itoa(i)))
	}
	return locks
}

// errNoLocks says that nothing can be locked, or not in time.
var errNoLocks = errors.New("no locks")

// take waits for a core's lock and returns the function that gives it back.
func (l Locks) take(ctx context.Context) (free func()) {
	if len(l.Cores) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, l.Patience)
	defer cancel()
	queue, err := lockOne(ctx, 5*time.Millisecond, l.Queue)
	if err != nil {
		return func() {}
	}
	defer queue.Close()
	core, err := lockOne(ctx, time.Millisecond, l.Cores...)
	if err != nil {
		return func() {}
	}
	return func() { core.Close() }
}

// lockOne locks one of the files, for which it looks in intervals, and returns
// it open: to close it is to give it back.
func lockOne(ctx context.Context, interval time.Duration, names ...string) (*os.File, error) {
	files := make([]*os.File, len(names))
	locked := -1
	defer func() {
		for i, f := range files {
			if i != locked && f != nil {
				f.Close()
			}
		}
	}()
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, errNoLocks
		}
		files[i] = f
	}
	for {
		for i, f := range files {
			switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
			case err == nil:
				locked = i
				return f, nil
			case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
				return nil, errNoLocks // a file system without them
			}
		}
		select {
		case <-ctx.Done():
			return nil, errNoLocks
		case <-time.After(interval):
		}
	}
}
