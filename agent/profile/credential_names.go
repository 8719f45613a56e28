package profile

import (
	"net/http"
	"slices"
	"strings"
)

// credentialWords are those of which one in a field's name says that it may hold a credential.
var credentialWords = []string{
	"auth", "authorization", "bearer", "cookie", "credential", "credentials", "jwt", "key", "oauth", "passphrase", "passwd", "password", "secret", "session", "token",
}

// shortWords do so where the name has no other words than these, and those that say whose it is or of
// which kind: X-Pat, X-User-Pass, DPoP (RFC 9449 §4.1); and not Account-Sid or DPoP-Nonce.
var shortWords = []string{"dpop", "otp", "pass", "passcode", "pat", "pin", "pwd", "sid", "totp"}

// whoseWords say whose a credential is, and nothing else.
var whoseWords = []string{"basic", "login", "user"}

// kindWords stand before those, and say of which kind it is: Access-Token, private_key.
var kindWords = []string{"access", "api", "app", "application", "client", "personal", "private", "refresh", "security", "subscription"}

// otherWords are those of which one in a field's name says that what looks like a credential is
// something else: Idempotency-Key, X-CSRF-Token (worth nothing without its cookie), Lock-Token
// (RFC 4918 §10.5), X-Session-Affinity, X-Partition-Key.
var otherWords = []string{
	"affinity", "cache", "continuation", "correlation", "csrf", "dedup", "deduplication", "idempotency", "lock", "ordering", "page", "partition", "routing", "shard", "sort",
	"surrogate", "xsrf",
}

// idWord is one of otherEnds where another word says whose it is, as in Mcp-Session-Id. X-Session-Id
// and X-Key-Id are enough for a server to let somebody in.
const idWord = "id"

// otherEnds are words at the end of a name that say it of something about a credential: X-Auth-Type,
// X-Auth-Email.
var otherEnds = []string{
	"count", "email", "expires", "groups", idWord, "limit", "method", "mode", "name", "provider", "realm", "redirect", "role", "roles", "scope", "scopes", "type", "user", "username", "version",
}

// nameWords are all words that can stand in a name without anything between them.
var nameWords = slices.Concat(credentialWords, shortWords, whoseWords, kindWords, otherWords, otherEnds)

// authorization is the field in which a credential belongs (RFC 9110 §11.6.2).
const authorization = "Authorization"

// CredentialFields are the canonical names of the header fields in which the program sends a
// credential, Authorization first.
func (p *Profile) CredentialFields() []string {
	fields := []string{authorization}
	for _, name := range p.Headers {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

// IsCredential reports whether a header field can hold a credential, by its name: such a field does
// not leave. Sec- fields are those of the protocol itself (Fetch §4.1): Sec-WebSocket-Key is no secret.
func (p *Profile) IsCredential(field string) bool {
	same := func(other string) bool { return strings.EqualFold(other, field) }
	switch {
	case strings.EqualFold(field, authorization) || slices.ContainsFunc(p.Headers, same):
		return true
	case len(field) > 4 && strings.EqualFold(field[:4], "Sec-") || slices.ContainsFunc(p.Passing, same):
		return false
	}
	return namesCredential(field)
}

// namesCredential reports whether a field's name is that of a credential.
func namesCredential(name string) bool {
	words := wordsOf(name)
	if anyOf(words, otherWords) {
		return false
	}
	if !anyOf(words, credentialWords) {
		return anyOf(words, shortWords) && allOf(words, shortWords, whoseWords, kindWords)
	}
	last := len(words) - 1
	if words[last] == idWord {
		return allOf(words[:last], credentialWords, kindWords)
	}
	return !slices.Contains(otherEnds, words[last])
}

// IsCredentialParameter reports whether a parameter of the query holds a credential: access_token
// (RFC 6750 §2.3), others that say as clearly what they are, what signs a URL so that whoever has it
// is let in, and what the profile names. A name such as key, token or session_id tells nothing:
// servers have flags, pages and filters of that name, and MCP's older transport has addresses.
func (p *Profile) IsCredentialParameter(name string) bool {
	if slices.Contains(p.Query, name) || signsURL(strings.ToLower(name)) {
		return true
	}
	words := wordsOf(name)
	if len(words) == 0 {
		return false
	}
	last := len(words) - 1
	if slices.Contains(secretWords, words[last]) {
		return allOf(words[:last], credentialWords, kindWords, whoseWords)
	}
	if slices.Equal(words, []string{idWord, "token"}) {
		return true
	}
	return last > 0 && slices.Contains([]string{"key", "token"}, words[last]) && allOf(words[:last], credentialWords, kindWords)
}

// secretWords at the end of a parameter's name say that it is one, without another word as well.
var secretWords = []string{"jwt", "passphrase", "passwd", "password", "pwd", "secret"}

// signsURL reports whether a parameter, in lower case, lets whoever has the URL in: sig of Azure's
// shared access signatures, X-Amz-Signature and X-Goog-Signature of presigned URLs, and the session's
// token beside them.
func signsURL(name string) bool {
	if name == "sig" || name == "signature" {
		return true
	}
	return strings.HasPrefix(name, "x-") && (strings.HasSuffix(name, "-signature") || strings.HasSuffix(name, "-security-token"))
}

// wordsOf are the words of a name in lower case, without an x in front; those that are run
// together are taken apart. There are none where it has nothing of a credential's name in it.
func wordsOf(name string) []string {
	name = strings.ToLower(name)
	within := func(word string) bool { return strings.Contains(name, word) }
	if !slices.ContainsFunc(credentialWords, within) && !slices.ContainsFunc(shortWords, within) {
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
