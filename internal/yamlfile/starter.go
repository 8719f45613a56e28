package yamlfile

import (
	"slices"
	"strconv"
	"strings"
)

// Starter is a file of this shape to fill in: each member with an example and the line about it. Only
// the members of fill, named by their paths as in servers.main.issuer, are live and empty, with what
// contains them; all others are comments.
func (s *Shape) Starter(fill []string) []byte {
	w := &starter{fill: fill}
	w.object(s, "", place{})
	return []byte(w.text.String())
}

// Outline is a file of this shape with every member, each with an example and the line about it.
func (s *Shape) Outline() []byte {
	w := &starter{}
	w.object(s, "", place{comment: true})
	return []byte(w.text.String())
}

type starter struct {
	text strings.Builder
	fill []string
}

// A place is where a member is written.
type place struct {
	path    string
	indent  string // with the sign of a comment, where one is open
	comment bool
}

func (p place) of(key string) string { return strings.TrimPrefix(p.path+"."+key, ".") }

// object writes the members of an object; dash begins the first where the object is an item of a list.
func (w *starter) object(s *Shape, dash string, at place) {
	first := func() string {
		begin := dash
		dash = strings.Repeat(" ", len(dash))
		return begin
	}
	known := make(map[string]bool)
	for _, m := range s.Members {
		known[m.Key] = true
		w.member(first(), m.Key, m.Shape, at)
	}
	if s.Items == nil {
		return
	}
	own := ""
	for _, path := range w.fill {
		if rest, here := strings.CutPrefix("."+path, strings.TrimSuffix("."+at.path, ".")+"."); here {
			if name, _, _ := strings.Cut(rest, "."); !known[name] {
				known[name], own = true, name
				w.member(first(), name, s.Items, at)
			}
		}
	}
	if own == "" {
		w.member(first(), "NAME", s.Items, at)
	}
}

func (w *starter) member(dash, key string, s *Shape, at place) {
	path := at.of(key)
	live := slices.ContainsFunc(w.fill, func(f string) bool { return f == path || strings.HasPrefix(f, path+".") })
	if !live && !at.comment {
		at.indent, at.comment = at.indent+"# ", true
	}
	about, inner := s.About, s.usual()
	if len(inner.Words) > 1 {
		about = strings.TrimPrefix(about+"; one of "+strings.Join(inner.Words, ", "), "; ")
	}
	if slices.Contains(w.fill, path) {
		w.line(at.indent+dash+key+`: ""`, "FILL IN: "+about)
		return
	}
	item := inner
	if inner.Type == "array" {
		item = inner.Items.usual()
	}
	if item.Type != "object" {
		w.line(at.indent+dash+key+": "+inner.example(), about)
		return
	}
	w.line(at.indent+dash+key+":", about)
	under := place{path, at.indent + strings.Repeat(" ", len(dash)) + "  ", at.comment}
	if inner.Type != "array" {
		w.object(item, "", under)
		return
	}
	for _, each := range inner.Items.objects() {
		w.object(each, "- ", under)
	}
}

// commentColumn is where what is said of a member begins, if the member leaves room.
const commentColumn = 44

func (w *starter) line(code, about string) {
	w.text.WriteString(code)
	if about != "" {
		w.text.WriteString(strings.Repeat(" ", max(2, commentColumn-len(code))) + "# " + about)
	}
	w.text.WriteByte('\n')
}

// usual is the form of several that is shown: a plain value, or one with members, before a list and before
// one with names of the user's own.
func (s *Shape) usual() *Shape {
	best := s
	for i, one := range s.Any {
		if i == 0 || len(one.Members) > 0 && len(best.Members) == 0 && (best.Type == "array" || best.Type == "object") {
			best = one
		}
	}
	return best
}

// objects are all forms with members.
func (s *Shape) objects() []*Shape {
	list := s.Any
	if len(list) == 0 {
		list = []*Shape{s}
	}
	return slices.DeleteFunc(slices.Clone(list), func(one *Shape) bool { return one.Type != "object" })
}

// example is a value of that shape, in one line.
func (s *Shape) example() string {
	switch {
	case len(s.Words) > 0:
		return s.Words[0]
	case s.Spelling.Example != "":
		if strings.ContainsAny(s.Spelling.Example, `{"`) {
			return "'" + s.Spelling.Example + "'"
		}
		return s.Spelling.Example
	}
	switch s.Type {
	case "boolean":
		return "true"
	case "integer":
		return strconv.Itoa(s.Low)
	case "array":
		return "[" + s.Items.usual().example() + "]"
	}
	return "TEXT"
}
