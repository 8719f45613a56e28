package diagnosis

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
)

// MaxRefusal is how much of a refusal is read, in bytes, packed or not: an error that
// says more than this says it earlier.
const MaxBody = 64 << 10

// An Answer is what a server said to a request that it refused.
type Response struct {
	Status int
	Header http.Header // WWW-Authenticate is read
	Body   []byte      // unpacked, at most [MaxRefusal] bytes of it
}

// Unpack undoes a gzip Content-Encoding, as far as it goes: a body that was cut still
// says something.
func Unpack(encoding string, body []byte) []byte {
	if !strings.EqualFold(strings.TrimSpace(encoding), "gzip") {
		return body
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	return files.Head(packed, MaxBody)
}

// words are what an answer says, taken apart.
type words struct {
	strings []string // every text in the body: the values of JSON, or all of it
	codes   []string // what stands where errors have their code
	scopes  []string // scopes that the answer says are missing
	maybe   []string // scopes that it names without saying that they are missing
}

// listen takes an answer apart: the challenge of RFC 6750 §3, then JSON in the shapes
// that are common.
func (a Response) listen() words {
	var w words
	if challenge, ok := metadata.Bearer(a.Header); ok {
		w.code(challenge.ErrorCode())
		named := scopeWords(challenge.Scope())
		if challenge.ErrorCode() == insufficientScope {
			w.scopes = append(w.scopes, named...)
		} else {
			w.maybe = append(w.maybe, named...)
		}
		w.say(challenge.ErrorDescription())
	}
	var body any
	if json.Unmarshal(a.Body, &body) == nil {
		w.json("", body, false, maxNesting)
	} else if text := strings.TrimSpace(string(a.Body)); text != "" {
		w.say(text)
	}
	return w
}

// Codes of errors that are known beyond one provider.
const (
	insufficientScope = "insufficient_scope" // RFC 6750 §3.1
	missingScope      = "missing_scope"
	invalidToken      = "invalid_token" // RFC 6750 §3.1
)

// maxNesting bounds how deep in a response something is looked for.
const maxNesting = 8

// maxWords bounds how many texts of an answer are looked at.
const maxWords = 200

func (w *words) say(text string) {
	if text != "" && len(w.strings) < maxWords {
		w.strings = append(w.strings, text)
	}
}

func (w *words) code(code string) {
	if code != "" && len(w.codes) < maxWords {
		w.codes = append(w.codes, code)
	}
}

func (w *words) lacksScope() bool {
	return slices.Contains(w.codes, insufficientScope) || slices.Contains(w.codes, missingScope)
}

// json walks a value; about says that an object around it is about a missing scope.
func (w *words) json(key string, value any, about bool, depth int) {
	switch v := value.(type) {
	case string:
		w.say(v)
		w.named(key, []any{v}, about)
	case []any:
		w.named(key, v, about)
		for _, item := range v[:min(len(v), maxWords)] {
			if text, ok := item.(string); ok {
				w.say(text)
			} else if depth > 0 {
				w.json("", item, about, depth-1)
			}
		}
	case map[string]any:
		if depth > 0 {
			w.object(v, about, depth)
		}
	}
}

func (w *words) object(members map[string]any, about bool, depth int) {
	for _, key := range []string{"error", "code", "type", "reason"} {
		if code, ok := members[key].(string); ok {
			w.code(code)
			about = about || code == insufficientScope || code == missingScope
		}
	}
	for key, value := range sortedPairs(members) {
		w.json(key, value, about, depth-1)
	}
}

// named takes the scopes out of a member that lists them.
func (w *words) named(key string, values []any, about bool) {
	switch key {
	case "missing_scope", "missing_scopes", "required_scope", "required_scopes":
	case "scope", "scopes", "needed":
		if !about {
			return
		}
	default:
		return
	}
	for _, v := range values[:min(len(values), maxWords)] {
		if text, ok := v.(string); ok {
			w.scopes = append(w.scopes, scopeWords(text)...)
		}
	}
}

// scopeWords are the scopes in a text; what no honest scope is as long as is left out.
func scopeWords(value string) []string {
	list := scopes.ParseList(value).Where(func(scope string) bool { return len(scope) <= text.MaxWord }).Slice()
	return list[:min(len(list), maxWords)]
}
