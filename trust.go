package ambit

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Trust checks every host that the manifest names before any credential is read. It asks,
// where someone is there to answer, and remembers a yes. The error is an *[UntrustedHostError].
func (s *Session) Trust(ctx context.Context) (trust.Policy, error) {
	return confirmed{s.opt, s}.policy(ctx, s.hosts(), s.namesHosts(), true)
}

// namesHosts is the file that names the hosts: the provider's own, else the manifest.
func (s *Session) namesHosts() string { return cmp.Or(s.Provider().File, s.manifest.File) }

// guarded is the client for requests that carry a credential: it sends nothing to a host that
// the user does not trust.
func (s *Session) guarded(ctx context.Context) (*http.Client, error) {
	policy, err := s.Trust(ctx)
	if err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	next := guard.TransportOf(client)
	used := transport(func(request *http.Request) (*http.Response, error) {
		confirmed{s.opt, s}.remember([]string{provider.HostOf(request.URL.String())}) // one that the metadata names, and no file
		return next.RoundTrip(request)
	})
	return guard.ClientOn(policy.Guard(used)), nil
}

// transport is a function as an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// shown is a client whose requests a person sees, where they take long.
func shown(client *http.Client, ui *UI) *http.Client {
	shown := *client
	shown.Transport = transport(func(request *http.Request) (response *http.Response, err error) {
		err = ui.during("asking "+text.Line(request.URL.Host), func() (err error) {
			response, err = client.Transport.RoundTrip(request)
			return err
		})
		return response, err
	})
	return &shown
}

// hosts are all that the provider names, and those of the chosen server.
func (s *Session) hosts() []string {
	own := provider.Provider{Servers: []provider.Server{s.server}}
	return scopes.NewSet(slices.Concat(s.Provider().Hosts(), own.Hosts())...).Slice()
}

// bindKey sees to it that an API key may go to each host to which it could: those of the server at which
// it is asked about, and of others that are asked too. It asks, where someone is there to answer; the
// error is an *[UntrustedHostError].
func (s *Session) bindKey(ctx context.Context) error {
	p, at := s.Provider(), s.KeyServer()
	goes := provider.Provider{Servers: []provider.Server{at}, Credentials: p.Credentials}
	for _, other := range p.Servers {
		if other.AskOn401 {
			goes.Servers = append(goes.Servers, other)
		}
	}
	var named []string // by the user's own word
	switch {
	case strings.Contains(s.opt.Server, "://"):
		named = []string{provider.HostOf(s.opt.Server)}
	case p.File == "" && (s.Named() || at.Name != s.manifest.Server):
		named = (&provider.Provider{Servers: []provider.Server{at}}).Hosts()
	}
	c := confirmed{s.opt, s}
	unbound, err := c.unbound(goes.Hosts(), named)
	if err != nil || len(unbound) == 0 {
		return err
	}
	return c.ask(ctx, &trust.UntrustedHostError{Hosts: unbound, NamedBy: s.namesHosts()})
}

// Names reports whether the manifest's provider names the host of a URL: whether a credential for
// it may be there at all. Nothing is read for that.
func (s *Session) Names(url string) bool { return standsAmong(s.hosts(), url) }

// Hosts are those to which the credential may be sent: of the server for which it is good.
func (h *Held) Hosts() []string {
	return (&provider.Provider{Servers: []provider.Server{h.Server}}).Hosts()
}

// MayGoTo reports whether the credential may be sent to a URL: to one of its hosts, and not in the
// clear over a network.
func (h *Held) MayGoTo(url string) bool { return standsAmong(h.Hosts(), url) }

func standsAmong(hosts []string, url string) bool {
	return guard.CheckURL(url) == nil && slices.Contains(hosts, provider.HostOf(url))
}

// service is the built-in file of the service that the session is at, as it is, whatever a manifest
// overrides; nil where there is none. What ambit knows of one service says nothing of another: a host
// of the one may be sent no key of the other, and many services have pages that anybody may fill. The
// issuer tells the service, whatever file a manifest begins with.
func (s *Session) service() *provider.Provider {
	issuer := provider.HostOf(s.server.Issuer)
	var used *provider.Provider
	if name := s.Provider().Service; name != "" {
		used, _ = provider.Builtin(name)
	}
	if used != nil && slices.Contains(used.Hosts(), issuer) || guard.IsLoopback(issuer) {
		return used // no other file says anything of a server on this machine
	}
	return cmp.Or(provider.BuiltinAt(issuer), used)
}

// serviceHosts are the hosts of that service; none where another file says how a credential is asked, nor those
// of which it says to which paths one goes there: somebody else may read what comes to them. Those on this
// machine are trusted as such, not by this file.
func (s *Session) serviceHosts() []string {
	p := s.service()
	if p == nil || s.Provider().OwnWays {
		return nil
	}
	return slices.DeleteFunc(p.Hosts(), func(host string) bool {
		return guard.IsLoopback(host) || slices.Contains(s.Provider().OwnHosts, host)
	})
}

// oneService reports whether both hosts are of that service.
func (s *Session) oneService(one, other string) bool {
	hosts := s.serviceHosts()
	return slices.Contains(hosts, one) && slices.Contains(hosts, other)
}

// trustEndpoints looks, before anybody consents, whether the place to which the server's
// metadata would have the code sent may have it. One at which a login is revoked is not needed for
// that: what will not be sent there is said.
func (p *Plan) trustEndpoints(ctx context.Context, device bool) error {
	if _, err := p.Session.Trust(ctx); err != nil {
		return err
	}
	named := "the metadata of " + p.Session.server.Issuer
	if at := p.Server.RevocationEndpoint; at != "" {
		if _, err := (confirmed{p.Session.opt, p.Session}).policy(ctx, []string{provider.HostOf(at)}, named, false); err != nil {
			p.Session.opt.UI.note("a logout will not revoke this login at its server: " + text.Line(err.Error()))
		}
	}
	hosts := []string{provider.HostOf(p.Server.TokenEndpoint)}
	if device {
		hosts = append(hosts, provider.HostOf(p.Server.DeviceAuthorizationEndpoint))
	}
	if pushed := p.Server.PushedAuthorizationRequestEndpoint; pushed != "" && !device && (p.Server.RequirePushedAuthorizationRequests || p.Session.Provider().Client.Push) {
		hosts = append(hosts, provider.HostOf(pushed))
	}
	if _, err := (confirmed{p.Session.opt, p.Session}).policy(ctx, hosts, named, false); err != nil {
		return err
	}
	if device {
		return nil // the page is named with the code
	}
	return p.checkParties(ctx, p.ConsentHost(), false)
}

// ConsentHost is the host of the page on which the person consents, in the form of
// [provider.HostOf]; "" for a client that gets a token for itself.
func (p *Plan) ConsentHost() string {
	if p.Session.Provider().Client.Own {
		return ""
	}
	return provider.HostOf(p.Server.AuthorizationEndpoint)
}

// checkParties defends against a mix-up of two servers (RFC 9700 §4.4): metadata, or a provider's
// file, that names the page of another party, or another party's token endpoint, so that what is
// agreed to at the one ends up at the other. A person
// has to say that both belong together, at the terminal or before ([Options.SameService]; that both may
// be sent a credential does not say it): iss (RFC 9207) does not tell, for a code that is pasted comes
// without it.
func (p *Plan) checkParties(ctx context.Context, page string, device bool) error {
	e := p.elsewhere(page, device)
	if e == nil {
		return nil
	}
	yes, gone := p.Session.opt.UI.ask(ctx, text.Line(e.Error())+"\nDo "+text.Line(e.Other())+" and "+text.Line(page)+" belong to the same service?")
	if !yes {
		return cmp.Or[error](gone, e)
	}
	return nil
}

// Elsewhere is the question of a login in the browser whether two hosts belong to the same service: nil
// where there is none, or it was answered before.
func (p *Plan) Elsewhere() *ConsentElsewhereError { return p.elsewhere(p.ConsentHost(), false) }

func (p *Plan) elsewhere(page string, device bool) *ConsentElsewhereError {
	at := p.Session.server
	issuer, token := provider.HostOf(at.Issuer), provider.HostOf(p.Server.TokenEndpoint)
	e := &ConsentElsewhereError{Consent: page, Issuer: issuer, Token: token, Device: device}
	named := "authorization_endpoint"
	if device {
		named = "device_authorization_endpoint"
	}
	switch known := p.Session.Provider(); {
	case !at.Gives(named) && !trust.SameParty(issuer, page):
	case trust.SameParty(page, token), p.Session.oneService(page, token):
		return nil
	case at.Gives(named) || at.Gives("token_endpoint"):
		e.File = known.File
	}
	other := e.Other()
	if same := p.Session.opt.SameService; slices.Contains(same, [2]string{other, page}) || slices.Contains(same, [2]string{page, other}) {
		return nil
	}
	return e
}
