package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sort"

	"dgd/internal/action"
	"dgd/internal/testrun"
)

// test runs a test and writes what came of it.
func (r *runner) test(ctx context.Context, t *action.Test) error {
	var run testrun.Run
	var err error
	if run.Args, err = r.words(&action.Run{Args: t.Args}); err != nil {
		return err
	}
	if run.Env, err = r.environment(t.Env); err != nil {
		return err
	}
	for to, from := range map[*string]string{&run.Dir: t.Dir, &run.Path: t.Path} {
		if *to, err = r.expand(from); err != nil {
			return err
		}
	}
	modules, err := r.expand(t.Modules)
	if err != nil {
		return err
	}
	file, err := r.expand(t.Result)
	if err != nil {
		return err
	}
	var result action.TestResult
	seen, err := newLookups(r.src, modules, &result)
	if err != nil {
		return fmt.Errorf("reading the sources: %w", err)
	}
	out, err := run.Start(ctx, func(cmd *exec.Cmd) (end func(), err error) {
		if r.self == nil {
			seen.unseen("look-ups are not watched")
			return func() {}, cmd.Start()
		}
		return startWatched(cmd, r.self, seen)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	result.Passed = err == nil
	if result.Passed && run.Verbose() {
		r.show(out)
	}
	for _, paths := range result.Missing {
		sort.Strings(paths)
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o666)
}
