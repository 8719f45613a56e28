package agent

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// authorization is the field in which a credential belongs; agents have others, see
// [profile.Profile.CredentialFields].
const authorization = "Authorization"

// inspect tells what credentials a request carries: the lease, by its own value wherever it
// stands, and the names of what may hold another. A value is not kept.
func (p *Proxy) inspect(r *http.Request) diagnosis.Sent {
	var sent diagnosis.Sent
	for name, values := range r.Header {
		for _, value := range values {
			switch {
			case p.swapsField(name, value):
				sent.Ours = true
			case p.holdsLease(value):
				sent.Misplaced = append(sent.Misplaced, placeOf(name, value))
			case bearerOf(value) != "" && p.cfg.Agent.IsCredential(name):
				sent.Others = append(sent.Others, name)
			}
		}
	}
	for _, pair := range pairsOf(r.URL.RawQuery) {
		switch {
		case p.swapsParameter(pair):
			sent.Ours = true
		case p.holdsLease(pair.value) || p.holdsLease(pair.name):
			sent.Misplaced = append(sent.Misplaced, "a parameter of the query")
		case pair.value != "" && p.cfg.Agent.IsCredentialParameter(pair.name):
			sent.Others = append(sent.Others, "the query's "+pair.name)
		}
	}
	if p.holdsLease(r.URL.Path) { // where it cannot be left out
		sent.Ours, sent.Misplaced = false, []string{"a part of the path"}
	}
	sent.Others, sent.Misplaced, sent.Swapped = sorted(sent.Others), sorted(sent.Misplaced), p.swapped
	return sent
}

// sorted is a list in order, each text once.
func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// A leaseForm is the lease as the service's own clients would send a credential.
type leaseForm struct {
	field string
	value credential.Secret
}

// leaseForms are those of the kinds of credential that are sent in a way of their own.
func leaseForms(p *provider.Provider, lease credential.Secret) (list []leaseForm) {
	for _, k := range p.Credentials {
		if k.Send != (provider.Sending{}) {
			field, value := k.Send.Field(lease.Reveal())
			list = append(list, leaseForm{http.CanonicalHeaderKey(field), credential.NewSecret(value)})
		}
	}
	return list
}

// swapsField reports whether a value of a header field is the lease, in a form in which it is
// swapped.
func (p *Proxy) swapsField(name, value string) bool {
	if slices.ContainsFunc(p.forms, func(f leaseForm) bool { return f.field == name && f.value.Equal(credential.NewSecret(value)) }) {
		return true
	}
	if !slices.Contains(p.fields, name) {
		return false
	}
	if p.isLease(bearerOf(value)) {
		return true
	}
	scheme, rest := schemeOf(value)
	if name != authorization || !slices.ContainsFunc(p.cfg.Agent.Schemes, func(s string) bool { return strings.EqualFold(s, scheme) }) {
		return false
	}
	if user, password, ok := basicOf(value); ok {
		return p.isLease(user) || p.isLease(password)
	}
	return p.isLease(rest)
}

// swapsParameter reports whether a parameter of the query is the lease, and is swapped.
func (p *Proxy) swapsParameter(pair pair) bool {
	return slices.Contains(p.cfg.Agent.Query, pair.name) && p.isLease(pair.value)
}

func (p *Proxy) isLease(text string) bool { return p.lease.Equal(credential.NewSecret(text)) }

// holdsLease reports whether the lease stands anywhere in a text, or in what Basic packs.
func (p *Proxy) holdsLease(text string) bool {
	if strings.Contains(text, p.lease.Reveal()) {
		return true
	}
	user, password, ok := basicOf(text)
	return ok && (p.holdsLease(user) || p.holdsLease(password))
}

// placeOf names a place where the lease stood: the field, and the scheme where it has one.
func placeOf(name, value string) string {
	if scheme, _ := schemeOf(value); name == authorization && isScheme(scheme) {
		return name + ": " + scheme
	}
	return name
}

// isScheme reports whether a text is the name of a scheme: none has more than letters, and so
// many (IANA HTTP Authentication Scheme Registry).
func isScheme(text string) bool {
	const longest = 20
	return text != "" && len(text) <= longest && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz") == ""
}

// schemeOf takes a value apart, as RFC 9110 §11.4 writes credentials.
func schemeOf(value string) (scheme, rest string) {
	scheme, rest, _ = strings.Cut(strings.TrimSpace(value), " ")
	return scheme, strings.TrimSpace(rest)
}

// bearerOf takes the scheme Bearer away (RFC 6750 §2.1; its case does not matter).
func bearerOf(value string) string {
	if scheme, rest := schemeOf(value); rest != "" && strings.EqualFold(scheme, "Bearer") {
		return rest
	}
	return strings.TrimSpace(value)
}

// basicOf is what the scheme Basic packs (RFC 7617 §2), with or without its padding.
func basicOf(value string) (user, password string, ok bool) {
	scheme, rest := schemeOf(value)
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(rest, "="))
	text, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil {
		return "", "", false
	}
	user, password, _ = strings.Cut(string(text), ":")
	return user, password, true
}

// lend takes every credential out of h, the lease included, and puts c in.
func (p *Proxy) lend(h http.Header, c *credential.Credential) {
	for name, values := range h {
		if p.cfg.Agent.IsCredential(name) || slices.ContainsFunc(values, p.holdsLease) {
			delete(h, name)
		}
	}
	var send provider.Sending
	if len(p.forms) > 0 {
		send = c.KindAt(p.cfg.Provider).Send
	}
	h.Set(send.Field(c.Access.Reveal()))
}

// withoutCredentials is a query, as it was written, without the parameters that hold the lease or
// another credential.
func (p *Proxy) withoutCredentials(query string) string {
	var kept []string
	for _, pair := range pairsOf(query) {
		if !p.holdsLease(pair.value) && !p.holdsLease(pair.name) && !p.cfg.Agent.IsCredentialParameter(pair.name) {
			kept = append(kept, pair.written)
		}
	}
	return strings.Join(kept, "&")
}

// swappedIn says for people where the lease is swapped.
func swappedIn(profile *profile.Profile) []string {
	list := []string{authorization + ": Bearer"}
	for _, scheme := range profile.Schemes {
		list = append(list, authorization+": "+scheme)
	}
	list = append(list, profile.CredentialFields()[1:]...)
	for _, name := range profile.Query {
		list = append(list, "the query's "+name)
	}
	return list
}

// atMostGzip narrows Accept-Encoding (RFC 9110 §12.5.3) to what can be unpacked here,
// should the answer be a refusal.
func atMostGzip(h http.Header) {
	values, asked := h["Accept-Encoding"]
	if !asked {
		return
	}
	if acceptsGzip(values) {
		h["Accept-Encoding"] = []string{"gzip"}
	} else {
		h["Accept-Encoding"] = []string{"identity"}
	}
}

func acceptsGzip(values []string) bool {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
				continue
			}
			q, weighed := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			if !weighed || strings.Trim(q, "0.") != "" {
				return true
			}
		}
	}
	return false
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
