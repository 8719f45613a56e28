package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/browser"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// deviceGrant is the grant type of RFC 8628 §3.4.
const deviceGrant = client.DeviceGrant

// ErrNoDeviceLogin says that a server's metadata names no device_authorization_endpoint.
var ErrNoDeviceLogin = errors.New("the server offers no login with a code for another device (no device_authorization_endpoint in its metadata)")

// ErrCodeExpired says that nobody entered the code while it was good. It is an [ErrLoginTimeout].
var ErrCodeExpired = fmt.Errorf("the code has expired: %w", ErrLoginTimeout)

// RunDevice is [Login.Run] for a person at another device (RFC 8628): the server gives a code, the
// person enters it there, and the server is asked for the token until they have answered. It needs
// no browser here, no listener and no redirect URI; [UI.Code] shows the code, and must be set.
// Register is called with no redirect URI.
//
// x/oauth2 has this grant too, and is not used for it: its requests carry no client secret and no
// second resource, it ends at the first trouble on the way, hears no Retry-After, and an end of its
// context can lose a token that the server is about to send.
//
// Errors: [ErrNoDeviceLogin]; [ErrCodeExpired]; those of [Login.Run] but for what concerns the
// browser.
func (l *Login) RunDevice(ctx context.Context) (*credential.Credential, error) {
	if l.Server.DeviceAuthorizationEndpoint == "" {
		return nil, ErrNoDeviceLogin
	}
	if l.Timeout > 0 {
		bounded, cancel := context.WithTimeoutCause(ctx, l.Timeout, ErrLoginTimeout)
		defer cancel()
		ctx = bounded
	}
	who, err := l.client(ctx, "")
	if err != nil {
		return nil, err
	}
	r := &loginFlow{Login: l, client: who}
	defer r.endOthers(ctx)
	asked, resources := r.Scopes, r.Resources
	for {
		r.current.Store(&attempt{scopes: asked, resources: resources})
		c, err := r.byDevice(ctx)
		if err == nil {
			r.UI.finish(ctx, c, nil)
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		refused, _ := errors.AsType[*AuthorizationError](err)
		if fewer, less, ok := r.less(authorizationResponse{refusal: refused, iss: r.Server.Issuer, hasIss: true}); ok {
			asked, resources = fewer, less
		} else if !r.another(ctx, err) {
			return nil, err
		}
	}
}

// byDevice is one code, from its request to what became of it.
func (r *loginFlow) byDevice(ctx context.Context) (*credential.Credential, error) {
	if err := r.ready(ctx); err != nil { // before a person is asked for anything
		return nil, err
	}
	given, err := r.requestCode(ctx)
	if err != nil {
		return nil, err
	}
	if r.ConsentAt != nil {
		if err := r.ConsentAt(ctx, provider.HostOf(given.shown.URL)); err != nil {
			return nil, err
		}
	}
	waiting, cancel := context.WithTimeoutCause(ctx, given.lifetime, ErrCodeExpired)
	defer cancel()
	seen := make(chan struct{})
	showing, over := context.WithCancelCause(waiting)
	go func() {
		defer close(seen)
		r.UI.Code(showing, given.shown)
	}()
	c, err := r.poll(waiting, given)
	over(browser.ErrDone)
	<-seen
	return c, err
}

// requestCode makes the device authorization request (RFC 8628 §3.1). Errors: as those of push.
func (r *loginFlow) requestCode(ctx context.Context) (*issuedCode, error) {
	now := r.current.Load()
	form := url.Values{}
	if scope := r.scopeParameter(now.scopes); scope != "" {
		form.Set("scope", scope)
	}
	more, err := r.parameters(now.scopes)
	if err != nil {
		return nil, err
	}
	for _, p := range more {
		form.Set(p.Name, p.Value)
	}
	if len(now.resources) > 0 {
		form["resource"] = now.resources
	}
	response, err := postForm(ctx, r.HTTP, r.client, r.Server.DeviceAuthorizationEndpoint, form)
	if err != nil {
		return nil, err
	}
	members, err := response.Object()
	if response.Status < 200 || response.Status > 299 || err == nil && members.Text("error") != "" { // some say so with a status of 200
		return nil, r.refusedRequest(DeviceAuthorizationEndpoint, deviceGrant, response)
	}
	unusable := &ResponseError{Endpoint: DeviceAuthorizationEndpoint, Host: response.URL.Host}
	if err != nil {
		unusable.Problem = "its response " + err.Error()
		return nil, unusable
	}
	given, problem := readIssuedCode(members, r.now())
	if problem != "" {
		unusable.Problem = problem
		return nil, unusable
	}
	return given, nil
}

// poll asks for the token until the person has answered (RFC 8628 §3.4, §3.5).
func (r *loginFlow) poll(ctx context.Context, given *issuedCode) (*credential.Credential, error) {
	p, troubled, lost := newPace(given.interval), false, false
	for {
		if err := wait(ctx, p.pause); err != nil {
			return nil, err
		}
		if err := r.ready(ctx); err != nil { // this may be the one that spends the code
			return nil, err
		}
		c, err := r.askForToken(ctx, given.device)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !p.goesOn(err, time.Now()):
			return nil, r.refusedDevice(err, lost)
		}
		lost = lost || lostOnTheWay(err)
		if _, trouble := errors.AsType[*guard.Error](err); trouble && !troubled {
			troubled = true
			r.UI.tell("%s; asking on until the code expires", text.Line(err.Error()))
		}
	}
}

// askForToken is one request for the token. Like that for a code, it is not given up half-way.
func (r *loginFlow) askForToken(ctx context.Context, device string) (*credential.Credential, error) {
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	form := url.Values{"grant_type": {deviceGrant}, "device_code": {device}}
	header := http.Header{"Content-Type": {formType}}
	for _, p := range r.furtherParameters() {
		form.Set(p.Name, p.Value)
	}
	r.client.Authenticate(header, form.Set)
	req, err := http.NewRequestWithContext(lasting, http.MethodPost, r.Server.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = header
	request := newTokenRequest(r.Server.TokenEndpoint, r.HTTP, r.Provider)
	request.resources = r.current.Load().resources
	request.secrets = []credential.Secret{credential.NewSecret(device), r.client.Secret}
	_, err = request.RoundTrip(req)
	response, err := request.result(err)
	r.came = append(r.came, request)
	if err != nil {
		return nil, err
	}
	return r.taken(lasting, request, response)
}

// furtherParameters are those of the token request that the provider's file gives.
func (r *loginFlow) furtherParameters() []provider.Parameter {
	if r.Provider == nil {
		return nil
	}
	return r.Provider.Client.Exchange
}

// refusedDevice is the end that the server made of a login: what it says of the person or of the
// request is an *[AuthorizationError], as in a browser. lost says that an earlier response was lost.
func (r *loginFlow) refusedDevice(err error, lost bool) error {
	refused, ok := errors.AsType[*ResponseError](err)
	if !ok {
		return err
	}
	refused.Device = true
	switch refused.Code {
	case "expired_token":
		return ErrCodeExpired
	case "authorization_declined": // so one says it that is older than the RFC
		return &AuthorizationError{Code: "access_denied", Description: refused.Description, URI: refused.URI, Device: true}
	case "access_denied", "invalid_scope", "invalid_target":
		return &AuthorizationError{Code: refused.Code, Description: refused.Description, URI: refused.URI, Device: true}
	case "invalid_grant":
		if lost {
			r.UI.tell("a response of the server was lost before; what it may have issued then is not kept here")
		}
	}
	return besideList(err, r.Server, deviceGrant, r.client)
}

// wait returns ctx's cause where that ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
