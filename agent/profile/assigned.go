package profile

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
)

// An assignment is a variable that a command line sets for the program that it starts, over the
// one that ambit run gives it. Without a value it takes the variable away.
type assignment struct{ name, value string }

// anyVariable is the name of an assignment that takes away every variable.
const anyVariable = "*"

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && !strings.ContainsAny(name, "/-. ")
}

func assignmentOf(word string) assignment {
	name, value, _ := strings.Cut(word, "=")
	return assignment{name, value}
}

// keeps reports whether the value is made of the one that ambit run gives, or of another of its
// variables, as a shell puts it in.
func (a assignment) keeps() bool {
	for _, name := range []string{a.name, strings.TrimSuffix(ownVariables, "*")} {
		if strings.Contains(a.value, "$"+name) || strings.Contains(a.value, "${"+name) {
			return true
		}
	}
	return false
}

// commandLine is the path of a [Conflict] for what the command line does to variables.
const commandLine = "the command line"

// assignments looks at the variables that the command line itself sets, or takes away.
func (s *scan) assignments(list []assignment) {
	var found []Conflict
	for _, a := range s.profile.lasting(list) {
		if effect := s.profile.instead(a); effect.overrides() {
			c := Conflict{Path: commandLine, Source: SourceCommand, Effect: effect, Overrides: true, Advice: "do not change " + text.Line(a.name) + " there"}
			found = join(found, c, text.Line(a.name))
		}
	}
	s.found = append(s.found, found...)
}

// lasting is what is left of assignments in their order: the last of each name.
func (p *Profile) lasting(list []assignment) (last []assignment) {
	for _, a := range list {
		if a.name == anyVariable {
			last = nil
			for _, v := range p.set {
				last = append(last, assignment{name: v.Name})
			}
			continue
		}
		last = slices.DeleteFunc(last, func(before assignment) bool { return before.name == a.name })
		last = append(last, a)
	}
	return last
}

// instead is the effect of an assignment on what ambit run gives the child.
func (p *Profile) instead(a assignment) Effect {
	if a.keeps() {
		return EffectNone
	}
	for _, v := range p.set {
		if v.Name == a.name {
			return v.carries()
		}
	}
	reads := p.ForAny() || slices.ContainsFunc(p.precedence.Arguments, func(word pattern) bool { return strings.Contains(word.text, a.name) })
	switch {
	case reads && a.name == LeaseVariable:
		return EffectReplaces
	case reads && glob(ownVariables+"_URL", a.name):
		return EffectRoutes
	}
	if k, known := p.key(environmentKeys + a.name); known && a.value != "" && k.set(a.value) {
		return k.Effect
	}
	return EffectNone
}

// carries is what a child loses without the variable: where requests go, or the lease.
func (v variable) carries() Effect {
	effect := EffectNone
	template.Fill(v.Value.text, func(name string) (string, bool) {
		switch {
		case name != leaseWord:
			effect = EffectRoutes
		case effect == EffectNone:
			effect = EffectReplaces
		}
		return "", true
	})
	return effect
}
