package ambit

import (
	"context"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// keepKey asks what an API key holds, and keeps it under the key of the server that was asked
// for, where it is looked for first.
func (h *Held) keepKey(ctx context.Context) error {
	if err := h.Inspect(ctx); err != nil {
		return err
	}
	all := h.session.logins()
	in, err := all.writing(ctx, all.key(all.server))
	if err != nil {
		return err
	}
	h.Credential.Server = h.Server.Name
	return h.keep(ctx, in)
}

// keep stores a new credential, and takes away what it replaces. Of whoever goes away before it
// is stored the token is taken back; what is stored stays.
func (h *Held) keep(ctx context.Context, in store.Store) error {
	s, all := h.session, h.session.logins()
	h.Credential.Hosts = scopes.NewSet(append(s.hosts(), s.At(h.Server).hosts()...)...).Slice()
	h.Credential.ObtainedAt = s.opt.now().Round(0)
	key := all.key(s.server)
	var before *credential.Credential
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	err := all.alone(ctx, key, func() error {
		before, _ = in.Load(lasting, key)
		return in.Save(lasting, key, h.Credential)
	})
	if err != nil {
		h.takeBack(ctx, in)
		return err
	}
	if all.supersede(lasting, key, in, h.Server) || livesOn(before, s.opt.now()) {
		s.opt.UI.note("the login that this one replaces is forgotten here, and remains valid at the server until it expires")
	}
	h.Credential.Source = in.Name()
	h.login = &login{credential: h.Credential, store: in, key: key, issuer: s.server, server: h.Server}
	return nil
}

// livesOn reports whether a credential is a login that a server still knows.
func livesOn(c *credential.Credential, now time.Time) bool {
	return c != nil && c.Issued() && (!c.Refresh.Empty() || c.LivesAt(now))
}

// takeBack revokes a token that nobody will ever find again: it could not be kept.
func (h *Held) takeBack(ctx context.Context, in store.Store) {
	if !h.Credential.Issued() {
		return
	}
	s := h.session
	ctx, cancel := signals.Outlive(ctx)
	defer cancel()
	if why := s.revoke(ctx, &login{credential: h.Credential, issuer: s.server, store: in}); why != nil {
		s.opt.UI.note("the token that could not be kept remains valid at the server: " + text.Line(why.Error()))
		return
	}
	s.opt.UI.note("the token that could not be kept was revoked")
}
