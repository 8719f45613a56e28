package profile

import "slices"

// A Precedence is what is put on a child's command line so that it prefers what it is
// given over settings of its own. The zero value: nothing.
type Precedence struct {
	Arguments []string // to stand right after the command's first word
	File      string   // content of the settings file that the arguments name; "" for none
	Conflicts []Conflict
}

// Precedence says how to start command so that the conflicts that can be outranked
// are; file is where a settings file will be written (readable by this user alone: it
// holds the lease). Its Conflicts are those given, the ones that it deals with marked
// as Mended. It gives no arguments where they would go to another program than the
// profile's own, or where the user gave the same flag.
func (p *Profile) Precedence(command []string, conflicts []Conflict, t Terms, file string) (Precedence, error) {
	none := Precedence{Conflicts: conflicts}
	if len(command) == 0 || len(p.Outrank.Arguments) == 0 || !p.Runs(command[0]) {
		return none, nil
	}
	mendable := func(c Conflict) bool { return c.Outranks && slices.Contains(p.Outrank.Sources, c.Source) }
	if !p.Outrank.Always && !slices.ContainsFunc(conflicts, mendable) {
		return none, nil
	}
	if p.Outrank.File != "" && slices.Contains(command, p.Outrank.Arguments[0]) {
		return none, nil
	}
	return p.precedence(conflicts, t, file, mendable)
}

func (p *Profile) precedence(conflicts []Conflict, t Terms, file string, mendable func(Conflict) bool) (Precedence, error) {
	var out Precedence
	for _, argument := range p.Outrank.Arguments {
		filled, err := t.fill(p.Label, argument, file)
		if err != nil {
			return Precedence{}, err
		}
		out.Arguments = append(out.Arguments, filled)
	}
	if p.Outrank.File != "" {
		content, err := t.fill(p.Label, p.Outrank.File, "")
		if err != nil {
			return Precedence{}, err
		}
		out.File = content
	}
	out.Conflicts = slices.Clone(conflicts)
	for i := range out.Conflicts {
		out.Conflicts[i].Mended = mendable(out.Conflicts[i])
	}
	return out, nil
}
