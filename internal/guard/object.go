package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// An Object is a JSON object from outside that is read member by member. Names are compared
// exactly: encoding/json would take "Issuer" for "issuer". A null is an absent member. What
// a reader of a member finds to be of another type it leaves out, and notes: an optional
// member never spoils the rest. See [Object.Require] for one that is needed. Not safe for
// concurrent use.
type Object struct {
	members map[string]json.RawMessage
	notes   []FieldError
}

// A FieldError is what is wrong with a member of a document.
type FieldError struct {
	// Field is the member's name, with an index for an element of a list:
	// scopes_supported[3]. Empty where the document as a whole is wrong.
	Field string
	// Problem says what is wrong; text from the document in it is quoted.
	Problem string
}

// Error names the member and its problem.
func (e FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return text.Line(e.Field) + " " + e.Problem
}

// ParseObject splits a JSON text into the members of its object. A byte order mark before it
// is dropped (RFC 8259 §8.1). A name that stands twice, with two values, is refused: which of them counts
// differs from reader to reader (RFC 8259 §4). The error is a [FieldError].
func ParseObject(raw []byte) (*Object, error) {
	raw = withoutBOM(raw)
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, FieldError{Problem: "is empty"}
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if open, err := decoder.Token(); err != nil {
		return nil, syntaxProblem(err)
	} else if open != json.Delim('{') {
		return nil, FieldError{Problem: "is JSON, but not an object"}
	}
	o := &Object{members: make(map[string]json.RawMessage)}
	for decoder.More() {
		if err := o.readMember(decoder); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, syntaxProblem(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, FieldError{Problem: "continues after the end of the JSON object"}
	}
	return o, nil
}

func (o *Object) readMember(decoder *json.Decoder) error {
	token, err := decoder.Token()
	if err != nil {
		return syntaxProblem(err)
	}
	name, _ := token.(string) // within an object the decoder gives nothing else
	var value json.RawMessage
	if err := decoder.Decode(&value); err != nil {
		return syntaxProblem(err)
	}
	return o.add(name, value)
}

func (o *Object) add(name string, value json.RawMessage) error {
	if before, twice := o.members[name]; twice && !bytes.Equal(before, value) {
		return FieldError{Problem: "has " + text.Quote(name) + " twice"}
	}
	o.members[name] = value
	return nil
}

// unescaped is a part of a form. What is no escape stands for itself, as WHATWG URL §5.1 has it: a sign that
// nobody reads loses no token.
func unescaped(part string) string {
	plain, err := url.QueryUnescape(part)
	if err != nil {
		runs := strings.Split(part, "%")
		for i, run := range runs[1:] {
			if _, err := url.QueryUnescape("%" + run); err != nil {
				runs[i+1] = "25" + run
			}
		}
		plain, _ = url.QueryUnescape(strings.Join(runs, "%"))
	}
	return string(inUTF8([]byte(plain)))
}

// parseForm reads a form-encoded body as an object of strings: a member that is there and
// empty is not absent.
func parseForm(raw []byte) (*Object, error) {
	o := &Object{members: make(map[string]json.RawMessage)}
	for pair := range strings.SplitSeq(strings.TrimSpace(string(withoutBOM(raw))), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		quoted, err := json.Marshal(unescaped(value))
		if err == nil {
			err = o.add(unescaped(name), quoted)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// withoutBOM drops a byte order mark, as RFC 8259 §8.1 lets a reader do.
func withoutBOM(raw []byte) []byte {
	return bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
}

func syntaxProblem(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return FieldError{Problem: "is JSON that ends in the middle"}
	}
	return FieldError{Problem: "is not JSON: " + text.Line(err.Error())}
}

// NoMembers is the object of a body that nobody reads.
func NoMembers() *Object { return &Object{members: make(map[string]json.RawMessage)} }

// With is the object with other members in place of those of the same name. Each value is one that
// encoding/json can write.
func (o *Object) With(members map[string]any) *Object {
	merged := &Object{members: maps.Clone(o.members)}
	for name, value := range members {
		if raw, err := json.Marshal(value); err == nil {
			merged.members[name] = raw
		}
	}
	return merged
}

// JSON is the object as it was read, its members sorted by name.
func (o *Object) JSON() []byte {
	raw, _ := json.Marshal(o.members) // each was decoded before
	return raw
}

// Value is the object decoded, with numbers as they are written. A null is an absent member.
func (o *Object) Value() map[string]any {
	all := make(map[string]any, len(o.members))
	for name := range o.members {
		if value := o.value(name); value != nil {
			all[name] = value
		}
	}
	return all
}

// value is a member decoded, with numbers as they are written: identifiers can be longer than
// a float64 holds. nil where there is none.
func (o *Object) value(name string) any {
	raw, ok := o.members[name]
	if !ok {
		return nil
	}
	value, _ := decoded(raw) // it was decoded before
	return value
}

// decoded is a JSON text as one value, with numbers as they are written.
func decoded(raw []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, syntaxProblem(err)
	}
	if decoder.More() {
		return nil, FieldError{Problem: "continues after its end"}
	}
	return value, nil
}

// Has reports whether a member is there, of whatever type, and not null.
func (o *Object) Has(name string) bool {
	raw, ok := o.members[name]
	return ok && string(raw) != "null"
}

// IsText reports whether a member is a string.
func (o *Object) IsText(name string) bool { return o.Has(name) && o.members[name][0] == '"' }

// Object is a member that is an object; nil where there is none.
func (o *Object) Object(name string) *Object {
	if !o.Has(name) {
		return nil
	}
	inner, err := ParseObject(o.members[name])
	if err != nil {
		o.leaveType(name, "an object")
		return nil
	}
	return inner
}

// Inner is the object with the members of the only one in it that has a member of this name: a
// member of the object, or a list of one. nil where there is none, or more than one.
func (o *Object) Inner(name string) *Object {
	var found *Object
	for _, raw := range o.members {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
			raw = list[0]
		}
		inner, err := ParseObject(raw)
		if err != nil || !inner.Has(name) {
			continue
		}
		if found != nil {
			return nil
		}
		found = inner
	}
	if found == nil {
		return nil
	}
	for other, raw := range o.members {
		if _, there := found.members[other]; !there {
			found.members[other] = raw
		}
	}
	return found
}

// Leave notes that a member is left out, and why. format goes on after its name.
func (o *Object) Leave(name, format string, args ...any) {
	o.notes = append(o.notes, FieldError{Field: name, Problem: fmt.Sprintf(format, args...)})
}

// maxNotes bounds how many of the members that were left out are told one by one.
const maxNotes = 20

// Notes are what was left out, and why, each once, in the order in which the members were
// read.
func (o *Object) Notes() []string {
	var notes []string
	told := make(map[FieldError]bool)
	for _, note := range o.notes {
		if told[note] {
			continue
		}
		if told[note] = true; len(told) <= maxNotes {
			notes = append(notes, note.Error()+", and is left out")
		}
	}
	if more := len(told) - maxNotes; more > 0 {
		notes = append(notes, fmt.Sprintf("%s %s left out", text.Count(more, "more member"), text.Are(more)))
	}
	return notes
}

// Require returns what is wrong with a member that is needed and that no reader could use:
// the note that was made of it, or that it is missing. The note is not told besides.
func (o *Object) Require(name string) FieldError {
	for i, note := range o.notes {
		if note.Field == name {
			o.notes = append(o.notes[:i:i], o.notes[i+1:]...)
			return note
		}
	}
	return FieldError{Field: name, Problem: "is missing"}
}
