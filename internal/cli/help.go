package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/view"
)

// help is how cobra shows it, within an object where JSON was asked for.
func (r *invocation) help(args []string, plainly func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, rest []string) {
		if !r.prepared { // --help: cobra goes before the settings
			r.guessFormat(args)
		}
		if !r.wantsJSON() {
			plainly(cmd, rest)
			return
		}
		var text strings.Builder
		cmd.SetOut(&text)
		plainly(cmd, rest)
		r.schema = schemaOf("help")
		_ = r.show(view.Text{Member: "help", Content: text.String()}, nil) // cobra's helps cannot fail
	}
}

// guessFormat finds out how something is to be told where the settings were not read: a
// mistake in the command line, or a help.
func (r *invocation) guessFormat(args []string) {
	r.schema = schemaIn(args)
	r.settings.Output = settings.Guess(args, r.env).Output
}

// schemaIn is the schema of the command that args name.
func schemaIn(args []string) string {
	commands := commands()
	named := slices.IndexFunc(args, func(arg string) bool { return commands[arg] != nil })
	if named < 0 {
		return schemaOf("ambit")
	}
	return schemaOf(args[named])
}
