package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/spf13/cobra"
)

func tokenCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	var minTTL time.Duration
	cmd := &cobra.Command{
		Use:   "token",
		Short: "print a valid access token and nothing else",
		Long: `token prints a valid access token and nothing else, for tools that take a credential
helper. A token that expires within --min-ttl is renewed first.

Exit codes: 0 printed; 2 wrong usage or an untrusted host; 4 no usable credential;
6 the server does not answer.`,
		Example: "  curl -H \"Authorization: Bearer $(ambit token)\" https://api.example.com/",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed("min-ttl")
			return r.action(func(ctx context.Context) (view.View, error) { return runToken(ctx, r, keys, minTTL, given) })(cmd, args)
		},
	}
	keys = addKeyFlags(cmd.Flags())
	cmd.Flags().DurationVar(&minTTL, "min-ttl", credential.RenewAhead, "renew a token that expires within this `DURATION`")
	return cmd
}

// runToken prints a token; given says that someone asked for minTTL.
func runToken(ctx context.Context, r *invocation, keys *keyFlags, minTTL time.Duration, given bool) (view.View, error) {
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
		return view.Token{Held: h}, nil
	}
	if !h.Credential.LivesAt(time.Now().Add(minTTL)) { // it was read just now: no need to read it again
		err = h.Refresh(ctx, minTTL)
	}
	if err != nil && !h.Credential.LivesAt(time.Now()) {
		return nil, failureOf(s, err)
	}
	tellUnrenewed(r, s, "token", h, cmp.Or(err, h.Unrenewable()))
	tellLost(r, s, h)
	if err == nil && !h.Credential.LivesAt(time.Now().Add(minTTL)) {
		r.console.Note("the server gives no token that lives for %s: this one is %s", minTTL, view.Lifetime(h.Credential.ExpiresAt, time.Now()))
	}
	if err == nil && given && h.Credential.ExpiresAt.IsZero() {
		r.console.Note("the server does not say how long the token lives: whether that is %s is unknown", minTTL)
	}
	return view.Token{Held: h}, nil
}

// tellUnrenewed says what is the matter with a credential that is good for now, and for
// how long it is.
func tellUnrenewed(r *invocation, s *ambit.Session, what string, h *ambit.Held, err error) {
	left := view.Lifetime(h.Credential.ExpiresAt, time.Now())
	if errors.Is(err, oauth.ErrNotSaved) {
		r.console.Note("the %s was renewed, and cannot be kept; once it expires, log in again: %s", what, text.Printable(strings.TrimPrefix(err.Error(), oauth.ErrNotSaved.Error()+": ")))
	} else if errors.Is(err, oauth.ErrNoPlace) {
		r.console.Note("the %s is %s, and is not renewed: what comes of that could not be kept (%s)", what, left, text.Printable(strings.TrimPrefix(err.Error(), oauth.ErrNoPlace.Error()+": ")))
	} else if e, ok := errors.AsType[*credential.SessionLostError](err); ok {
		r.console.Note("the %s is %s, and cannot be renewed: %s; for a new one: %s", what, left, text.Printable(e.Reason()), loginAgain(s))
	} else if err != nil {
		r.console.Note("the %s could not be renewed, and is %s: %s", what, left, text.Printable(err.Error()))
	}
}

// tellLost says what a renewal took away: a grant can shrink there.
func tellLost(r *invocation, s *ambit.Session, h *ambit.Held) {
	if h.Credential.Lost.Len() > 0 {
		r.console.Note("the renewed token lost: %s; see: %s", strings.Join(h.Credential.Lost.Slice(), ", "), inProject("ambit status", s))
	}
}
