package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// httpClient is the one way in which this program speaks to servers: limits, proxy
// variables and --ca-file hold for every request.
func (r *run) httpClient() (*http.Client, error) {
	if r.http != nil {
		return r.http, nil
	}
	client, err := guard.NewClient(guard.Options{CAFile: r.settings.CAFile})
	if err != nil {
		return nil, fail(exitUsage, r.settings.Origin("ca_file")+": "+plain(err.Error()), "it names a PEM file with certificates")
	}
	if r.settings.Verbose || r.log != nil {
		client.Transport = &traced{next: client.Transport, tell: r.trace}
	}
	next := client.Transport
	client.Transport = transport(func(request *http.Request) (*http.Response, error) {
		r.watchSignals() // an answer under way is something to put away
		return next.RoundTrip(request)
	})
	r.http = client
	return client, nil
}

// metadataClient reads public documents; it carries no credential, and needs no trust.
func (r *run) metadataClient() (*metadata.Client, error) {
	client, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	cache := ""
	if dir := r.env.CacheDir(); dir != "" {
		cache = filepath.Join(dir, "metadata")
	}
	return &metadata.Client{HTTP: client, CacheDir: cache}, nil
}

// guarded is the client for requests that carry a credential: it sends nothing to
// a host that the user does not trust.
func (r *run) guarded(ctx context.Context, p *project) (*http.Client, error) {
	trust, err := r.trust(ctx, p)
	if err != nil {
		return nil, err
	}
	return r.guardedBy(trust)
}

func (r *run) guardedBy(trust oauth.Trust) (*http.Client, error) {
	client, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	used := transport(func(request *http.Request) (*http.Response, error) {
		r.remember([]string{provider.HostOf(request.URL.String())}) // one that the metadata names, and no file
		return client.Transport.RoundTrip(request)
	})
	return guard.ClientOn(trust.Guard(used)), nil
}

// watched is a client whose requests a person at a terminal sees, where they take long.
func (r *run) watched(client *http.Client) *http.Client {
	watched := *client
	watched.Transport = transport(func(request *http.Request) (answer *http.Response, err error) {
		err = r.voice.during("asking "+plain(request.URL.Host), func() (err error) {
			answer, err = client.Transport.RoundTrip(request)
			return err
		})
		return answer, err
	})
	return &watched
}

// transport is a function as an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// trust checks every host that the project names before any credential is read. It
// asks, where someone is there to answer, and remembers a yes.
func (r *run) trust(ctx context.Context, p *project) (oauth.Trust, error) {
	confirmed, err := r.confirmedHosts()
	if err != nil {
		return oauth.Trust{}, err
	}
	r.remember(p.hosts())
	trust := oauth.Trust{Known: confirmed}
	if trust.Check(p.hosts(), "") == nil {
		return trust, nil // the built-in hosts are not needed for that
	}
	trust.Known = append(trust.Known, builtinHosts()...)
	err = trust.Check(p.hosts(), p.manifest.File)
	var untrusted *oauth.UntrustedHostError
	if !errors.As(err, &untrusted) {
		return trust, err
	}
	r.noteUseless(p.hosts())
	if yes, interrupted := r.askTrust(ctx, untrusted); !yes {
		return oauth.Trust{}, cmp.Or(interrupted, credentialFailure(p, err))
	}
	if err := r.homeless(); err != nil {
		return oauth.Trust{}, err
	}
	if err := r.trustFile().Add(untrusted.Hosts...); err != nil {
		return oauth.Trust{}, credentialFailure(nil, err)
	}
	trust.Known = append(trust.Known, untrusted.Hosts...)
	return trust, nil
}

func (r *run) askTrust(ctx context.Context, e *oauth.UntrustedHostError) (yes bool, err error) {
	return r.ask(ctx, fmt.Sprintf("%s names hosts that you have not used before: %s\nMay they be sent your credentials?",
		plain(e.NamedBy), plain(strings.Join(e.Hosts, ", "))))
}

// hosts are all that the provider names, and those of the chosen server.
func (p *project) hosts() []string {
	own := provider.Provider{Servers: []provider.Server{p.server}}
	return scopes.NewSet(slices.Concat(p.provider().Hosts(), own.Hosts())...).Slice()
}

// confirmedHosts are those that the user said yes to, in this call or before.
func (r *run) confirmedHosts() ([]string, error) {
	named, err := r.namedHosts()
	if err != nil || r.homeless() != nil {
		return named, err // where nothing can be kept, no yes ever was
	}
	known, err := r.trustFile().Load()
	if err != nil {
		return nil, credentialFailure(nil, err)
	}
	return append(known, named...), nil
}

// namedHosts are those that the settings of this call name.
func (r *run) namedHosts() ([]string, error) {
	var named []string
	for _, text := range r.settings.TrustHost {
		host, err := oauth.ParseHost(text)
		if err != nil {
			return nil, fail(exitUsage, r.settings.Origin("trust_host")+": "+plain(err.Error()), "")
		}
		named = append(named, host)
	}
	return named, nil
}

// remember keeps the yes to those hosts in question that this call names. A slip, and a
// host that only another project wants, were no answer to any question, and are not kept.
func (r *run) remember(inQuestion []string) {
	named, err := r.namedHosts()
	yes := slices.DeleteFunc(named, func(host string) bool { return !slices.Contains(inQuestion, host) })
	if err != nil || len(yes) == 0 || r.homeless() != nil {
		return
	}
	if err := r.trustFile().Add(yes...); err != nil {
		r.voice.note("the yes to %s cannot be remembered: %s", plain(strings.Join(yes, ", ")), plain(err.Error()))
	}
}

// noteUseless tells of a host that this command line trusts and that is none of those in
// question: it was written without its port, or slipped. Other layers may name more than
// one project needs.
func (r *run) noteUseless(hosts []string) {
	if !r.settings.FromFlag("trust_host") {
		return
	}
	for _, text := range r.settings.TrustHost {
		if host, err := oauth.ParseHost(text); err == nil && !slices.Contains(hosts, host) {
			r.voice.note("--trust-host %s does not help here: the hosts are %s", plain(host), plain(strings.Join(hosts, ", ")))
		}
	}
}

func (r *run) trustFile() oauth.TrustFile {
	return oauth.TrustFile{Path: filepath.Join(r.env.ConfigDir(), "trusted-hosts")}
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

// ask puts a yes-or-no question; without a person the answer is no. The error is that
// of a person who gave none and went away.
func (r *run) ask(ctx context.Context, question string) (yes bool, err error) {
	if !r.interactive() {
		return false, nil
	}
	r.watchSignals()
	r.voice.write(r.voice.fit(question+" [y/N]") + " ")
	answer, err := r.readLine(ctx)
	if ctx.Err() != nil {
		r.voice.write("\n")
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
