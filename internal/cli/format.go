package cli

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/settings"
)

// A textView is a result that is a text, and in JSON a member of an object.
type textView struct{ member, content string }

func (v textView) text(p *printer) { p.line("%s", strings.TrimSuffix(v.content, "\n")) }

func (v textView) json(e envelope) any {
	return map[string]any{"schema": e.Schema, "ok": e.OK, v.member: v.content}
}

// help is how cobra shows it, within an object where JSON was asked for.
func (r *run) help(args []string, plainly func(*cobra.Command, []string)) func(*cobra.Command, []string) {
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
		_ = r.show(textView{"help", text.String()}, nil) // cobra's helps cannot fail
	}
}

// guessFormat finds out how something is to be told where the settings were not read: a
// mistake in the command line, or a help. What is wrong in a layer is passed over.
func (r *run) guessFormat(args []string) {
	r.schema = r.schemaIn(args)
	s, _ := settings.Load(&pflag.FlagSet{}, r.env)
	r.settings.Output = cmp.Or(formatIn(args), s.Output)
}

// schemaIn is the schema of the command that args name.
func (r *run) schemaIn(args []string) string {
	commands := r.commands()
	named := slices.IndexFunc(args, func(arg string) bool { return commands[arg] != nil })
	if named < 0 {
		return schemaOf("ambit")
	}
	return schemaOf(args[named])
}

// formatIn is the format that args ask for; "" where they ask for none.
func formatIn(args []string) (format string) {
	for i, arg := range args {
		value, isOutput := strings.CutPrefix(arg, "--output=")
		switch {
		case arg == "--": // the rest is another program's
			return format
		case arg == "--json" || asksFor(arg, "--json=") || arg == "-o=json" || !strings.HasPrefix(arg, "--") && strings.HasPrefix(arg, "-") && strings.HasSuffix(arg, "ojson"):
			format = "json"
		case isOutput:
			format = value
		case (arg == "-o" || arg == "--output") && i+1 < len(args):
			format = args[i+1]
		}
	}
	return format
}

// asksFor tells of a flag that is set to true.
func asksFor(arg, flag string) bool {
	value, given := strings.CutPrefix(arg, flag)
	yes, err := strconv.ParseBool(value)
	return given && err == nil && yes
}
