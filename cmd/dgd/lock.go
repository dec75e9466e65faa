package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"dgd/internal/lock"
	"dgd/internal/lock/making"
)

// lockTimeout is after how long without data a download of modules is given up.
const lockTimeout = 5 * time.Minute

func newLock() *cobra.Command {
	var check, asJSON bool
	var opts making.Options
	cmd := &cobra.Command{
		Use:   "lock [DIR]",
		Short: "Write dgd.lock, the hashes of all modules that a project needs",
		Long: `Write ` + lock.Name + ` beside the go.mod, or the go.work, of DIR (.): each module that a
package, tool or test of the project needs, on any platform, with its hash.

It runs the go command in PATH, with its settings, and fetches what the module
cache does not have. Every module is compared with go.sum. The old file stays
until the new one is complete.`,
		Example: `  dgd lock             # write ` + lock.Name + `
  dgd lock --check     # list what is stale, missing or superfluous
  dgd lock --check --json | jq -r '.[].path'`,
		Args:              misused(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Jobs < 1 || opts.Timeout <= 0 {
				return misuse{fmt.Errorf("--jobs and --timeout must be positive")}
			}
			if asJSON && !check {
				return misuse{errors.New("--json is for the findings of --check: give both")}
			}
			project, err := lockedProject(args, os.Getenv("GOWORK"))
			if err != nil {
				return err
			}
			if check {
				return checkLock(cmd, project, asJSON)
			}
			opts.Progress = cmd.ErrOrStderr()
			l, changed, err := making.Write(cmd.Context(), project, opts)
			if err != nil {
				return err
			}
			cmd.PrintErrf("%s %s: %d modules\n", project.LockFile(), written(changed), len(l.Modules))
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; compare "+lock.Name+" with go.mod and go.sum, a line for each module that differs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --check, print JSON")
	cmd.Flags().IntVarP(&opts.Jobs, "jobs", "j", 8, "fetch `N` modules at once")
	cmd.Flags().DurationVar(&opts.Timeout, "timeout", lockTimeout, "give up after `TIME` in which nothing comes in")
	return cmd
}

// lockedProject returns the project of the optional argument DIR, for which a lock or
// a plan is written.
func lockedProject(args []string, gowork string) (*making.Project, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	return making.Find(dir, gowork)
}

// written returns what a message says of a file that changed, or did not.
func written(changed bool) string {
	if changed {
		return "is written"
	}
	return "stays as it was"
}

// checkLock prints the findings of `dgd lock --check`.
func checkLock(cmd *cobra.Command, project *making.Project, asJSON bool) error {
	l, err := project.ReadLock()
	if err != nil {
		return err
	}
	if l == nil {
		return fmt.Errorf("there is no %s: run `dgd lock` in %s", lock.Name, project.Dir)
	}
	found, err := lock.Check(l, &project.ModFiles)
	if err != nil {
		return err
	}
	return showFindings(cmd, found, asJSON, "dgd lock", project.Dir)
}
