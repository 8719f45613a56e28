package refusal

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
)

// MaxBody is how much of a body is read, in bytes, packed or not: an error that says
// more than this says it earlier.
const MaxBody = 64 << 10

// maxNesting bounds how deep in a body something is looked for.
const maxNesting = 8

// body reads JSON in the shapes that are common, a page of HTML by its title, and
// anything else as one text.
func (r *Reading) body(resp Response) {
	body := bytes.TrimPrefix(unpack(resp.Header.Get("Content-Encoding"), resp.Body), []byte("\ufeff"))
	var value any
	switch said := strings.TrimSpace(string(body)); {
	case said == "":
	case json.Unmarshal(body, &value) == nil:
		r.json("", value, false, maxNesting)
	case !utf8.ValidString(said) || strings.ContainsRune(said, 0):
		r.message("a body that is not text")
	case guard.IsPage(resp.Header.Get("Content-Type"), body):
		r.message(page(said))
	default:
		r.message(said)
	}
}

// message takes a text that is the whole body.
func (r *Reading) message(said string) {
	r.say(said)
	if r.sentence == "" {
		r.sentence = said
	}
}

// unpack undoes a gzip Content-Encoding, as far as it goes: a body that was cut still
// says something.
func unpack(encoding string, body []byte) []byte {
	if !strings.EqualFold(strings.TrimSpace(encoding), "gzip") {
		return body
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body // a recording has it unpacked
	}
	return files.Head(packed, MaxBody)
}

// page is what a page of HTML says: it comes from something in between, as a rule.
func page(html string) string {
	_, rest, _ := strings.Cut(html, "<title")
	_, rest, _ = strings.Cut(rest, ">")
	title, _, _ := strings.Cut(rest, "</")
	if words := strings.Join(strings.Fields(title), " "); words != "" {
		return guard.Page + ": " + words
	}
	return guard.Page
}

// codeMembers are where JSON has an error's code; messageMembers, where it has the
// message for people, the best first.
var (
	codeMembers    = []string{"error", "code", "type", "reason"}
	messageMembers = []string{"error_description", "message", "detail", "title", "description", "msg", "error"}
)

// json walks a value; about says that an object around it is about a missing scope.
func (r *Reading) json(key string, value any, about bool, depth int) {
	switch v := value.(type) {
	case string:
		r.say(v)
		r.named(key, []any{v}, about)
	case float64:
		r.numbers = r.numbers || int(v) != r.status
	case []any:
		r.named(key, v, about)
		for _, item := range v[:min(len(v), maxTexts)] {
			if said, ok := item.(string); ok {
				r.say(said)
			} else if depth > 0 {
				r.json("", item, about, depth-1)
			}
		}
	case map[string]any:
		if depth > 0 {
			r.object(v, about, depth)
		}
	}
}

func (r *Reading) object(members map[string]any, about bool, depth int) {
	for _, key := range codeMembers {
		if code, ok := members[key].(string); ok {
			r.code(code)
			about = about || meansScope(code)
		}
	}
	for _, key := range messageMembers {
		said, _ := members[key].(string)
		if r.sentence == "" && strings.Contains(said, " ") {
			r.sentence = said
		}
		r.word = cmp.Or(r.word, said)
	}
	for key, value := range sortedPairs(members) {
		r.json(key, value, about, depth-1)
	}
}

// named takes the scopes out of a member that lists them.
func (r *Reading) named(key string, values []any, about bool) {
	switch key {
	case "missing_scope", "missing_scopes", "required_scope", "required_scopes":
	case "scope", "scopes", "needed":
		if !about {
			return
		}
	default:
		return
	}
	for _, v := range values[:min(len(values), maxTexts)] {
		if said, ok := v.(string); ok {
			r.Named = append(r.Named, scopeWords(said)...)
		}
	}
}

// sortedPairs yields an object's members in the order of their names.
func sortedPairs(members map[string]any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if !yield(key, members[key]) {
				return
			}
		}
	}
}
