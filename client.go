package ambit

import (
	"context"
	"errors"
	"net/http"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// Credential returns a credential that can be used now: an API key by the usual sources, else
// the stored login, renewed under the lock of all processes where it is about to expire.
// Errors: those of [Session.Find] and of [Held.Refresh].
func (s *Session) Credential(ctx context.Context) (*Held, error) {
	h, err := s.Find(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.Refresh(ctx, credential.RenewAhead); err != nil && !h.Credential.LivesAt(s.opt.now()) {
		return nil, err
	}
	return h, nil
}

// TokenSource gives the access token to whatever takes an [oauth2.TokenSource]. Each call of
// its Token returns what [Session.Credential] does at that moment; ctx is for all of them. It
// is safe for concurrent use.
func (s *Session) TokenSource(ctx context.Context) oauth2.TokenSource {
	return tokenSource(func() (*oauth2.Token, error) {
		h, err := s.Credential(ctx)
		if err != nil {
			return nil, err
		}
		return &oauth2.Token{AccessToken: h.Credential.Access.Reveal(), TokenType: "Bearer", Expiry: h.Credential.ExpiresAt}, nil
	})
}

type tokenSource func() (*oauth2.Token, error)

// Token implements [oauth2.TokenSource].
func (t tokenSource) Token() (*oauth2.Token, error) { return t() }

// A Client sends the credential to the bases of one server, and to nothing else (RFC 6750
// §2.1); other requests go out without it. A refusal is a *[RefusedError], which
// [http.Client.Do] returns within a *[url.Error]; a login that the server refuses although it
// should live is renewed once, and the request is sent again, where its body can be had a second
// time ([http.Request.GetBody]). It follows no redirects and is safe for concurrent use.
type Client struct {
	*http.Client
	Server provider.Server // for which the credential is good
}

// URL is a URL at the client's server, written as used_by of a manifest has it:
// {api}/api/users/@me/. One that begins with a base that the server does not have stays as it
// is, and cannot be requested.
func (c *Client) URL(template string) string {
	if expanded, ok := c.Server.Expand(template); ok {
		return expanded
	}
	return template
}

// Client returns a client for the credential. Where there is none, or only another login helps,
// and [Options.UI] can ask someone, it logs in first, as [Session.Login] does; without a UI the
// error stays [ErrNoCredential], or that of the renewal. A credential that lacks scopes is no
// error here: [Held.Check] of what [Session.Find] returns tells, or a refusal. Errors: those of
// [Session.Credential], and of [Session.Login].
func (s *Session) Client(ctx context.Context) (*Client, error) {
	h, err := s.Credential(ctx)
	if needsLogin(err) && s.opt.someone() {
		h, err = s.Login(ctx, nil)
	}
	if err != nil {
		return nil, err
	}
	guarded, err := s.guarded(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := s.client()
	if err != nil {
		return nil, err
	}
	t := &authorized{session: s, held: h, guarded: guarded.Transport, open: guard.TransportOf(bare), places: h.Server.Locator(), known: diagnosis.Case{
		Provider: s.Provider(), Server: h.Server, Needs: s.needs, Index: scopes.IndexNeeds(s.needs),
		Advertised: s.Advertised(h.Server), Sent: diagnosis.Sent{Ours: true}, Agent: &profile.Profile{},
	}}
	t.inquiries = credential.NewInquiries(t.inquire, s.opt.now)
	return &Client{Client: guard.ForwardingClientOn(t), Server: h.Server}, nil
}

// needsLogin reports whether a login is the way out of an error.
func needsLogin(err error) bool {
	_, lost := errors.AsType[*credential.SessionLostError](err)
	return lost || errors.Is(err, ErrNoCredential)
}
