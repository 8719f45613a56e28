package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/trust"
)

// confirmed are the hosts to which this user said yes, in this session or before.
type confirmed struct{ opt *Options }

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
	if yes, gone := c.opt.UI.ask(ctx, question); !yes {
		return trust.Policy{}, cmp.Or(gone, err)
	}
	if !c.opt.hasHome() {
		return trust.Policy{}, ErrNoHome
	}
	if err := c.opt.trustFile().Add(untrusted.Hosts...); err != nil {
		return trust.Policy{}, err
	}
	policy.Known = append(policy.Known, untrusted.Hosts...)
	return policy, nil
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

// keyVariables are the variables of the environment in which the provider keeps API keys, as
// far as its file may name them.
func (c confirmed) keyVariables(of *Session) []string {
	var names []string
	for _, kind := range of.Provider().Credentials {
		names = append(names, kind.Env...)
	}
	if of.Provider().File == "" || c.all(of.hosts()) {
		return names
	}
	known := builtinVariables()
	return slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(known, name) })
}
