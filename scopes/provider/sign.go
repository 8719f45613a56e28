package provider

import (
	"maps"
	"net/http"
	"slices"

	"github.com/ambit-auth/ambit/internal/template"
)

// A Sign is what a response has that means one thing. All that it names has to fit. In each text,
// {name} stands for any text.
type Sign struct {
	Statuses []int        // any one of them; none: any status
	Headers  []HeaderText // each has to fit
	At       Path         // where one of Is stands in the body
	Is       []string     // texts, each for all of a value; none: any value
}

// A HeaderText is a text for all of a header field.
type HeaderText struct{ Name, Text string }

// Fits reports whether a response with this decoded body has the sign.
func (s Sign) Fits(status int, header http.Header, body any) bool {
	_, ok := s.Match(header, []any{body}, make(map[string]string))
	return ok && (len(s.Statuses) == 0 || slices.Contains(s.Statuses, status))
}

// Match reports whether a response has the sign, whatever its status: its header, and one of the values
// that its body holds. said is the text at At; what the texts catch is put into caught.
func (s Sign) Match(header http.Header, body []any, caught map[string]string) (said string, ok bool) {
	for _, field := range s.Headers {
		if _, ok := firstFit(header.Values(field.Name), []string{field.Text}, caught); !ok {
			return "", false
		}
	}
	for _, value := range body {
		if len(s.At) == 0 {
			break
		}
		found := s.At.Find(value)
		if len(s.Is) == 0 && len(found) > 0 {
			return "", true
		}
		if said, ok := firstFit(Texts(found), s.Is, caught); ok {
			return said, true
		}
	}
	return "", len(s.At) == 0
}

// maxCompared bounds the values of one response that are compared with one sign.
const maxCompared = 200

// firstFit is the first of the values that one of the texts fits.
func firstFit(values, texts []string, caught map[string]string) (fits string, ok bool) {
	for _, value := range values[:min(len(values), maxCompared)] {
		for _, text := range texts {
			if names, ok := template.Match(text, value); ok {
				maps.Copy(caught, names)
				return value, true
			}
		}
	}
	return "", false
}
