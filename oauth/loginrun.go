package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"golang.org/x/oauth2"
)

// A loginRun is one run of a [Login], after the listener is bound.
type loginRun struct {
	*Login
	at       *loopback
	config   oauth2.Config
	current  atomic.Pointer[attempt] // read by the pages too
	answers  chan answer
	opened   chan error
	narrowed int
}

// ask makes the next authorization request the one that is waited for.
func (r *loginRun) ask(asked scopes.Set) error {
	next, err := r.newAttempt(r.config, asked)
	if err == nil {
		r.current.Store(next)
	}
	return err
}

// serve runs the pages around the login, and ends both.
func (r *loginRun) serve(ctx context.Context) (*credential.Credential, error) {
	pages, over := context.WithCancelCause(ctx)
	r.answers, r.opened = make(chan answer), make(chan error, 1)
	server := servePages(r.at, &callback{
		at: r.at, current: &r.current, start: r.Start, answers: r.answers, over: pages,
	})
	opened := r.open(pages)
	c, err := r.converse(ctx)
	server.stop()
	over(errLoginOver)
	<-opened
	return c, err
}

// open calls Open beside the wait; the returned channel closes when it has returned.
func (r *loginRun) open(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if r.Open == nil {
		close(done)
		return done
	}
	startURL, authorizationURL := r.at.startURL(), r.current.Load().url
	go func() {
		defer close(done)
		r.opened <- r.Open(ctx, startURL, authorizationURL)
	}()
	return done
}

// converse waits for the answer and sees to the browser's last page. It goes round
// once more where fewer scopes are asked for.
func (r *loginRun) converse(ctx context.Context) (*credential.Credential, error) {
	for {
		got, err := r.wait(ctx)
		if err != nil {
			return nil, err
		}
		if fewer, ok := r.narrow(got); ok {
			if err := r.ask(fewer); err != nil {
				return nil, err
			}
			r.lead(ctx, got)
			continue
		}
		c, err := r.conclude(ctx, got)
		if got.bare && r.again(err) {
			continue
		}
		page := r.finish(ctx, c, err)
		show(ctx, r.claimed(ctx, got), page)
		return c, err
	}
}

// wait returns the answer of the browser or of a paste, whichever is first.
func (r *loginRun) wait(ctx context.Context) (answer, error) {
	paste := r.Paste
	for {
		select {
		case got := <-r.answers:
			return got, nil
		case text, open := <-paste:
			if !open && r.PasteOnly {
				return answer{}, ErrPasteEnded
			}
			if !open {
				paste = nil
				r.tell("the input has ended; the browser's answer is still waited for")
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
				r.tell("the browser could not be opened: %v", err)
			}
		case <-ctx.Done():
			return answer{}, context.Cause(ctx)
		}
	}
}

func (r *loginRun) pasted(text string) (answer, bool) {
	attempt := r.current.Load()
	got, err := readPaste(text, attempt)
	if err != nil {
		r.tell("what was pasted is not taken: %v", err)
		return answer{}, false
	}
	if got.bare && got.refusal == nil {
		return got, true // not the one answer before it has proved good: see claimed
	}
	// Lost to the browser in this very moment: its answer is on the way to wait.
	return got, attempt.answered.CompareAndSwap(false, true)
}

// claimed makes a pasted code that proved good the one answer. Where a browser has come
// with its own meanwhile, that browser gets the page.
func (r *loginRun) claimed(ctx context.Context, got answer) answer {
	if !got.bare || got.refusal != nil || r.current.Load().answered.CompareAndSwap(false, true) {
		return got
	}
	select {
	case late := <-r.answers:
		return late
	case <-ctx.Done():
		return got
	}
}

// again reports whether to go on waiting after a pasted code that the server does not know:
// it was cut short, or is another login's, and the right one can still come.
func (r *loginRun) again(err error) bool {
	var refused *TokenError
	if !errors.As(err, &refused) || refused.Code != "invalid_grant" {
		return false
	}
	r.tell("what was pasted is no code of this login (%v); paste the whole URL at which the browser ended", err)
	return true
}

// maxNarrowings is how often a request is asked anew with other scopes.
const maxNarrowings = 2

// narrow asks the caller whether to go on with fewer scopes after invalid_scope.
func (r *loginRun) narrow(got answer) (fewer scopes.Set, ok bool) {
	switch {
	case got.refusal == nil, !got.refusal.InvalidScope(), r.Narrow == nil, r.narrowed == maxNarrowings:
		return scopes.Set{}, false
	case r.narrowed > 0 && got.refusal.NamedScopes(r.current.Load().scopes.Minus(r.Scopes)).Len() == 0:
		return scopes.Set{}, false
	case got.checkIssuer(r.Server.Issuer, r.promisesIssuer()) != nil:
		return scopes.Set{}, false // conclude says so
	}
	r.narrowed++
	return r.Narrow(got.refusal)
}

func (r *loginRun) promisesIssuer() bool { return r.Server.AuthorizationResponseISSParameterSupported }

// lead takes the person on to the request that is under way now.
func (r *loginRun) lead(ctx context.Context, got answer) {
	next := r.current.Load().url
	if got.page == nil {
		r.tell("go on here: %s", next)
		return
	}
	show(ctx, got, http.RedirectHandler(next, http.StatusSeeOther))
}

// conclude turns the answer into a credential, or into the error that it stands for.
func (r *loginRun) conclude(ctx context.Context, got answer) (*credential.Credential, error) {
	if err := got.checkIssuer(r.Server.Issuer, r.promisesIssuer()); err != nil {
		return nil, err
	}
	if got.refusal != nil {
		return nil, got.refusal
	}
	return r.exchange(ctx, got.code)
}

// exchange redeems the code (RFC 6749 §4.1.3). There is no second try: a code works once.
func (r *loginRun) exchange(ctx context.Context, code string) (*credential.Credential, error) {
	attempt := r.current.Load()
	token, err := r.config.Exchange(withTokenClient(ctx, r.HTTP), code, oauth2.VerifierOption(attempt.verifier))
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, tokenError(r.Server.TokenEndpoint, err)
	}
	c, err := readToken(r.Server.TokenEndpoint, token, credential.Credential{
		Issuer: r.Server.Issuer, ClientID: r.config.ClientID, Hosts: r.Hosts,
		Asked: attempt.scopes,
		Grant: scopes.Grant{Scopes: attempt.scopes, KnownBy: scopes.Assumed}, // unless the answer says otherwise
	}, r.KindOf, r.now())
	if err != nil {
		return nil, err
	}
	if name, ok := token.Extra(r.ServerFrom).(string); ok && r.ServerFrom != "" {
		c.Server = plain(name)
	}
	if err := r.verifyIDToken(ctx, token, attempt); err != nil {
		return nil, err
	}
	return c, nil
}

// show gives the browser its page, and waits until it has got it.
func show(ctx context.Context, got answer, page http.Handler) {
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
