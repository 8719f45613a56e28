package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/spf13/cobra"
)

func (r *run) tokenCommand() *cobra.Command {
	var keys *keyFlags
	var minTTL time.Duration
	cmd := &cobra.Command{
		Use:   "token",
		Short: "print a valid access token and nothing else",
		Long: `token prints a valid access token and nothing else, for tools that take a credential
helper. A token that ends within --min-ttl is renewed first.

Exit codes: 0 printed; 2 wrong usage or an untrusted host; 4 no usable credential;
6 the server does not answer.`,
		Example: "  curl -H \"Authorization: Bearer $(ambit token)\" https://api.example.com/",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view, error) { return r.token(ctx, keys, minTTL) }),
	}
	keys = addKeyFlags(cmd.Flags())
	cmd.Flags().DurationVar(&minTTL, "min-ttl", time.Minute, "renew a token that ends within this `DURATION`")
	return cmd
}

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

func (r *run) token(ctx context.Context, keys *keyFlags, minTTL time.Duration) (view, error) {
	if minTTL < 0 {
		return nil, fail(exitUsage, "--min-ttl may not be negative", "")
	}
	s, err := r.open(keys)
	if err != nil {
		return nil, err
	}
	h, err := s.Find(ctx)
	if err != nil {
		return nil, r.failure(s, err)
	}
	if !h.IsLogin() {
		return tokenView{h}, nil
	}
	if err = h.Refresh(ctx, minTTL); err != nil && !h.Credential.LivesAt(time.Now()) {
		return nil, failureOf(s, err)
	}
	r.tellUnrenewed(s, "token", h, err)
	r.tellLost(s, h)
	if err == nil && !h.Credential.LivesAt(time.Now().Add(minTTL)) {
		r.voice.note("the server gives no token that lives for %s: this one is %s", minTTL, lifetime(h.Credential.ExpiresAt, time.Now()))
	}
	return tokenView{h}, nil
}

// tellUnrenewed says what is the matter with a credential that is good for now, and for
// how long it is.
func (r *run) tellUnrenewed(s *ambit.Session, what string, h *ambit.Held, err error) {
	left := lifetime(h.Credential.ExpiresAt, time.Now())
	if e, ok := is[*oauth.NotSavedError](err); ok {
		r.voice.note("the %s was renewed, and cannot be kept; once it ends, log in again: %s", what, text.Printable(e.Err.Error()))
	} else if e, ok := is[*oauth.SessionLostError](err); ok {
		reason := "there is no refresh token"
		if e.Err != nil {
			reason = e.Err.Error()
		}
		r.voice.note("the %s is %s, and cannot be renewed: %s; for a new one: %s", what, left, text.Printable(reason), loginAgain(s))
	} else if err != nil {
		r.voice.note("the %s could not be renewed, and is %s: %s", what, left, text.Printable(err.Error()))
	}
}

// tellLost says what a renewal took away: a grant can shrink there.
func (r *run) tellLost(s *ambit.Session, h *ambit.Held) {
	if h.Credential.Lost.Len() > 0 {
		r.voice.note("the renewed token lost: %s; see: %s", strings.Join(h.Credential.Lost.Slice(), ", "), inProject("ambit status", s))
	}
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
