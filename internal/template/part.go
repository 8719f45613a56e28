package template

import (
	"errors"
	"strings"
)

// A Part is a word with at most one {name} in it, and fixed text around that.
type Part struct {
	Before, After string // fixed text; all of it is in After where there is no name
	Name          string // "" where the whole word is fixed
}

// The errors of [ParsePart] and [Names].
var (
	errUnopened = errors.New("} without {")
	errNoName   = errors.New("a { begins a name of lower-case letters, digits, _ and -, and a } ends it")
	errMany     = errors.New("a part between colons or slashes holds at most one {name}")
)

// ParsePart reads a word. The error is a short sentence: braces that do not match, an empty
// name, or more than one.
func ParsePart(word string) (Part, error) {
	before, rest, found := strings.Cut(word, "{")
	if !found {
		if strings.Contains(word, "}") {
			return Part{}, errUnopened
		}
		return Part{After: word}, nil
	}
	name, after, closed := strings.Cut(rest, "}")
	if !closed || name == "" || strings.ContainsAny(before+name+after, "{}") {
		return Part{}, errMany
	}
	return Part{Before: before, Name: name, After: after}, nil
}

// Match reports whether a word has the part's form, and what the name stands for in it: one
// character or more.
func (p Part) Match(word string) (value string, ok bool) {
	if p.Name == "" {
		return "", word == p.After
	}
	if len(word) <= len(p.Before)+len(p.After) || !strings.HasPrefix(word, p.Before) || !strings.HasSuffix(word, p.After) {
		return "", false
	}
	return word[len(p.Before) : len(word)-len(p.After)], true
}

// Fixed is how much of the part is fixed text, in bytes: the more, the fewer words have its
// form.
func (p Part) Fixed() int { return len(p.Before) + len(p.After) }

// Overlaps reports whether some word could have both forms.
func (p Part) Overlaps(other Part) bool {
	switch {
	case p.Name == "":
		_, ok := other.Match(p.After)
		return ok
	case other.Name == "":
		_, ok := p.Match(other.After)
		return ok
	default:
		return (strings.HasPrefix(p.Before, other.Before) || strings.HasPrefix(other.Before, p.Before)) &&
			(strings.HasSuffix(p.After, other.After) || strings.HasSuffix(other.After, p.After))
	}
}
