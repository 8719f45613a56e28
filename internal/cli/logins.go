package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/spf13/cobra"
)

func logoutCommand(r *invocation) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "remove the stored login, and revoke it where the server can",
		Long: `logout revokes the stored login at the server (RFC 7009) where it offers that, and
removes it from this machine in any case. An API key is forgotten, not revoked.

--all ends every login of this user, whatever the project, and goes on where one cannot
be ended; see: ambit logins.`,
		Example: "  ambit logout\n  ambit logout --account work\n  ambit logout --all",
		Args:    noArguments,
		RunE: r.action(func(ctx context.Context) (view.View, error) {
			if all {
				return runLogoutAll(ctx, r)
			}
			return runLogout(ctx, r)
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every login of this user")
	return cmd
}

func runLogout(ctx context.Context, r *invocation) (view.View, error) {
	s, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	out, err := s.Logout(ctx)
	if err != nil {
		return nil, failure.Of(s, err)
	}
	for _, other := range out.Others {
		r.console.Note("a login for server %s remains; to log out of it too: %s", text.Printable(other.Name), failure.Command("ambit logout", s.At(other)))
	}
	if len(out.Stay) > 0 {
		r.console.Note("still logged in: %s; see: ambit logins", text.Printable(ambit.Accounts(out.Stay)))
	}
	v := view.Logout{Removed: out.Removed, Revoked: out.Revoked, Store: strings.Join(out.Stores, ", ")}
	if out.Why != nil {
		v.Remark = failure.Line(out.Why)
	}
	return v, nil
}

func loginsCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "logins",
		Short: "list all stored logins: server, account, program, age and expiry",
		Long: `logins lists every login of this user, whatever the project: the server, the account,
the program that it is for, its age, when it was renewed and when it expires. No server
is asked. One that cannot be read, or is not in its store any more, has a line too.

The system's keyring cannot list what it holds: of what is in it, those logins are shown
that ambit has listed when they were made.`,
		Example: "  ambit logins\n  ambit logins -o json",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view.View, error) { return runLogins(ctx, r) }),
	}
}

func runLogins(ctx context.Context, r *invocation) (view.View, error) {
	list, err := ambit.Logins(ctx, r.ofUser())
	if err != nil {
		return nil, failure.Of(nil, err)
	}
	return view.Logins{List: list, Now: time.Now()}, nil
}

// ofUser are the options of what needs no manifest.
func (r *invocation) ofUser() ambit.Options {
	hosts, _, _ := r.trusted() // nobody logs in; a word that is no host is told where it matters
	return ambit.Options{UI: r.ui(), Store: r.store(), TrustHosts: hosts, Env: r.env}
}

// runLogoutAll ends every login, and goes on after one that cannot be ended.
func runLogoutAll(ctx context.Context, r *invocation) (view.View, error) {
	if r.settings.FromFlag("account") {
		return nil, failure.New(failure.ExitUsage, "--all and --account exclude each other", "")
	}
	o := r.ofUser()
	client, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	o.HTTP = client
	ended, err := ambit.LogoutAll(ctx, o)
	if err != nil {
		return nil, failure.Of(nil, err)
	}
	return view.LogoutAll{Ended: ended}, worst(ended)
}

// worst is the failure with the highest exit code; nil where each login is gone.
func worst(ended []ambit.Ended) error {
	var worst *view.Failure
	left := 0
	for _, one := range ended {
		if one.Err == nil {
			continue
		}
		left++
		if f := failure.As(failure.Of(nil, one.Err)); worst == nil || f.Code > worst.Code {
			worst = f
		}
	}
	if worst == nil {
		return nil
	}
	return failure.New(worst.Code, fmt.Sprintf("%d of %d logins could not be ended", left, len(ended)), worst.Hint)
}
