package ambit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// registrationAt is the client that a server registered for this program before; nil where there is
// none that can be read.
func (s *Session) registrationAt(ctx context.Context, at provider.Server, in store.Store) *client.Registered {
	if in == nil {
		return nil
	}
	kept, err := store.LoadRegistration(ctx, in, store.RegistrationKey(at.Issuer, s.manifest.Name))
	if err != nil {
		return nil // another is registered in its place
	}
	return kept
}

// registrationOf is the client of an id that a server registered for this program, as the store of a
// login has it; nil for none.
func (s *Session) registrationOf(ctx context.Context, at provider.Server, id string, in store.Store) *client.Registered {
	if in == nil {
		return nil
	}
	if kept := s.registrationAt(ctx, at, in); kept != nil && kept.ID == id {
		return kept
	}
	old, err := store.LoadRegistration(ctx, in, store.OldRegistrationKey(at.Issuer, s.manifest.Name, id))
	if err != nil || old.ID != id {
		return nil
	}
	return old
}

// register is the client for a login at a redirect URI, "" for one on another device: the one that
// the server registered for an earlier login, whatever its account, or a new one. unknown is one that
// the server has just said it does not know. Of several logins at a time one registers, and the others take its client.
func (c *consent) register(ctx context.Context, redirectURI string, unknown client.Client) (client.Client, error) {
	var who client.Client
	key := store.RegistrationKey(c.session.server.Issuer, c.session.manifest.Name)
	err := c.session.logins().inTurn(ctx, c.store, key, "another login is registering the client; waiting for it", func() (err error) {
		who, err = c.registerAlone(ctx, key, redirectURI, unknown)
		return err
	})
	return who, err
}

func (c *consent) registerAlone(ctx context.Context, key store.Key, redirectURI string, unknown client.Client) (client.Client, error) {
	if unknown.ID != "" && unknown.ID == c.fresh {
		return unknown, nil // it is new: to register yet another would not help
	}
	s := c.session
	kept := s.registrationAt(ctx, s.server, c.store)
	registration := &oauth.Registration{
		HTTP: c.client, Server: c.plan.Server, Name: s.manifest.Name, Scopes: c.plan.Request, Method: s.Provider().Client.Method,
		Device: redirectURI == "" || kept != nil && kept.Device,
	}
	if kept != nil && kept.ID != unknown.ID && kept.Serves(redirectURI, c.plan.Request, s.opt.now()) {
		if !registration.Forgotten(ctx, kept.Client, redirectURI) {
			return kept.Client, nil
		}
		unknown = kept.Client
	}
	if kept != nil && kept.ID == unknown.ID {
		s.opt.UI.note("the server does not know the client any more that it registered for an earlier login: registering another")
		_ = c.store.Delete(ctx, key) // else it is found unknown again
	}
	if kept != nil {
		registration.Scopes = registration.Scopes.Union(kept.Scopes) // who asks for these in turn needs one client
	}
	if ctx.Err() != nil {
		return client.Client{}, context.Cause(ctx)
	}
	fresh, err := registration.Register(ctx, redirectURIs(ownRedirect(s.Provider(), s.server.Issuer), redirectURI)...)
	if err != nil && ctx.Err() != nil {
		s.opt.UI.note("the client was being registered, and the server did not say what became of it: one that it may have registered is not kept here")
	}
	if err != nil {
		return client.Client{}, err
	}
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	fresh.Issuer = s.server.Issuer // as it is configured, give or take the document's final slash
	c.fresh = fresh.ID
	if kept != nil && kept.ID != unknown.ID && len(s.logins().others(lasting)) > 0 {
		err = c.keepRegistration(lasting, store.OldRegistrationKey(s.server.Issuer, s.manifest.Name, kept.ID), kept)
	}
	if err == nil {
		err = c.keepRegistration(lasting, key, fresh)
	}
	if err != nil {
		s.opt.UI.note("the client that the server registered cannot be kept, so the next login registers another: " + text.Line(err.Error()))
	}
	return fresh.Client, nil
}

func (c *consent) keepRegistration(ctx context.Context, key store.Key, r *client.Registered) error {
	record, err := r.Credential(c.session.opt.now())
	if err != nil {
		return err
	}
	return c.store.Save(ctx, key, record)
}

// dropRegistration removes an old client of which no login is left.
func (s *Session) dropRegistration(ctx context.Context, l *login) {
	if l.credential == nil || l.key.ClientID != "" {
		return
	}
	id := l.credential.ClientID
	inUse := slices.ContainsFunc(s.logins().of(l.key.Account).others(ctx), func(other *login) bool { return other.credential.ClientID == id })
	if id != "" && !inUse {
		_ = l.store.Delete(ctx, store.OldRegistrationKey(l.issuer.Issuer, l.key.Manifest, id))
	}
}

// ownRedirect is that of a client that the server of issuer registers for this program: where the
// provider file names none, each issuer has its path, so that a response which another server has
// sent is none (RFC 9700 §4.4.2.2).
func ownRedirect(p *provider.Provider, issuer string) provider.Redirect {
	r := p.Client.RedirectTo()
	if p.Client.Redirect.Host == "" {
		sum := sha256.Sum256([]byte(issuer))
		r.Path += "/" + hex.EncodeToString(sum[:6])
	}
	return r
}

// redirect is that of the client that is registered here; kept is one of an earlier login, nil for
// none. One that was registered before issuers had paths is used as it is, while it serves.
func (c *consent) redirect(kept *client.Registered) provider.Redirect {
	s, old := c.session, c.session.Provider().Client.RedirectTo()
	if kept != nil && len(old.Ports) == 0 && kept.Serves(old.URI(kept.Port()), c.plan.Request, s.opt.now()) {
		return old
	}
	return ownRedirect(s.Provider(), s.server.Issuer)
}

// redirectURIs are those to register: all that a later login may use.
func redirectURIs(r provider.Redirect, bound string) []string {
	if len(r.Ports) == 0 && bound != "" {
		return []string{bound}
	}
	return r.URIs()
}
