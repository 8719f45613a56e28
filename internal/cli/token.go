package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
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
type tokenView struct{ credential *credential.Credential }

func (v tokenView) text(p *printer) { p.line("%s", v.credential.Access.Reveal()) }

func (v tokenView) json(e envelope) any {
	return struct {
		envelope
		AccessToken string     `json:"access_token"`
		TokenType   string     `json:"token_type"`
		ExpiresAt   *time.Time `json:"expires_at"`
	}{e, v.credential.Access.Reveal(), "Bearer", credentialOf(v.credential.Grant().Credential).ExpiresAt}
}

func (r *run) token(ctx context.Context, keys *keyFlags, minTTL time.Duration) (view, error) {
	if minTTL < 0 {
		return nil, fail(exitUsage, "--min-ttl may not be negative", "")
	}
	p, err := r.openProject()
	if err != nil {
		return nil, err
	}
	client, err := r.guarded(ctx, p)
	if err != nil {
		return nil, err
	}
	found, err := oauth.FindKey(r.keySources(keys, p, false))
	switch {
	case err == nil:
		r.remarkOn(found)
		return tokenView{found.Credential(p.provider())}, nil
	case !isNoKey(err):
		return nil, credentialFailure(p, err)
	}
	s, err := r.findBound(ctx, p)
	if err != nil {
		return nil, credentialFailure(p, err)
	}
	renewer, err := r.renewer(p, s, client)
	if err != nil {
		return nil, err
	}
	var c *credential.Credential
	err = r.voice.during("renewing the token", func() (err error) {
		c, err = renewer.Valid(ctx, minTTL)
		return err
	})
	if c == nil || err != nil && !c.LivesAt(time.Now()) {
		return nil, credentialFailure(p, err)
	}
	r.tellUnrenewed(p, "token", c, err)
	r.tellLost(p, c)
	if err == nil && !c.LivesAt(time.Now().Add(minTTL)) {
		r.voice.note("the server gives no token that lives for %s: this one is %s", minTTL, lifetime(c.ExpiresAt, time.Now()))
	}
	return tokenView{c}, nil
}

// tellUnrenewed says what is the matter with a credential that is good for now, and for
// how long it is.
func (r *run) tellUnrenewed(p *project, what string, c *credential.Credential, err error) {
	left := lifetime(c.ExpiresAt, time.Now())
	if errors.Is(err, oauth.ErrNotSaved) {
		r.voice.note("the %s was renewed, and cannot be kept; once it ends, log in again: %s", what, plain(strings.TrimPrefix(err.Error(), oauth.ErrNotSaved.Error()+": ")))
	} else if e, ok := is[*oauth.SessionLostError](err); ok {
		reason := "there is no refresh token"
		if e.Err != nil {
			reason = e.Err.Error()
		}
		r.voice.note("the %s is %s, and cannot be renewed: %s; for a new one: %s", what, left, plain(reason), loginAgain(p))
	} else if err != nil {
		r.voice.note("the %s could not be renewed, and is %s: %s", what, left, plain(err.Error()))
	}
}

// tellLost says what a renewal took away: a grant can shrink there.
func (r *run) tellLost(p *project, c *credential.Credential) {
	if c.Lost.Len() > 0 {
		r.voice.note("the renewed token lost: %s; see: %s", strings.Join(c.Lost.Slice(), ", "), inProject("ambit status", p))
	}
}
