package ambit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Held is the credential in use: an API key that was handed over, or a stored login. Its
// methods change it, and are for one goroutine at a time.
type Held struct {
	Credential *credential.Credential  // with what it holds, and how that is known; read-only
	Kind       provider.CredentialKind // what the provider says of its kind
	Server     provider.Server         // for which it is good
	Plan       *Plan                   // what was requested; nil where it was not logged in just now
	Said       credential.Outcome      // what its server said of it in the last Inspect; zero where there was none

	session *Session
	login   *login // nil for an API key that was handed over
	isNew   bool   // it was got just now, without a person: to renew it would give nothing better
}

// IsLogin reports whether it is a login rather than an API key that was handed over.
func (h *Held) IsLogin() bool { return h.login != nil }

// KeptAs is the name under which a login is kept ([Options.Account]); "" for one without a name,
// and for an API key that was handed over.
func (h *Held) KeptAs() string {
	if h.login == nil {
		return ""
	}
	return h.login.key.Account
}

// described is how people call it: what may be shown of it, and its kind.
func (h *Held) described() string {
	if h.Credential.Prefix == "" {
		return h.Kind.Label
	}
	return text.Line(h.Credential.Prefix) + ", " + h.Kind.Label
}

// Gap compares what it holds with the needs.
func (h *Held) Gap() scopes.Gap {
	p := h.session.Provider()
	gap := scopes.Compare(h.session.needs, h.Credential.Grant, p.Implies)
	gap.Excess = p.Scopes.Beyond(gap.Excess)
	return gap
}

// Check returns a *[MissingError] where something is missing at level or above.
func (h *Held) Check(level scopes.Level) error {
	gap := h.Gap()
	lost := slices.DeleteFunc(slices.Clone(gap.Lost), func(n scopes.Need) bool { return n.Level < level })
	if len(lost) == 0 {
		return nil
	}
	return &MissingError{Needs: lost, Level: highest(lost), Gap: gap}
}

// Find returns the credential that would be used: an API key by the usual sources, else the
// stored login, or the token that a client gets for itself (client_credentials), for which the server
// is asked where none is stored. Trust comes before either is read. Nobody is asked what it holds: of an API
// key nothing is known then, of a login what was recorded. Errors: [ErrNoCredential], also as
// an *[ElsewhereError] or an *[UnreachedError]; *[UntrustedHostError]; *[UnboundError]; *[AccountsError]; *[NoAccountError]; an *[apikey.BadKeyError]; the
// store's.
func (s *Session) Find(ctx context.Context) (*Held, error) { return s.find(ctx, s.own) }

// FindStored is [Session.Find] without a request: a token that a client gets for itself is one that is
// stored, and where there is none the error is [ErrNoCredential].
func (s *Session) FindStored(ctx context.Context) (*Held, error) { return s.find(ctx, s.storedOwn) }

// find is either; own finds the token that a client gets for itself.
func (s *Session) find(ctx context.Context, own func(context.Context) (*Held, error)) (*Held, error) {
	if _, err := s.Trust(ctx); err != nil {
		return nil, err
	}
	h, err := s.findKey(ctx, false)
	if !errors.Is(err, apikey.ErrNone) {
		return h, err
	}
	if s.Provider().Client.Own {
		return own(ctx)
	}
	_, l, err := s.choose(ctx)
	if errors.Is(err, ErrNoCredential) {
		return s.findUnread(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	if err := l.bound(s); err != nil {
		return nil, err
	}
	return newHeld(s, l.credential, l), nil
}

// findUnread finds a key in a variable that is not read before the user says yes, once nothing else is
// there; none is why. Without that yes the error is an [ErrNoCredential] that says so, and not what kept
// a login from being found.
func (s *Session) findUnread(ctx context.Context, none error) (*Held, error) {
	c := confirmed{s.opt, s}
	untrusted := c.unread()
	if untrusted == nil {
		return nil, none
	}
	if err := c.ask(ctx, untrusted); err != nil {
		return nil, errors.Join(err, ErrNoCredential)
	}
	return s.findKey(ctx, false)
}

func newHeld(s *Session, c *credential.Credential, l *login) *Held {
	h := &Held{Credential: c, Kind: c.KindAt(s.Provider()), Server: s.KeyServer(), session: s, login: l}
	if l != nil {
		h.Server, c.Source = l.server, l.store.Name()
	}
	return h
}

// findKey finds an API key; [apikey.ErrNone] where there is none. handed leaves the
// environment out. A key goes to no host for which the user has not said yes, also not on this machine.
func (s *Session) findKey(ctx context.Context, handed bool) (*Held, error) {
	sources := s.opt.Key
	sources.Lookup, sources.Variables = s.opt.env().Lookup, confirmed{s.opt, s}.keyVariables()
	if handed {
		sources.Lookup = func(string) (string, bool) { return "", false }
	}
	found, err := apikey.Find(sources)
	if err != nil {
		return nil, err
	}
	if err := s.bindKey(ctx); err != nil {
		return nil, err
	}
	for _, note := range found.Notes {
		s.opt.UI.note(text.Line(found.Source) + ": " + text.Line(note))
	}
	if found.Exposed {
		s.opt.UI.note("other users of this machine can read a key on the command line; --api-key-stdin, --api-key-file and " + credential.KeyVariable + " are not seen")
	}
	return newHeld(s, found.Credential(s.Provider()), nil), nil
}

// Inspect asks the server what the credential holds, and keeps that in Grant. A login that the
// server does not know any more, though it should live, is renewed once. Errors: *[KindError];
// *[RenewalError] where that fails; *[UnknownCredentialError]; *[oauth.NoInspectionError] where
// nobody can be asked about a key;
// *[oauth.UnansweredError] and a *[metadata.Error] where the server does not say.
func (h *Held) Inspect(ctx context.Context) error {
	if h.login != nil {
		return h.inspectLogin(ctx)
	}
	if err := h.mayServe(); err != nil {
		return err
	}
	h.noteKind()
	return h.session.opt.UI.during("asking what the key holds", func() error { return h.inspect(ctx) })
}

// Identify asks whose a key is, where nothing has said it. It is good to know, and no more: what stands in the
// way is a detail for [UI.Detail].
func (h *Held) Identify(ctx context.Context) {
	if h.login != nil || h.Credential.Account != "" {
		return
	}
	if inspector, err := h.inspector(ctx); err == nil {
		_ = h.session.opt.UI.during("asking whose the key is", func() error {
			h.identify(ctx, inspector)
			return nil
		})
	}
}

// noteKind says what a key is that is not of the kind that is meant for programs.
func (h *Held) noteKind() {
	expected, ok := h.session.Provider().ForPrograms()
	if ok && h.Kind.Programs != provider.ProgramsMeant {
		begins := ""
		if expected.Prefix != "" {
			begins = " (" + expected.Prefix + "…)"
		}
		h.session.opt.UI.note(fmt.Sprintf("this is %s; expected is %s%s", h.Kind.Label, expected.Label, begins))
	}
}

// mayServe returns a *[KindError] for a kind of key that can never call a base on which a
// required scope is used: there is nothing to ask anyone.
func (h *Held) mayServe() error {
	for _, need := range h.session.needs {
		for _, op := range need.UsedBy {
			if need.Level == scopes.Required && op.Tool == "" && !h.Kind.Serves(op.Base) {
				return &KindError{Held: h, Operation: op, Need: need.Name(), Program: h.session.manifest.Name}
			}
		}
	}
	return nil
}

// inspect asks the server. A credential that it does not know is looked for on those other
// servers that the provider's file marks for that.
func (h *Held) inspect(ctx context.Context) error {
	inspector, err := h.inspector(ctx)
	if err != nil {
		return err
	}
	inquiry := h.inquire(ctx, inspector)
	own, _ := inquiry.At(h.Server.Name)
	h.Said = own
	switch own.Standing {
	case credential.StandingKnown:
		h.Credential = h.Credential.Told(own.Grant, own.Account)
		return nil
	case credential.StandingNotKnown, credential.StandingExpired:
		return &UnknownCredentialError{Held: h, Inquiry: inquiry, Err: own.Err}
	case credential.StandingNotAsked:
		if h.Kind.Programs == provider.ProgramsNever {
			return &KindError{Held: h, Err: own.Err}
		}
		if h.Kind.Permissions && !h.IsLogin() {
			h.Credential = h.Credential.Holding(h.Kind.Of(h.Credential.Grant))
			return nil
		}
		if claimed, has := oauth.ClaimedScopes(h.Credential.Access, scopes.Set{}); has && !h.IsLogin() {
			g := h.Credential.Grant
			g.Scopes, g.KnownBy = claimed, scopes.JWT
			h.Credential = h.Credential.Holding(g)
			return nil
		}
	}
	return own.Err
}

// inspectLogin asks what a stored login holds. Where nobody can be asked, what was recorded
// counts, and Said tells.
func (h *Held) inspectLogin(ctx context.Context) error {
	ask := func() error {
		return h.session.opt.UI.during("asking what the login holds", func() error { return h.inspect(ctx) })
	}
	err := ask()
	if _, rejected := errors.AsType[*oauth.RejectedError](err); rejected && h.Credential.Renewable() {
		refused := h.Credential.Access
		renewal := h.Renew(ctx)
		_, lost := errors.AsType[*credential.SessionLostError](renewal)
		switch {
		case !h.Credential.Access.Equal(refused): // also where it could not be kept
			err = ask()
		case renewal != nil && !lost:
			return &RenewalError{Held: h, Err: renewal}
		}
	}
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody {
		return nil
	}
	return err
}

// inspector asks servers about this credential.
func (h *Held) inspector(ctx context.Context) (*oauth.Inspector, error) {
	guarded, err := h.session.guarded(ctx)
	if err != nil {
		return nil, err
	}
	return &oauth.Inspector{
		HTTP: guarded, Provider: h.session.Provider(), Server: h.Server, Now: h.session.opt.Now, Note: h.session.opt.UI.note, Client: h.clientWithID,
		Metadata: h.session.metadataOf,
	}, nil
}

// clientWithID is who asks a server about this credential.
func (h *Held) clientWithID(ctx context.Context, at provider.Server, id string) (client.Client, error) {
	var in store.Store
	if h.login != nil {
		in = h.login.store
	}
	return h.session.clientOf(ctx, at, id, in)
}

// Refresh makes sure that a login lives for longer than minTTL, renewing it under the lock of
// all processes where it does not. An API key stays as it is. Where the renewal fails and the
// old token still lives, that is kept beside the error ([Held.LivesAt] says so); otherwise the error
// is a *[RenewalError]. It is or wraps *[credential.SessionLostError] where only another login helps;
// others are as [oauth.Renewer.Valid] has them.
func (h *Held) Refresh(ctx context.Context, minTTL time.Duration) error {
	if h.isNew {
		h.isNew = false
		return nil
	}
	return h.refreshSince(ctx, time.Time{}, minTTL)
}

// refreshSince is Refresh for one that has waited since began for what other processes get; the zero
// time stands for now.
func (h *Held) refreshSince(ctx context.Context, began time.Time, minTTL time.Duration) error {
	err := h.renew(ctx, func(r *oauth.Renewer) (*credential.Credential, error) {
		r.Began = began
		return r.Valid(ctx, minTTL)
	})
	if err != nil && !h.Credential.LivesAt(h.session.opt.now()) {
		return &RenewalError{Held: h, Err: err}
	}
	return err
}

// Renew is [Held.Refresh] for a token that the server refused although it should live.
func (h *Held) Renew(ctx context.Context) error {
	stale := h.Credential.Access
	return h.renew(ctx, func(r *oauth.Renewer) (*credential.Credential, error) { return r.Force(ctx, stale) })
}

func (h *Held) renew(ctx context.Context, by func(*oauth.Renewer) (*credential.Credential, error)) error {
	if h.login == nil {
		return nil
	}
	guarded, err := h.session.guarded(ctx)
	if err != nil {
		return err
	}
	renewer := &oauth.Renewer{
		Store: h.login.store, Key: h.login.key, HTTP: guarded, LockDir: h.session.opt.lockDir(), Provider: h.session.Provider(), At: h.login.server, Now: h.session.opt.Now, Note: h.session.opt.UI.note, Begin: h.session.opt.UI.begin,
		Server: func(ctx context.Context) (*metadata.AuthorizationServer, error) {
			return h.session.metadataOf(ctx, h.login.issuer)
		},
		Client: func(ctx context.Context, id string) (client.Client, error) {
			return h.session.clientOf(ctx, h.login.issuer, id, h.login.store)
		},
	}
	what := "renewing the login"
	if h.Credential.Own {
		what, renewer.Narrow = "getting a token for the client", h.session.narrowOwn(h.LastPlan())
	}
	var c *credential.Credential
	err = h.session.opt.UI.during(what, func() (err error) {
		c, err = by(renewer)
		return err
	})
	if c == nil || c.Same(h.Credential) {
		return err // what was found out about it meanwhile stays
	}
	c.Source = h.Credential.Source
	h.Credential = c
	return err
}

// Unrenewable is why the server does not renew a login, where it has said so to any process of this
// user: a *[credential.SessionLostError] or a *[credential.RenewalDeniedError], or what else
// [oauth.Standing] returns where it asks to wait. It is nil where the next attempt may succeed, and
// for an API key.
func (h *Held) Unrenewable() error {
	if h.login == nil {
		return nil
	}
	return unrenewable(h.Credential, h.session.opt.now())
}

// unrenewable is why the server does not renew a stored login, where it has said so.
func unrenewable(c *credential.Credential, now time.Time) error {
	if c.Renewal.Failed == nil && c.Renewal.RejectedAt.IsZero() {
		return nil
	}
	return oauth.Standing(c, now)
}

// Inquire asks servers whether they know the credential: its own, and those others that the
// provider's file marks for that.
func (h *Held) Inquire(ctx context.Context) credential.Inquiry {
	inspector, err := h.inspector(ctx)
	if err != nil {
		return nil
	}
	return h.inquire(ctx, inspector)
}

// inquire keeps with a login that its server does not know it any more. Of one that can be renewed, the
// renewal tells.
func (h *Held) inquire(ctx context.Context, inspector *oauth.Inspector) credential.Inquiry {
	inquiry := inspector.Inquire(ctx, h.Credential)
	own, _ := inquiry.At(h.Server.Name)
	rejected := own.Standing == credential.StandingNotKnown || own.Standing == credential.StandingExpired
	if rejected && h.login != nil && !h.Credential.Renewable() {
		h.login.credential = h.Credential
		h.Credential = h.login.bury(ctx, h.session.opt.now())
	}
	return inquiry
}
