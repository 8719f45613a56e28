package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/browser"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// A loginFlow is one run of a [Login], after the listener is bound.
type loginFlow struct {
	*Login
	at        *loopback // nil where no browser of this machine is waited for
	client    client.Client
	current   atomic.Pointer[attempt] // read by the pages too
	responses chan authorizationResponse
	opened    chan error
	heard     chan refused // what the callback does not take
	quiet     *time.Timer  // until the person is told what is waited for
	narrowed  int
	unnamed   bool            // a request was narrowed though its refusal named no scope
	renewed   bool            // the client was unknown, and is another now
	came      []*tokenRequest // each whose response may hold tokens
}

// ask makes the next authorization request the one that is waited for. One that is pushed can be
// refused at once: it is made again as one that the browser brought back would be.
func (r *loginFlow) ask(ctx context.Context, asked scopes.Set, resources []string) error {
	for {
		if ctx.Err() != nil { // a registration went before, which is not given up half-way
			return context.Cause(ctx)
		}
		next, err := r.newAttempt(r.config(), asked, resources)
		if err != nil {
			return err
		}
		err = r.push(ctx, next)
		r.current.Store(next)
		if err == nil || ctx.Err() != nil {
			return err
		}
		refused, _ := errors.AsType[*AuthorizationError](err)
		if fewer, less, ok := r.less(authorizationResponse{refusal: refused, iss: r.Server.Issuer, hasIss: true}); ok {
			asked, resources = fewer, less
		} else if !r.another(ctx, err) {
			return err
		}
	}
}

// redirectURI is where the browser comes back to; "" where none is waited for.
func (r *loginFlow) redirectURI() string {
	if r.at == nil {
		return ""
	}
	return r.at.redirectURI()
}

// config is x/oauth2's view of the login. It is made where it is used: it holds the client's secret.
func (r *loginFlow) config() *oauth2.Config {
	return r.client.Config(r.Server.AuthorizationEndpoint, r.Server.TokenEndpoint, r.at.redirectURI())
}

// serve runs the pages around the login, and ends both.
func (r *loginFlow) serve(ctx context.Context) (*credential.Credential, error) {
	pages, over := context.WithCancelCause(ctx)
	r.responses, r.opened = make(chan authorizationResponse), make(chan error, 1)
	r.heard = make(chan refused, maxTold)
	server := servePages(r.at, &callback{
		at: r.at, current: &r.current, start: r.UI.Start, responses: r.responses, over: pages,
		tell: func(it refused) { r.heard <- it }, // there is room for all
	})
	r.quiet = time.NewTimer(cmp.Or(r.Quiet, defaultQuiet))
	defer r.quiet.Stop()
	opened := r.open(pages)
	c, err := r.converse(ctx)
	server.end(r.UI.Linger)
	r.tellLate()
	over(browser.ErrDone)
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
		if fewer, resources, ok := r.less(got); ok {
			if err := r.ask(ctx, fewer, resources); err != nil {
				return nil, err
			}
			r.lead(ctx, got)
			continue
		}
		c, err := r.conclude(ctx, got)
		if fewer, resources, ok := r.less(got.refusedLater(err)); ok {
			if err := r.ask(ctx, fewer, resources); err != nil {
				return nil, err
			}
			r.lead(ctx, r.claimed(ctx, got))
			continue
		}
		if got.pasted && r.again(err) {
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
			if got, ok := r.pasted(gather(ctx, paste, text)); ok {
				return got, nil
			}
		case it := <-r.heard:
			r.tellRefused(it)
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

// tellRefused says what the callback did not take, and what to do if that is wrong.
func (r *loginFlow) tellRefused(it refused) {
	what := it.what + it.reported
	if it.pastable && r.UI.Paste != nil {
		what += "; if it is this login's, paste its URL here"
	}
	r.UI.tell("%s (still waiting)", what)
}

// tellLate says what came while nothing was waited for any more.
func (r *loginFlow) tellLate() {
	for {
		select {
		case it := <-r.heard:
			r.UI.tell("%s", it.what+it.reported)
		default:
			return
		}
	}
}

// anew begins again with another client where the server does not know this one any more.
func (r *loginFlow) anew(ctx context.Context, err error) bool {
	return r.another(ctx, err) && r.ask(ctx, r.current.Load().scopes, r.current.Load().resources) == nil
}

// another gets another client in place of one that the server does not know any more, once.
func (r *loginFlow) another(ctx context.Context, err error) bool {
	if !refusesClient(err) || r.renewed || r.Client.ID != "" {
		return false
	}
	r.renewed = true
	other, err := r.Register(ctx, r.redirectURI(), r.client)
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

// less is what to ask for after a refusal that another request can meet: fewer scopes, or the same
// without a word of whom the token is for, which is not needed where a server does not know it.
func (r *loginFlow) less(got authorizationResponse) (fewer scopes.Set, resources []string, ok bool) {
	now := r.current.Load()
	if got.refusal == nil || got.checkIssuer(r.Server.Issuer, r.promisesIssuer()) != nil {
		return scopes.Set{}, nil, false // conclude says so
	}
	if got.refusal.Code == "invalid_target" && len(now.resources) > 0 {
		r.UI.tell("the server gives no token for %s; asking once more without naming whom it is for", text.Line(strings.Join(now.resources, ", ")))
		return now.scopes, nil, true
	}
	fewer, ok = r.narrow(got)
	return fewer, now.resources, ok
}

// maxNarrowings is how often a request is asked anew with other scopes.
const maxNarrowings = 2

// narrow asks the caller whether to go on with fewer scopes after invalid_scope.
func (r *loginFlow) narrow(got authorizationResponse) (fewer scopes.Set, ok bool) {
	switch {
	case !got.refusal.InvalidScope(), r.UI.Narrow == nil, r.narrowed == maxNarrowings:
		return scopes.Set{}, false
	case r.narrowed > 0 && !r.isNews(got.refusal):
		return scopes.Set{}, false
	}
	r.narrowed++
	r.unnamed = r.namesNothing(got.refusal)
	return r.UI.Narrow(got.refusal)
}

// isNews reports whether a second refusal can be met by another request: it names what the first
// request did not ask for, or it is the first that names nothing.
func (r *loginFlow) isNews(refusal *AuthorizationError) bool {
	added := r.current.Load().scopes.Minus(r.Scopes)
	return refusal.NamedScopes(added).Len() > 0 || !r.unnamed && r.namesNothing(refusal)
}

func (r *loginFlow) namesNothing(refusal *AuthorizationError) bool {
	return refusal.NamedScopes(r.current.Load().scopes).Len() == 0
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
		got.refusal.Listed = whatIsListed(r.Server, got.refusal.Code, "authorization_code", r.client)
		return nil, got.refusal
	}
	return r.exchange(ctx, got.code)
}

// ready is an error where what comes of a request could not be kept.
func (r *loginFlow) ready(ctx context.Context) error {
	if r.Ready == nil {
		return nil
	}
	return r.Ready(ctx)
}

// exchange redeems the code (RFC 6749 §4.1.3). There is no second try: a code works once. Whoever
// goes away meanwhile is heard after the response, or the server would give out a token that
// nobody knows of; what came and cannot be used is revoked.
func (r *loginFlow) exchange(ctx context.Context, code string) (*credential.Credential, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	attempt := r.current.Load()
	request := newTokenRequest(r.Server.TokenEndpoint, r.HTTP, r.Provider).as(r.client)
	request.telling(func(sentence string) { r.UI.tell("%s", sentence) }).resources = attempt.resources
	request.secrets = []credential.Secret{credential.NewSecret(code), credential.NewSecret(attempt.verifier)}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(attempt.verifier)}
	for _, p := range r.furtherParameters() {
		options = append(options, oauth2.SetAuthURLParam(p.Name, p.Value))
	}
	_, err := r.config().Exchange(request.within(lasting), code, options...)
	response, err := request.result(err)
	r.came = append(r.came, request)
	if err != nil {
		if _, unsaid := errors.AsType[*guard.Error](err); unsaid && lostOnTheWay(err) {
			r.UI.tell("the code was sent, and the server did not say what became of it: what it may have issued is not kept here")
		}
		return nil, cmp.Or(context.Cause(ctx), besideList(err, r.Server, "authorization_code", r.client))
	}
	return r.taken(lasting, request, response)
}

// taken is the credential in a token response, told of. What came and cannot be used is revoked.
func (r *loginFlow) taken(ctx context.Context, request *tokenRequest, response *guard.Object) (*credential.Credential, error) {
	at := momentOf(request.response, r.now())
	c, err := r.issued(ctx, response, request.kind, at)
	if err != nil {
		r.giveBack(ctx, response)
		return nil, err
	}
	if !response.Has("token_type") {
		r.UI.detail("the token response names no token_type, and is taken for Bearer")
	}
	r.tellNoIDToken(response, r.current.Load(), c.Scopes)
	tell := func(sentence string) { r.UI.tell("%s", sentence) }
	tellLeftOut(tell, "the token response", response)
	at.tell(tell, provider.HostOf(r.Server.TokenEndpoint))
	return c, nil
}

// issued is the credential in a token response, verified; kind is what the file calls it, where it does.
func (r *loginFlow) issued(ctx context.Context, response *guard.Object, kind scopes.Kind, at moment) (*credential.Credential, error) {
	attempt := r.current.Load()
	c, err := readToken(r.Server.TokenEndpoint, response, credential.Credential{
		Issuer: r.Server.Issuer, ClientID: r.client.ID, Hosts: r.Hosts,
		Asked: attempt.scopes, Resources: attempt.resources,
		Grant: scopes.Grant{Scopes: attempt.scopes, Kind: kind, KnownBy: scopes.Assumed}, // unless the response says otherwise
	}, r.Provider, at)
	if err != nil {
		return nil, err
	}
	if r.Provider != nil {
		c.Account = accountIn(response, r.Provider, c)
	}
	if name := response.Text(r.ServerFrom); name != "" {
		c.Server = text.Line(name)
	}
	claims, err := r.verifyIDToken(ctx, response, attempt, at)
	if claims != nil {
		c.Subject, c.Account = subjectIn(claims), cmp.Or(nameIn(claims), c.Account)
	}
	return c, err
}

// show gives the browser its page, and waits until it has got it.
func show(ctx context.Context, got authorizationResponse, page http.Handler) {
	if got.page == nil {
		return
	}
	got.page.show(page)
	timer := time.NewTimer(pageTimeout)
	defer timer.Stop()
	select {
	case <-got.delivered:
	case <-timer.C:
	case <-ctx.Done():
	}
}
