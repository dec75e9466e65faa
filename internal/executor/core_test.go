package executor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dgd/internal/action"
)

// coreFiles makes the files of n cores, as lib/tools.nix does, beside an
// executor, whose path it returns.
func coreFiles(t *testing.T, n int) (executor string) {
	t.Helper()
	top := t.TempDir()
	if err := os.Mkdir(filepath.Join(top, "cores"), 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(top, "cores", "queue"), "queue\n", 0o444)
	for i := range n {
		writeFile(t, filepath.Join(top, "cores", fmt.Sprint(i)), fmt.Sprintf("core %d\n", i), 0o444)
	}
	return filepath.Join(top, "bin", "dgd-exec")
}

func TestLocksBeside(t *testing.T) {
	executor := coreFiles(t, 3)
	for n, want := range map[int]int{1: 1, 3: 3, 4: 0} {
		locks := locksBeside(executor, n)
		if len(locks.Cores) != want {
			t.Errorf("%d cores have %d locks, want %d", n, len(locks.Cores), want)
		}
		for _, f := range locks.Cores {
			if _, err := os.Stat(f); err != nil {
				t.Error(err)
			}
		}
	}
}

// Derivations that know nothing of each other run as many programs as there are
// locks.
func TestLocks(t *testing.T) {
	locks := locksBeside(coreFiles(t, 2), 2)
	b := newBench(t)
	// Each counts those that run beside it: a program is there from its first
	// line to its last.
	count := func(i int) action.Unit {
		run := shell(`mkdir "$1/runs-$2"; printf '%s\n' "$1"/runs-* >"$1/seen-$2"; sleep 0.02; rmdir "$1/runs-$2"`,
			"${out}", fmt.Sprint(i))
		return action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{{Run: &run}}}
	}
	const derivations = 6
	errs := make(chan error)
	for i := range derivations {
		go func() {
			spec := action.Spec{Units: []action.Unit{count(2 * i), count(2*i + 1)}}
			top := filepath.Join(b.top, fmt.Sprint("top", i))
			var log strings.Builder
			err := Run(context.Background(), &spec, Config{Top: top, Cores: 2, Locks: locks, Vars: b.vars, Stderr: &log})
			if err != nil {
				err = fmt.Errorf("%w: %s", err, &log)
			}
			errs <- err
		}()
	}
	for range derivations {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	most := 0
	for i := range 2 * derivations {
		text, err := os.ReadFile(fmt.Sprintf("%s/seen-%d", b.vars["out"], i))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, strings.Count(string(text), "\n"))
	}
	if most > 2 {
		t.Errorf("%d programs ran at once, with 2 locks", most)
	}
}

// hold locks a file until it is closed.
func hold(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return f
}

// Whoever holds all locks delays others and does not stop them; nor does a
// machine without locks.
func TestLocksOfOthers(t *testing.T) {
	locks := locksBeside(coreFiles(t, 1), 1)
	core := hold(t, locks.Cores[0])
	locks.Patience = 50 * time.Millisecond
	start := time.Now()
	locks.take(context.Background())()
	if took := time.Since(start); took < locks.Patience {
		t.Errorf("a lock that another holds was waited for %v", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	locks.Patience = time.Hour
	locks.take(ctx)()
	core.Close()
	// Whoever holds the queue delays as well, and leaves it free.
	queue := hold(t, locks.Queue)
	locks.Patience = 5 * time.Millisecond
	start = time.Now()
	locks.take(context.Background())()
	if took := time.Since(start); took < 10*locks.Patience {
		t.Errorf("the queue was waited for %v", took)
	}
	// To wait in the queue takes none of the patience.
	locks.Patience = 50 * time.Millisecond
	core = hold(t, locks.Cores[0])
	start = time.Now()
	time.AfterFunc(2*locks.Patience, func() { queue.Close() })
	locks.take(context.Background())()
	if took := time.Since(start); took < 3*locks.Patience {
		t.Errorf("a lock was waited for %v, of which %v in the queue", took, 2*locks.Patience)
	}
	core.Close()
	locks.Patience = time.Hour
	locks.take(context.Background())()
	Locks{}.take(context.Background())()
	Locks{Queue: "/nowhere", Cores: []string{"/nowhere"}, Patience: time.Hour}.take(context.Background())()
}
