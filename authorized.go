package ambit

import (
	"context"
	"net/http"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/mcp"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// authorized sends requests with the credential.
type authorized struct {
	session   *Session
	guarded   http.RoundTripper // for what carries the credential
	open      http.RoundTripper // for everything else
	known     diagnosis.Case    // what is the same for each request
	places    provider.Locator  // the bases that get the credential
	inquiries *credential.Inquiries

	mu    sync.Mutex
	held  *Held
	tried *credential.Credential // a 401 led to its renewal, and it was good for nothing so far: not renewed again

	problem error // why the last renewal failed; nil where it did not
}

// RoundTrip implements [http.RoundTripper].
func (t *authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	base, below, ok := t.places.Locate(request.URL)
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
	path, _ := scopes.RequestPath(below)
	x := &authorizedExchange{t: t, request: request, operation: scopes.Operation{Method: request.Method, Base: base, Path: path}, held: h}
	if err := x.send(request); err != nil {
		return nil, err
	}
	return x.settle()
}

// current is the credential, renewed before it expires.
func (t *authorized) current(ctx context.Context) (*Held, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.Credential.LivesAt(t.session.opt.now().Add(credential.RenewAhead)) {
		return t.held, nil
	}
	fresh := *t.held // a copy, since requests under way still use the old one
	if err := fresh.Refresh(ctx, credential.RenewAhead); err != nil && !fresh.Credential.LivesAt(t.session.opt.now()) {
		return nil, err
	}
	t.held = &fresh
	return t.held, nil
}

// renewed is what to send in place of a credential that was refused; ok is false where there is
// nothing better: the renewal failed, or gave what is refused as well.
func (t *authorized) renewed(ctx context.Context, refused *credential.Credential) (fresh *Held, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held.Credential.Same(refused) {
		return t.held, true // another request has renewed it
	}
	if t.tried != nil && t.tried.Same(refused) {
		return nil, false
	}
	renewed := *t.held
	t.problem = renewed.Renew(ctx) // one that failed leaves the old credential, and the first refusal is told
	if renewed.Credential.Same(refused) {
		return nil, false
	}
	t.held, t.tried = &renewed, renewed.Credential
	return t.held, true
}

// whyNot is why the last renewal failed; nil where it did not.
func (t *authorized) whyNot() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.problem
}

// worked notes a response that is not a refusal: the next 401 is news again.
func (t *authorized) worked(used *credential.Credential) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tried != nil && t.tried.Same(used) {
		t.tried = nil
	}
}

// learn takes over what the credential holds.
func (t *authorized) learn(used *credential.Credential) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.Credential.Same(used) {
		fresh := *t.held
		fresh.Credential = used
		t.held = &fresh
	}
}

// inquire asks servers about a credential.
func (t *authorized) inquire(ctx context.Context, used *credential.Credential) credential.Inquiry {
	t.mu.Lock()
	h := *t.held
	t.mu.Unlock()
	h.Credential = used
	return h.Inquire(ctx)
}

// An authorizedExchange is one request with the credential, and what came of it.
type authorizedExchange struct {
	t         *authorized
	request   *http.Request
	operation scopes.Operation
	held      *Held
	response  *http.Response
}

func (x *authorizedExchange) send(request *http.Request) (err error) {
	out := request.Clone(request.Context())
	out.Header.Set(x.held.Kind.Send.Field(x.held.Credential.Access.Reveal()))
	x.response, err = x.t.guarded.RoundTrip(out)
	return err
}

// passed is a response that is not a refusal.
func (x *authorizedExchange) passed() *http.Response {
	if scopes.Succeeded(x.response.StatusCode) {
		x.t.worked(x.held.Credential)
	}
	return x.response
}

// settle makes of a refusal an error, after one more try where that can help.
func (x *authorizedExchange) settle() (*http.Response, error) {
	ofSuccess := x.response.StatusCode < http.StatusMultipleChoices
	if !diagnosis.MayRefuse(x.t.known.Provider, x.response.StatusCode, x.response.Header) || ofSuccess && refusal.IsStream(x.response.Header) {
		return x.passed(), nil
	}
	c, left := x.theCase(), diagnosis.Untried{Read: true, Renew: x.held.Credential.Renewable(), Ask: true}
	for {
		switch diagnosis.Next(c, left) {
		case diagnosis.MovePass:
			return x.passed(), nil
		case diagnosis.MoveRead:
			left.Read = false
			c.Response.Body, x.response.Body = files.Peek(x.response.Body, refusal.MaxBody, refusal.Patience)
		case diagnosis.MoveRenew:
			left.Renew = false
			again, renewed, err := x.renew()
			switch {
			case err != nil:
				return nil, err
			case again:
				c, left = x.theCase(), diagnosis.Untried{Read: true, Ask: true}
			case renewed:
				c.Renewed, left = true, diagnosis.Untried{}
			default:
				c.Renewal = x.t.whyNot()
			}
		case diagnosis.MoveAsk:
			left.Ask = false
			c = x.ask(c)
		case diagnosis.MoveTell:
			_ = x.response.Body.Close()
			return nil, &RefusedError{Verdict: diagnosis.Diagnose(c)}
		}
	}
}

func (x *authorizedExchange) theCase() diagnosis.Case {
	c := x.t.known.With(x.held.Credential).Of(x.operation, diagnosis.Response{Status: x.response.StatusCode, Header: x.response.Header})
	c.Now, c.Tool = x.t.session.opt.now(), x.tool()
	return c
}

// tool is what the request calls of an MCP server, as far as its header tells, or a body that can
// be had again; "" for any other request.
func (x *authorizedExchange) tool() string {
	if !provider.CallsMCP(x.operation.Method, x.operation.Base) {
		return ""
	}
	var beginning []byte
	if again, ok := guard.Rewound(x.request); ok && again.Body != nil {
		defer again.Body.Close()
		beginning = files.Head(again.Body, mcp.MaxRequest)
	}
	return mcp.ReadRequest(x.request.Header, beginning).Tool
}

// renew renews the credential, and sends the request again where its body can be had again.
func (x *authorizedExchange) renew() (again, renewed bool, err error) {
	fresh, renewed := x.t.renewed(x.request.Context(), x.held.Credential)
	if !renewed {
		return false, false, nil
	}
	request, again := guard.Rewound(x.request)
	if !again {
		return false, true, nil
	}
	_ = x.response.Body.Close()
	x.held = fresh
	return true, true, x.send(request)
}

// ask asks servers about the credential, and keeps what its own one says that it holds.
func (x *authorizedExchange) ask(c diagnosis.Case) diagnosis.Case {
	used := x.held.Credential
	c, learned := c.Answered(x.t.inquiries.About(x.request.Context(), used))
	if learned {
		x.t.learn(used.Holding(c.Grant))
	}
	return c
}
