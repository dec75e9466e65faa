// Command dgd-plan answers questions about a project and its builds; `dgd-plan
// help` lists them. The derivations of dgd's library run it as their builder,
// with the commands of stages.go.
//
// Its exit status is 0, 1 where there is a finding or something failed, or 2
// where it was not called right.
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

// newRoot returns the command line. Each command of people's is a file of its
// own.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "dgd-plan",
		Short:         "Go programs as one Nix derivation per package",
		Args:          misused(cobra.NoArgs),
		SilenceErrors: true, // main shows them
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return misuse{errors.New("a command is missing")}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	root.AddCommand(newCache(), newLock())
	root.AddCommand(stageCommands()...)
	return root
}

// misuse is an error of who called the program.
type misuse struct{ error }

// misused makes a check of arguments one for misuse.
func misused(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return misuse{err}
		}
		return nil
	}
}

// errFinding ends a command that has shown what it found.
var errFinding = errors.New("there are findings")

// status shows an error and returns the program's exit status.
func status(err error) int {
	var wrong misuse
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFinding):
		return 1
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "dgd-plan: %v\nSee dgd-plan --help\n", err)
		return 2
	}
	fmt.Fprintln(os.Stderr, "dgd-plan:", err)
	return 1
}
