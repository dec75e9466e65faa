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
	// Queue is held by the one program that looks for a free core, at intervals:
	// the others wait for it, which costs nothing.
	Queue string
	Cores []string
	// Patience is how long a program looks for a free core. The others wait ten times
	// as long for the queue: it moves while the first one looks, so that all who wait
	// would otherwise run at once, as soon as many programs are long ones.
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
	waiting, cancel := context.WithTimeout(ctx, 10*l.Patience)
	defer cancel()
	queue, err := wait(waiting, l.Queue)
	if err != nil {
		return func() {}
	}
	defer queue.Close()
	looking, cancel := context.WithTimeout(ctx, l.Patience)
	defer cancel()
	core, err := look(looking, l.Cores)
	if err != nil {
		return func() {}
	}
	return func() { core.Close() }
}

// wait locks a file, whenever that is possible, and returns it open: to close it
// is to give it back.
func wait(ctx context.Context, name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errNoLocks
	}
	locked := make(chan error, 1)
	go func() { // it ends when whoever has the lock does
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		for errors.Is(err, syscall.EINTR) {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		}
		locked <- err
	}()
	select {
	case err = <-locked:
	case <-ctx.Done():
		go func() {
			<-locked
			f.Close()
		}()
		return nil, errNoLocks
	}
	if err != nil {
		f.Close()
		return nil, errNoLocks
	}
	return f, nil
}

// look locks the first file that is free, for which it looks at intervals, and
// returns it open.
func look(ctx context.Context, names []string) (*os.File, error) {
	const interval = 2 * time.Millisecond
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
