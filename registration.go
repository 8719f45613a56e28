package ambit

import (
	"context"

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

// register is the client for a login at a redirect URI: the one that the server registered for an
// earlier login, or a new one. unknown is one that the server has just said it does not know.
func (c *consent) register(ctx context.Context, redirectURI string, unknown client.Client) (client.Client, error) {
	s, kept := c.session, c.registered
	registration := &oauth.Registration{
		HTTP: c.client, Server: c.plan.Server, Name: s.manifest.Name, Scopes: c.plan.Request, Method: s.Provider().Client.Method,
	}
	switch {
	case unknown.ID != "" && (kept == nil || kept.ID != unknown.ID):
		return unknown, nil // it is new: to register yet another would not help
	case unknown.ID == "" && kept != nil && kept.Serves(redirectURI, c.plan.Request, s.opt.now()):
		if !registration.Forgotten(ctx, kept.Client, redirectURI) {
			return kept.Client, nil
		}
		unknown = kept.Client
	}
	key := store.RegistrationKey(s.server.Issuer, s.manifest.Name)
	if unknown.ID != "" {
		s.opt.UI.note("the server does not know the client any more that it registered for an earlier login: registering another")
		_ = c.store.Delete(ctx, key) // else it is found unknown again
	}
	if kept != nil {
		registration.Scopes = registration.Scopes.Union(kept.Scopes) // who asks for these in turn needs one client
	}
	c.registered = nil
	fresh, err := registration.Register(ctx, redirectURIs(s.Provider(), redirectURI)...)
	if err != nil {
		return client.Client{}, err
	}
	fresh.Issuer = s.server.Issuer // as it is configured, give or take the document's final slash
	record, err := fresh.Credential(s.opt.now())
	if err == nil {
		err = c.store.Save(ctx, key, record)
	}
	if err != nil {
		s.opt.UI.note("the client that the server registered cannot be kept, so the next login registers another: " + text.Line(err.Error()))
	}
	return fresh.Client, nil
}

// redirectURIs are those to register: all that a later login may use.
func redirectURIs(p *provider.Provider, bound string) []string {
	r := redirectOf(p)
	if len(r.Ports) == 0 {
		return []string{bound}
	}
	return r.URIs()
}
