package starter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Manifest is a new one. All texts in it may come from outside.
type Manifest struct {
	Name    string  // of the program
	Service Service // its provider
	First   string  // the scopes, as the YAML text of a list (a provider's starter), in place of Needs
	Needs   []scopes.Need
	Choice  Choice
	Note    string // why nothing is declared, where nothing else can be said; ""
}

// A Choice is what else there is to declare. The zero value is nothing.
type Choice struct {
	Says    string        // who offers it: the beginning of a sentence
	Offered []scopes.Need // each to be a comment, side by side those of one resource
	LeftOut []string      // sentences about what is not among them
}

const (
	// MaxOffered bounds the comments: the longest list of scopes that was ever seen is a tenth of it.
	MaxOffered = 2000
	// maxWidth is how long a line becomes for the sake of its reason or its uses, in characters.
	maxWidth = 118
	// maxUsed is how long it becomes for its only use.
	maxUsed = 200
	// roomy is up to how many entries there are lines without anything between resources.
	roomy = 150
)

const head = `# Which OAuth scopes this program needs, at which level, and why. See: ambit plan

version: 1
name: %s
%s
# level:      required      the program does not start without it
#             recommended   it works, but noticeably worse
#             optional      one feature is lost
# why:        what a person reads when the scope is missing
# used_by:    METHOD {base}/path/{param}, or tool:NAME of an MCP tool
# advertised: false for a scope that is granted, though the server does not list it
# any_of:     [a, b] in place of scope, where one of them is enough
scopes:%s
`

const tail = `
# Sets of features: each adds to the scopes above, and is chosen with --program.
# programs:
#   export:
#     scopes:
#       - {scope: "file:write", level: optional, why: "saves the report"}
`

// Text is the YAML of the manifest.
func (m *Manifest) Text() []byte {
	var b strings.Builder
	none := ""
	if m.First == "" && len(m.Needs)+len(m.Choice.Offered)+len(m.Choice.LeftOut) == 0 {
		if none = " []"; m.Note != "" {
			none += "  # " + text.Line(m.Note)
		}
	}
	fmt.Fprintf(&b, head, strconv.Quote(m.Name), m.Service.text(), none)
	for line := range strings.Lines(m.First) {
		b.WriteString("  " + line)
	}
	b.WriteString(manifestedit.FormatNeeds(m.Needs))
	m.Choice.write(&b, len(m.Needs) > 0)
	b.WriteString(tail)
	return []byte(b.String())
}

func (c *Choice) write(b *strings.Builder, beside bool) {
	if len(c.Offered)+len(c.LeftOut) > 0 && beside {
		b.WriteByte('\n')
	}
	if len(c.Offered) > 0 {
		fmt.Fprintf(b, "  # %s %s. Remove \"# \" before what the program needs, and say why in your words.\n", text.Line(c.Says), c.count(beside))
	}
	for _, sentence := range c.LeftOut {
		for _, line := range wrapped(text.Line(sentence), maxWidth-4) {
			b.WriteString("  # " + line + "\n")
		}
	}
	sparse, room := len(c.Offered) <= roomy, 1
	if sparse {
		room = 2
	}
	for i, n := range c.Offered {
		if sparse && (i > 0 || len(c.LeftOut) > 0) && c.begins(i) {
			b.WriteByte('\n')
		}
		reason, line := entry(n, room)
		for _, part := range reason {
			b.WriteString("  # # " + part + "\n")
		}
		b.WriteString("  # " + line + "\n")
	}
}

func (c *Choice) count(beside bool) string {
	if beside {
		return strconv.Itoa(len(c.Offered)) + " more"
	}
	return text.Count(len(c.Offered), "scope")
}

// begins reports whether a group begins at i: several entries of one resource, or single ones behind those.
func (c *Choice) begins(i int) bool {
	if i == 0 {
		return true
	}
	same := func(i, j int) bool {
		return j >= 0 && j < len(c.Offered) && scopes.ResourceOf(c.Offered[i].AnyOf[0]) == scopes.ResourceOf(c.Offered[j].AnyOf[0])
	}
	return !same(i, i-1) && (same(i, i+1) || same(i-1, i-2))
}

// entry is a need on one line, behind its reason where the line has no room for that, in so many lines.
// What still makes it too long goes: uses, from the last.
func entry(n scopes.Need, room int) (reason []string, line string) {
	n.Why = text.Line(n.Why)
	if line = manifestedit.FormatLine(n); width(line) <= maxWidth-4 {
		return nil, line
	}
	if reason = wrapped(n.Why, maxWidth-6); len(reason) > room {
		reason = append(reason[:room-1:room-1], strings.TrimRight(reason[room-1], " ,;:.")+"…")
	}
	n.Why = ""
	for line = manifestedit.FormatLine(n); width(line) > maxWidth-4 && len(n.UsedBy) > 1 || width(line) > maxUsed && len(n.UsedBy) > 0; line = manifestedit.FormatLine(n) {
		n.UsedBy = n.UsedBy[:len(n.UsedBy)-1]
	}
	return reason, line
}

func width(line string) int { return utf8.RuneCountInString(line) }

// wrapped breaks a sentence between words.
func wrapped(sentence string, columns int) (lines []string) {
	for _, word := range strings.Fields(sentence) {
		if last := len(lines) - 1; last >= 0 && width(lines[last])+1+width(word) <= columns {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
