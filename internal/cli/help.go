package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/manual"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// groups are those of the list of commands, in their order.
func groups() []*cobra.Group {
	return []*cobra.Group{
		{ID: "begin", Title: "Begin"},
		{ID: "use", Title: "Log in and use"},
		{ID: "pipelines", Title: "In pipelines"},
		{ID: "audit", Title: "Audit"},
		{ID: "more", Title: "More"},
	}
}

// A topic is a text that the help has beside those of the commands.
type topic struct {
	short string
	text  func(root *cobra.Command) string
}

// topics are by the word for each.
func topics() map[string]topic {
	return map[string]topic{
		"environment": {"the variables that count", func(*cobra.Command) string { return environmentHelp() }},
		"exit-codes":  {"what each exit code means", func(*cobra.Command) string { return exitCodesHelp() }},
		"flags":       {"the flags that every command takes", flagsHelp},
		"misbehavior": {"what a sandbox can do wrong", func(*cobra.Command) string { return misbehaviorHelp() }},
		"manifest":    {"every key of scopes.yaml", func(*cobra.Command) string { return manifestHelp() }},
	}
}

func topicWords() []string { return slices.Sorted(maps.Keys(topics())) }

func flagsHelp(root *cobra.Command) string {
	return "Every command takes these flags. Each can also be set by a variable, see \"ambit help\nenvironment\", or by a key of config.yaml, see docs/settings.md.\n\n" +
		manual.Flags(root.PersistentFlags())
}

func environmentHelp() string {
	ofFlags, others := settings.Variables()
	rows := func(list []settings.Variable) string {
		var rows [][2]string
		for _, v := range list {
			about := v.About
			if v.Flag != nil {
				about = "--" + v.Flag.Name + ": " + manual.Described(v.Flag).About
			}
			rows = append(rows, [2]string{v.Name, about})
		}
		return manual.Table(rows)
	}
	return "A flag takes precedence over its variable, and that over the key in config.yaml.\n\n" + rows(ofFlags) + "\nThese count too:\n" + rows(others)
}

func exitCodesHelp() string {
	var rows [][2]string
	for _, code := range failure.Codes() {
		rows = append(rows, [2]string{strconv.Itoa(code.Code), code.Meaning})
	}
	return manual.Table(append(rows, [2]string{"129, 130, 143", "ended by SIGHUP, Ctrl-C or SIGTERM"})) +
		"\n\"ambit run\" ends with the exit code of the program that it runs, unless a required scope\nis missing (3) or the credential cannot be used (4).\n"
}

func misbehaviorHelp() string {
	return "The KINDs of ambit sandbox --misbehave; KIND@PART is for one part of the service.\n\n" + manual.Table(kindRows())
}

func manifestHelp() string {
	return "Every key of scopes.yaml, with an example. \"ambit init\" writes one to begin from;\n\"ambit schema manifest\" prints its JSON Schema.\n\n" + remarksAbove(string(manifest.Outline()))
}

// remarksAbove puts the remark at the end of each line of YAML above it, within the width of a help.
func remarksAbove(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		code, remark, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  # ")
		indent := code[:len(code)-len(strings.TrimLeft(code, " "))] + "# "
		if remark = strings.TrimSpace(remark); remark != "" {
			for _, part := range view.Wrap(remark, manual.Width-len(indent)) {
				b.WriteString(indent + part + "\n")
			}
		}
		b.WriteString(strings.TrimRight(code, " ") + "\n")
	}
	return b.String()
}

// helpCommand shows the help of a command, or a topic.
func helpCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "show the help of a command, or one of the topics below",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, c := range at.Commands() {
				if c.IsAvailableCommand() {
					words = append(words, c.Name()+"\t"+c.Short)
				}
			}
			for _, word := range topicWords() {
				if at == cmd.Root() {
					words = append(words, word+"\t"+topics()[word].short)
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if topic, known := topics()[firstWord(args)]; known && len(args) == 1 {
				return r.show(view.Text{Member: "help", Content: topic.text(cmd.Root())}, nil)
			}
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchCommand(cmp.Or(target, cmd.Root()), rest)
			}
			return target.Help()
		},
	}
}

// help lays out the help of a command, within an object where JSON was asked for.
func (r *invocation) help(args []string) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, _ []string) {
		if !r.prepared { // --help: cobra comes before the settings
			r.guessFormat(args)
		}
		if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasSubCommands() && cmd.Name() != "help" {
			r.mistaken = noSuchCommand(cmd, words)
			return
		}
		r.schema = schemaOf("help")
		_ = r.show(view.Text{Member: "help", Content: manual.Help(cmd, closing(cmd))}, nil) // a pipe that closed early
	}
}

// closing ends the help of a command: where to read on.
func closing(cmd *cobra.Command) string {
	switch {
	case !cmd.HasParent():
		return "About a command: ambit COMMAND --help\nTopics: ambit help " + strings.Join(topicWords(), "|")
	case cmd.HasAvailableSubCommands():
		return "About a command: " + cmd.CommandPath() + " COMMAND --help"
	}
	return "Global flags: ambit help flags. Formats of -o: " + strings.Join(formatsFor(cmd), ", ")
}

// Manual is the pages of the program for man, each by its name without the section.
func Manual() map[string]string {
	pages := make(map[string]string)
	var add func(cmd *cobra.Command)
	version := view.ReadVersion().Version
	add = func(cmd *cobra.Command) {
		if !cmd.IsAvailableCommand() && cmd.HasParent() || cmd.Name() == "help" {
			return
		}
		var sections []manual.Section
		if !cmd.HasParent() {
			sections = []manual.Section{{Title: "Environment", Text: environmentHelp()}, {Title: "Exit status", Text: exitCodesHelp()}, {Title: "Manifest", Text: manifestHelp()}}
		} else {
			sections = []manual.Section{{Title: "Global options", Text: closing(cmd)}}
		}
		pages[strings.ReplaceAll(cmd.CommandPath(), " ", "-")] = manual.Page(cmd, version, sections...)
		for _, c := range cmd.Commands() {
			add(c)
		}
	}
	add(root(&invocation{ctx: context.Background()}, nil))
	return pages
}

// noSuchCommand words an unknown command with the likely one.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	return failure.New(failure.ExitUsage, "unknown command "+text.Quote(args[0]), commandHint(cmd, args[0], known))
}

// commandHint is the command that was likely meant, or where the commands are listed.
func commandHint(cmd *cobra.Command, word string, known []string) string {
	if near := text.Near(word, known); len(near) > 0 {
		return "did you mean " + strconv.Quote(near[0]) + "?"
	}
	return "see: " + cmd.CommandPath() + " --help"
}

// noArguments refuses arguments of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return failure.New(failure.ExitUsage, cmd.CommandPath()+" takes no arguments, but got "+text.Quote(args[0]), "see: "+cmd.CommandPath()+" --help")
	}
	return nil
}

// flagHint is the flag that was likely meant, or where the flags are listed.
func flagHint(cmd *cobra.Command, err error) string {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok && len(e.GetSpecifiedName()) > 1 {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		if near := text.Near(e.GetSpecifiedName(), known); len(near) > 0 {
			return "did you mean --" + near[0] + "?"
		}
	}
	return "see: " + cmd.CommandPath() + " --help"
}
