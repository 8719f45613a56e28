package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"golang.org/x/oauth2"
)

// A loginFlow is one run of a [Login], after the listener is bound.
type loginFlow struct {
	*Login
	at        *loopback
	client    client.Client
	current   atomic.Pointer[attempt] // read by the pages too
	responses chan authorizationResponse
	opened    chan error
	quiet     *time.Timer // until the person is told what is waited for
	narrowed  int
	renewed   bool // the client was unknown, and is another now
}

// ask makes the next authorization request the one that is waited for. One that is pushed can be
// refused at once: it is made again as one that the browser brought back would be.
func (r *loginFlow) ask(ctx context.Context, asked scopes.Set) error {
	for {
		next, err := r.newAttempt(r.config(), asked)
		if err != nil {
			return err
		}
		err = r.push(ctx, next)
		r.current.Store(next)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if fewer, ok := r.narrowPushed(err); ok {
			asked = fewer
		} else if !r.another(ctx, err) {
			return err
		}
	}
}

// narrowPushed is narrow for a request that was refused when it was pushed: the response came from
// the server itself.
func (r *loginFlow) narrowPushed(err error) (fewer scopes.Set, ok bool) {
	refused, ok := errors.AsType[*AuthorizationError](err)
	if !ok {
		return scopes.Set{}, false
	}
	return r.narrow(authorizationResponse{refusal: refused, iss: r.Server.Issuer, hasIss: true})
}

// config is x/oauth2's view of the login. It is made where it is used: it holds the client's secret.
func (r *loginFlow) config() *oauth2.Config {
	return r.client.Config(r.Server.AuthorizationEndpoint, r.Server.TokenEndpoint, r.at.redirectURI())
}

// serve runs the pages around the login, and ends both.
func (r *loginFlow) serve(ctx context.Context) (*credential.Credential, error) {
	pages, over := context.WithCancelCause(ctx)
	r.responses, r.opened = make(chan authorizationResponse), make(chan error, 1)
	server := servePages(r.at, &callback{
		at: r.at, current: &r.current, start: r.UI.Start, responses: r.responses, over: pages,
	})
	r.quiet = time.NewTimer(cmp.Or(r.Quiet, defaultQuiet))
	defer r.quiet.Stop()
	opened := r.open(pages)
	c, err := r.converse(ctx)
	server.stop()
	over(errLoginOver)
	<-opened
	return c, err
}

// open calls Open beside the wait; the returned channel closes when it has returned.
func (r *loginFlow) open(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if r.UI.Open == nil {
		close(done)
		return done
	}
	startURL, authorizationURL := r.at.startURL(), r.current.Load().url
	go func() {
		defer close(done)
		r.opened <- r.UI.Open(ctx, startURL, authorizationURL)
	}()
	return done
}

// converse waits for the response and sees to the browser's last page. It goes round
// once more where fewer scopes are asked for.
func (r *loginFlow) converse(ctx context.Context) (*credential.Credential, error) {
	for {
		got, err := r.wait(ctx)
		if err != nil {
			return nil, err
		}
		if fewer, ok := r.narrow(got); ok {
			if err := r.ask(ctx, fewer); err != nil {
				return nil, err
			}
			r.lead(ctx, got)
			continue
		}
		c, err := r.conclude(ctx, got)
		if got.bare && r.again(err) {
			continue
		}
		if r.anew(ctx, err) {
			r.lead(ctx, r.claimed(ctx, got))
			continue
		}
		page := r.UI.finish(ctx, c, err)
		show(ctx, r.claimed(ctx, got), page)
		return c, err
	}
}

// wait returns the response of the browser or of a paste, whichever is first.
func (r *loginFlow) wait(ctx context.Context) (authorizationResponse, error) {
	paste := r.UI.Paste
	for {
		select {
		case got := <-r.responses:
			return got, nil
		case text, open := <-paste:
			if !open && r.UI.PasteOnly {
				return authorizationResponse{}, ErrPasteEnded
			}
			if !open {
				paste = nil
				r.UI.tell("the input has ended; still waiting for the browser's response")
				continue
			}
			if strings.TrimSpace(text) == "" {
				continue
			}
			if got, ok := r.pasted(text); ok {
				return got, nil
			}
		case err := <-r.opened:
			if err != nil {
				r.UI.tell("the browser could not be opened: %v", err)
			}
		case <-r.quiet.C:
			r.UI.tell("waiting for the browser to come back to %s; an error page of the server's there can mean that it knows no such redirect URI of the client %s, or no such client", r.at.redirectURI(), text.Quote(r.client.ID))
		case <-ctx.Done():
			return authorizationResponse{}, context.Cause(ctx)
		}
	}
}

func (r *loginFlow) pasted(text string) (authorizationResponse, bool) {
	attempt := r.current.Load()
	got, err := readPaste(text, attempt)
	if err != nil {
		r.UI.tell("what was pasted is not accepted: %v", err)
		return authorizationResponse{}, false
	}
	if got.bare && got.refusal == nil {
		return got, true // not the one response before it has proved good: see claimed
	}
	// Lost to the browser in this very moment: its response is on the way to wait.
	return got, attempt.answered.CompareAndSwap(false, true)
}

// claimed makes a pasted code that proved good the one response. Where a browser has come
// with its own meanwhile, that browser gets the page.
func (r *loginFlow) claimed(ctx context.Context, got authorizationResponse) authorizationResponse {
	if !got.bare || got.refusal != nil || r.current.Load().answered.CompareAndSwap(false, true) {
		return got
	}
	select {
	case late := <-r.responses:
		return late
	case <-ctx.Done():
		return got
	}
}

// again reports whether to go on waiting after a pasted code that the server does not know:
// it was cut short, or is another login's, and the right one can still come.
func (r *loginFlow) again(err error) bool {
	refused, ok := errors.AsType[*ResponseError](err)
	if !ok || refused.Code != "invalid_grant" {
		return false
	}
	r.UI.tell("what was pasted is not a code of this login (%v); paste the whole URL at which the browser ended", err)
	return true
}

// anew begins again with another client where the server does not know this one any more.
func (r *loginFlow) anew(ctx context.Context, err error) bool {
	return r.another(ctx, err) && r.ask(ctx, r.current.Load().scopes) == nil
}

// another gets another client in place of one that the server does not know any more, once.
func (r *loginFlow) another(ctx context.Context, err error) bool {
	if !refusesClient(err) || r.renewed || r.Client.ID != "" {
		return false
	}
	r.renewed = true
	other, err := r.Register(ctx, r.at.redirectURI(), r.client)
	if err != nil || other.ID == r.client.ID {
		return false
	}
	r.client = other
	return true
}

// refusesClient reports whether a server says that it does not know the client (RFC 6749 §4.1.2.1,
// §5.2).
func refusesClient(err error) bool {
	code := ""
	if refused, ok := errors.AsType[*ResponseError](err); ok {
		code = refused.Code
	}
	if refused, ok := errors.AsType[*AuthorizationError](err); ok {
		code = refused.Code
	}
	return code == "invalid_client" || code == "unauthorized_client"
}

// maxNarrowings is how often a request is asked anew with other scopes.
const maxNarrowings = 2

// narrow asks the caller whether to go on with fewer scopes after invalid_scope.
func (r *loginFlow) narrow(got authorizationResponse) (fewer scopes.Set, ok bool) {
	switch {
	case got.refusal == nil, !got.refusal.InvalidScope(), r.UI.Narrow == nil, r.narrowed == maxNarrowings:
		return scopes.Set{}, false
	case r.narrowed > 0 && got.refusal.NamedScopes(r.current.Load().scopes.Minus(r.Scopes)).Len() == 0:
		return scopes.Set{}, false
	case got.checkIssuer(r.Server.Issuer, r.promisesIssuer()) != nil:
		return scopes.Set{}, false // conclude says so
	}
	r.narrowed++
	return r.UI.Narrow(got.refusal)
}

func (r *loginFlow) promisesIssuer() bool { return r.Server.AuthorizationResponseISSParameterSupported }

// lead takes the person on to the request that is under way now.
func (r *loginFlow) lead(ctx context.Context, got authorizationResponse) {
	next := r.current.Load().url
	if got.page == nil {
		r.UI.tell("continue here: %s", next)
		return
	}
	show(ctx, got, http.RedirectHandler(next, http.StatusSeeOther))
}

// conclude turns the response into a credential, or into the error that it stands for.
func (r *loginFlow) conclude(ctx context.Context, got authorizationResponse) (*credential.Credential, error) {
	if err := got.checkIssuer(r.Server.Issuer, r.promisesIssuer()); err != nil {
		return nil, err
	}
	if got.refusal != nil {
		got.refusal.Listed = whatIsListed(r.Server, got.refusal.Code, "authorization_code", r.client.Style())
		return nil, got.refusal
	}
	return r.exchange(ctx, got.code)
}

// exchange redeems the code (RFC 6749 §4.1.3). There is no second try: a code works once.
func (r *loginFlow) exchange(ctx context.Context, code string) (*credential.Credential, error) {
	attempt := r.current.Load()
	request := newTokenRequest(r.Server.TokenEndpoint, r.HTTP)
	_, err := r.config().Exchange(request.within(ctx), code, oauth2.VerifierOption(attempt.verifier))
	response, err := request.result(err)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, besideList(err, r.Server, "authorization_code", r.client.Style())
	}
	c, err := readToken(r.Server.TokenEndpoint, response, credential.Credential{
		Issuer: r.Server.Issuer, ClientID: r.client.ID, Hosts: r.Hosts,
		Asked: attempt.scopes,
		Grant: scopes.Grant{Scopes: attempt.scopes, KnownBy: scopes.Assumed}, // unless the response says otherwise
	}, r.KindOf, r.now())
	if err != nil {
		return nil, err
	}
	if name := response.Text(r.ServerFrom); name != "" {
		c.Server = text.Line(name)
	}
	if err := r.verifyIDToken(ctx, response, attempt); err != nil {
		return nil, err
	}
	tellLeftOut(func(sentence string) { r.UI.tell("%s", sentence) }, "the token response", response)
	return c, nil
}

// show gives the browser its page, and waits until it has got it.
func show(ctx context.Context, got authorizationResponse, page http.Handler) {
	if got.page == nil {
		return
	}
	got.page <- page
	timer := time.NewTimer(pageTimeout)
	defer timer.Stop()
	select {
	case <-got.delivered:
	case <-timer.C:
	case <-ctx.Done():
	}
}
