package ambit

import (
	"context"
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A NoDeviceError says that a server offers no login with a code for another device (RFC 8628), and
// that [Options.Device] asks for that.
type NoDeviceError struct{ Issuer string }

// Error names the server.
func (e *NoDeviceError) Error() string {
	return text.Line(e.Issuer) + " offers no login with a code for another device (no device_authorization_endpoint in its metadata)"
}

// Unwrap is [oauth.ErrNoDeviceLogin].
func (e *NoDeviceError) Unwrap() error { return oauth.ErrNoDeviceLogin }

// OffersDevice reports whether the server offers a login with a code for another device.
func (p *Plan) OffersDevice() bool { return p.Server.DeviceAuthorizationEndpoint != "" }

// byDevice reports whether a login is one with a code for another device: it was asked for, or no
// page can be shown here. Chosen so, it needs no trust in a host that a login in the browser would
// not need. The error is a *[NoDeviceError].
func (p *Plan) byDevice() (bool, error) {
	o := p.Session.opt
	switch {
	case o.UI.Code == nil:
		return false, nil
	case o.Device && !p.OffersDevice():
		return false, &NoDeviceError{Issuer: p.Session.server.Issuer}
	}
	return o.Device || o.UI.Remote != "" && p.OffersDevice() && provider.HostOf(p.Server.DeviceAuthorizationEndpoint) == provider.HostOf(p.Server.TokenEndpoint), nil
}

// run is the login, by the way that was chosen. A server that offers codes, and gives this client
// none, is asked in the browser after all, unless nothing but a code was asked for.
func (c *consent) run(ctx context.Context, login *oauth.Login) error {
	if !c.device {
		return c.inBrowser(ctx, login)
	}
	s, shown := c.session, false
	login.UI.Code = func(ctx context.Context, code oauth.DeviceCode) {
		shown = true
		s.opt.UI.Code(ctx, code)
	}
	login.ConsentAt = func(ctx context.Context, host string) error {
		if host == c.agreed {
			return nil
		}
		err := c.plan.checkParties(ctx, host, true)
		if err == nil {
			c.agreed = host
		}
		return err
	}
	_, err := login.RunDevice(ctx)
	if err == nil || shown || s.opt.Device || ctx.Err() != nil || !refusesCodes(err) {
		return err
	}
	if c.plan.Check() != nil || c.plan.checkParties(ctx, c.plan.ConsentHost(), false) != nil {
		return err
	}
	s.opt.UI.note(fmt.Sprintf("no code for another device can be had (%s): this login goes by a browser", text.Line(err.Error())))
	c.device = false
	if login.Client, err = c.who(ctx); err != nil {
		return err
	}
	login.Scopes = c.plan.Request
	return c.inBrowser(ctx, login)
}

// inBrowser is the login of a person at a browser, who may also paste where that ended.
func (c *consent) inBrowser(ctx context.Context, login *oauth.Login) error {
	if paste := c.session.opt.UI.Paste; paste != nil {
		lines, done := paste()
		defer done()
		login.UI.Paste, login.UI.PasteOnly = lines, c.session.opt.UI.PasteOnly
	}
	_, err := login.Run(ctx)
	return err
}

// refusesCodes reports whether a server gives no code that can be used, and might not refuse a login
// in the browser.
func refusesCodes(err error) bool {
	refused, ok := errors.AsType[*oauth.AuthorizationError](err)
	_, response := errors.AsType[*oauth.ResponseError](err)
	_, elsewhere := errors.AsType[*ConsentElsewhereError](err)
	return response || elsewhere || ok && !refused.InvalidScope()
}
