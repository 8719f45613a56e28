package ambit

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Login gets a new credential and keeps it: an API key that [Options.Key] hands over, or else
// the consent of the person at the browser for what plan requests; nil plans first. What it
// replaces is removed. Of several processes that log in to the same server at a time one does,
// and the others take its login, or its refusal. The credential is returned also where something
// is missing in it: ask [Held.Check].
//
// Errors: those of [Session.Plan]; *[MissingError] where something required cannot be
// requested, or the server refuses all of it; [ErrNobody]; *[UntrustedHostError];
// *[ConsentElsewhereError];
// *[NoClientError]; *[StoreError]; those of [oauth.Login.Run]; of a key, those of
// [Held.Inspect].
func (s *Session) Login(ctx context.Context, plan *Plan) (*Held, error) {
	if _, err := s.Trust(ctx); err != nil {
		return nil, err
	}
	h, err := s.findKey(true)
	if !errors.Is(err, apikey.ErrNone) {
		if err != nil {
			return nil, err
		}
		return h, h.keepKey(ctx)
	}
	if !s.opt.UI.someone() {
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
	all := s.logins()
	in, err := all.writing(ctx, all.key(all.server))
	if err != nil {
		return nil, err
	}
	client, err := s.guarded(ctx)
	if err != nil {
		return nil, err
	}
	c := &consent{session: s, plan: plan, store: in, client: shown(client, &s.opt.UI)}
	return c.lead(ctx)
}

// A consent is one login in a browser.
type consent struct {
	session *Session
	plan    *Plan // as it is now
	store   store.Store
	client  *http.Client

	registered *client.Registered // for an earlier login; nil for none

	held   *Held
	unkept error
}

// get runs the login, settles what came of it, and keeps it before the browser's last page
// says so.
func (c *consent) get(ctx context.Context) (*Held, error) {
	c.noteVariable()
	login, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := login.Run(ctx); err != nil {
		return nil, c.refusal(err)
	}
	return c.held, c.unkept
}

// noteVariable names a variable whose key every later use would take in place of the login
// that is about to be made.
func (c *consent) noteVariable() {
	opt := c.session.opt
	for _, name := range append([]string{credential.KeyVariable}, confirmed{opt}.keyVariables(c.session)...) {
		if _, set := opt.env().Lookup(name); set {
			opt.UI.note(text.Line(name) + " is set, and takes precedence over a login: unset it to use this one")
			return
		}
	}
}

func (c *consent) login(ctx context.Context) (*oauth.Login, error) {
	s, p := c.session, c.session.Provider()
	id, err := c.plan.clientID()
	if err != nil {
		return nil, err
	}
	who, err := s.clientWithID(ctx, s.server, id, nil)
	if err != nil {
		return nil, err
	}
	login := &oauth.Login{
		HTTP: c.client, Server: c.plan.Server, Client: who, Push: p.Client.Push, PKCE: p.Client.PKCE, Redirect: redirectOf(p), Authorize: p.Client.Authorize,
		Scopes: c.plan.Request, Hosts: s.hosts(), KindOf: p.KindOfToken, ServerFrom: p.ServerFrom, Now: s.opt.Now,
		Ready: func(ctx context.Context) error { return canKeep(ctx, c.store, s.logins().key(s.server)) },
		UI: oauth.UI{
			Tell:   func(format string, args ...any) { s.opt.UI.note(fmt.Sprintf(format, args...)) },
			Detail: s.opt.UI.Detail,
			Open:   c.open(),
			Narrow: c.narrow,
			Finish: c.finish,
		},
	}
	login.Resources = c.plan.indicators()
	if pages := s.opt.UI.Pages; pages != nil {
		login.UI.Start = func(url string) http.Handler { return pages.Start(c.plan, url) }
	}
	if who.ID == "" {
		login.Register = c.register
		if c.registered = s.registrationAt(ctx, s.server, c.store); c.registered != nil {
			login.PreferPort = c.registered.Port()
		}
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
	fewer, told, ok := c.plan.narrow(e)
	if !ok {
		return scopes.Set{}, false
	}
	c.session.opt.UI.note(told)
	c.plan = fewer
	return fewer.Request, true
}

// finish settles and keeps what came, and makes the browser's last page.
func (c *consent) finish(ctx context.Context, got *credential.Credential, err error) http.Handler {
	if err == nil {
		c.held = c.settle(ctx, got)
		c.held.Plan = c.plan
		c.unkept = c.held.keep(ctx, c.store)
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
	h := newHeld(s, got, nil)
	h.Server = goodFor(s.Provider(), got, s.server)
	got.Server = h.Server.Name
	if ctx.Err() != nil { // it will not be kept: see keep
		return h
	}
	if got.KnownBy != scopes.Assumed {
		return h
	}
	inspector, err := h.inspector(ctx)
	if err != nil {
		return h
	}
	inspector.HTTP = c.client
	inspector.Client = func(ctx context.Context, at provider.Server, id string) (client.Client, error) {
		return s.clientWithID(ctx, at, id, c.store)
	}
	inspected, err := inspector.Inspect(ctx, got)
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody {
		return h
	}
	if err != nil {
		s.opt.UI.note("the server did not say what it granted, and asking it failed: " + text.Line(err.Error()))
		return h
	}
	h.Credential = inspected
	return h
}
