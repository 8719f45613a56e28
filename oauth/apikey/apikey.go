// Package apikey finds API keys where people put them, and reads what they paste around one, or
// around the secret of a client.
package apikey

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Text is an API key as someone gave it, made clean.
type Text struct {
	Secret credential.Secret
	Notes  []string // what was forgiven, and what is unsafe, each a sentence for people that holds nothing of the key
}

// ErrNone says that none of the sources holds a key.
var ErrNone = errors.New("no API key was given")

// A BadKeyError is a text that can be no API key. Neither it nor what it wraps holds
// anything of the text.
type BadKeyError struct {
	Source  string // where it came from, as [Found.Source]; "" from [Read]
	Problem string // "is empty"
	Err     error  // why it could not be read; else nil
}

// Error names the source and the problem.
func (e *BadKeyError) Error() string {
	source := e.Source
	if source == "" {
		source = "the key"
	}
	if e.Err != nil {
		return fmt.Sprintf("%s %s: %v", source, e.Problem, e.Err)
	}
	return source + " " + e.Problem
}

// Unwrap returns the cause, if there is one.
func (e *BadKeyError) Unwrap() error { return e.Err }

// Read takes a key out of what people paste around it: blanks, a newline, a pair of
// quotes, "Bearer " in front. A text that can be no key (empty, a placeholder, with a
// blank, control character or foreign letter in it) is a *[BadKeyError]: it would only
// be refused by the server, with less to say.
func Read(raw string) (Text, error) { return read(raw, unwrapKey, keyProblem) }

// ReadSecret is Read for the secret of a client, which may have spaces and quotes in it (RFC 6749
// appendix A.2): only what stands around it is taken off.
func ReadSecret(raw string) (Text, error) { return read(raw, unwrap, secretProblem) }

func read(raw string, unwrap func(text string) (inner, note string), problemOf func(text string) string) (Text, error) {
	var key Text
	text := raw
	for {
		inner, note := unwrap(text)
		if note == "" {
			break
		}
		text = inner
		key.Notes = appendOnce(key.Notes, note)
	}
	if problem := problemOf(text); problem != "" {
		return Text{}, &BadKeyError{Problem: problem}
	}
	key.Secret = credential.NewSecret(text)
	return key, nil
}

// unwrapKey is unwrap for what stands before a key only.
func unwrapKey(text string) (inner, note string) {
	const scheme = "bearer "
	inner, note = unwrap(text)
	if note == "" && len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return text[len(scheme):], `"Bearer" in front of the key was dropped`
	}
	return inner, note
}

// unwrap takes off one layer, and says which; "" where there is none.
func unwrap(text string) (inner, note string) {
	const byteOrderMark = "\ufeff" // some editors begin a file with it
	inner = strings.TrimFunc(strings.TrimPrefix(text, byteOrderMark), unicode.IsSpace)
	if inner != text {
		return inner, "spaces or a newline around the key were dropped"
	}
	for _, quote := range []string{`"`, "'", "`"} {
		if len(text) >= 2 && strings.HasPrefix(text, quote) && strings.HasSuffix(text, quote) && strings.Count(text, quote) == 2 {
			return text[1 : len(text)-1], "quotes around the key were dropped"
		}
	}
	return text, ""
}

func appendOnce(notes []string, note string) []string {
	for _, n := range notes {
		if n == note {
			return notes
		}
	}
	return append(notes, note)
}

// Empty is the problem of a text that holds nothing.
const Empty = "is empty"

// Unsendable is the problem of a text that no request header can carry.
const Unsendable = "has a character that cannot be in a key"

// keyProblem is what stands against text being a key; "" for nothing.
func keyProblem(text string) string {
	problem := problemOf(text)
	switch {
	case strings.EqualFold(text, "bearer"):
		return Empty
	case problem != "":
		return problem
	case strings.ContainsFunc(text, unicode.IsSpace):
		return "has a space in it"
	case strings.ContainsAny(text, "\"'`"):
		return "has a quote in it"
	case !credential.IsSendable(text):
		return Unsendable
	}
	return ""
}

// secretProblem is what stands against text being the secret of a client; "" for nothing.
func secretProblem(text string) string {
	if problem := problemOf(text); problem != "" {
		return problem
	}
	if !credential.IsVisible(text) {
		return Unsendable
	}
	return ""
}

// problemOf is what stands against text being either.
func problemOf(text string) string {
	switch {
	case text == "":
		return Empty
	case isPlaceholder(text):
		return "is a placeholder, not a key"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "has a control character in it"
	case len(text) > credential.MaxToken:
		return "is too long to be a key"
	}
	return ""
}

// isPlaceholder knows the ways in which examples stand for a key, and in which a
// variable that was not filled in stands for itself.
func isPlaceholder(text string) bool {
	lower := strings.ToLower(text)
	switch text[0] {
	case '$', '<', '{', '%', '[':
		return true
	}
	for _, part := range []string{"...", "…", "${", "{{", "your_", "your-", "_here", "-here", "placeholder", "changeme", "change_me", "replace_me"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	const fewest = 3 // letters that stand for any: a key can end in one or two by chance
	body := lower[strings.LastIndexAny(lower, "_-")+1:]
	return len(body) >= fewest && strings.Trim(body, "x") == "" || len(body) > 0 && strings.Trim(body, "*") == ""
}

// Credential describes the key by what provider p says of its kind. What it holds is
// not known before [oauth.Inspector.Inspect].
func (k Found) Credential(p *provider.Provider) *credential.Credential {
	kind := p.KindOf(k.Secret.Reveal())
	return &credential.Credential{
		Access: k.Secret,
		Grant:  scopes.Grant{Kind: kind.Kind, Prefix: k.Secret.Shown(kind), Source: k.Source},
	}
}
