package agent

import (
	"net/url"
	"slices"
	"strings"
)

// credentialWords are those of which one in a field's name says that it may hold a credential.
var credentialWords = []string{
	"auth", "authorization", "bearer", "cookie", "credential", "credentials", "jwt", "key", "oauth", "passphrase", "passwd", "password", "secret", "session", "token",
}

// kindWords stand before those, and say of which kind it is: Access-Token, private_key.
var kindWords = []string{"access", "api", "app", "application", "client", "personal", "private", "refresh", "security", "subscription"}

// otherWords are those of which one in a field's name says that what looks like a credential is
// something else: Idempotency-Key, X-CSRF-Token (worth nothing without its cookie), Lock-Token
// (RFC 4918 §10.5), X-Session-Affinity.
var otherWords = []string{"affinity", "cache", "continuation", "csrf", "idempotency", "lock", "page", "xsrf"}

// idWord is one of otherEnds where another word says whose it is, as in Mcp-Session-Id. X-Session-Id
// and X-Key-Id are enough for a server to let somebody in.
const idWord = "id"

// otherEnds are words at the end of a name that say it of something about a credential: X-Auth-Type,
// X-Auth-Email.
var otherEnds = []string{
	"count", "email", "expires", "groups", idWord, "limit", "method", "mode", "name", "provider", "realm", "role", "roles", "scope", "scopes", "type", "user", "username", "version",
}

// nameWords are all words that can stand in a name without anything between them.
var nameWords = slices.Concat(credentialWords, kindWords, otherWords, otherEnds)

// isCredential reports whether a header field can hold a credential, by its canonical name.
// Sec- fields are those of the protocol itself (Fetch §4.1): Sec-WebSocket-Key is no secret.
func (p *Proxy) isCredential(name string) bool {
	same := func(other string) bool { return strings.EqualFold(other, name) }
	switch {
	case slices.Contains(p.fields, name):
		return true
	case strings.HasPrefix(name, "Sec-") || slices.ContainsFunc(p.cfg.Agent.Passing, same):
		return false
	}
	return namesCredential(name)
}

// namesCredential reports whether a field's name is that of a credential.
func namesCredential(name string) bool {
	words := wordsOf(name)
	if !anyOf(words, credentialWords) || anyOf(words, otherWords) {
		return false
	}
	last := len(words) - 1
	if words[last] == idWord {
		return allOf(words[:last], credentialWords, kindWords)
	}
	return !slices.Contains(otherEnds, words[last])
}

// isCredentialParameter reports whether a parameter of the query holds a credential: access_token
// (RFC 6750 §2.3), others that say as clearly what they are, and what the agent's profile names. A
// name such as key or token tells nothing: servers have flags and pages of that name.
func (p *Proxy) isCredentialParameter(name string) bool {
	if slices.Contains(p.cfg.Agent.Query, name) {
		return true
	}
	words := wordsOf(name)
	return len(words) > 1 && allOf(words, credentialWords, kindWords) && anyOf(words[len(words)-1:], []string{"key", "secret", "token"})
}

// wordsOf are the words of a name in lower case, without an x in front; those that are run
// together are taken apart. There are none where it has nothing of a credential's name in it.
func wordsOf(name string) []string {
	name = strings.ToLower(name)
	if !slices.ContainsFunc(credentialWords, func(word string) bool { return strings.Contains(name, word) }) {
		return nil
	}
	var words []string
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }) {
		parts, ok := []string(nil), false
		if len(word) <= longestRun {
			parts, ok = takenApart(word)
		}
		if !ok {
			parts = []string{word}
		}
		words = append(words, parts...)
	}
	if len(words) > 1 && words[0] == "x" {
		words = words[1:]
	}
	return words
}

// longestRun bounds what is taken apart, in letters: no real name has so many without anything
// between them.
const longestRun = 40

// takenApart are the known words of which one is made; ok is false where it is made of others.
func takenApart(word string) (parts []string, ok bool) {
	if word == "" {
		return nil, true
	}
	for _, first := range nameWords {
		if rest, found := strings.CutPrefix(word, first); found {
			if parts, ok = takenApart(rest); ok {
				return append([]string{first}, parts...), true
			}
		}
	}
	return nil, false
}

func anyOf(words, list []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(list, word) })
}

func allOf(words []string, lists ...[]string) bool {
	return !slices.ContainsFunc(words, func(word string) bool {
		return !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, word) })
	})
}

// A pair is a parameter of a query.
type pair struct{ written, name, value string }

// pairsOf takes a query apart. What is escaped wrongly stands for itself.
func pairsOf(query string) []pair {
	if query == "" {
		return nil
	}
	var pairs []pair
	for written := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(written, "=")
		pairs = append(pairs, pair{written, unescaped(name), unescaped(value)})
	}
	return pairs
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
