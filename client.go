package ambit

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
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

// Client returns a client that sends the credential to the provider's bases, and to nothing
// else (RFC 6750 §2.1); other requests go out without it. A refusal is a *[RefusedError],
// which [http.Client.Do] returns within a *[url.Error]; a login that the server refuses
// although it should live is renewed once, where the request can be sent again. The client
// follows no redirects and is safe for concurrent use. Errors: those of [Session.Credential].
func (s *Session) Client(ctx context.Context) (*http.Client, error) {
	h, err := s.Credential(ctx)
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
	open := bare.Transport
	if open == nil {
		open = http.DefaultTransport
	}
	t := &authorized{session: s, held: h, guarded: guarded.Transport, open: open, needs: scopes.IndexNeeds(s.needs)}
	return guard.ForwardingClientOn(t), nil
}

// authorized sends requests with the credential.
type authorized struct {
	session *Session
	guarded http.RoundTripper // for what carries the credential
	open    http.RoundTripper // for everything else
	needs   *scopes.NeedIndex

	mu   sync.Mutex
	held *Held
}

// RoundTrip implements [http.RoundTripper].
func (t *authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	base, path, ok := t.base(request.URL)
	if !ok {
		return t.open.RoundTrip(request)
	}
	h, err := t.current(request.Context())
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // as [http.RoundTripper] wants
		}
		return nil, err
	}
	response, err := t.send(request, h)
	if err == nil && h.Credential.KnownBy == "" && t.mayRefuse(response) {
		h = t.asked(request.Context(), h)
	}
	if err == nil && !t.refuses(response, h, request.Method, base, path) && refusal.MayExplain(response.StatusCode) {
		return t.explained(request, response, h, base, path)
	}
	if err != nil || !t.refuses(response, h, request.Method, base, path) {
		return response, err
	}
	if response.StatusCode == http.StatusUnauthorized && h.Credential.Renewable() && !t.lacks(h, request.Method, base, path) { // a renewal brings no scope
		if again, ok := rewound(request); ok {
			if fresh, err := t.renewed(request.Context(), h); err == nil { // else the first refusal is told
				h = fresh
				_ = response.Body.Close()
				if response, err = t.send(again, h); err != nil || !t.refuses(response, h, request.Method, base, path) {
					return response, err
				}
			}
		}
	}
	return nil, &RefusedError{Verdict: t.diagnose(request, response, h, base, path)}
}

// explained is a response that is no refusal by its status, as it came; a *[RefusedError] where
// it says that a scope is missing.
func (t *authorized) explained(request *http.Request, response *http.Response, h *Held, base, path string) (*http.Response, error) {
	body := response.Body
	first := files.Head(body, refusal.MaxBody)
	c := t.caseOf(request, response, h, base, path)
	c.Response.Body = first
	v := diagnosis.Diagnose(c)
	if v.Cause == diagnosis.CauseMissingScope && c.Grant.KnownBy == "" {
		c.Grant = t.asked(request.Context(), h).Credential.Grant
		v = diagnosis.Diagnose(c)
	}
	if v.Cause == diagnosis.CauseMissingScope {
		_ = body.Close()
		return nil, &RefusedError{Verdict: v}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first), body), body}
	return response, nil
}

// base is the provider's base on which a URL stands, the one with the longest URL, and the
// path below it.
func (t *authorized) base(u *url.URL) (name, path string, ok bool) {
	longest := -1
	for _, b := range t.held.Server.Bases {
		at, err := url.Parse(b.URL)
		if err != nil || !strings.EqualFold(at.Host, u.Host) || at.Scheme != u.Scheme {
			continue
		}
		below, within := strings.CutPrefix(u.EscapedPath(), strings.TrimSuffix(at.EscapedPath(), "/"))
		if !within || below != "" && below[0] != '/' || len(at.Path) <= longest {
			continue
		}
		if clean, inside := scopes.RequestPath(below); inside { // not one that leads out of the base
			name, path, ok, longest = b.Name, clean, true, len(at.Path)
		}
	}
	return name, path, ok
}

// current is the credential, renewed before it expires.
func (t *authorized) current(ctx context.Context) (*Held, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.Credential.LivesAt(t.session.opt.now().Add(credential.RenewAhead)) {
		return t.held, nil
	}
	return t.take(ctx, func(h *Held) error { return h.Refresh(ctx, credential.RenewAhead) })
}

// renewed is another credential than the one that was refused.
func (t *authorized) renewed(ctx context.Context, refused *Held) (*Held, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held != refused {
		return t.held, nil // another request has renewed it
	}
	return t.take(ctx, func(h *Held) error { return h.Renew(ctx) })
}

// take renews a copy, since requests under way still use the old one.
func (t *authorized) take(_ context.Context, renew func(*Held) error) (*Held, error) {
	fresh := *t.held
	if err := renew(&fresh); err != nil && !fresh.Credential.LivesAt(t.session.opt.now()) {
		return nil, err
	}
	t.held = &fresh
	return t.held, nil
}

func (t *authorized) send(request *http.Request, h *Held) (*http.Response, error) {
	out := request.Clone(request.Context())
	out.Header.Set("Authorization", "Bearer "+h.Credential.Access.Reveal())
	return t.guarded.RoundTrip(out)
}

// refuses reports whether a response is a refusal: by its status, or by one that the provider
// uses for that, or a 404 where a declared scope is missing.
func (t *authorized) refuses(response *http.Response, h *Held, method, base, path string) bool {
	if response.StatusCode == http.StatusNotFound {
		return t.lacks(h, method, base, path)
	}
	return t.mayRefuse(response)
}

// lacks reports whether the credential is known not to hold what is declared for an operation.
func (t *authorized) lacks(h *Held, method, base, path string) bool {
	declared := t.needs.For(scopes.Operation{Method: method, Base: base, Path: path})
	return h.Credential.KnownBy != "" && len(scopes.Compare(declared, h.Credential.Grant, t.session.Provider().Implies).Lost) > 0
}

// mayRefuse reports whether a response has a status that can stand for a refusal.
func (t *authorized) mayRefuse(response *http.Response) bool {
	return response.StatusCode == http.StatusNotFound || refusal.Statuses(t.session.Provider())[response.StatusCode]
}

// asked is the same credential with what the server says that it holds, which nobody asked
// before the first refusal. Where the server does not say, nothing is known of it.
func (t *authorized) asked(ctx context.Context, h *Held) *Held {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.Credential.KnownBy != "" || !t.held.Credential.Same(h.Credential) {
		return t.held
	}
	fresh := *t.held
	if fresh.inspect(ctx) == nil {
		t.held = &fresh
	}
	return t.held
}

// rewound is the request, ready to be sent a second time.
func rewound(request *http.Request) (*http.Request, bool) {
	again := request.Clone(request.Context())
	if request.Body == nil || request.Body == http.NoBody {
		return again, true
	}
	if request.GetBody == nil {
		return nil, false
	}
	body, err := request.GetBody()
	again.Body = body
	return again, err == nil
}

// caseOf is what is known of a response, but for its body.
func (t *authorized) caseOf(request *http.Request, response *http.Response, h *Held, base, path string) diagnosis.Case {
	return diagnosis.Case{
		Method: request.Method, Base: base, Path: path, Sent: diagnosis.Sent{Ours: true},
		Response: diagnosis.Response{Status: response.StatusCode, Header: response.Header},
		Provider: t.session.Provider(), Server: h.Server, Kind: h.Kind, Grant: h.Credential.Grant, Needs: t.session.needs, Index: t.needs,
		Advertised: t.session.Advertised(h.Server), Agent: &profile.Profile{}, Now: t.session.opt.now(),
	}
}

// diagnose says why, and asks servers about the credential where nothing else tells.
func (t *authorized) diagnose(request *http.Request, response *http.Response, h *Held, base, path string) diagnosis.Verdict {
	defer response.Body.Close()
	c := t.caseOf(request, response, h, base, path)
	c.Response.Body = files.Head(response.Body, refusal.MaxBody)
	v := diagnosis.Diagnose(c)
	if response.StatusCode != http.StatusUnauthorized || v.Cause != diagnosis.CauseRejected && v.Cause != diagnosis.CauseUnknown {
		return v
	}
	c.Inquiry = h.Inquire(request.Context())
	if own, _ := c.Inquiry.At(h.Server.Name); own.Standing == credential.StandingKnown {
		c.Grant = own.Grant
	}
	return diagnosis.Diagnose(c)
}

// Inquire asks servers whether they know the credential: its own, and those others that the
// provider's file marks for that.
func (h *Held) Inquire(ctx context.Context) credential.Inquiry {
	inspector, err := h.inspector(ctx)
	if err != nil {
		return nil
	}
	return inspector.Inquire(ctx, h.Credential)
}
