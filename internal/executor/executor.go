// Package executor carries out the actions of one derivation: it writes files,
// runs compilers and packs archives. It is what runs in the sandbox in place of
// a shell.
//
// It imports nothing but the standard library and internal/action: every inner
// derivation depends on its bytes.
package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"dgd/internal/action"
)

// ErrShown says that the reason of a failure is on the error stream already,
// in the words of the program that failed.
var ErrShown = errors.New("a step failed")

// WatchedCommand is the argument by which dgd-exec calls itself for Watched.
const WatchedCommand = "watched"

// Config is the executor's surroundings.
type Config struct {
	Top    string      // an empty directory to work in
	Cores  int         // how many programs run at once, at least 1
	Locks  Locks       // of the whole machine
	Vars   action.Vars // the derivation's tokens, its outputs among them
	Stderr io.Writer   // the programs' output
	// Self are the program and the arguments by which a process gets to Watched.
	// Without, tests are not watched.
	Self []string
}

// Main carries out the spec that the environment names: the files of specPath
// and varsPath, NIX_BUILD_TOP for the directory to work in, NIX_BUILD_CORES for
// the number of cores (0: all that there are), and outputs for the names of the
// outputs, each the name of a variable in turn.
func Main(ctx context.Context, stderr io.Writer) error {
	var spec action.Spec
	if err := readJSON("specPath", &spec); err != nil {
		return err
	}
	vars := action.Vars{}
	if err := readJSON("varsPath", &vars); err != nil {
		return err
	}
	for _, name := range strings.Fields(os.Getenv("outputs")) {
		vars[name] = os.Getenv(name)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return Run(ctx, &spec, Config{
		Self:   []string{self, WatchedCommand},
		Top:    filepath.Join(os.Getenv("NIX_BUILD_TOP"), "dgd"),
		Cores:  cores(os.Getenv("NIX_BUILD_CORES")),
		Locks:  locksBeside(self, runtime.GOMAXPROCS(0)),
		Vars:   vars,
		Stderr: stderr,
	})
}

// readJSON reads the file that the environment variable names.
func readJSON(variable string, v any) error {
	text, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		return fmt.Errorf("reading the actions ($%s): %w", variable, err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("reading the actions ($%s): %w", variable, err)
	}
	return nil
}

// Run carries out the spec: its units in parallel as far as their needs allow.
// After the first failure no unit starts any more; those that run come to their
// end, so that each failure's message is whole.
func Run(ctx context.Context, spec *action.Spec, cfg Config) error {
	done := make([]chan struct{}, len(spec.Units))
	for i := range done {
		done[i] = make(chan struct{})
	}
	for i, u := range spec.Units {
		for _, need := range u.Needs {
			if need < 0 || need >= i {
				return fmt.Errorf("unit %d (%s) needs unit %d, which is not before it", i, u.Name, need)
			}
		}
	}
	var (
		slots  = make(chan struct{}, max(cfg.Cores, 1))
		wg     sync.WaitGroup
		mu     sync.Mutex // guards failed and cfg.Stderr
		failed error
	)
	for i := range spec.Units {
		wg.Go(func() {
			defer close(done[i])
			for _, need := range spec.Units[i].Needs {
				<-done[need]
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			mu.Lock()
			stop := failed != nil
			mu.Unlock()
			if stop {
				return
			}
			r := &runner{
				unit:     &spec.Units[i],
				vars:     cfg.Vars,
				obj:      filepath.Join(cfg.Top, strconv.Itoa(i), "obj"),
				src:      filepath.Join(cfg.Top, strconv.Itoa(i), "src"),
				top:      cfg.Top,
				cores:    max(cfg.Cores, 1),
				parallel: 1,
				self:     cfg.Self,
				slots:    slots,
				locks:    cfg.Locks,
			}
			if len(spec.Units) == 1 {
				r.parallel = min(cfg.Cores, 4)
			}
			err := r.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			cfg.Stderr.Write(r.log.Bytes())
			if err != nil && failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return failed
}

// cores reads NIX_BUILD_CORES.
func cores(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return runtime.NumCPU()
}
