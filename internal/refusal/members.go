package refusal

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/metadata"
)

// codeMembers are where JSON has an error's code; messageMembers, where it has the
// message for people, the best first.
var (
	codeMembers    = []string{"error", "code", "type", "reason", ".tag", "category", "errorCode", "error_code", "error_summary", "errcode", "errorcode", "errorType"}
	messageMembers = []string{
		"error_description", "errorDescription", "message", "Message", "detail", "title", "description", "msg", "error_message", "errorMessage",
		"errorSummary", "err", "errmsg", "faultstring", "text", "error", "errors",
	}
)

// gather walks a value for its texts and codes: what it says as a whole decides how its members
// are read.
func (r *Reading) gather(value any, depth int) {
	if depth == 0 {
		return
	}
	switch v := value.(type) {
	case string:
		if inner, ok := enveloped(v); ok {
			r.gather(inner, depth-1)
			return
		}
		r.say(v)
	case float64:
		r.numbers = r.numbers || int(v) != r.status
	case []any:
		for _, item := range v[:min(len(v), maxTexts)] {
			r.gather(item, depth-1)
		}
	case map[string]any:
		r.object(v)
		for key, item := range sortedPairs(v) {
			if key == "jsonrpc" || key == "id" && v["jsonrpc"] != nil {
				continue
			}
			if key == challengeMember {
				r.challenges(headerOf(item))
				continue
			}
			if on, _ := item.(bool); on && anyOf(wordsOf(key), rejectWords) {
				r.code(key) // invalidToken: true
			}
			r.gather(item, depth-1)
		}
	}
}

// challengeMember is where the result of an MCP tool has its challenges, one or a list of them.
const challengeMember = "mcp/www_authenticate"

func headerOf(value any) http.Header {
	header := make(http.Header)
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, one := range list[:min(len(list), maxTexts)] {
		if field, ok := one.(string); ok {
			header.Add("WWW-Authenticate", field)
		}
	}
	return header
}

func (r *Reading) object(members map[string]any) {
	for _, key := range codeMembers {
		code, ok := members[key].(string)
		if ok && !strings.Contains(code, " ") && (key != "type" || members["text"] == nil) {
			r.code(code)
		}
	}
	if code, ok := members["code"].(float64); ok && protocolCodes[code] {
		r.protocol = true
	}
	for _, key := range messageMembers {
		said, _ := members[key].(string)
		if _, inner := enveloped(said); inner {
			continue
		}
		if r.sentence == "" && strings.Contains(said, " ") {
			r.sentence = said
		}
		r.word = cmp.Or(r.word, said)
	}
}

// protocolCodes are the errors by which JSON-RPC and MCP refuse a message as such: no JSON, no
// such method, wrong parameters, headers that differ from the body, another version.
var protocolCodes = map[float64]bool{-32700: true, -32600: true, -32601: true, -32602: true, -32020: true, -32022: true}

// members walks a value for the scopes in it.
func (r *Reading) members(p place, key string, value any, depth int) {
	if depth == 0 {
		return
	}
	switch v := value.(type) {
	case string:
		if inner, ok := enveloped(v); ok {
			r.members(place{}, "", inner, depth-1)
		} else if !r.list(p, []string{v}, at(key, v)) {
			r.read(v, p)
		}
	case []any:
		r.array(p, key, v, depth)
	case map[string]any:
		if r.switches(p, key, v) || p.noun && isPassed(v) {
			return
		}
		for name, item := range sortedPairs(v) {
			if name == challengeMember {
				continue
			}
			within := p.under(name)
			if lists, _ := p.lists(r.coded); lists && p.noun && !nameMembers.has(strings.ToLower(name)) && !within.changed(p) && !anyOf(wordsOf(name), allWords) {
				within = place{} // what describes a scope lists none
			}
			r.members(within, name, item, depth-1)
		}
	}
}

// isPassed reports whether an object about scopes says that they are there.
func isPassed(members map[string]any) bool {
	for name, value := range members {
		if passed, _ := value.(bool); passed && (fineWords.has(strings.ToLower(name)) || givenWords.has(strings.ToLower(name))) {
			return true
		}
	}
	return false
}

// nameMembers are those in which an object that stands for a scope has its name.
var nameMembers = wordSet(`name scope id value key permission`)

func (p place) changed(outer place) bool {
	return p.need != outer.need || p.held != outer.held || p.any != outer.any
}

func (r *Reading) array(p place, key string, list []any, depth int) {
	if r.alternatives(p, key, list) {
		return
	}
	var texts []string
	for _, item := range list[:min(len(list), maxTexts)] {
		said, ok := item.(string)
		if !ok {
			r.members(p, key, item, depth-1)
			continue
		}
		texts = append(texts, said)
	}
	if len(texts) > 0 && !r.list(p, texts, at(key, strings.Join(texts, " "))) {
		for _, said := range texts {
			if inner, ok := enveloped(said); ok {
				r.members(place{}, "", inner, depth-1)
				continue
			}
			r.read(said, p)
		}
	}
}

func at(key, value string) string {
	if key == "" {
		return ""
	}
	return key + ": " + value
}

func texts(values []string) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = legibleText(value)
	}
	return list
}

// headerCodes are fields whose name says that they are the code of an error, where it says that a
// scope is missing.
func (r *Reading) headerCodes(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		words, code := wordsOf(name), strings.ReplaceAll(h.Get(name), " ", "_")
		if anyOf(words, codeHeaders) && !anyOf(words, notHeaders) && meansScope(code) {
			r.code(h.Get(name))
		}
	}
}

// headers are the fields whose name speaks of scopes: what the token holds, and what the
// resource takes.
func (r *Reading) headers(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		p := place{}.under(name)
		words := wordsOf(name)
		if anyOf(words, notHeaders) {
			continue
		}
		if !p.noun {
			continue
		}
		if p.any { // what the resource accepts; with ; between alternatives, commas hold together
			p.need = false
		} else if !p.need {
			p.held = true
		}
		values := texts(h.Values(name))
		where := at(name, strings.Join(values, ", "))
		r.list(p, values, where)
	}
}

var (
	notHeaders  = wordSet(`policy`)
	codeHeaders = wordSet(`error failure reason code category`)
)

// challenges reads those of RFC 6750 §3, and what stands in their place.
func (r *Reading) challenges(h http.Header) {
	for _, c := range metadata.ParseChallenges(h) {
		for name, value := range c.Params {
			c.Params[name] = legibleText(value)
		}
		if meansScope(c.Scheme) {
			r.code(c.Scheme) // in place of a challenge
			r.prove("WWW-Authenticate: " + c.Scheme)
			continue
		}
		r.schemes = append(r.schemes, strings.ToLower(c.Scheme))
		r.bare = r.bare || c.ErrorCode() == "" && c.Scope() == ""
		said := c.ErrorDescription()
		if strings.Contains(c.ErrorCode(), " ") { // a sentence in place of a code
			said = cmp.Or(said, c.ErrorCode())
		} else {
			r.code(c.ErrorCode())
		}
		r.say(said)
		r.sentence = cmp.Or(r.sentence, said)
		if scope := c.Scope(); scope != "" || c.ErrorCode() != "" {
			r.challenged = append(r.challenged, c)
		}
	}
}

// challengeScopes takes the scopes out of the challenges: without an error, they are what the
// resource takes.
func (r *Reading) challengeScopes() {
	for _, c := range r.challenged {
		proof := "WWW-Authenticate:"
		for _, name := range []string{"error", "scope"} {
			if value := c.Params[name]; value != "" {
				proof += " " + name + `="` + value + `"`
			}
		}
		list := r.known.list(c.Scope())
		groups := r.groups(list, true)
		switch {
		case meansScope(strings.ReplaceAll(c.ErrorCode(), " ", "_")), c.ErrorCode() == "" && r.SaysLacking():
			r.Needs, r.lists = append(r.Needs, groups...), append(r.lists, list)
		case c.ErrorCode() == "", c.ErrorCode() == invalidToken:
			r.Mentioned = append(r.Mentioned, groups...)
		}
		r.prove(proof)
	}
}
