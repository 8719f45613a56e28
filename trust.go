package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	return s.trust(ctx, s.hosts(), s.manifest.File, true)
}

// trust is that for hosts that someone names; whether a person may be asked depends on who.
func (s *Session) trust(ctx context.Context, hosts []string, namedBy string, mayAsk bool) (trust.Policy, error) {
	confirmed, err := s.confirmedHosts()
	if err != nil {
		return trust.Policy{}, err
	}
	s.remember(hosts)
	policy := trust.Policy{Known: confirmed}
	if policy.Check(hosts, "") == nil {
		return policy, nil // the built-in hosts are not needed for that
	}
	policy.Known = append(policy.Known, builtinHosts()...)
	err = policy.Check(hosts, namedBy)
	untrusted, ok := errors.AsType[*trust.UntrustedHostError](err)
	if !ok || !mayAsk {
		return policy, err
	}
	question := fmt.Sprintf("%s names hosts that you have not used before: %s\nMay they be sent your credentials?",
		text.Line(untrusted.NamedBy), text.Line(strings.Join(untrusted.Hosts, ", ")))
	if yes, gone := s.opt.UI.ask(ctx, question); !yes {
		return trust.Policy{}, cmp.Or(gone, err)
	}
	if !s.opt.hasHome() {
		return trust.Policy{}, ErrNoHome
	}
	if err := s.opt.trustFile().Add(untrusted.Hosts...); err != nil {
		return trust.Policy{}, err
	}
	policy.Known = append(policy.Known, untrusted.Hosts...)
	return policy, nil
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
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	used := transport(func(request *http.Request) (*http.Response, error) {
		s.remember([]string{provider.HostOf(request.URL.String())}) // one that the metadata names, and no file
		return next.RoundTrip(request)
	})
	return guard.ClientOn(policy.Guard(used)), nil
}

// transport is a function as an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// shown is a client whose requests a person sees, where they take long.
func (s *Session) shown(client *http.Client) *http.Client {
	shown := *client
	shown.Transport = transport(func(request *http.Request) (response *http.Response, err error) {
		err = s.opt.UI.during("asking "+text.Line(request.URL.Host), func() (err error) {
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

// confirmedHosts are those that the user said yes to, in this session or before.
func (s *Session) confirmedHosts() ([]string, error) {
	named, err := s.namedHosts()
	if err != nil || !s.opt.hasHome() {
		return named, err // where nothing can be kept, no yes ever was
	}
	known, err := s.opt.trustFile().Load()
	return append(known, named...), err
}

func (s *Session) namedHosts() ([]string, error) {
	var named []string
	for _, word := range s.opt.TrustHosts {
		host, err := trust.ParseHost(word)
		if err != nil {
			return nil, err
		}
		named = append(named, host)
	}
	return named, nil
}

// remember keeps the yes to those hosts in question that the options name. A slip, and a host
// that only another manifest wants, were no answer to any question, and are not kept.
func (s *Session) remember(inQuestion []string) {
	named, err := s.namedHosts()
	yes := slices.DeleteFunc(named, func(host string) bool { return !slices.Contains(inQuestion, host) })
	if err != nil || len(yes) == 0 || !s.opt.hasHome() {
		return
	}
	if err := s.opt.trustFile().Add(yes...); err != nil {
		s.opt.UI.note(fmt.Sprintf("the answer for %s cannot be saved: %s", text.Line(strings.Join(yes, ", ")), text.Line(err.Error())))
	}
}

// allConfirmed reports whether the user said yes to each of these hosts.
func (s *Session) allConfirmed(hosts []string) bool {
	confirmed, err := s.confirmedHosts()
	return err == nil && !slices.ContainsFunc(hosts, func(host string) bool { return !slices.Contains(confirmed, host) })
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
