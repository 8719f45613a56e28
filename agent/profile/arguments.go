package profile

import (
	"slices"
	"strings"
)

// An Override is what is put on a child's command line so that it prefers what it is
// given over settings of its own. The zero value: nothing.
type Override struct {
	Arguments []string // to stand before the program's own
	At        int      // index in the command line at which they stand
	File      string   // content of the settings file that the arguments name; "" for none
	Conflicts []Conflict
	Homeless  bool // the program takes its server from its arguments alone, and they have no place here
}

// Override says how to start command so that the conflicts that can be overridden are; file
// is where a settings file will be written (readable by this user alone: it holds the lease).
// Its Conflicts are those given, the ones that it deals with marked as Overridden. It gives no
// arguments where they would go to another program than the profile's own, or where the user
// gave the same flag.
func (p *Profile) Override(command Command, conflicts []Conflict, t Terms, file string) (Override, error) {
	none := Override{Conflicts: conflicts}
	at := p.argumentsAt(command)
	if len(p.precedence.Arguments) == 0 || at == 0 {
		none.Homeless = p.precedence.Always
		return none, nil
	}
	overridable := func(c Conflict) bool { return c.Overridable }
	if !p.precedence.Always && !slices.ContainsFunc(conflicts, overridable) {
		return none, nil
	}
	if p.precedence.File.text != "" && slices.ContainsFunc(command.words[at:], isFlag(p.precedence.Arguments[0].text)) {
		return none, nil
	}
	out, err := p.override(conflicts, t, file)
	out.At = at
	return out, err
}

// argumentsAt is the index in a command line at which the arguments of the profile's own program
// begin; 0 where they are not words of it.
func (p *Profile) argumentsAt(command Command) int {
	if one, ok := p.started(command); ok {
		return one.at + 1
	}
	return 0
}

// isFlag reports whether a word is a flag, with or without its value.
func isFlag(flag string) func(word string) bool {
	return func(word string) bool { return word == flag || strings.HasPrefix(word, flag+"=") }
}

func (p *Profile) override(conflicts []Conflict, t Terms, file string) (Override, error) {
	var out Override
	for _, argument := range p.precedence.Arguments {
		filled, err := t.fill(p, argument, file)
		if err != nil {
			return Override{}, err
		}
		out.Arguments = append(out.Arguments, filled)
	}
	if p.precedence.File.text != "" {
		content, err := t.fill(p, p.precedence.File, "")
		if err != nil {
			return Override{}, err
		}
		out.File = content
	}
	out.Conflicts = Overridden(conflicts)
	return out, nil
}

// Overridden are the conflicts of a run that has put the profile's arguments on the command line:
// those that it deals with are marked.
func Overridden(conflicts []Conflict) []Conflict {
	marked := slices.Clone(conflicts)
	for i := range marked {
		marked[i].Overridden = marked[i].Overridable
	}
	return marked
}
