package metadata

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

// A reader reads a document field by field. What is wrong with a field that is needed ends
// the document, and all such fields are told at once; an optional one is told and left out.
type reader struct {
	*guard.Object
	here     bool // the server is on this machine, so it may name this machine
	given    Given
	wrong    fieldErrors
	warnings []string
	remarks  []string
}

// fieldErrors are all wrong fields of a document, in the order in which they were read.
type fieldErrors []guard.FieldError

// Error lists the fields on one line.
func (e fieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, field := range e {
		texts[i] = field.Error()
	}
	return strings.Join(texts, "; ")
}

// invalid is the error of a document that has a wrong field.
func invalid(subject string, wrong ...guard.FieldError) error {
	return &guard.Error{Kind: guard.KindInvalid, URL: subject, Host: hostOf(subject), Field: wrong[0].Field, Err: fieldErrors(wrong)}
}

// err is nil if no field that is needed was wrong.
func (r *reader) err(subject string) error {
	if len(r.wrong) == 0 {
		return nil
	}
	return invalid(subject, r.wrong...)
}

func (r *reader) fail(field, problem string) {
	r.wrong = append(r.wrong, guard.FieldError{Field: field, Problem: problem})
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// told are the warnings, and the fields that were left out.
func (r *reader) told() []string {
	all := r.warnings
	for _, note := range r.Notes() {
		all = append(all, "in the server's metadata "+note)
	}
	return all
}

// expected is a list that the RFC requires and that clients can live without.
func (r *reader) expected(field string) []string {
	list := r.List(field)
	if list == nil && !r.Has(field) && !r.given.Alone {
		r.remarks = append(r.remarks, fmt.Sprintf("the server's metadata has no %s, which RFC 8414 §2 requires", field))
	}
	return list
}

// required is an endpoint without which the document is of no use.
func (r *reader) required(field string) string {
	endpoint := r.endpoint(field)
	if endpoint == "" {
		r.wrong = append(r.wrong, r.Require(field))
	}
	return endpoint
}

// endpoint is a URL that requests may be sent to.
func (r *reader) endpoint(field string) string {
	raw := r.Text(field)
	if raw == "" {
		return ""
	}
	if problem := urlProblem(raw, guard.ParseEndpoint, r.here || r.given.has(field)); problem != "" {
		r.Leave(field, "%s", problem)
		return ""
	}
	return raw
}

// urlProblem says what is wrong with a URL of a document, or "": its form, or that the
// server is elsewhere and leads to this machine.
func urlProblem(raw string, parse func(string) (*url.URL, error), here bool) string {
	shown := text.Quote(guard.ShownURL(raw))
	switch u, err := parse(raw); {
	case err != nil:
		return fmt.Sprintf("%s %v", shown, err)
	case !here && guard.PointsHere(u.Hostname()):
		return shown + " names an address of this machine, though the server is elsewhere"
	}
	return ""
}
