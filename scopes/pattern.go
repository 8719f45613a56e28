package scopes

import (
	"fmt"
	"slices"
	"strings"
)

// maxVariables bounds the variables of one pattern; two name a resource and an action.
const maxVariables = 4

// A pattern is a scope with variables: parts between colons, each with at most
// one {variable} and fixed text around it.
type pattern []part

type part struct {
	before, after string // fixed text; all of it is in after where there is no variable
	variable      string // "" where the part is fixed
}

// bindings holds what variables stand for. A fixed array keeps matching free of
// allocation: it runs once for each declared scope and rule.
type bindings struct {
	name, value [maxVariables]string
	n           int
}

func compilePattern(text string) (pattern, error) {
	if err := CheckScope(text); err != nil {
		return nil, err
	}
	var p pattern
	var variables []string
	for word := range strings.SplitSeq(text, ":") {
		one, err := compilePart(word)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		if one.variable != "" && !slices.Contains(variables, one.variable) {
			variables = append(variables, one.variable)
		}
		if len(variables) > maxVariables {
			return nil, fmt.Errorf("pattern %q: more than %d variables", text, maxVariables)
		}
		p = append(p, one)
	}
	return p, nil
}

func compilePart(word string) (part, error) {
	before, rest, found := strings.Cut(word, "{")
	if !found {
		if strings.Contains(word, "}") {
			return part{}, fmt.Errorf("} without {")
		}
		return part{after: word}, nil
	}
	variable, after, closed := strings.Cut(rest, "}")
	if !closed || variable == "" || strings.ContainsAny(before+variable+after, "{}") {
		return part{}, fmt.Errorf("a part between colons holds at most one {variable}")
	}
	return part{before: before, variable: variable, after: after}, nil
}

func (p pattern) variables() []string {
	var names []string
	for _, one := range p {
		if one.variable != "" && !slices.Contains(names, one.variable) {
			names = append(names, one.variable)
		}
	}
	return names
}

// match tells whether scope has the pattern's form, and what its variables are then.
func (p pattern) match(scope string, b *bindings) bool {
	if last := p[len(p)-1]; !strings.HasSuffix(scope, last.after) {
		return false // the action: by it alone most rules are told not to fit
	}
	for i, one := range p {
		word, rest, more := strings.Cut(scope, ":")
		if more != (i < len(p)-1) || !one.match(word, b) {
			return false
		}
		scope = rest
	}
	return true
}

func (one part) match(word string, b *bindings) bool {
	if one.variable == "" {
		return word == one.after
	}
	if len(word) <= len(one.before)+len(one.after) ||
		!strings.HasPrefix(word, one.before) || !strings.HasSuffix(word, one.after) {
		return false
	}
	return b.bind(one.variable, word[len(one.before):len(word)-len(one.after)])
}

func (b *bindings) bind(name, value string) bool {
	if bound, there := b.get(name); there {
		return bound == value
	}
	b.name[b.n], b.value[b.n] = name, value
	b.n++
	return true
}

func (b *bindings) get(name string) (value string, ok bool) {
	for i := range b.n {
		if b.name[i] == name {
			return b.value[i], true
		}
	}
	return "", false
}

// fill is the scope that the pattern names under these bindings.
func (p pattern) fill(b *bindings) string {
	var buffer [64]byte // most scopes fit: one allocation, for the string
	text := buffer[:0]
	for i, one := range p {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, one.before...)
		if one.variable != "" {
			value, _ := b.get(one.variable)
			text = append(text, value...)
		}
		text = append(text, one.after...)
	}
	return string(text)
}

// overlaps tells whether some scope could have both forms. It may say yes too
// often (a variable that stands twice is taken for two), never no too often.
func (p pattern) overlaps(q pattern) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if !p[i].overlaps(q[i]) {
			return false
		}
	}
	return true
}

func (one part) overlaps(other part) bool {
	switch {
	case one.variable == "":
		return other.match(one.after, new(bindings))
	case other.variable == "":
		return one.match(other.after, new(bindings))
	default:
		return (strings.HasPrefix(one.before, other.before) || strings.HasPrefix(other.before, one.before)) &&
			(strings.HasSuffix(one.after, other.after) || strings.HasSuffix(other.after, one.after))
	}
}
