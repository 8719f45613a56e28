package scopes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
)

// maxVariables bounds the variables of one pattern; two name a resource and an action.
const maxVariables = 4

// A pattern is a scope with variables: parts between colons, each with at most
// one {variable} and fixed text around it.
type pattern struct {
	parts []template.Part
	// whole is the pattern as one part where at most one variable is in it, as in most: one look
	// shows whether a scope fits.
	whole  template.Part
	simple bool
}

// bindings holds what variables stand for. A fixed array keeps matching free of
// allocation: it runs once for each declared scope and rule.
type bindings struct {
	name, value [maxVariables]string
	n           int
}

func compilePattern(text string) (pattern, error) {
	if err := CheckScope(text); err != nil {
		return pattern{}, err
	}
	p := pattern{simple: true}
	var variables []string
	for word := range strings.SplitSeq(text, ":") {
		one, err := template.ParsePart(word)
		if err != nil {
			return pattern{}, fmt.Errorf("pattern %q: %w", text, err)
		}
		if one.Name != "" && !slices.Contains(variables, one.Name) {
			variables = append(variables, one.Name)
		}
		p.join(one)
		if len(variables) > maxVariables {
			return pattern{}, fmt.Errorf("pattern %q: more than %d variables", text, maxVariables)
		}
	}
	return p, nil
}

// join appends a part.
func (p *pattern) join(one template.Part) {
	colon := ""
	if len(p.parts) > 0 {
		colon = ":"
	}
	p.parts = append(p.parts, one)
	switch {
	case one.Name == "":
		p.whole.After += colon + one.After
	case p.whole.Name == "":
		p.whole = template.Part{Before: p.whole.After + colon + one.Before, Name: one.Name, After: one.After}
	default:
		p.simple = false
	}
}

func (p pattern) variables() []string {
	var names []string
	for _, one := range p.parts {
		if one.Name != "" && !slices.Contains(names, one.Name) {
			names = append(names, one.Name)
		}
	}
	return names
}

// match reports whether scope has the pattern's form, and what its variables are then.
func (p *pattern) match(scope string, b *bindings) bool {
	if p.simple {
		value, fits := p.whole.Match(scope)
		return fits && strings.IndexByte(value, ':') < 0 && (p.whole.Name == "" || b.bind(p.whole.Name, value))
	}
	for i, one := range p.parts {
		word, rest, more := strings.Cut(scope, ":")
		value, fits := one.Match(word)
		if more != (i < len(p.parts)-1) || !fits || one.Name != "" && !b.bind(one.Name, value) {
			return false
		}
		scope = rest
	}
	return true
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
func (p *pattern) fill(b *bindings) string {
	var buffer [64]byte // most scopes fit: one allocation, for the string
	return string(p.appendTo(buffer[:0], b))
}

func (p *pattern) appendTo(text []byte, b *bindings) []byte {
	if p.simple {
		value, _ := b.get(p.whole.Name)
		return append(append(append(text, p.whole.Before...), value...), p.whole.After...)
	}
	for i, one := range p.parts {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, one.Before...)
		if one.Name != "" {
			value, _ := b.get(one.Name)
			text = append(text, value...)
		}
		text = append(text, one.After...)
	}
	return text
}

// overlaps reports whether some scope could have both forms. It may say yes too
// often (a variable that stands twice is taken for two), never no too often.
func (p pattern) overlaps(q pattern) bool {
	if len(p.parts) != len(q.parts) {
		return false
	}
	for i := range p.parts {
		if !p.parts[i].Overlaps(q.parts[i]) {
			return false
		}
	}
	return true
}

// Forms are scopes, or patterns of them as in a [Rule]. The zero value has none. They never change
// after they were made, and are safe for concurrent use.
type Forms struct {
	texts []string
	list  []pattern
}

// NewForms compiles them; the error names the first that is malformed.
func NewForms(texts ...string) (Forms, error) {
	var f Forms
	for _, text := range texts {
		p, err := compilePattern(text)
		if err != nil {
			return Forms{}, err
		}
		f.texts, f.list = append(f.texts, text), append(f.list, p)
	}
	return f, nil
}

// Equal reports whether both were made of the same texts, in the same order.
func (f Forms) Equal(other Forms) bool { return slices.Equal(f.texts, other.texts) }

// Has reports whether a scope is one of them, or has the form of one.
func (f Forms) Has(scope string) bool {
	return slices.ContainsFunc(f.list, func(p pattern) bool {
		var b bindings
		return p.match(scope, &b)
	})
}
