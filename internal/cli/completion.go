package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completionShells are those for which cobra writes a script.
func completionShells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func (r *run) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print the completion script of a shell",
		Long:      "completion prints a script for bash, zsh, fish or powershell.",
		Example:   "  source <(ambit completion bash)",
		ValidArgs: completionShells(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail(exitUsage, "completion takes the name of one shell", didYouMean("", completionShells()))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(r.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(r.Stdout)
			case "fish":
				return root.GenFishCompletion(r.Stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(r.Stdout)
			}
			return fail(exitUsage, fmt.Sprintf("unknown shell %q", args[0]), didYouMean(args[0], completionShells()))
		},
	}
}
