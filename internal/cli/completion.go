package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// completionShells are those for which cobra writes a script.
func completionShells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func completionCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:       "completion " + strings.Join(completionShells(), "|"),
		Short:     "print the completion script for a shell",
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

// offerFlagValues gives the flags of the commands the values that a shell may offer.
func offerFlagValues(r *invocation, root *cobra.Command) {
	offers := map[string]func(cmd *cobra.Command) []string{
		"add":       func(cmd *cobra.Command) []string { return offeredWords(r, cmd, nil) },
		"agent":     func(*cobra.Command) []string { return profile.Names() },
		"fail-on":   func(*cobra.Command) []string { return kindWords(manifest.FindingKinds()) },
		"from":      func(*cobra.Command) []string { return provider.BuiltinNames() },
		"misbehave": func(*cobra.Command) []string { return described(sandbox.Kinds()) },
		"on-denied": func(*cobra.Command) []string { return onDeniedWords() },
		"require":   func(*cobra.Command) []string { return scopes.LevelWords() },
	}
	for _, cmd := range root.Commands() {
		for flag, offer := range offers {
			if cmd.Flags().Lookup(flag) == nil {
				continue
			}
			end := cobra.ShellCompDirectiveNoFileComp
			if flag == "agent" || flag == "from" {
				end = cobra.ShellCompDirectiveDefault // a file does too
			}
			_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
				return offer(cmd), end
			}) // it fails for a flag that is not there
		}
	}
}

// described are words of which each line says one, and what it means, as cobra takes them.
func described(lines []string) []string {
	var words []string
	for _, line := range lines {
		word, about, _ := strings.Cut(line, " - ")
		words = append(words, word+"\t"+about)
	}
	return words
}

// offeredWords are the scopes that are known to exist, each with what it allows; none where a word is there already.
func offeredWords(r *invocation, cmd *cobra.Command, args []string) []string {
	var words []string
	if len(args) == 0 {
		for _, one := range lastOffer(r, cmd) {
			words = append(words, text.Printable(one.Scope)+"\t"+text.Line(one.About))
		}
	}
	return words
}

// lastOffer are the scopes that are known to exist at the server of a command line, as far as that is known
// without asking it.
func lastOffer(r *invocation, cmd *cobra.Command) scopes.Offer {
	m := manifestOf(r, cmd)
	if from := cmd.Flags().Lookup("from"); from != nil && from.Value.String() != "" {
		m, _ = manifestOrFrom(r, from.Value.String())
	}
	if m == nil {
		return nil
	}
	server, _ := cmd.Flags().GetString("server")
	s, err := ambit.New(m, ambit.Options{Server: cmp.Or(server, r.settings.Server), Env: r.env})
	if err != nil {
		return nil
	}
	return s.LastOffer()
}

// explainedWords are what the manifest declares and what it is for, and the other scopes that exist.
func explainedWords(r *invocation, cmd *cobra.Command, args []string) []string {
	m := manifestOf(r, cmd)
	if m == nil || len(args) > 0 {
		return nil
	}
	needs, err := m.Select(m.ProgramNames()...)
	if err != nil {
		return nil
	}
	var words []string
	known := make(map[string]bool)
	for _, need := range needs {
		for _, scope := range need.AnyOf {
			known[scope] = true
			words = append(words, text.Printable(scope)+"\t"+text.Line(need.Why))
		}
		for _, operation := range need.UsedBy {
			words = append(words, text.Printable(operation.String())+"\t"+text.Printable(need.Name()))
		}
	}
	for _, word := range offeredWords(r, cmd, nil) {
		if scope, _, _ := strings.Cut(word, "\t"); !known[scope] {
			words = append(words, word)
		}
	}
	return words
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
