package view

import (
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/helper"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Token is ambit.token/v1. It is the one view that shows a secret.
type Token struct {
	Held *ambit.Held
	As   func(helper.Token) string // the form in which another tool takes it; nil: the token alone
}

// Text implements [View].
func (v Token) Text(p *Printer) {
	if v.As != nil {
		p.WriteString(v.As(helper.Token{Secret: v.Held.Credential.Access.Reveal(), ExpiresAt: v.Held.Credential.ExpiresAt}))
		return
	}
	p.line("%s", v.Held.Credential.Access.Reveal())
}

type tokenJSON struct {
	Envelope
	AccessToken string     `json:"access_token"`
	TokenType   string     `json:"token_type"`
	ExpiresAt   *time.Time `json:"expires_at"`
	Scope       *string    `json:"scope"` // null where nobody was asked yet what an API key holds
	Server      string     `json:"server"`
	Hosts       []string   `json:"hosts"` // to which it may go
}

// JSON implements [View].
func (v Token) JSON(e Envelope) any {
	c := v.Held.Credential
	out := tokenJSON{Envelope: e, AccessToken: c.Access.Reveal(), TokenType: "Bearer", ExpiresAt: credentialOf(c.Grant).ExpiresAt, Server: v.Held.Server.Name, Hosts: v.Held.Hosts()}
	if v.Held.IsLogin() {
		scope := c.Scopes.String()
		out.Scope = &scope
	}
	return out
}

// Env are the lines by which a shell takes a token, and the URLs of the bases at which it serves,
// under the names that they have for a child of run.
func Env(h *ambit.Held) func(helper.Token) string {
	return func(t helper.Token) string {
		var bases []string
		for _, b := range h.Server.Bases {
			bases = append(bases, profile.BaseVariable(b.Name)+"="+b.URL)
		}
		return helper.Env(t, bases)
	}
}

// Lifetime words how long a credential lives on.
func Lifetime(until, now time.Time) string {
	switch {
	case until.IsZero():
		return "no expiry is known"
	case !now.Before(until):
		return "expired " + now.Sub(until).Round(time.Second).String() + " ago"
	}
	return "good for " + span(until.Sub(now))
}

// span words a length of time.
func span(exactly time.Duration) string {
	left := exactly.Round(time.Minute)
	switch {
	case left >= 48*time.Hour:
		return text.Count(int(left.Hours())/24, "day")
	case left >= 2*time.Hour:
		return text.Count(int(left.Hours()), "hour")
	case exactly < time.Minute:
		return text.Count(max(1, int(exactly.Round(time.Second).Seconds())), "second")
	}
	return text.Count(int(left.Minutes()), "minute")
}
