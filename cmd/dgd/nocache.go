package main

import (
	"os"

	"github.com/spf13/cobra"

	"dgd/internal/gocmd"
	"dgd/internal/goflags"
)

// noCacheName is the command that the go command runs while it prints a script.
const noCacheName = "no-cache"

// noCache is this program as a build cache without contents: see gocmd.ServeNoCache.
func noCache() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return goflags.Join([]string{self, noCacheName}), nil
}

func newNoCache() *cobra.Command {
	return &cobra.Command{
		Use:    noCacheName,
		Short:  "A build cache without contents, for the go command that `dgd plan` runs",
		Args:   misused(cobra.NoArgs),
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return gocmd.ServeNoCache(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
