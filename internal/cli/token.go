package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/spf13/cobra"
)

// tokenFlags are those of the command.
type tokenFlags struct {
	keys     *keyFlags
	minTTL   time.Duration
	given    bool // someone asked for minTTL
	format   string
	username string
}

func tokenCommand(r *invocation) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token [OPERATION]",
		Short: "print a valid access token and nothing else",
		Long: `token prints a valid access token and nothing else, for tools that take a credential
helper. A token that expires within --min-ttl is renewed first.

--format gives it in the form that another tool takes: env are lines for a shell's eval,
header is the field for curl -H @-, json an object, exec-credential is for kubectl, and
git-credential and docker are credential helpers, which name an OPERATION (get where none
is named; store, erase, list). These three say where the token will go: for a host that is
none of the credential's they get nothing.

Exit codes: 0 printed; 2 wrong usage or an untrusted host; 4 no usable credential;
6 the server does not answer.`,
		Example: "  ambit token --format header | curl -H @- https://api.example.com/",
		Args: func(cmd *cobra.Command, args []string) error {
			if takesOperation(f.format) && len(args) <= 1 {
				return nil
			}
			return noArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given = cmd.Flags().Changed("min-ttl")
			if f.format != "" {
				return r.handOver(cmd, f, args)
			}
			return r.action(func(ctx context.Context) (view.View, error) { return runToken(ctx, r, f, recipient{}) })(cmd, args)
		},
	}
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().DurationVar(&f.minTTL, "min-ttl", credential.RenewAhead, "renew a token that expires within this `DURATION`")
	cmd.Flags().StringVar(&f.format, "format", "", "`"+strings.Join(tokenFormats(), "|")+"` print it as another tool takes it")
	cmd.Flags().StringVar(&f.username, "username", defaultUsername, "with git-credential and docker: the `NAME` beside the token")
	if completes(r.args) {
		_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return tokenFormats(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

// runToken prints a token for a recipient.
func runToken(ctx context.Context, r *invocation, f tokenFlags, to recipient) (view.View, error) {
	minTTL := f.minTTL
	if minTTL < 0 {
		return nil, failure.New(failure.ExitUsage, "--min-ttl may not be negative", "")
	}
	s, err := r.open(f.keys)
	if err != nil {
		return nil, err
	}
	if to.url != "" && !s.Names(to.url) {
		return nil, to.foreign
	}
	h, err := s.Find(ctx)
	if err != nil {
		return nil, r.failure(s, err)
	}
	if to.url != "" && !h.MayGoTo(to.url) {
		return nil, to.foreign
	}
	shown := view.Token{Held: h}
	if to.as != nil {
		shown.As = to.as(h)
	}
	if !h.IsLogin() {
		return shown, nil
	}
	if !h.Credential.LivesAt(time.Now().Add(minTTL)) { // it was read just now: no need to read it again
		err = h.Refresh(ctx, minTTL)
	}
	if err == nil && !h.Credential.LivesAt(time.Now()) { // it ended while somebody else's renewal was waited for
		err = h.Refresh(ctx, 0)
	}
	if !h.Credential.LivesAt(time.Now()) {
		if err == nil {
			err = failure.New(failure.ExitCannotTell, "the server gives tokens that are at their end when they come: this one "+view.Lifetime(h.Credential.ExpiresAt, time.Now()), "compare the clock of this machine with that of the server")
		}
		return nil, failure.Of(s, err)
	}
	tellUnrenewed(r, "token", forNew(s.For(h)), h, cmp.Or(err, h.Unrenewable()))
	tellLost(r, s, h)
	if err == nil && !h.Credential.LivesAt(time.Now().Add(minTTL)) {
		r.console.Note("the server gives no token that lives for %s: this one is %s", minTTL, view.Lifetime(h.Credential.ExpiresAt, time.Now()))
	}
	if err == nil && f.given && h.Credential.ExpiresAt.IsZero() {
		r.console.Note("the server does not say how long the token lives: whether that is %s is unknown", minTTL)
	}
	return shown, nil
}

// forNew is the way to another login, for a command that shows no steps.
func forNew(s *ambit.Session) string { return "; for a new one: " + failure.LoginAgain(s) }

// tellUnrenewed says what is the matter with a credential that is good for now, for how long it
// is, and the way out; "" where steps follow.
func tellUnrenewed(r *invocation, what, way string, h *ambit.Held, err error) {
	left := view.Lifetime(h.Credential.ExpiresAt, time.Now())
	if errors.Is(err, oauth.ErrNotSaved) {
		r.console.Note("the %s was renewed, and cannot be kept; once it expires, log in again: %s", what, text.Printable(strings.TrimPrefix(err.Error(), oauth.ErrNotSaved.Error()+": ")))
	} else if errors.Is(err, oauth.ErrNoPlace) {
		r.console.Note("the %s is %s, and is not renewed: what comes of that could not be kept (%s)", what, left, text.Printable(strings.TrimPrefix(err.Error(), oauth.ErrNoPlace.Error()+": ")))
	} else if e, ok := errors.AsType[*credential.SessionLostError](err); ok {
		r.console.Note("the %s is %s, and cannot be renewed: %s%s", what, left, text.Printable(e.Reason()), way)
	} else if err != nil {
		r.console.Note("the %s could not be renewed, and is %s: %s", what, left, text.Printable(err.Error()))
	}
}

// tellLost says what a renewal took away: a grant can shrink there.
func tellLost(r *invocation, s *ambit.Session, h *ambit.Held) {
	if h.Credential.Lost.Len() > 0 {
		r.console.Note("the renewed token lost: %s; see: %s", strings.Join(h.Credential.Lost.Slice(), ", "), failure.Command("ambit status", s.For(h)))
	}
}
