package cli

import (
	"fmt"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
)

// A tokenView is ambit.token/v1. It is the one view that shows a secret.
type tokenView struct{ held *ambit.Held }

func (v tokenView) text(p *printer) { p.line("%s", v.held.Credential.Access.Reveal()) }

func (v tokenView) json(e envelope) any {
	return struct {
		envelope
		AccessToken string     `json:"access_token"`
		TokenType   string     `json:"token_type"`
		ExpiresAt   *time.Time `json:"expires_at"`
	}{e, v.held.Credential.Access.Reveal(), "Bearer", credentialOf(v.held.Credential.Grant).ExpiresAt}
}

// lifetime words how long a credential lives on.
func lifetime(until, now time.Time) string {
	exactly := until.Sub(now)
	left := exactly.Round(time.Minute)
	switch {
	case until.IsZero():
		return "no end is known"
	case !now.Before(until):
		return "expired " + now.Sub(until).Round(time.Second).String() + " ago"
	case left >= 48*time.Hour:
		return fmt.Sprintf("good for %d days", int(left.Hours())/24)
	case left >= 2*time.Hour:
		return fmt.Sprintf("good for %d hours", int(left.Hours()))
	}
	if exactly < time.Minute {
		return "good for " + text.Count(max(1, int(exactly.Round(time.Second).Seconds())), "second")
	}
	return "good for " + text.Count(int(left.Minutes()), "minute")
}
