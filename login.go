package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Login gets a new credential and keeps it: an API key that [Options.Key] hands over, or else
// the consent of the person at the browser for what plan requests; nil plans first. What it
// replaces is removed. The credential is returned also where something is missing in it: ask
// [Held.Check].
//
// Errors: those of [Session.Plan]; *[MissingError] where something required cannot be
// requested, or the server refuses all of it; [ErrNobody]; *[UntrustedHostError];
// *[NoClientError]; *[StoreError]; those of [oauth.Login.Run]; of a key, those of
// [Held.Inspect].
func (s *Session) Login(ctx context.Context, plan *Plan) (*Held, error) {
	if _, err := s.Trust(ctx); err != nil {
		return nil, err
	}
	h, err := s.findKey(s.keySources(true))
	if !errors.Is(err, apikey.ErrNone) {
		if err != nil {
			return nil, err
		}
		return h, s.keepKey(ctx, h)
	}
	if s.opt.UI.Open == nil && s.opt.UI.Ask == nil {
		return nil, ErrNobody
	}
	if plan == nil {
		if plan, err = s.Plan(ctx); err != nil {
			return nil, err
		}
	}
	if err := plan.checkRequest(); err != nil {
		return nil, err
	}
	if err := plan.trustEndpoints(ctx); err != nil {
		return nil, err
	}
	in, err := s.writingStore(ctx, s.keyAt(s.server))
	if err != nil {
		return nil, err
	}
	return s.consent(ctx, plan, in)
}

// keepKey asks what an API key holds, and keeps it under the key of the server that was asked
// for, where it is looked for first.
func (s *Session) keepKey(ctx context.Context, h *Held) error {
	if err := h.Inspect(ctx); err != nil {
		return err
	}
	in, err := s.writingStore(ctx, s.keyAt(s.server))
	if err != nil {
		return err
	}
	h.Credential.Server = h.Server.Name
	return s.keepIn(ctx, h, in)
}

func (s *Session) keepIn(ctx context.Context, h *Held, in store.Store) error {
	if err := s.keep(ctx, h, in); err != nil {
		return err
	}
	h.Credential.Source = in.Name()
	h.login = &login{credential: h.Credential, store: in, key: s.keyAt(s.server), issuer: s.server, server: h.Server}
	return nil
}

// consent runs the login in a browser, settles what came of it, and keeps it before the
// browser's last page says so.
func (s *Session) consent(ctx context.Context, plan *Plan, in store.Store) (*Held, error) {
	client, err := s.guarded(ctx)
	if err != nil {
		return nil, err
	}
	conversation := &consent{session: s, plan: plan, store: in, client: s.shown(client)}
	login, err := conversation.login()
	if err != nil {
		return nil, err
	}
	if _, err := login.Run(ctx); err != nil {
		return nil, conversation.refusal(err)
	}
	return conversation.held, conversation.unkept
}

// A consent is one login in a browser.
type consent struct {
	session *Session
	plan    *Plan // as it is now
	store   store.Store
	client  *http.Client
	held    *Held
	unkept  error
}

func (c *consent) login() (*oauth.Login, error) {
	s, p := c.session, c.session.Provider()
	clientID := p.Client.IDFor(s.server.Name)
	if clientID == "" && c.plan.Server.RegistrationEndpoint == "" {
		return nil, &NoClientError{Issuer: s.server.Issuer}
	}
	login := &oauth.Login{
		HTTP: c.client, Server: c.plan.Server, ClientID: clientID, Redirect: redirectOf(p), Authorize: p.Client.Authorize,
		Scopes: c.plan.Request, Hosts: s.hosts(), KindOf: p.KindOfToken, ServerFrom: p.ServerFrom, Now: s.opt.Now,
		UI: oauth.UI{
			Tell:   func(format string, args ...any) { s.opt.UI.note(fmt.Sprintf(format, args...)) },
			Open:   c.open(),
			Narrow: c.narrow,
			Finish: c.finish,
		},
	}
	if pages := s.opt.UI.Pages; pages != nil {
		login.UI.Start = func(url string) http.Handler { return pages.Start(c.plan, url) }
	}
	if clientID == "" {
		registration := &oauth.Registration{HTTP: c.client, Endpoint: c.plan.Server.RegistrationEndpoint, Name: s.manifest.Name, Scopes: c.plan.Request}
		login.Register = func(ctx context.Context, uri string) (string, error) { return registration.Register(ctx, uri) }
	}
	if s.opt.UI.Paste != nil {
		login.UI.Paste, login.UI.PasteOnly = s.opt.UI.Paste(), s.opt.UI.PasteOnly
	}
	return login, nil
}

// open is the caller's, or the system's browser.
func (c *consent) open() func(ctx context.Context, startURL, authorizationURL string) error {
	if open := c.session.opt.UI.Open; open != nil {
		return open
	}
	return func(ctx context.Context, startURL, _ string) error {
		c.session.opt.UI.note("opening your browser; if none appears, visit " + startURL)
		return oauth.Browser{}.Open(ctx, startURL)
	}
}

// redirectOf is the provider's registered redirect; a provider that registers none gets the
// loopback redirect of RFC 8252 §7.3.
func redirectOf(p *provider.Provider) provider.Redirect {
	if p.Client.Redirect.Host == "" {
		return provider.Redirect{Host: "127.0.0.1", Path: "/callback"}
	}
	return p.Client.Redirect
}

// narrow requests fewer scopes after invalid_scope.
func (c *consent) narrow(e *oauth.AuthorizationError) (scopes.Set, bool) {
	fewer, refused, ok := c.plan.narrow(e)
	if !ok {
		return scopes.Set{}, false
	}
	c.session.opt.UI.note(fmt.Sprintf("the server refuses %s; asking once more without", strings.Join(refused.Slice(), ", ")))
	c.plan = fewer
	return fewer.Request, true
}

// finish settles and keeps what came, and makes the browser's last page.
func (c *consent) finish(ctx context.Context, got *credential.Credential, err error) http.Handler {
	if err == nil {
		c.held = c.settle(ctx, got)
		c.held.Plan = c.plan
		c.unkept = c.session.keepIn(ctx, c.held, c.store)
		err = c.unkept
	}
	pages := c.session.opt.UI.Pages
	switch {
	case pages == nil:
		return oauth.PlainPage(err)
	case err != nil:
		return pages.Failed(c.session, c.refusal(err))
	}
	return pages.Finished(c.session, c.held)
}

// refusal names the needs behind a refusal of the request (invalid_scope).
func (c *consent) refusal(err error) error {
	refused, ok := errors.AsType[*oauth.AuthorizationError](err)
	if !ok || !refused.InvalidScope() {
		return err
	}
	needs := c.plan.refusedNeeds(refused)
	return &MissingError{Needs: needs, Plan: c.plan, Level: highest(needs), Cause: refused}
}

// settle finds out what a fresh token holds: from the token response, else by asking.
func (c *consent) settle(ctx context.Context, got *credential.Credential) *Held {
	s := c.session
	h := s.hold(got, nil)
	h.Server = s.goodFor(got, s.server)
	got.Server = h.Server.Name
	if got.KnownBy != scopes.Assumed || !h.Kind.Inspect.Possible() {
		return h
	}
	inspector, err := h.inspector(ctx)
	if err != nil {
		return h
	}
	inspector.HTTP = c.client
	inspected, err := inspector.Inspect(ctx, got)
	if err != nil {
		s.opt.UI.note("the server did not say what it granted, and asking it failed: " + text.Line(err.Error()))
		return h
	}
	h.Credential = inspected
	return h
}

// A Logout is what became of a logout.
type Logout struct {
	Removed bool              // there was a login
	Revoked bool              // the server was told of each, and agreed
	Stores  []string          // from which it was removed
	Why     error             // why it was not revoked; nil where it was
	Others  []provider.Server // for which logins stay
}

// Logout revokes the login of this session's server at that server (RFC 7009), where it offers
// that, and removes it from this machine in any case. An API key is forgotten, not revoked.
// Errors: the store's.
func (s *Session) Logout(ctx context.Context) (Logout, error) {
	var out Logout
	var mine, damaged []*login
	var broken error
	silent := s.eachLogin(ctx, s.readingStores(), func(l *login, err error) bool {
		_, unreadable := errors.AsType[*store.CorruptError](err)
		switch {
		case unreadable: // whichever server it was for: nobody can use it
			damaged = append(damaged, l)
		case err != nil:
			broken = err
		case len(mine) == 0 && s.serves(l), len(mine) > 0 && l.server.Issuer == mine[0].server.Issuer:
			mine = append(mine, l) // the one that is used, and what would be used in its place
		case !s.chosen:
			out.Others = append(out.Others, l.server)
		}
		return broken != nil
	})
	if broken != nil || silent != nil && len(mine)+len(damaged) == 0 {
		return out, cmp.Or(broken, silent)
	}
	for _, l := range append(mine, damaged...) {
		if err := s.remove(ctx, l, &out); err != nil {
			return out, err
		}
	}
	if silent != nil {
		s.opt.UI.note("whether the keyring holds another login is unknown: " + text.Line(silent.Error()))
	}
	return out, nil
}

// errDamaged is why a record that cannot be read is not revoked.
var errDamaged = errors.New("its record was damaged")

// remove revokes a login and takes it out of its store. Whatever the server says: a
// credential that is not wanted is not kept.
func (s *Session) remove(ctx context.Context, l *login, out *Logout) error {
	return s.alone(ctx, l.key, func() error {
		why := errDamaged
		if c, err := l.store.Load(ctx, l.key); err == nil {
			l.credential = c // another process may have renewed it meanwhile
		}
		if l.credential != nil {
			why = s.revoke(ctx, l)
		}
		if err := l.store.Delete(ctx, l.key); err != nil {
			return err
		}
		out.Revoked = why == nil && (!out.Removed || out.Revoked)
		out.Removed = true
		out.Why = cmp.Or(why, out.Why)
		if name := l.store.Name(); !slices.Contains(out.Stores, name) {
			out.Stores = append(out.Stores, name)
		}
		return nil
	})
}
