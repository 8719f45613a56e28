package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// completionShells are those for which cobra writes a script.
func completionShells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func completionCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print the completion script of a shell",
		Long:      "completion prints a script for bash, zsh, fish or powershell.",
		Example:   "  source <(ambit completion bash)",
		ValidArgs: completionShells(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failure.New(failure.ExitUsage, "completion takes the name of one shell", text.AllowedHint("", completionShells()))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := completionScript(cmd.Root(), args[0])
			if err != nil {
				return err
			}
			return r.show(view.Text{Member: "script", Content: script}, nil)
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
		err = failure.New(failure.ExitUsage, fmt.Sprintf("unknown shell %q", shell), text.AllowedHint(shell, completionShells()))
	}
	return script.String(), err
}

// completes reports whether a shell asks how a command line could go on. Nothing is made
// ready for that otherwise: every command would pay for it.
func completes(args []string) bool {
	word := firstWord(args)
	return word == cobra.ShellCompRequestCmd || word == cobra.ShellCompNoDescRequestCmd
}

// offerValues gives the common flags the values that a shell may offer. No server is
// asked: what there is to choose stands in the manifest, where there is one.
func offerValues(r *invocation, root *cobra.Command) {
	for flag, offer := range map[string]func(cmd *cobra.Command) []string{
		"store":   func(*cobra.Command) []string { return storeWords() },
		"color":   func(*cobra.Command) []string { return settings.Words("color") },
		"output":  formatsFor,
		"account": func(*cobra.Command) []string { return ambit.AccountNames(ambit.Options{Env: r.env}) },
		"server":  func(cmd *cobra.Command) []string { return serverWords(manifestOf(r, cmd)) },
		"program": func(cmd *cobra.Command) []string {
			if m := manifestOf(r, cmd); m != nil {
				return m.ProgramNames()
			}
			return nil
		},
	} {
		complete := func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return offer(cmd), cobra.ShellCompDirectiveNoFileComp
		}
		_ = root.RegisterFlagCompletionFunc(flag, complete) // it fails for a flag that is not there
	}
}

// manifestOf reads the manifest of a command line that is not complete yet; nil where
// there is none that can be read.
func manifestOf(r *invocation, cmd *cobra.Command) *manifest.Manifest {
	named, _ := cmd.Flags().GetString("manifest")
	m, err := ambit.Load(cmp.Or(named, r.settings.Manifest))
	if err != nil {
		return nil
	}
	return m
}

// serverWords are the names of the provider's servers, each with its issuer behind a tab,
// as cobra takes what is said of a value.
func serverWords(m *manifest.Manifest) []string {
	if m == nil {
		return nil
	}
	var words []string
	for _, s := range m.Provider.Servers {
		words = append(words, text.Printable(s.Name)+"\t"+text.Printable(s.Issuer))
	}
	return words
}

// storeWords are the stores; the name of a program is for the person to complete.
func storeWords() []string {
	words := settings.Words("store")
	for i, word := range words {
		if strings.HasPrefix(word, settings.ExecStore) {
			words[i] = settings.ExecStore
		}
	}
	return words
}
