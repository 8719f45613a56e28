package manual

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/view"
)

// Width is the longest line of a help, in columns.
const Width = 88

// Help is what a command says of itself. Flags that it has from its parents are not repeated: closing
// says where they are.
func Help(cmd *cobra.Command, closing string) string {
	var b strings.Builder
	b.WriteString(about(cmd) + "\n\nUsage:\n  " + usage(cmd) + "\n")
	for _, group := range commandsOf(cmd) {
		b.WriteString("\n" + group.title + ":\n")
		for _, c := range group.commands {
			b.WriteString(hanging("  "+pad(c.Name(), widestName(cmd))+"  ", c.Short, Width))
		}
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + strings.TrimRight(cmd.Example, "\n") + "\n")
	}
	if flags := Flags(flagsOf(cmd)); flags != "" {
		b.WriteString("\nFlags:\n" + flags)
	}
	if closing != "" {
		b.WriteString("\n")
		for line := range strings.Lines(closing) {
			b.WriteString(strings.Join(view.Wrap(line, Width), "\n") + "\n")
		}
	}
	return b.String()
}

// about is what a command's author wrote, each paragraph within the width. An indented line stands by itself.
func about(cmd *cobra.Command) string {
	var lines []string
	paragraph := ""
	end := func() {
		if paragraph != "" {
			lines, paragraph = append(lines, view.Wrap(paragraph, Width)...), ""
		}
	}
	for line := range strings.Lines(strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short))) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' {
			paragraph += " " + line
			continue
		}
		if end(); len(line) <= Width {
			lines = append(lines, line)
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines = append(lines, indent+strings.Join(view.Wrap(line, Width-len(indent)-2), "\n"+indent+"  "))
	}
	end()
	return strings.Join(lines, "\n")
}

// usage is how a command is called.
func usage(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Name() + " COMMAND [flags]"
	}
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

// A group is the commands that stand together, under a title.
type group struct {
	title    string
	commands []*cobra.Command
}

// commandsOf are the commands below another in their groups; those of no group come last.
func commandsOf(cmd *cobra.Command) []group {
	var groups []group
	for _, g := range append(cmd.Groups(), &cobra.Group{Title: "Commands"}) {
		found := group{title: g.Title}
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && (c.IsAvailableCommand() || c.Name() == "help") {
				found.commands = append(found.commands, c)
			}
		}
		if len(found.commands) > 0 {
			groups = append(groups, found)
		}
	}
	return groups
}

func widestName(cmd *cobra.Command) int {
	width := 0
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			width = max(width, len(c.Name()))
		}
	}
	return width
}

// flagsOf are a command's own flags, without --help, which each has.
func flagsOf(cmd *cobra.Command) *pflag.FlagSet {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" || !cmd.HasParent() {
			own.AddFlag(f)
		}
	})
	return own
}

// A Flag is one as it is shown.
type Flag struct {
	Name  string // with its short form: "-f, --manifest"
	Value string // what it takes: a name in capitals, or all values with | between; "" of a switch
	About string // with the default
}

// Described is a flag as it is shown.
func Described(f *pflag.Flag) Flag {
	shown := Flag{Name: "--" + f.Name, About: f.Usage}
	if f.Shorthand != "" {
		shown.Name = "-" + f.Shorthand + ", " + shown.Name
	}
	if before, rest, quoted := strings.Cut(f.Usage, "`"); quoted {
		value, after, _ := strings.Cut(rest, "`")
		shown.Value, shown.About = value, before+value+after
		if before == "" && strings.Contains(value, "|") {
			shown.About = strings.TrimSpace(after)
		}
	}
	if shown.Value == "" && f.Value.Type() != "bool" {
		shown.Value = strings.ToUpper(f.Value.Type())
	}
	if value := strings.Trim(f.DefValue, "[]"); value != "" && value != "false" && f.Value.Type() != "bool" {
		shown.About += " (default " + value + ")"
	}
	return shown
}

// textColumn is where the text about a flag begins; a flag that is longer has a line of its own.
const textColumn = 30

// Flags is a list of flags, with what is said about each.
func Flags(flags *pflag.FlagSet) string {
	var all []Flag
	column := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		shown := Described(f)
		if f.Shorthand == "" {
			shown.Name = "    " + shown.Name
		}
		shown.Name = strings.TrimRight("  "+shown.Name+" "+shown.Value, " ")
		if all = append(all, shown); len(shown.Name)+2 <= textColumn {
			column = max(column, len(shown.Name)+2)
		}
	})
	var b strings.Builder
	for _, f := range all {
		b.WriteString(hanging(pad(f.Name, column-2)+"  ", f.About, Width, column))
	}
	return b.String()
}

// hanging is a term with a text that wraps beside it; one that reaches beyond the column has a line of its own.
func hanging(term, about string, width int, column ...int) string {
	at := len(term)
	var b strings.Builder
	if len(column) > 0 && at > column[0] {
		at = column[0]
		b.WriteString(strings.TrimRight(term, " ") + "\n" + strings.Repeat(" ", at))
	} else {
		b.WriteString(term)
	}
	for i, line := range view.Wrap(about, width-at) {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", at))
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }

// Table is terms with a text beside each, as in a list of flags.
func Table(rows [][2]string) string {
	column := 0
	for _, row := range rows {
		if len(row[0])+4 <= textColumn {
			column = max(column, len(row[0])+4)
		}
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(hanging("  "+pad(row[0], column-4)+"  ", row[1], Width, column))
	}
	return b.String()
}
