package cli

import (
	"context"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/spf13/cobra"
)

func logoutCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "forget the stored credential, and revoke it where the server can",
		Long: `logout revokes the stored login at the server (RFC 7009) where it offers that, and
removes it from this machine in any case. An API key is forgotten, not revoked.`,
		Args: noArguments,
		RunE: r.action(func(ctx context.Context) (view.View, error) { return runLogout(ctx, r) }),
	}
}

func runLogout(ctx context.Context, r *invocation) (view.View, error) {
	s, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	out, err := s.Logout(ctx)
	if err != nil {
		return nil, failureOf(s, err)
	}
	for _, other := range out.Others {
		r.console.Note("a login for server %s remains; to log out of it too: %s", text.Printable(other.Name), inProject("ambit logout", s.At(other)))
	}
	v := view.Logout{Removed: out.Removed, Revoked: out.Revoked, Store: strings.Join(out.Stores, ", ")}
	if out.Why != nil {
		v.Remark = inOneLine(out.Why)
	}
	return v, nil
}
