package ambit

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Trust checks every host that the manifest names before any credential is read. It asks,
// where someone is there to answer, and remembers a yes. The error is an *[UntrustedHostError].
func (s *Session) Trust(ctx context.Context) (trust.Policy, error) {
	return confirmed{s.opt}.policy(ctx, s.hosts(), s.manifest.File, true)
}

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
		confirmed{s.opt}.remember([]string{provider.HostOf(request.URL.String())}) // one that the metadata names, and no file
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

// builtinProviders are the built-in files as they are, whatever a manifest overrides.
var builtinProviders = sync.OnceValue(func() []*provider.Provider {
	var list []*provider.Provider
	for _, name := range provider.BuiltinNames() {
		if p, err := provider.Builtin(name); err == nil {
			list = append(list, p)
		}
	}
	return list
})

// builtinHosts are the hosts of the built-in providers. Those on this machine are
// trusted as such, not by these files.
func builtinHosts() []string {
	var hosts []string
	for _, p := range builtinProviders() {
		for _, host := range p.Hosts() {
			if !guard.IsLoopback(host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// builtinVariables are the environment variables that built-in providers name. A provider
// file may name others only for hosts of its own, which the user confirmed: else a cloned
// repository could have any secret sent to a service that is trusted with another.
func builtinVariables() []string {
	var names []string
	for _, p := range builtinProviders() {
		for _, kind := range p.Credentials {
			names = append(names, kind.Env...)
		}
	}
	return names
}

func isBuiltinHost(host string) bool {
	return !(trust.Policy{}).Allows(host) && slices.Contains(builtinHosts(), host)
}
