package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

// document is a JSON object that is being read field by field. The fields' readers
// note what is wrong and go on, so that all mistakes are told at once. Names are
// compared exactly: encoding/json would take "Issuer" for "issuer".
type document struct {
	members  map[string]json.RawMessage
	here     bool // the speaker is on this machine, so it may name this machine
	broken   bool // it could not be read to its end
	wrong    FieldErrors
	warnings []string
}

// decodeDocument splits raw into its members. A name that stands twice is refused:
// which of the two counts differs from reader to reader (RFC 8259 §4).
func decodeDocument(raw []byte, here bool) *document {
	d := &document{members: make(map[string]json.RawMessage), here: here}
	raw = withoutBOM(raw)
	if len(bytes.TrimSpace(raw)) == 0 {
		d.giveUp("", "is empty")
		return d
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if open, err := decoder.Token(); err != nil {
		d.giveUp("", jsonProblem(err))
		return d
	} else if open != json.Delim('{') {
		d.giveUp("", "is JSON, but not an object")
		return d
	}
	d.readMembers(decoder)
	return d
}

// withoutBOM takes a byte order mark away, as RFC 8259 §8.1 lets a reader do.
func withoutBOM(raw []byte) []byte {
	return bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
}

func (d *document) readMembers(decoder *json.Decoder) {
	for decoder.More() {
		name, value, err := readMember(decoder)
		if err != nil {
			d.giveUp("", jsonProblem(err))
			return
		}
		if _, twice := d.members[name]; twice {
			d.giveUp(text.Cut(name, text.MaxWord), "stands in it twice")
			return
		}
		d.members[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		d.giveUp("", jsonProblem(err))
		return
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		d.giveUp("", "goes on after the end of the JSON object")
	}
}

func readMember(decoder *json.Decoder) (name string, value json.RawMessage, err error) {
	token, err := decoder.Token()
	if err != nil {
		return "", nil, err
	}
	name, _ = token.(string) // within an object the decoder gives nothing else
	return name, value, decoder.Decode(&value)
}

func jsonProblem(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "is JSON that ends in the middle"
	}
	return "is not JSON: " + text.Line(err.Error())
}

func (d *document) fail(field, problem string) {
	d.wrong = append(d.wrong, FieldError{Field: field, Problem: problem})
}

// giveUp notes the one problem of a document that cannot be read to its end.
func (d *document) giveUp(field, problem string) {
	d.broken = true
	d.fail(field, problem)
}

func (d *document) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf(format, args...))
}

// err is nil if nothing was wrong. Where the document cannot be read at all, that
// is the one problem: the fields that were not reached are not "missing".
func (d *document) err(asked string) error {
	if len(d.wrong) == 0 {
		return nil
	}
	wrong := d.wrong
	if d.broken {
		wrong = wrong[:1]
	}
	return &guard.Error{Kind: guard.KindInvalid, URL: asked, Host: hostOf(asked), Field: wrong[0].Field, Err: wrong}
}

// value reads a member into target. A null counts as absent. want is how the type
// is called in the message.
func (d *document) value(field, want string, target any) (present bool) {
	raw, ok := d.members[field]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, target); err != nil {
		d.fail(field, fmt.Sprintf("is %s, not %s", jsonType(raw), want))
		return false
	}
	return true
}

func jsonType(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

func (d *document) text(field string) string {
	var text string
	d.value(field, "a string", &text)
	return text
}

func (d *document) flag(field string) bool {
	var flag bool
	d.value(field, "a boolean", &flag)
	return flag
}

// list reads an array of strings. It decodes into any, not string: encoding/json
// makes an empty string of a null element.
func (d *document) list(field string) []string {
	var elements []any
	if !d.value(field, "an array of strings", &elements) {
		return nil
	}
	list := make([]string, 0, len(elements))
	for i, element := range elements {
		text, ok := element.(string)
		if !ok {
			d.fail(fmt.Sprintf("%s[%d]", field, i), "is not a string")
			return nil
		}
		list = append(list, text)
	}
	return list
}

// expected is a list that the RFC requires and that clients can live without.
func (d *document) expected(field string) []string {
	list := d.list(field)
	if list == nil {
		d.warn("the server's metadata has no %s, which RFC 8414 §2 requires", field)
	}
	return list
}

// identity reads the name of the one who speaks, which must be the one asked
// (RFC 8414 §3.3, RFC 9728 §3.3). One final slash more or less is
// the commonest mistake there is, and opens nothing: the host is the same.
func (d *document) identity(field, asked string) string {
	says := d.text(field)
	switch {
	case says == asked:
	case says == "":
		d.missing(field)
	case says == asked+"/" || says+"/" == asked:
		d.warn("the server's metadata says %s %s, asked for was %s: they differ by the final slash", field, text.Quote(says), text.Quote(asked))
	default:
		d.fail(field, fmt.Sprintf("is %s, asked for was %s", text.Quote(says), text.Quote(asked)))
	}
	return says
}

func (d *document) missing(field string) {
	for _, wrong := range d.wrong {
		if wrong.Field == field {
			return // of the wrong type: there, though not usable
		}
	}
	d.fail(field, "is missing")
}

func (d *document) required(field string) string {
	endpoint := d.endpoint(field)
	if endpoint == "" {
		d.missing(field)
	}
	return endpoint
}

func (d *document) endpoint(field string) string {
	return d.checked(field, guard.ParseEndpoint)
}

func (d *document) link(field string) string {
	return d.checked(field, guard.ParseLink)
}

func (d *document) checked(field string, parse func(string) (*url.URL, error)) string {
	raw := d.text(field)
	if raw != "" {
		u, err := parse(raw)
		d.judgeURL(field, raw, u, err)
	}
	return raw
}

// judgeURL notes what is wrong with a URL of the document: its form, or that the
// server is elsewhere and leads to this machine.
func (d *document) judgeURL(field, raw string, u *url.URL, err error) {
	shown := text.Quote(guard.ShownURL(raw))
	switch {
	case err != nil:
		d.fail(field, fmt.Sprintf("%s %v", shown, err))
	case !d.here && guard.PointsHere(u.Hostname()):
		d.fail(field, fmt.Sprintf("%s names an address of this machine, though the server is elsewhere", shown))
	}
}
