package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
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
	p, err := r.openProject()
	if err != nil {
		return nil, err
	}
	var mine, others, damaged []*stored
	var broken error
	silent := r.eachLogin(ctx, p, r.readingStores(), func(s *stored, err error) bool {
		_, unreadable := is[*store.CorruptError](err)
		switch {
		case unreadable: // whichever server it was for: nobody can use it
			damaged = append(damaged, s)
		case err != nil:
			broken = err
		case len(mine) == 0 && p.serves(s), len(mine) > 0 && s.server.Issuer == mine[0].server.Issuer:
			mine = append(mine, s) // the one that is used, and what would be used in its place
		case !p.chosen:
			others = append(others, s)
		}
		return broken != nil
	})
	if broken != nil || silent != nil && len(mine)+len(damaged) == 0 {
		return nil, credentialFailure(p, cmp.Or(broken, silent))
	}
	var v logoutView
	for _, s := range append(mine, damaged...) {
		if err := r.remove(ctx, p, s, &v); err != nil {
			return nil, credentialFailure(p, err)
		}
	}
	for _, s := range others {
		r.voice.note("a login for server %s stays; to end it too: %s", plain(s.server.Name), inProject("ambit logout", p.at(s.server)))
	}
	if silent != nil {
		r.voice.note("whether another login lies in the keyring is not known: %s", plain(silent.Error()))
	}
	return v, nil
}

// remove revokes a login and takes it out of its store. Whatever the server says: a
// credential that is not wanted is not kept.
func (r *run) remove(ctx context.Context, p *project, s *stored, v *logoutView) error {
	return r.alone(ctx, s.key, func() error {
		remark := "its record was damaged"
		if c, err := s.store.Load(ctx, s.key); err == nil {
			s.credential = c // another ambit may have renewed it meanwhile
		}
		if s.credential != nil {
			remark = r.revoke(ctx, p, s)
		}
		if err := s.store.Delete(ctx, s.key); err != nil {
			return err
		}
		first := !v.Removed
		v.Removed = true
		if !strings.Contains(v.Store, s.store.Name()) {
			v.Store = strings.TrimPrefix(v.Store+", "+s.store.Name(), ", ")
		}
		v.Revoked = remark == "" && (first || v.Revoked)
		if remark != "" {
			v.Remark = remark
		}
		return nil
	})
}

// revoke tells the server; the remark says why it could not.
func (r *run) revoke(ctx context.Context, p *project, s *stored) (remark string) {
	if s.credential.Kind != scopes.OAuthToken && s.credential.Refresh.Empty() {
		return "an API key is revoked where it was made"
	}
	client, err := r.guarded(ctx, p)
	if err == nil {
		err = r.bound(s, p)
	}
	if err != nil {
		return plain(err.Error())
	}
	documents, err := r.metadataClient()
	if err != nil {
		return plain(err.Error())
	}
	err = r.voice.during("revoking the credential", func() error {
		as, err := documents.AuthorizationServer(ctx, s.issuer.Issuer)
		if err != nil {
			return err
		}
		revocation := oauth.Revocation{HTTP: client, Server: as}
		return revocation.Revoke(ctx, s.credential)
	})
	if errors.Is(err, oauth.ErrNoRevocation) {
		return "the server offers no revocation"
	}
	if err != nil {
		return inOneLine(err)
	}
	return ""
}
