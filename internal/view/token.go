package view

import (
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Token is ambit.token/v1. It is the one view that shows a secret.
type Token struct{ Held *ambit.Held }

// Text implements [View].
func (v Token) Text(p *Printer) { p.line("%s", v.Held.Credential.Access.Reveal()) }

// JSON implements [View].
func (v Token) JSON(e Envelope) any {
	return struct {
		Envelope
		AccessToken string     `json:"access_token"`
		TokenType   string     `json:"token_type"`
		ExpiresAt   *time.Time `json:"expires_at"`
	}{e, v.Held.Credential.Access.Reveal(), "Bearer", credentialOf(v.Held.Credential.Grant).ExpiresAt}
}

// Lifetime words how long a credential lives on.
func Lifetime(until, now time.Time) string {
	exactly := until.Sub(now)
	left := exactly.Round(time.Minute)
	switch {
	case until.IsZero():
		return "no expiry is known"
	case !now.Before(until):
		return "expired " + now.Sub(until).Round(time.Second).String() + " ago"
	case left >= 48*time.Hour:
		return "good for " + text.Count(int(left.Hours())/24, "day")
	case left >= 2*time.Hour:
		return "good for " + text.Count(int(left.Hours()), "hour")
	}
	if exactly < time.Minute {
		return "good for " + text.Count(max(1, int(exactly.Round(time.Second).Seconds())), "second")
	}
	return "good for " + text.Count(int(left.Minutes()), "minute")
}
