package provider

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Voice is how a service refuses, and how its clients expect to be refused.
type Voice struct {
	Refusals []Refusal     // by its APIs; the first that fits counts
	Denials  []Denial      // by its authorization server; the first that fits counts
	Bodies   []RefusalBody // one for each base whose clients expect a shape of their own
}

// Voice is what the file says of refusals; the zero value where it says nothing. That of a built-in
// file is decoded when it is asked for: most commands meet no refusal. Safe for concurrent use.
func (p *Provider) Voice() Voice {
	if p.voice == nil {
		return Voice{}
	}
	return p.voice()
}

// WithVoice is a copy of the provider that refuses in another way.
func (p *Provider) WithVoice(v Voice) *Provider {
	other := *p
	other.voice = func() Voice { return v }
	return &other
}

// A Refusal is one form in which the APIs of a provider refuse, and what it means. A response fits
// where it fits all that is named here.
type Refusal struct {
	Sign          // without a status: any one of a failure
	Base   string // "" for every base
	Text   string // a part of any text in the body
	Needs  Place  // of the scopes that are needed; with nothing there, the response does not fit
	Holds  Place  // of the scopes that the credential holds
	Means  Meaning
	AnyOf  bool // of the scopes that the response names, any one is enough
	Lists  []CaughtList
	Advice string // what helps, filled from what the texts caught; "" where the server's own words are enough
	Link   string // where that is done: a URL, filled from what the texts caught; {base} allowed
}

// A CaughtList is a text that was caught, and lists alternatives, each of several things.
type CaughtList struct {
	Name    string // of the text
	Or, And string // what stands between alternatives, and between the things of one; "" for neither
}

// spell is the list in words.
func (l CaughtList) spell(caught string) string {
	alternatives := parts(caught, l.Or)
	for i, one := range alternatives {
		alternatives[i] = strings.Join(parts(one, l.And), " and ")
	}
	return strings.Join(alternatives, ", or ")
}

// parts are what stands between separators, without blanks around it.
func parts(list, separator string) []string {
	if separator == "" {
		return []string{strings.TrimSpace(list)}
	}
	all := strings.Split(list, separator)
	for i, part := range all {
		all[i] = strings.TrimSpace(part)
	}
	return slices.DeleteFunc(all, func(part string) bool { return part == "" })
}

// A Denial is one error response of the authorization server, and what it means there.
type Denial struct {
	Stage  Stage
	Code   string // error (RFC 6749 §4.1.2.1, §5.2)
	Text   string // a string in error_description; {name} stands for any text; "" for every one
	Means  Meaning
	Advice string // what helps; "" where what is true of the code is enough
	Link   string // where that is done: a URL; {base} allowed
}

// LinkAt is the link on one of the provider's servers; "" where there is none.
func (d *Denial) LinkAt(s Server) string { return (&Refusal{Link: d.Link}).LinkAt(s, nil) }

// A RefusalBody is the shape in which the clients of one base expect an error.
type RefusalBody struct {
	Base string
	JSON string             // JSON text; the string "{message}" stands for the verdict's first line
	Of   map[Failing]string // the same for one reason, where it has another shape
}

// RefusalShape is the shape in which the clients of a base expect an error; "" where the file does
// not say.
func (p *Provider) RefusalShape(base string, why Failing) string {
	for _, b := range p.Voice().Bodies {
		if b.Base == base {
			return cmp.Or(b.Of[why], b.JSON)
		}
	}
	return ""
}

// The names in a text that stand for scopes.
const (
	CaughtScope = "scope" // those that are missing or required
	CaughtHeld  = "held"  // those that the credential holds
)

// ForStatus reports whether a response with this status can fit. A status of success is one only
// where it is named.
func (f *Refusal) ForStatus(status int) bool {
	if len(f.Statuses) == 0 {
		return status >= 400
	}
	return slices.Contains(f.Statuses, status)
}

// Says reports whether the refusal is told by something that is said only then: what a service
// needs may stand in every response.
func (f *Refusal) Says() bool { return f.Text != "" || len(f.At) > 0 || len(f.Headers) > 0 }

// AdviceFor is the advice with what the texts caught in it.
func (f *Refusal) AdviceFor(caught map[string]string) string {
	advice, _ := template.Fill(f.Advice, func(name string) (string, bool) {
		said := caught[name]
		for _, list := range f.Lists {
			if list.Name == name {
				said = list.spell(said)
			}
		}
		return text.Cut(text.Line(said), text.MaxWord), true
	})
	return advice
}

// maxLink bounds a link that is filled, in bytes.
const maxLink = 1000

// LinkAt is the link on one of the provider's servers, with what the texts caught in it; "" where
// there is none, or what comes out is not an https URL of printable characters. What was caught can
// be the beginning of a link; elsewhere it is part of its path or query, and escaped as that.
func (f *Refusal) LinkAt(s Server, caught map[string]string) string {
	begun, rest := "", f.Link
	if name, after, ok := leadingName(f.Link); ok {
		value, is := caught[name]
		if base, known := s.Base(name); !is && known {
			value = base
		}
		if is && !strings.HasPrefix(value, "https://") {
			return ""
		}
		if is { // the rest of its sentence is none of it
			value = strings.TrimRight(strings.Fields(value)[0], ".,;:!?)>'\"")
		}
		begun, rest = value, after
	}
	filled, unknown := template.Fill(rest, func(name string) (string, bool) {
		value, ok := caught[name]
		head, _, _ := strings.Cut(rest, "{"+name+"}")
		if strings.Contains(begun+head, "?") {
			return url.QueryEscape(value), ok
		}
		return url.PathEscape(value), ok
	})
	link := begun + filled
	if unknown != "" || len(link) > maxLink || guard.CheckLink(link) != nil {
		return ""
	}
	return link
}

// leadingName is the {name} with which a template begins, and what follows it.
func leadingName(written string) (name, rest string, ok bool) {
	inner, ok := strings.CutPrefix(written, "{")
	if !ok {
		return "", "", false
	}
	return strings.Cut(inner, "}")
}

// caught are the names in the texts of a refusal, each once.
func (f *Refusal) caught() []string {
	texts := append(slices.Clone(f.Is), f.Text)
	for _, header := range f.Headers {
		texts = append(texts, header.Text)
	}
	var names []string
	for _, one := range texts {
		of, _ := template.Names(one) // each was looked at
		names = append(names, of...)
	}
	return scopes.NewSet(names...).Slice()
}
