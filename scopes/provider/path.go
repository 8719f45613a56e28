package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// A Path says where values stand in a JSON document: names with dots between them, [] for every
// element of a list, and quotes around a name with a dot in it: error.details[].reason,
// 'odata.error'.code. It is read-only. The zero value leads nowhere.
type Path []Step

// A Step is one name of a path, or every element of a list.
type Step struct {
	Name string
	Each bool
}

// The bounds of a path.
const (
	maxPath  = 200 // characters
	maxSteps = 12  // as deep as a document is read elsewhere
)

// ParsePath reads a path. The error is a sentence about it.
func ParsePath(written string) (Path, error) {
	if written == "" || len(written) > maxPath || text.Printable(written) != written {
		return nil, fmt.Errorf("a path has 1 to %d printable characters", maxPath)
	}
	var path Path
	rest := written
	for {
		name, after, err := parseName(rest)
		if err != nil {
			return nil, fmt.Errorf("%q is not a path: %w", written, err)
		}
		if name != nil {
			path = append(path, *name)
		}
		for strings.HasPrefix(after, anyElement) {
			path, after = append(path, Step{Each: true}), after[len(anyElement):]
		}
		if len(path) > maxSteps {
			return nil, fmt.Errorf("a path has at most %d steps", maxSteps)
		}
		if after == "" {
			return path, nil
		}
		next, dotted := strings.CutPrefix(after, ".")
		if !dotted || strings.HasPrefix(next, anyElement) {
			return nil, fmt.Errorf("%q is not a path: a dot stands before each name, and [] right after one", written)
		}
		rest = next
	}
}

const anyElement = "[]"

// parseName reads the name with which a text begins; nil where it begins with [], which stands for
// the elements of the document itself.
func parseName(written string) (name *Step, rest string, err error) {
	if strings.HasPrefix(written, anyElement) {
		return nil, written, nil
	}
	if inner, quoted := strings.CutPrefix(written, "'"); quoted {
		word, rest, closed := strings.Cut(inner, "'")
		if !closed || word == "" {
			return nil, "", errors.New("a quoted name ends with a quote")
		}
		return &Step{Name: word}, rest, nil
	}
	end := strings.IndexAny(written, ".[")
	if end < 0 {
		end = len(written)
	}
	word, rest := written[:end], written[end:]
	switch {
	case word == "$" || word == "*" || strings.HasPrefix(word, "/") || strings.HasPrefix(rest, "[") && !strings.HasPrefix(rest, anyElement):
		return nil, "", errors.New("it is names with dots between them, and [] for every element of a list")
	case word == "":
		return nil, "", errors.New("a name stands before and after each dot")
	case strings.TrimSpace(word) != word || strings.ContainsAny(word, `]'"`):
		return nil, "", errors.New("a name with a space at its end, a bracket or a quote stands in single quotes")
	}
	return &Step{Name: word}, rest, nil
}

// String is the path as it is written in a file.
func (p Path) String() string {
	var written strings.Builder
	for i, step := range p {
		switch {
		case step.Each:
			written.WriteString(anyElement)
			continue
		case i > 0:
			written.WriteByte('.')
		}
		if quoted := (Path{step}); !quoted.isPlain() {
			written.WriteString("'" + step.Name + "'")
		} else {
			written.WriteString(step.Name)
		}
	}
	return written.String()
}

// isPlain reports whether the only name of a path is read as that without quotes.
func (p Path) isPlain() bool {
	name, rest, err := parseName(p[0].Name)
	return err == nil && rest == "" && name != nil && *name == p[0]
}

// Find returns the values at the path in a decoded JSON value, in the document's order; none
// where it leads nowhere. A null is an absent value.
func (p Path) Find(document any) []any {
	if len(p) == 0 {
		return nil
	}
	values := []any{document}
	for _, step := range p {
		var next []any
		for _, value := range values {
			if step.Each {
				list, _ := value.([]any)
				next = append(next, list...)
			} else if member, ok := memberOf(value, step.Name); ok {
				next = append(next, member)
			}
		}
		values = next
	}
	found := values[:0]
	for _, value := range values {
		if value != nil {
			found = append(found, value)
		}
	}
	return found
}

// Leads reports whether the path leads somewhere: to values, or to a list without elements.
func (p Path) Leads(document any) bool {
	if len(p.Find(document)) > 0 {
		return true
	}
	for i, step := range p {
		if !step.Each {
			continue
		}
		lists := []any{document}
		if i > 0 {
			lists = p[:i].Find(document)
		}
		if slices.ContainsFunc(lists, func(value any) bool { list, ok := value.([]any); return ok && len(list) == 0 }) {
			return true
		}
	}
	return false
}

func memberOf(value any, name string) (member any, ok bool) {
	members, _ := value.(map[string]any)
	member, ok = members[name]
	return member, ok
}

// A Place is where values stand in a response: at a path of its JSON body, or in a header field.
// The zero value is nowhere.
type Place struct {
	Path   Path
	Header string // the field's name; "" for a place in the body
}

// Given reports whether the place is somewhere.
func (p Place) Given() bool { return p.Header != "" || len(p.Path) > 0 }

// InBody reports whether it stands in the body.
func (p Place) InBody() bool { return len(p.Path) > 0 }

// String names the place for people.
func (p Place) String() string {
	if p.Header != "" {
		return p.Header
	}
	return p.Path.String()
}

// Find returns the values at the place, of a response with this header and this decoded body. A
// field that is there without a value is there.
func (p Place) Find(header http.Header, body any) []any {
	if p.Header == "" {
		return p.Path.Find(body)
	}
	var found []any
	for _, value := range header.Values(p.Header) {
		found = append(found, value)
	}
	return found
}

// Leads reports whether the place is there: a field without a value is, and so is a list without
// elements.
func (p Place) Leads(header http.Header, body any) bool {
	if p.Header == "" {
		return p.Path.Leads(body)
	}
	return len(header.Values(p.Header)) > 0
}

// Texts are the words, numbers, and true and false among values, each as text, and those in the
// lists among them.
func Texts(values []any) []string {
	var texts []string
	for _, value := range values {
		if list, ok := value.([]any); ok {
			for _, element := range list {
				texts = appendText(texts, element)
			}
		} else {
			texts = appendText(texts, value)
		}
	}
	return texts
}

func appendText(texts []string, value any) []string {
	switch value := value.(type) {
	case string:
		return append(texts, value)
	case json.Number:
		return append(texts, value.String())
	case float64:
		return append(texts, strconv.FormatFloat(value, 'f', -1, 64))
	case bool:
		return append(texts, strconv.FormatBool(value))
	}
	return texts
}
