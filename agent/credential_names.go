package agent

import (
	"net/url"
	"slices"
	"strings"
)

// credentialWords are those of which one in a field's name says that it may hold a credential.
var credentialWords = []string{
	"apikey", "auth", "authorization", "cookie", "credential", "credentials", "jwt", "key", "password", "secret", "session", "token",
}

// otherWords are those of which one in a field's name says that what looks like a credential is
// something else: Idempotency-Key, X-CSRF-Token (worth nothing without its cookie), Lock-Token
// (RFC 4918 §10.5), X-Session-Affinity.
var otherWords = []string{"affinity", "cache", "continuation", "csrf", "idempotency", "lock", "page", "xsrf"}

// otherEnds are words at the end of a name that say it of something about a credential:
// Mcp-Session-Id, X-Auth-Type.
var otherEnds = []string{"count", "expires", "id", "limit", "method", "mode", "name", "type", "version"}

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
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_.", r) })
	has := func(list []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(list, word) })
	}
	return has(credentialWords) && !has(otherWords) && !slices.Contains(otherEnds, words[len(words)-1])
}

// isCredentialParameter reports whether a parameter of the query holds a credential: the one of
// RFC 6750 §2.3, and what the agent's profile names. A name such as key or token tells nothing:
// servers have flags and pages of that name.
func (p *Proxy) isCredentialParameter(name string) bool {
	return name == "access_token" || slices.Contains(p.cfg.Agent.Query, name)
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
