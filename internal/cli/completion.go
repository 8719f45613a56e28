package cli

import (
	"fmt"
	"strings"

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
			script, err := completionScript(cmd.Root(), args[0])
			if err != nil {
				return err
			}
			return r.show(textView{"script", script}, nil)
		},
	}
}

func completionScript(root *cobra.Command, shell string) (string, error) {
	var script strings.Builder
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&script, true)
	case "zsh":
		err = root.GenZshCompletion(&script)
	case "fish":
		err = root.GenFishCompletion(&script, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&script)
	default:
		err = fail(exitUsage, fmt.Sprintf("unknown shell %q", shell), didYouMean(shell, completionShells()))
	}
	return script.String(), err
}
