package oauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// maxLifetime bounds expires_in: what is said to live longer lives that long. It
// keeps a hostile value out of date arithmetic.
const maxLifetime = 10 * 365 * 24 * time.Hour

// readToken makes a credential of a token response (RFC 6749 §5.1). Where the response
// is silent (on scope, §5.1 and §6, or the provider's own members) it holds what before
// holds: for a login what was asked, for a renewal what was had. A response without a
// token_type is one of many servers that know only Bearer; another type is Bearer only where the
// provider's file says that its kind is called so.
func readToken(endpoint string, response *guard.Object, before credential.Credential, p *provider.Provider, at moment) (*credential.Credential, error) {
	access, refresh := response.Text("access_token"), response.Text("refresh_token")
	var kind provider.CredentialKind
	var facts provider.ScopeFacts
	if p != nil {
		kind, facts = p.KindIssued(access, before.Kind), p.Scopes
	}
	switch {
	case response.Has("token_type") && !isBearer(response, kind): // RFC 6749 §7.1: not understood, not used
		return nil, unusableToken(endpoint, "its token_type is not Bearer"+named(response.Text("token_type")))
	case !credential.IsSendable(access), !credential.IsVisible(refresh):
		return nil, unusableToken(endpoint, "a token in it is too long, or has characters that no token has (RFC 6749 appendix A)")
	}
	c := before
	c.Access, c.Kind, c.TokenType = credential.NewSecret(access), scopes.AccessToken, "Bearer"
	if refresh != "" {
		c.Refresh = credential.NewSecret(refresh)
	}
	isFirst := before.Access.Empty() // a renewal that gives no time to live again gives nothing better
	c.ObtainedAt, c.ExpiresAt = at.now, expiry(response, at, c.Renewable() && isFirst)
	if granted, said := grantedScopes(response, before.Asked.Union(before.Scopes), &facts, kind); said {
		c.Scopes, c.KnownBy = c.Proven(granted), scopes.TokenResponse
	} else if claimed, has := ClaimedScopes(c.Access, before.Asked); has && before.KnownBy.IsGuess() {
		c.Scopes, c.KnownBy = c.Proven(claimed), scopes.JWT
	} else if facts.NoRequest && c.KnownBy == scopes.Assumed { // RFC 6749 §5.1 is about what was requested
		c.Scopes, c.KnownBy = scopes.Set{}, scopes.Accepted
	}
	if p != nil {
		learn(&c, response, kind)
	}
	return &c, nil
}

// named adds what a token type is, where that is a word.
func named(tokenType string) string {
	if tokenType == "" {
		return ""
	}
	return " but " + text.Quote(tokenType)
}

func isBearer(response *guard.Object, kind provider.CredentialKind) bool {
	tokenType := strings.TrimSpace(response.Text("token_type"))
	if tokenType == "" {
		return response.IsText("token_type") // empty is as good as absent, and another form is not
	}
	return strings.EqualFold(tokenType, "Bearer") || kind.TokenType != "" && strings.EqualFold(tokenType, kind.TokenType)
}

// tellLeftOut says which members of a server's response were left out, and why; in names the
// response. A nil tell is nobody who wants to know.
func tellLeftOut(tell func(sentence string), in string, response *guard.Object) {
	if tell == nil {
		return
	}
	for _, note := range response.Notes() {
		tell("in " + in + " " + note)
	}
}

// learn takes what only the provider's file knows how to read.
func learn(c *credential.Credential, response *guard.Object, kind provider.CredentialKind) {
	c.Kind, c.Prefix = kind.Kind, c.Access.Shown(kind)
	if reach, said := reachIn(response, kind.Reach()); said {
		c.Reach = reach
	}
	c.Grant = kind.Of(c.Grant)
}

// reachIn reads what limits a credential; said is false where no member tells.
func reachIn(members *guard.Object, limits []provider.ReachMember) (reach []scopes.Reach, said bool) {
	for _, limit := range limits {
		said = said || members.IsList(limit.Member)
		if list := members.List(limit.Member); len(list) > 0 {
			reach = append(reach, scopes.Reach{Of: limit.Of, IDs: text.Lines(list)})
		}
	}
	return reach, said
}

// A moment is when a response came, by two clocks.
type moment struct {
	now   time.Time     // of this machine, without what its other clock reads
	ahead time.Duration // by how much that is ahead of the server's; 0 within clockLeeway, or where the server does not say
}

// clockLeeway is by how much two clocks may differ without anybody minding.
const clockLeeway = time.Minute

// momentOf compares the clocks: the server's time is in the Date of its response (RFC 9110
// §6.6.1).
func momentOf(response *guard.Response, now time.Time) moment {
	at := moment{now: now.Round(0)}
	if response == nil {
		return at
	}
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return at
	}
	if ahead := at.now.Sub(date).Round(time.Second); ahead.Abs() > clockLeeway {
		at.ahead = ahead
	}
	return at
}

// tell says that the clocks differ.
func (at moment) tell(tell func(sentence string), host string) {
	if tell == nil || at.ahead == 0 {
		return
	}
	which := "ahead of"
	if at.ahead < 0 {
		which = "behind"
	}
	tell(fmt.Sprintf("the clock of this machine is %s %s that of %s: one of them is wrong", at.ahead.Abs(), which, text.Line(host)))
}

// expiry reads expires_in, in seconds from now, or the moment in expires_at, by the server's
// clock, that some servers give in its place. A token that lives for no time is at its end, if a
// renewal may give a better one. Where nothing tells, the token is tried until the server refuses it.
func expiry(response *guard.Object, at moment, renewable bool) time.Time {
	if lifetime := response.Seconds("expires_in", maxLifetime); lifetime > 0 {
		return at.now.Add(lifetime)
	}
	if end := response.Moment("expires_at"); !end.IsZero() {
		return end.Add(at.ahead)
	}
	if renewable && response.IsNumber("expires_in") {
		return at.now
	}
	return time.Time{}
}

// grantedScopes reads the scopes of a token response: in scope (RFC 6749 §5.1), or in the
// scopes or permissions of some servers, where every word of them was asked for. said is false
// where none is there, or of no use; a scope that is empty is said, and is nothing granted, unless the
// provider's file says that it means nothing for this kind of token.
func grantedScopes(response *guard.Object, asked scopes.Set, facts *provider.ScopeFacts, kind provider.CredentialKind) (granted scopes.Set, said bool) {
	for _, name := range []string{"scope", "scopes"} {
		list := response.List(name)
		if kind.EmptyUnknown && strings.TrimSpace(strings.Join(list, "")) == "" {
			continue
		}
		if list != nil {
			return facts.Granted(list, asked), true
		}
	}
	if !response.Has("permissions") {
		return scopes.Set{}, false
	}
	granted = scopes.ListOf(response.List("permissions"), asked) // elsewhere a word for what is no scope
	return granted, granted.Len() > 0 && granted.Minus(asked).Len() == 0
}

// aboutThePerson are the scopes of OpenID Connect (Core §5.4, §11): they are for the ID token, and an access
// token that was granted with them does not name them everywhere.
var aboutThePerson = scopes.NewSet("openid", "profile", "email", "address", "phone")

// ClaimedScopes reads which scopes a JWT says that it has (RFC 9068 §2.2.3; scp is another name for
// that); has is false for any other token, and for one that does not say. Nothing else is read from it,
// and nobody verifies it: whoever takes it does, and a token may have any form that its server likes.
// It is safe for concurrent use.
func ClaimedScopes(token credential.Secret, asked scopes.Set) (claimed scopes.Set, has bool) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return scopes.Set{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return scopes.Set{}, false
	}
	claims, err := guard.ParseObject(payload)
	if err != nil {
		return scopes.Set{}, false
	}
	for _, name := range []string{"scope", "scp"} {
		if list := claims.List(name); list != nil {
			return scopes.ListOf(list, asked).Union(aboutThePerson.Where(asked.Has)), true
		}
	}
	return scopes.Set{}, false
}
