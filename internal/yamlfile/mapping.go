package yamlfile

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"go.yaml.in/yaml/v3"
)

// A Member is one key that a mapping may hold, what reads its value, and what it is for.
type Member struct {
	Key      string
	Required bool
	Read     func(value *yaml.Node)
	About    string // one line, for editors and for a file to fill in
}

// Required is a member that has to be there, with a line about it.
func Required(key string, read func(value *yaml.Node), about ...string) Member {
	return Member{key, true, read, strings.Join(about, " ")}
}

// Optional is a member that may be left out, with a line about it.
func Optional(key string, read func(value *yaml.Node), about ...string) Member {
	return Member{key, false, read, strings.Join(about, " ")}
}

// Mapping reads n by its members, in their order, and notes unknown, doubled and missing
// keys; what names the mapping in messages.
func (r *Reader) Mapping(n *yaml.Node, what string, members []Member) {
	r.MappingAnd(n, what, members, nil)
}

// MappingAnd is Mapping where keys that are no member are names of the user's own, for rest to read,
// with a line about each of those.
func (r *Reader) MappingAnd(n *yaml.Node, what string, members []Member, rest func(name, value *yaml.Node), about ...string) {
	if r.trace != nil {
		r.trace.mapping(n, members, rest, about...)
		return
	}
	if n.Kind != yaml.MappingNode {
		r.Mistake(n, BadType, "%s is a set of keys, not %s", what, Form(n))
		return
	}
	values := make([]*yaml.Node, len(members))
	var others []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(members, func(m Member) bool { return m.Key == key.Value })
		switch {
		case at < 0 && rest != nil:
			others = append(others, key, value)
		case at < 0:
			r.Mistake(key, UnknownKey, "unknown key %q in %s%s", key.Value, what, text.Allowed(key.Value, keys(members)))
		case values[at] != nil:
			r.Mistake(key, DuplicateKey, "%q appears twice in %s", key.Value, what)
		default:
			values[at] = value
		}
	}
	for i, m := range members {
		switch {
		case values[i] != nil:
			m.Read(values[i])
		case m.Required:
			r.Mistake(n, MissingKey, "%s is missing %q", what, m.Key)
		}
	}
	if rest != nil {
		r.named(others, what, rest)
	}
}

func keys(members []Member) []string {
	words := make([]string, len(members))
	for i, m := range members {
		words[i] = m.Key
	}
	return words
}

// Named reads a mapping whose keys are names of the user's own.
func (r *Reader) Named(n *yaml.Node, what string, read func(name, value *yaml.Node)) {
	if r.trace != nil {
		r.trace.mapping(n, nil, read)
		return
	}
	if n.Kind != yaml.MappingNode {
		r.Mistake(n, BadType, "%s is a set of names, not %s", what, Form(n))
		return
	}
	r.named(n.Content, what, read)
}

// named reads keys and their values, in turn.
func (r *Reader) named(content []*yaml.Node, what string, read func(name, value *yaml.Node)) {
	seen := make(map[string]bool, len(content)/2)
	for i := 0; i+1 < len(content); i += 2 {
		name, value := content[i], content[i+1]
		switch {
		case name.Kind != yaml.ScalarNode:
			r.Mistake(name, BadType, "a name in %s is text, not %s", what, Form(name))
			continue
		case seen[name.Value]:
			r.Mistake(name, DuplicateKey, "%q appears twice in %s", name.Value, what)
		case !text.IsName(name.Value):
			r.badName(name, what)
		default:
			read(name, value)
		}
		seen[name.Value] = true
	}
}

// OneOf notes a mapping that has not exactly one of these members.
func (r *Reader) OneOf(n *yaml.Node, what string, keys ...string) {
	if n.Kind == yaml.MappingNode && !r.oneOf(n, what, keys) && r.trace == nil {
		last := len(keys) - 1
		r.Mistake(n, MissingKey, `%s is missing "%s" or %q`, what, strings.Join(keys[:last], `", "`), keys[last])
	}
}

// AtMostOne notes a mapping that has more than one of these members.
func (r *Reader) AtMostOne(n *yaml.Node, what string, keys ...string) {
	if n.Kind == yaml.MappingNode {
		r.oneOf(n, what, append(keys, ""))
	}
}

// oneOf reports whether a mapping has one of these members, and notes a second one.
func (r *Reader) oneOf(n *yaml.Node, what string, keys []string) bool {
	if r.trace != nil {
		s := r.trace.at(n)
		s.OneOf = append(s.OneOf, keys)
		return false
	}
	first := ""
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := n.Content[i]; {
		case !slices.Contains(keys, key.Value) || key.Value == first:
		case first != "":
			r.Mistake(key, BadValue, "%s has %s or %s, not both", what, first, key.Value)
		default:
			first = key.Value
		}
	}
	return first != ""
}

// Needs notes a mapping that has one member without another; the format says why that is wrong.
func (r *Reader) Needs(n *yaml.Node, key, other, format string, args ...any) {
	if r.trace != nil {
		s := r.trace.at(n)
		s.Needs = append(s.Needs, [2]string{key, other})
		return
	}
	if value := Child(n, key); value != nil && Child(n, other) == nil {
		r.Mistake(value, BadValue, format, args...)
	}
}

// AtLeast notes a list or a mapping with fewer items; the format says why that is wrong.
func (r *Reader) AtLeast(n *yaml.Node, low int, format string, args ...any) {
	if r.trace != nil {
		r.trace.at(n).Low = low
		return
	}
	if (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) && size(n) < low {
		r.Mistake(n, BadValue, format, args...)
	}
}

// AtMost reports whether a list or a mapping has no more items, and notes one that has.
func (r *Reader) AtMost(n *yaml.Node, high int, format string, args ...any) bool {
	if r.trace != nil {
		r.trace.at(n).High = high
		return true
	}
	if size(n) > high {
		r.Mistake(n, BadValue, format, args...)
		return false
	}
	return true
}

func size(n *yaml.Node) int {
	if n.Kind == yaml.MappingNode {
		return len(n.Content) / 2
	}
	return len(n.Content)
}

// Distinct reads a list of texts, none of which stands in it twice; kind is the word for one.
func (r *Reader) Distinct(n *yaml.Node, what, kind string, read func(item *yaml.Node) string) []string {
	var list []string
	seen := make(map[string]bool)
	r.List(n, what, func(item *yaml.Node) {
		switch found := read(item); {
		case found == "":
		case seen[found]:
			r.Mistake(item, DuplicateKey, "%s %q appears twice in %s", kind, found, what)
		default:
			seen[found] = true
			list = append(list, found)
		}
	})
	if r.trace != nil && n.Kind == yaml.SequenceNode {
		r.trace.at(n).Distinct = true
	}
	return list
}
