package cli

import (
	"context"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/spf13/cobra"
)

func (r *run) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "forget the stored credential, and revoke it where the server can",
		Long: `logout revokes the stored login at the server (RFC 7009) where it offers that, and
removes it from this machine in any case. An API key is forgotten, not revoked.`,
		Args: noArguments,
		RunE: r.action(r.logout),
	}
}

// A logoutView is ambit.logout/v1.
type logoutView struct {
	Removed bool   `json:"removed"` // there was one
	Revoked bool   `json:"revoked"` // the server was told, and agreed
	Store   string `json:"store"`
	Remark  string `json:"remark"` // why it was not revoked
}

func (v logoutView) text(p *printer) {
	switch {
	case !v.Removed:
		p.line("nobody was logged in")
	case v.Revoked:
		p.line("logged out: revoked at the server, and removed from %s", v.Store)
	default:
		p.line("logged out: removed from %s; not revoked: %s", v.Store, v.Remark)
	}
}

func (v logoutView) json(e envelope) any {
	return struct {
		envelope
		logoutView
	}{e, v}
}

func (r *run) logout(ctx context.Context) (view, error) {
	s, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	out, err := s.Logout(ctx)
	if err != nil {
		return nil, failureOf(s, err)
	}
	for _, other := range out.Others {
		r.voice.note("a login for server %s stays; to end it too: %s", text.Printable(other.Name), inProject("ambit logout", s.At(other)))
	}
	v := logoutView{Removed: out.Removed, Revoked: out.Revoked, Store: strings.Join(out.Stores, ", ")}
	if out.Why != nil {
		v.Remark = inOneLine(out.Why)
	}
	return v, nil
}
