package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/ports"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// confirmed are the hosts to which this user said yes, in this session or before.
type confirmed struct {
	opt *Options
	of  *Session // nil where no manifest is open
}

// policy checks hosts that someone names; whether a person may be asked depends on who. A yes
// is remembered.
func (c confirmed) policy(ctx context.Context, hosts []string, namedBy string, mayAsk bool) (trust.Policy, error) {
	known, err := c.hosts()
	if err != nil {
		return trust.Policy{}, err
	}
	c.remember(hosts)
	policy := trust.Policy{Known: known}
	if policy.Check(hosts, "") == nil {
		return policy, nil // the service need not be known for that
	}
	policy.Known = append(policy.Known, c.of.serviceHosts()...)
	err = policy.Check(hosts, namedBy)
	untrusted, ok := errors.AsType[*trust.UntrustedHostError](err)
	if !ok || !mayAsk {
		return policy, err
	}
	if err := c.ask(ctx, untrusted); err != nil {
		return trust.Policy{}, err
	}
	policy.Known = append(policy.Known, untrusted.Hosts...)
	return policy, nil
}

// ask asks the person, if someone is there, and remembers a yes; otherwise the error is untrusted.
func (c confirmed) ask(ctx context.Context, untrusted *trust.UntrustedHostError) error {
	what := "your credentials"
	if untrusted.Key != "" {
		what = "the key in " + text.Line(untrusted.Key)
	}
	question := fmt.Sprintf("%s names hosts that you have not used before: %s\nMay they be sent %s?",
		text.Line(untrusted.NamedBy), text.Line(strings.Join(untrusted.Hosts, ", ")), what)
	if yes, gone := c.opt.UI.ask(ctx, question); !yes {
		return cmp.Or(gone, error(untrusted))
	}
	if !c.opt.hasHome() {
		return ErrNoHome
	}
	return c.opt.trustFile().Add(untrusted.Hosts...)
}

// unbound are those of hosts to which no credential may go: for which it was not obtained, that are
// none of the service's, that the user did not confirm, and at which no server of this user's says
// that it is theirs ([ports.Announce]). An API key was obtained for none that a file names. A port of
// this machine is no exception: another user may listen there.
func (c confirmed) unbound(hosts, obtained []string) ([]string, error) {
	yes, err := c.hosts()
	if err != nil {
		return nil, err
	}
	service := c.of.serviceHosts()
	return slices.DeleteFunc(hosts, func(host string) bool {
		return slices.Contains(obtained, host) || slices.Contains(yes, host) || slices.Contains(service, host) || guard.IsLoopback(host) && ports.Announced(host)
	}), nil
}

// hosts are all of them.
func (c confirmed) hosts() ([]string, error) {
	named, err := c.named()
	if err != nil || !c.opt.hasHome() {
		return named, err // where nothing can be kept, no yes ever was
	}
	known, err := c.opt.trustFile().Load()
	return append(known, named...), err
}

// named are those that the options name.
func (c confirmed) named() ([]string, error) {
	var named []string
	for _, word := range c.opt.TrustHosts {
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
func (c confirmed) remember(inQuestion []string) {
	named, err := c.named()
	yes := slices.DeleteFunc(named, func(host string) bool { return !slices.Contains(inQuestion, host) })
	if err != nil || len(yes) == 0 || !c.opt.hasHome() {
		return
	}
	if err := c.opt.trustFile().Add(yes...); err != nil {
		c.opt.UI.note(fmt.Sprintf("the answer for %s cannot be saved: %s", text.Line(strings.Join(yes, ", ")), text.Line(err.Error())))
	}
}

// all reports whether the user said yes to each of these hosts.
func (c confirmed) all(hosts []string) bool {
	known, err := c.hosts()
	return err == nil && !slices.ContainsFunc(hosts, func(host string) bool { return !slices.Contains(known, host) })
}

// unconfirmed are those of hosts to which the user did not say yes.
func (c confirmed) unconfirmed(hosts []string) []string {
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return c.all([]string{host}) })
}

// keyVariables are the variables of the environment in which the provider keeps API keys. A file
// may name others than the service's own only for hosts that the user confirmed, or whose server is the
// user's own: else a cloned repository could have any secret sent to a service that is trusted with another.
func (c confirmed) keyVariables() []string {
	names := c.of.Provider().Variables()
	if c.of.Provider().File == "" {
		return names
	}
	var known []string
	if service := c.of.service(); service != nil {
		known = service.Variables()
	}
	foreign := func(name string) bool { return !slices.Contains(known, name) }
	set := func(name string) bool { _, is := c.opt.env().Lookup(name); return is && foreign(name) }
	if !slices.ContainsFunc(names, set) || len(c.strange()) == 0 { // most have none: hosts are looked at last
		return names
	}
	return slices.DeleteFunc(names, foreign)
}

// strange are the hosts of the provider to which the user did not say yes, that no --server names, and
// at which no server of this user's says that it is theirs.
func (c confirmed) strange() []string {
	named := ""
	if strings.Contains(c.opt.Server, "://") {
		named = provider.HostOf(c.opt.Server)
	}
	return slices.DeleteFunc(c.unconfirmed(c.of.hosts()), func(host string) bool {
		return host == named || guard.IsLoopback(host) && ports.Announced(host)
	})
}

// unread is what keeps the first variable that is set, and that the provider's file names, from being
// read; nil where none is.
func (c confirmed) unread() *trust.UntrustedHostError {
	read := c.keyVariables()
	for _, name := range c.of.Provider().Variables() {
		if _, set := c.opt.env().Lookup(name); set && !slices.Contains(read, name) {
			return &trust.UntrustedHostError{Hosts: c.strange(), NamedBy: c.of.Provider().File, Key: name}
		}
	}
	return nil
}

// withoutKeys is the environment without what holds a key, or the secret of a client: that is what
// a store's program and a browser's command get. Of a file that the user did not confirm, only what
// the built-in ones name is held back: the rest is not read.
func (c confirmed) withoutKeys() []string {
	names := []string{credential.KeyVariable}
	if c.of != nil {
		names = append(names, c.keyVariables()...)
		names = append(names, c.of.Provider().Client.SecretVariables()...)
	}
	return slices.DeleteFunc(slices.Clone(c.opt.env()), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name) || provider.VariableOf(name)
	})
}
