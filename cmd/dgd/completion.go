package main

import (
	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	shells := []string{"bash", "fish", "zsh"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "The completion of this command line for a shell",
		Long:  "Prints a script that makes a shell complete the arguments of dgd.",
		Example: `  source <(dgd completion bash)
  dgd completion zsh > "${fpath[1]}/_dgd"
  dgd completion fish > ~/.config/fish/completions/dgd.fish`,
		Args:                  misused(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenZshCompletion(out)
		},
	}
}
