package yamlfile

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"go.yaml.in/yaml/v3"
)

// A Shape is what a decoder takes at one place of a file. The zero Shape is anything.
type Shape struct {
	Type     string // as JSON Schema names it
	About    string // one line
	Plain    bool   // it can also be a number, true or false
	Null     bool   // it can also be left empty
	Spelling Spelling
	Words    []string // all that it can be
	Low      int      // of a number; the least length of a text, items of a list, members of an object
	High     int      // the same at the other end; 0 for no bound
	Distinct bool     // no item stands in the list twice
	Items    *Shape   // of a list; of an object: what stands under a name of the user's own
	Names    *Shape   // what such a name can be
	Members  []Described
	OneOf    [][]string  // of each of these lists of members, an object has exactly one; "" is none of them
	AnyOf    [][]string  // an object has all members of one of these lists, or of another
	Needs    [][2]string // where the first member is, the second is
	Any      []*Shape    // it is one of these

	suggested bool    // it may be one of those that are known
	known     []Known // of the whole file: see Suggest
}

// A Known is a text that may stand at a place where others may too.
type Known struct{ Text, About string }

// A Described is a member with the shape of its value.
type Described struct {
	Key      string
	Required bool
	*Shape
}

// A Spelling narrows a text.
type Spelling struct {
	Pattern string   // a regular expression that it fits
	Example string   // one such text, for a file to fill in
	Date    bool     // it is a day, as in RFC 3339
	JSON    bool     // it is JSON
	Not     []string // what it is not; * stands for any text
	AnyCase bool     // as is Not in another case
	Of      string   // the sort of word that it is, for [Shape.Suggest]
}

// Suggest says which words of a sort are known, so that editors offer them; others stay as good.
func (s *Shape) Suggest(of string, known []Known) {
	if len(known) > 0 {
		s.known = known
		s.mark(of)
	}
}

func (s *Shape) mark(of string) {
	s.suggested = s.suggested || s.Spelling.Of == of
	for _, part := range slices.Concat(s.Any, []*Shape{s.Items, s.Names}) {
		if part != nil {
			part.mark(of)
		}
	}
	for _, m := range s.Members {
		m.mark(of)
	}
}

// Describe finds out what a decoder takes. It runs read over nodes that hold nothing, a scalar, a list
// and a mapping at each place, with a Reader that notes what is asked of it, and no mistake.
func Describe(read func(r *Reader, root *yaml.Node)) *Shape {
	r := &Reader{trace: &trace{shapes: make(map[*yaml.Node]*Shape), asked: make(map[*yaml.Node][]string)}}
	return r.trace.shape(func(n *yaml.Node) { read(r, n) })
}

// Describing reports whether the Reader finds out what would be read, and reads nothing.
func (r *Reader) Describing() bool { return r.trace != nil }

// Is says to whoever describes the file that a text is spelled in one way; whoever reads it checks that itself.
func (r *Reader) Is(n *yaml.Node, as Spelling) {
	if r.trace != nil && n.Kind == yaml.ScalarNode {
		s := r.trace.at(n)
		as.Pattern = cmp.Or(as.Pattern, s.Spelling.Pattern) // of a name
		s.Type, s.Spelling = "string", as
	}
}

// Has reports whether a mapping has a member, where what is read next hangs on that.
func (r *Reader) Has(n *yaml.Node, key string) bool {
	if r.trace != nil {
		r.trace.asked[n] = append(r.trace.asked[n], key)
	}
	return Child(n, key) != nil
}

// A trace is what a decoder asked of its Reader, for each node.
type trace struct {
	shapes map[*yaml.Node]*Shape
	asked  map[*yaml.Node][]string
}

func (t *trace) at(n *yaml.Node) *Shape {
	if t.shapes[n] == nil {
		t.shapes[n] = new(Shape)
	}
	return t.shapes[n]
}

// traced notes what a node would be read as, and reports whether nothing is read.
func (r *Reader) traced(n *yaml.Node, kind yaml.Kind, as Shape) bool {
	if r.trace == nil {
		return false
	}
	if n.Kind == kind {
		s := r.trace.at(n)
		as.Spelling, as.Null = s.Spelling, s.Null // which were noted before
		*s = as
	}
	return true
}

// shape is what read takes.
func (t *trace) shape(read func(n *yaml.Node)) *Shape {
	var found []*Shape
	for _, kind := range []yaml.Kind{yaml.ScalarNode, yaml.SequenceNode, yaml.MappingNode} {
		bare := &yaml.Node{Kind: kind, Tag: "!!str"}
		read(bare)
		found = alternative(found, t.shapes[bare])
		for _, key := range t.asked[bare] {
			with := &yaml.Node{Kind: kind, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: key}, {Kind: yaml.ScalarNode, Tag: "!!str"}}}
			read(with)
			found = alternative(found, t.shapes[with].requiring(key))
		}
	}
	switch len(found) {
	case 0:
		return new(Shape)
	case 1:
		return found[0]
	}
	return &Shape{Any: found}
}

// requiring is the shape of an object that has the member.
func (s *Shape) requiring(key string) *Shape {
	if s != nil {
		for i := range s.Members {
			s.Members[i].Required = s.Members[i].Required || s.Members[i].Key == key
		}
	}
	return s
}

// alternative adds a shape to others. Two objects with the same members become one.
func alternative(all []*Shape, s *Shape) []*Shape {
	if s == nil || s.Type == "" { // what was said of it is about another kind of node
		return all
	}
	for _, other := range all {
		if reflect.DeepEqual(other, s) {
			return all
		}
		if len(s.Members) > 0 && slices.EqualFunc(other.Members, s.Members, sameMember) {
			if len(other.AnyOf) == 0 {
				other.AnyOf = [][]string{other.required()}
			}
			other.AnyOf = append(other.AnyOf, s.required())
			for i := range other.Members {
				other.Members[i].Required = other.Members[i].Required && s.Members[i].Required
			}
			return all
		}
	}
	return append(all, s)
}

func sameMember(a, b Described) bool { return a.Key == b.Key && reflect.DeepEqual(a.Shape, b.Shape) }

func (s *Shape) required() []string {
	keys := []string{}
	for _, m := range s.Members {
		if m.Required {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// mapping notes the members of a mapping, and what its other names can be and hold.
func (t *trace) mapping(n *yaml.Node, members []Member, rest func(name, value *yaml.Node), about ...string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var list []Described
	for _, m := range members {
		s := t.shape(m.Read)
		s.About = m.About
		list = append(list, Described{Key: m.Key, Required: m.Required, Shape: s})
	}
	s := t.at(n)
	s.Type, s.Members = "object", list
	if rest != nil {
		s.Items = t.shape(func(v *yaml.Node) {
			name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
			*t.at(name) = nameShape()
			rest(name, v)
			s.Names = t.shapes[name]
		})
		s.Items.About = strings.Join(about, " ")
	}
}

// nameShape is that of [Reader.Name].
func nameShape() Shape {
	return Shape{Type: "string", Low: 1, High: text.MaxName, Spelling: Spelling{Pattern: namePattern}}
}

// namePattern is text.IsName for readers of JSON Schema, which do not all reach beyond the first plane of Unicode.
const namePattern = "^[^\\x00-\\x1f\\x7f-\\xa0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ue000-\uf8ff\ufeff\ufff9-\ufffb]*$"
