// Command dgd locks and plans Go projects and answers questions about projects
// and their builds; `dgd help` lists its commands. Derivations do not run it:
// they run cmd/dgd-plan and cmd/dgd-exec.
//
// The exit status is 0, 1 if there are findings or an error, or 2 for a wrong
// call.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	os.Exit(status(err))
}

// newRoot returns the root command.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "dgd",
		Short: "Go programs as one Nix derivation per package",
		Long: `Locks the modules of Go projects, and answers questions about the projects and about what dgd builds of
them.

The exit status is 0, 1 where there is a finding or something failed, or 2 for a wrong call.`,
		Example: `  dgd graph
  dgd why golang.org/x/text/language`,
		Args:          misused(cobra.NoArgs),
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return misuse{errors.New("a command is missing")}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	root.AddCommand(newCache(), newCompletion(), newDiff(), newGraph(), newLock(), newNoCache(), newPlan(), newSBOM(), newWhy())
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}

// misuse is an error in the arguments of the program.
type misuse struct{ error }

// misused returns a check of arguments whose errors are of type misuse.
func misused(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return misuse{err}
		}
		return nil
	}
}

// errFinding ends a command that has printed its findings.
var errFinding = errors.New("there are findings")

// showFindings prints the findings of a check, and the command that repairs them with
// the directory in which to run it. It returns errFinding if there are findings.
func showFindings[T any](cmd *cobra.Command, found []T, asJSON bool, repair, dir string) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), append([]T{}, found...)); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintln(cmd.OutOrStdout(), f)
		}
	}
	if len(found) == 0 {
		return nil
	}
	cmd.PrintErrf("run `%s` in %s\n", repair, dir)
	return errFinding
}

// status prints an error and returns the exit status of the program.
func status(err error) int {
	var wrong misuse
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFinding):
		return 1
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "dgd: %v\nSee dgd --help\n", err)
		return 2
	}
	fmt.Fprintln(os.Stderr, "dgd:", err)
	return 1
}
