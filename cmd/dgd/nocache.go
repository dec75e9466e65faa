package main

import (
	"os"

	"github.com/spf13/cobra"

	"dgd/internal/gocmd"
	"dgd/internal/goflags"
)

// noCacheName is the name of the hidden command that serves as the build cache of
// `go build -n`.
const noCacheName = "no-cache"

// noCache returns the command line of that command, for GOCACHEPROG: see
// gocmd.ServeNoCache.
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
