package provider

import (
	"cmp"
	"slices"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// A TokenResponse is how a service answers at its token endpoint, where it does that in a way of its own.
// The zero value is a service that does as RFC 6749 has it.
type TokenResponse struct {
	OK     Path              // a member that is false where the request failed, whatever the status
	Tokens []TokenPlace      // where a token stands; none: where RFC 6749 §5.1 has it
	Error  Path              // of the service's own word for an error, where the response has no error of RFC 6749 §5.2
	Codes  map[string]string // the service's own words for errors, and those of the RFCs for them

	Account Path // of whose login it is, in a name for people
}

// A TokenPlace is where one of the tokens of a response stands. What else is said of it (its refresh
// token, its life, its type) stands beside it, under the names of RFC 6749 §5.1.
type TokenPlace struct {
	Access Path
	Scopes Path        // of the scopes; the zero Path: they stand beside it
	Kind   scopes.Kind // of the token, where its own form does not tell; "" for what a login obtains
}

// Failed reports whether a response says that the request failed, in the service's own way.
func (t *TokenResponse) Failed(response *guard.Object) bool {
	for _, value := range t.OK.Find(response.Value()) {
		if value == false {
			return true
		}
	}
	return false
}

// Code is the word of the RFCs for a service's own error code, or without one for what stands in its place
// in the JSON of the response; it is the service's own where the file knows none.
func (t *TokenResponse) Code(own string, response any) (code, said string) {
	said = own
	if texts := Texts(t.Error.Find(response)); own == "" && len(texts) > 0 {
		said = texts[0]
	}
	return cmp.Or(t.Codes[said], own), said
}

// aboutTokens are the members of a token response that are about the token in it.
var aboutTokens = []string{"refresh_token", "expires_in", "expires_at", "token_type", "scope", "scopes", "permissions"}

// An IssuedToken is one of the tokens of a response: a token response about it alone, as RFC 6749 §5.1 has
// it, and the file's word for its kind; "" where that does not name it.
type IssuedToken struct {
	Response *guard.Object
	Kind     scopes.Kind
}

// Token is the token of a response that is used: the first of those that are there, or the first of the kind
// that the client takes; others are the rest. A renewal may give its token where another kind stands
// otherwise: renewed is the kind of what is renewed, "" for a login. The response is without a token where
// there is none of them.
func (p *Provider) Token(response *guard.Object, renewed scopes.Kind) (token IssuedToken, others []IssuedToken) {
	if len(p.TokenResponse.Tokens) == 0 {
		return IssuedToken{Response: response}, nil
	}
	document := response.Value()
	places := p.TokenResponse.Tokens
	if renewed != "" {
		for _, at := range p.TokenResponse.Tokens {
			places = append(places[:len(places):len(places)], TokenPlace{at.Access, at.Scopes, renewed})
		}
	}
	token.Response = response.With(map[string]any{"access_token": nil})
	var seen []string
	for _, at := range places {
		access := Texts(at.Access.Find(document))
		if len(access) == 0 || access[0] == "" {
			continue
		}
		one := IssuedToken{response.With(at.members(document, access[0])), p.KindIssued(access[0], at.Kind).Kind}
		isFirst := !slices.Contains(seen, access[0])
		switch seen = append(seen, access[0]); {
		case token.Kind == "" && (p.Client.Token == "" || one.Kind == p.Client.Token):
			token = one
		case isFirst:
			others = append(others, one)
		}
	}
	used := token.Response.Text("access_token") // which may stand at several places
	return token, slices.DeleteFunc(others, func(o IssuedToken) bool { return o.Response.Text("access_token") == used })
}

// KindIssued is [Provider.KindOfToken], and where the token's own form does not tell, the kind that the
// place has where it stood.
func (p *Provider) KindIssued(access string, placed scopes.Kind) CredentialKind {
	k := p.KindOfToken(access)
	stands := slices.ContainsFunc(p.TokenResponse.Tokens, func(at TokenPlace) bool { return at.Kind != "" && at.Kind == placed })
	i := slices.IndexFunc(p.Credentials, func(o CredentialKind) bool { return o.Kind == placed })
	if k.Prefix == "" && k.Pattern == "" && stands && i >= 0 {
		return p.Credentials[i]
	}
	return k
}

// members are those of RFC 6749 §5.1 about the token at this place.
func (at TokenPlace) members(document map[string]any, access string) map[string]any {
	beside := document
	if within := at.Access[:len(at.Access)-1]; len(within) > 0 {
		beside, _ = within.Find(document)[0].(map[string]any) // the token stands in it
	}
	members := map[string]any{"access_token": access}
	for _, name := range aboutTokens {
		members[name] = beside[name]
	}
	if len(at.Scopes) > 0 {
		found := at.Scopes.Find(document)
		members["scope"], members["scopes"], members["permissions"] = nil, nil, nil
		if len(found) == 1 {
			members["scope"] = found[0]
		} else if len(found) > 1 {
			members["scope"] = found
		}
	}
	return members
}

// tokenCodes are the error codes of a token endpoint (RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2).
var tokenCodes = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target",
	"authorization_pending", "slow_down", "access_denied", "expired_token", "temporarily_unavailable",
}

// maxTokens bounds the places of a token response, and its error codes.
const maxTokens = 100

// tokenResponse reads how a service answers, over t.
func (d *decoder) tokenResponse(n *yaml.Node, t TokenResponse) TokenResponse {
	d.Mapping(n, "token_response", []yamlfile.Member{
		yamlfile.Optional("ok", func(v *yaml.Node) { t.OK = d.path(v, "ok") }, "a member that is false where the request failed, whatever the status"),
		yamlfile.Optional("tokens", func(v *yaml.Node) {
			t.Tokens = nil
			d.AtLeast(v, 1, "tokens lists one place of a token or more")
			if d.AtMost(v, maxTokens, "tokens lists at most %d places", maxTokens) {
				d.List(v, "tokens", func(item *yaml.Node) { t.Tokens = append(t.Tokens, d.tokenPlace(item)) })
			}
		}, "where the tokens of a response stand, each with its refresh token and lifetime beside it; the first that is there is used, or the one that client.token names, and the others are revoked where the service offers that"),
		yamlfile.Optional("account", func(v *yaml.Node) { t.Account = d.path(v, "account") }, "where the response names the account, such as info.email: nobody is asked for it then"),
		yamlfile.Optional("error", func(v *yaml.Node) { t.Error = d.path(v, "error") }, "where the service's own word for an error stands, in a response without the member error"),
		yamlfile.Optional("codes", func(v *yaml.Node) {
			t.Codes = cloned(t.Codes)
			if d.AtMost(v, maxTokens, "codes names at most %d errors", maxTokens) {
				d.Named(v, "codes", func(own, code *yaml.Node) { t.Codes[own.Value] = d.Word(code, "error code", tokenCodes) })
			}
		}, "the service's own words for errors, each with that of RFC 6749 §5.2 or RFC 8628 §3.5; invalid_grant ends a login that is renewed"),
	})
	return t
}

func (d *decoder) tokenPlace(n *yaml.Node) TokenPlace {
	var at TokenPlace
	d.Mapping(n, "a token's place", []yamlfile.Member{
		yamlfile.Required("access", func(v *yaml.Node) {
			at.Access = d.path(v, "access")
			for _, step := range at.Access {
				if step.Each {
					d.Mistake(v, yamlfile.BadValue, "access leads to one token, and not into a list")
					at.Access = nil
					return
				}
			}
		}, "the access token"),
		yamlfile.Optional("scope", func(v *yaml.Node) { at.Scopes = d.path(v, "scope") }, "its scopes, where they do not stand beside it as scope"),
		yamlfile.Optional("kind", func(v *yaml.Node) { at.Kind = scopes.Kind(d.kindWord(v)) }, "its kind, as under credentials, where its own form shows none"),
	})
	return at
}

// kindWord reads a kind of credential; whether the file describes it is found out later.
func (d *decoder) kindWord(n *yaml.Node) string {
	word := d.Name(n, "kind")
	if word != "" {
		d.kindWords = append(d.kindWords, n)
	}
	return word
}

// checkKinds notes kinds that the file does not describe, and a choice of a token where there is none.
func (d *decoder) checkKinds(p *Provider, n *yaml.Node) {
	if client := yamlfile.Child(n, "client"); client != nil && len(p.TokenResponse.Tokens) == 0 {
		if token := yamlfile.Child(client, "token"); token != nil {
			d.Mistake(token, yamlfile.BadValue, "token chooses one of several tokens: say under token_response: {tokens: […]} where they stand")
		}
	}
	known := []string{string(scopes.AccessToken)}
	for _, k := range p.Credentials {
		known = append(known, string(k.Kind))
	}
	d.checkWords("kind", d.kindWords, known)
}
