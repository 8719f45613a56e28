package manual

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A Section is one that a page has beside those about the command.
type Section struct{ Title, Text string }

// Page is a command's page for man, in roff; version stands at its foot. Help texts are laid out
// already, so that they stand in the page as they are.
func Page(cmd *cobra.Command, version string, sections ...Section) string {
	var b strings.Builder
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	b.WriteString(`.TH "` + escape(strings.ToUpper(name)) + `" "1" "" "ambit ` + escape(version) + `" "ambit"` + "\n.nh\n.ad l\n")
	section(&b, "NAME")
	b.WriteString(escape(name+" - "+cmd.Short) + "\n")
	section(&b, "SYNOPSIS")
	verbatim(&b, usage(cmd))
	section(&b, "DESCRIPTION")
	prose(&b, cmp.Or(cmd.Long, cmd.Short))
	for _, group := range commandsOf(cmd) {
		section(&b, strings.ToUpper(group.title))
		for _, c := range group.commands {
			if c.Name() != "help" { // its topics are sections
				item(&b, c.Name(), c.Short)
			}
		}
	}
	flags := flagsOf(cmd)
	if flags.HasAvailableFlags() {
		section(&b, "OPTIONS")
		flags.VisitAll(func(f *pflag.Flag) {
			if shown := Described(f); !f.Hidden {
				item(&b, strings.TrimSpace(shown.Name+" "+shown.Value), shown.About)
			}
		})
	}
	if cmd.Example != "" {
		section(&b, "EXAMPLES")
		verbatim(&b, strings.TrimRight(cmd.Example, "\n"))
	}
	for _, s := range sections {
		section(&b, strings.ToUpper(s.Title))
		verbatim(&b, strings.TrimRight(s.Text, "\n"))
	}
	section(&b, "SEE ALSO")
	var see []string
	if cmd.HasParent() {
		see = append(see, strings.ReplaceAll(cmd.Parent().CommandPath(), " ", "-")+"(1)")
	}
	for _, group := range commandsOf(cmd) {
		for _, c := range group.commands {
			if c.Name() != "help" {
				see = append(see, name+"-"+c.Name()+"(1)")
			}
		}
	}
	b.WriteString(escape(strings.Join(see, ", ")) + "\n")
	return b.String()
}

func section(b *strings.Builder, title string) { b.WriteString(".SH \"" + escape(title) + "\"\n") }

func item(b *strings.Builder, term, about string) {
	b.WriteString(".TP\n\\fB" + escape(term) + "\\fR\n" + line(about) + "\n")
}

// prose is a text of paragraphs, between which indented lines stand as they are.
func prose(b *strings.Builder, text string) {
	fixed := false
	for l := range strings.Lines(strings.TrimSpace(text)) {
		l = strings.TrimSuffix(l, "\n")
		if indented := strings.HasPrefix(l, " "); indented != fixed {
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[indented])
			fixed = indented
		}
		if l == "" {
			b.WriteString(".PP\n")
		} else {
			b.WriteString(line(l) + "\n")
		}
	}
	if fixed {
		b.WriteString(".fi\n")
	}
}

// verbatim is a text with its lines as they are.
func verbatim(b *strings.Builder, text string) {
	b.WriteString(".nf\n")
	for l := range strings.Lines(text) {
		b.WriteString(line(strings.TrimSuffix(l, "\n")) + "\n")
	}
	b.WriteString(".fi\n")
}

// line is a line of text that roff takes for no request, which begins with a dot or an apostrophe.
func line(text string) string {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + escape(text)
	}
	return escape(text)
}

// escape is text as roff writes it: a backslash begins an escape, and a bare hyphen is a dash.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(text)
}
