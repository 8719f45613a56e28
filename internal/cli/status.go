package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

func statusCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show which credential is used, and which declared scopes it covers",
		Long: `status shows which credential would be used, where it was found, and how what it holds
compares with the manifest. The server is asked about an API key; a login is shown as
it was recorded when it was obtained or renewed.

An API key comes from the first of: --api-key, --api-key-stdin, --api-key-file,
AMBIT_API_KEY, the variables that the provider names. Without one it is the login
that is stored.

Exit codes: 0 everything required is granted; 2 a mistake in the manifest or an
untrusted host; 3 a required scope is missing; 4 no usable credential; 6 nobody can
tell what it holds.`,
		Example: "  ambit status\n  ambit status -o json",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view.View, error) { return runStatus(ctx, r, keys) }),
	}
	keys = addKeyFlags(cmd.Flags())
	return cmd
}

func runStatus(ctx context.Context, r *invocation, keys *keyFlags) (view.View, error) {
	s, err := r.open(keys)
	if err != nil {
		return nil, err
	}
	h, err := s.Find(ctx)
	if err == nil && !h.IsLogin() {
		if err = h.Inspect(ctx); err == nil {
			h.Identify(ctx)
		}
	}
	if err != nil {
		return nil, r.failure(s, err)
	}
	v := compare(r, s, h)
	v.Detail = r.settings.Verbose
	if err := h.Unrenewable(); err != nil && !h.Credential.LivesAt(v.Now) {
		return v, r.failure(s, &ambit.RenewalError{Held: h, Err: err})
	} else if err != nil {
		tellUnrenewed(r, "login", "", h, err)
	}
	if !h.Credential.LivesAt(v.Now) && !h.Credential.Renewable() {
		situation := failure.Situation(s, h, advice.Ended)
		situation.Unattended = r.unattended()
		v.Next = advice.Steps(situation)
		return v, failure.New(failure.ExitNoCredential, "the credential has "+view.Lifetime(h.Credential.ExpiresAt, v.Now), "") // the view has the steps
	}
	return v, cmp.Or(failure.Missing(v.Gap, scopes.Required), cannotTell(v, scopes.Required))
}

// cannotTell is the failure of a comparison with what nobody lists; nil where there is none, or nothing
// of that level that could be missing.
func cannotTell(v view.Grant, level scopes.Level) error {
	if !v.Gap.Unknown || !slices.ContainsFunc(v.Needs, func(e scopes.Need) bool { return e.Level >= level }) {
		return nil
	}
	f := failure.New(failure.ExitCannotTell, "what "+v.Label+" holds is unknown: "+view.Unlisted(v.Granted.KnownBy), "")
	f.Rest = "cannot tell whether a declared scope is missing"
	return f
}
