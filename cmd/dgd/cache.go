package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dgd/internal/inspect/closure"
	"dgd/internal/nix/store"
)

// newCache returns the command that prints the store paths that a binary cache needs.
func newCache() *cobra.Command {
	return &cobra.Command{
		Use:   "cache DRV…",
		Short: "What a binary cache needs of a build",
		Long: `Names all that a binary cache needs so that another machine builds nothing of
what is built here, and after an edit just what the edit changes. The names are
for nix copy, one in a line.

A result alone is not enough: what inner derivations made is not part of it.
DRV is the derivation of a result's attribute cacheable, which has been built.`,
		Example: `  nix-build -A cacheable
  dgd cache $(nix-instantiate -A cacheable) | nix copy --stdin --to 'file:///srv/cache?secret-key=/etc/nix/key'
  dgd cache $(nix path-info --derivation .#server.cacheable) | nix copy --stdin --to …`,
		Args: misused(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, drvs []string) error {
			st, err := store.Open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer st.Close()
			list, err := closure.Installables(cmd.Context(), st, drvs)
			if err != nil {
				return err
			}
			for _, name := range list {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		},
	}
}
