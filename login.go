package ambit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/browser"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Login gets a new credential and keeps it: an API key that [Options.Key] hands over, or else
// the consent of the person for what plan requests, in the browser or on another device
// ([UI.Code]); nil plans first. A client that gets tokens for itself (client_credentials) gets a new
// one, and no person is needed. What it replaces is removed. Of several processes that log in to the
// same server at a time one does, and the others take its login, or its refusal. The credential is
// returned also where something is missing in it: ask [Held.Check].
//
// Errors: those of [Session.Plan]; *[MissingError] where something required cannot be
// requested, or the server refuses all of it; [ErrNobody]; *[UntrustedHostError];
// *[ConsentElsewhereError]; *[NoDeviceError]; *[NoClientError]; *[NoLoginError]; *[StoreError]; those of
// [oauth.Login.Run] and [oauth.Login.RunDevice]; of a key, those of [Held.Inspect]; of a session of
// [Session.Widen], *[AccountError] and *[OvertakenError].
func (s *Session) Login(ctx context.Context, plan *Plan) (*Held, error) {
	if _, err := s.Trust(ctx); err != nil {
		return nil, err
	}
	h, err := s.findKey(ctx, true)
	if !errors.Is(err, apikey.ErrNone) {
		if err != nil {
			return nil, err
		}
		return h, h.keepKey(ctx)
	}
	if s.Provider().Client.Own {
		return s.anew(ctx, plan, s.opt.now(), time.Time{})
	}
	if s.server.NoLogin {
		return nil, &NoLoginError{Server: s.server}
	}
	if !s.opt.someone() {
		return nil, ErrNobody
	}
	if plan == nil {
		if plan, err = s.Plan(ctx); err != nil {
			return nil, err
		}
	}
	device, err := plan.byDevice()
	if err != nil {
		return nil, err
	}
	if err := plan.checkRequest(device); err != nil {
		return nil, err
	}
	if err := plan.trustEndpoints(ctx, device); err != nil {
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
	c := &consent{session: s, plan: plan, device: device, store: in, client: shown(client, &s.opt.UI)}
	return c.lead(ctx)
}

// A consent is one login of a person.
type consent struct {
	session *Session
	plan    *Plan  // as it is now
	device  bool   // with a code for another device
	agreed  string // the host of another party at which the person wants to agree; "" for none
	store   store.Store
	client  *http.Client

	fresh string // id of the client that the server registered for this login; "" for none

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
	if err := c.run(ctx, login); err != nil {
		return nil, c.refusal(err)
	}
	return c.held, c.unkept
}

// noteVariable names a variable whose key every later use would take in place of the login
// that is about to be made.
func (c *consent) noteVariable() {
	opt := c.session.opt
	for _, name := range append([]string{credential.KeyVariable}, confirmed{opt, c.session}.keyVariables()...) {
		if _, set := opt.env().Lookup(name); set {
			opt.UI.note(text.Line(name) + " is set, and takes precedence over a login: unset it to use this one")
			return
		}
	}
}

// who is the client that logs in: by a code for another device it may need no secret.
func (c *consent) who(ctx context.Context) (client.Client, error) {
	id, err := c.plan.clientID()
	if err != nil || c.device && c.session.Provider().Client.CodeOnly {
		return client.Public(id), err
	}
	return c.session.clientWithID(ctx, c.session.server, id, nil)
}

func (c *consent) login(ctx context.Context) (*oauth.Login, error) {
	s, p := c.session, c.session.Provider()
	who, err := c.who(ctx)
	if err != nil {
		return nil, err
	}
	login := &oauth.Login{
		HTTP: c.client, Server: c.plan.Server, Client: who, Push: p.Client.Push, PKCE: p.Client.ProtectsCode(c.session.Server().Name), Redirect: p.Client.RedirectTo(), Authorize: p.Client.Authorize,
		Scopes: c.plan.Request, IDTokenIssuer: s.server.IDTokenIssuer, Hosts: s.hosts(), Provider: p, At: s.server, ServerFrom: p.ServerFrom, Now: s.opt.Now,
		Ready: func(ctx context.Context) error { return canKeep(ctx, c.store, s.logins().key(s.server)) },
		UI: oauth.UI{
			Tell:   func(format string, args ...any) { s.opt.UI.note(fmt.Sprintf(format, args...)) },
			Detail: s.opt.UI.Detail,
			Open:   c.open(),
			Narrow: c.narrow,
			Linger: s.opt.UI.Linger,
			Finish: c.finish,
		},
	}
	login.Resources = c.plan.indicators()
	if name := s.account(); strings.Contains(name, "@") && c.plan.Request.Has("openid") { // OpenID Connect Core §3.1.2.1
		login.Authorize = append(slices.Clone(login.Authorize), provider.Parameter{Name: "login_hint", Value: name})
	}
	if pages := s.opt.UI.Pages; pages != nil {
		login.UI.Start = func(url string) http.Handler { return pages.Start(c.plan, url) }
	}
	if who.ID == "" {
		login.Register = c.register
		kept := s.registrationAt(ctx, s.server, c.store)
		if kept != nil {
			login.PreferPort = kept.Port()
		}
		login.Redirect = c.redirect(kept)
	}
	return login, nil
}

// open is the caller's, or the system's browser. A command that shows the page gets no secret.
func (c *consent) open() func(ctx context.Context, startURL, authorizationURL string) error {
	ui := c.session.opt.UI
	if ui.Open != nil {
		return func(ctx context.Context, startURL, authorizationURL string) error {
			return ui.Open(browser.WithEnvironment(ctx, confirmed{c.session.opt, c.session}.withoutKeys()), startURL, authorizationURL)
		}
	}
	return func(ctx context.Context, startURL, authorizationURL string) error {
		ui.note(browser.Invitation("opening your browser", ui.Paste != nil) + ": " + authorizationURL)
		return browser.Opener{}.Open(ctx, startURL)
	}
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
	inspector, err := h.inspector(ctx)
	if err != nil {
		return h
	}
	inspector.HTTP = c.client
	inspector.Client = func(ctx context.Context, at provider.Server, id string) (client.Client, error) {
		return s.clientOf(ctx, at, id, c.store)
	}
	if got.KnownBy.IsGuess() {
		h.learn(ctx, inspector)
	}
	h.identify(ctx, inspector)
	return h
}

// learn asks what a fresh token holds of which the server has not said it.
func (h *Held) learn(ctx context.Context, by *oauth.Inspector) {
	inspected, err := by.Inspect(ctx, h.Credential)
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody {
		return
	}
	if err != nil {
		h.session.opt.UI.note("the server did not say what it granted, and asking it failed: " + text.Line(err.Error()))
		return
	}
	h.Credential = inspected
}

// identify asks whose the credential is, where nothing has said it. It is good to know, and no more:
// what stands in the way ends nothing.
func (h *Held) identify(ctx context.Context, by *oauth.Inspector) {
	named, err := by.Identify(ctx, h.Credential)
	if err != nil {
		whose := "who is logged in"
		if !h.Credential.Issued() {
			whose = "whose key it is"
		}
		h.session.opt.UI.detail(whose + " is not known: " + text.Line(err.Error()))
	}
	h.Credential = named
}
