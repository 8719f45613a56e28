package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// keyFlags are the ways to hand over an API key.
type keyFlags struct {
	value string
	stdin bool
	flags *pflag.FlagSet
}

func addKeyFlags(f *pflag.FlagSet) *keyFlags {
	k := &keyFlags{flags: f}
	f.StringVar(&k.value, "api-key", "", "use this API key; other users of this machine can read it here")
	f.BoolVar(&k.stdin, "api-key-stdin", false, "read an API key from standard input")
	f.String("api-key-file", "", "read an API key from this `FILE`")
	return k
}

// keySources are the places of a key in the contract's order; onlyFlags leaves the
// environment and the user's config.yaml out.
func (r *run) keySources(k *keyFlags, p *project, onlyFlags bool) oauth.KeySources {
	s := oauth.KeySources{File: r.settings.APIKeyFile, Lookup: r.env.Lookup}
	if onlyFlags {
		s.Lookup = func(string) (string, bool) { return "", false }
		if !k.flags.Changed("api-key-file") {
			s.File = ""
		}
	}
	if k.flags.Changed("api-key") {
		s.Value = &k.value
	}
	if k.stdin {
		s.Stdin = r.keyInput()
	}
	for _, kind := range p.provider().Credentials {
		s.Variables = append(s.Variables, kind.Env...)
	}
	if p.provider().File != "" && !r.allConfirmed(p.hosts()) {
		known := builtinVariables()
		s.Variables = slices.DeleteFunc(s.Variables, func(name string) bool { return !slices.Contains(known, name) })
	}
	return s
}

// builtinVariables are the environment variables that built-in providers name. A
// provider file may name others only for hosts of its own, which the user confirmed:
// else a cloned repository could have any secret sent to a service that is trusted
// with another.
func builtinVariables() []string {
	var names []string
	for _, p := range builtinProviders() {
		for _, kind := range p.Credentials {
			names = append(names, kind.Env...)
		}
	}
	return names
}

// allConfirmed reports whether the user said yes to each of these hosts.
func (r *run) allConfirmed(hosts []string) bool {
	confirmed, err := r.confirmedHosts()
	return err == nil && !slices.ContainsFunc(hosts, func(host string) bool { return !slices.Contains(confirmed, host) })
}

func isBuiltinHost(host string) bool {
	return !(oauth.Trust{}).Allows(host) && slices.Contains(builtinHosts(), host)
}

// A held credential is the one that a command uses, and where it stands.
type held struct {
	credential *credential.Credential
	server     provider.Server
	kind       provider.CredentialKind
	stored     *stored      // nil for an API key that was handed over
	plan       *scopes.Plan // what was asked for; nil where this run did not log in
	client     *http.Client // guarded
}

// hold finds the credential that would be used: an API key, else the store. Trust
// comes before either is read.
func (r *run) hold(ctx context.Context, p *project, k *keyFlags) (*held, error) {
	client, err := r.guarded(ctx, p)
	if err != nil {
		return nil, err
	}
	h, err := r.holdKey(ctx, p, r.keySources(k, p, false), client)
	if err == nil || !isNoKey(err) {
		return h, credentialFailure(p, err)
	}
	s, err := r.findBound(ctx, p)
	if err != nil {
		return nil, credentialFailure(p, err)
	}
	return p.holdStored(s, client), nil
}

// holdStored is the credential of a login.
func (p *project) holdStored(s *stored, client *http.Client) *held {
	s.credential.Source = s.store.Name()
	return &held{credential: s.credential, server: s.server, kind: p.provider().KindOf(s.credential.Access.Reveal()), stored: s, client: client}
}

func isNoKey(err error) bool { return errors.Is(err, oauth.ErrNoKey) }

// findBound is find for a login that is about to be sent somewhere.
func (r *run) findBound(ctx context.Context, p *project) (*stored, error) {
	s, err := r.find(ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.notStored(ctx, p, err)
	}
	if err != nil {
		return nil, err
	}
	return s, r.bound(s, p)
}

// notStored is the failure of a project without a login. One for another server is named:
// who has just logged in there does not see why that is none.
func (r *run) notStored(ctx context.Context, p *project, err error) error {
	f := *asFailure(credentialFailure(p, err))
	f.Hint, f.Err = "log in with: "+loginAgain(p), err
	if r.settings.Store == "memory" {
		f.Hint = r.settings.Origin("store") + ": memory keeps nothing after a command; log in with another store, or give an API key, see: ambit status --help"
		return &f
	}
	anywhere := *p
	anywhere.chosen = false
	if other, err := r.find(ctx, &anywhere); err == nil && p.chosen {
		f.Message = fmt.Sprintf("no credential is stored for server %s, only one for %s", plain(p.server.Name), plain(other.server.Name))
		f.Hint += "; or use that one: --server " + shellWord(other.server.Name)
	}
	return &f
}

// bound holds a stored credential to the hosts that it was obtained for, those of
// the built-in providers and those that the user confirmed: a manifest of the same
// name may not lead it elsewhere, not even to another port of this machine.
func (r *run) bound(s *stored, p *project) error {
	confirmed, err := r.confirmedHosts()
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(p.hosts(), func(host string) bool {
		return slices.Contains(s.credential.Hosts, host) || slices.Contains(confirmed, host) || isBuiltinHost(host)
	})
	if len(others) == 0 {
		return nil
	}
	return fail(exitUsage, fmt.Sprintf("%s names %s, for which the stored login was not obtained", plain(p.manifest.File), plain(strings.Join(others, ", "))),
		"to use them, log in again: "+loginAgain(p))
}

// holdKey finds an API key and asks what it holds; [oauth.ErrNoKey] where there is none.
func (r *run) holdKey(ctx context.Context, p *project, sources oauth.KeySources, client *http.Client) (*held, error) {
	found, err := oauth.FindKey(sources)
	if err != nil {
		return nil, err
	}
	r.remarkOn(found)
	h := &held{credential: found.Credential(p.provider()), server: p.withAPI(), client: client}
	h.kind = p.provider().KindOf(found.Secret.Reveal())
	r.warnOfKind(h.kind, p.provider())
	if err := p.cannotServe(h); err != nil && !r.lenient {
		return nil, err
	}
	if r.lenient && !h.kind.Inspect.Possible() {
		return h, nil // nobody can be asked; a refusal will tell
	}
	return h, r.voice.during("asking what the key holds", func() error { return r.inspect(ctx, p, h) })
}

// cannotServe is the failure of a kind of key that can never call a base on which a
// required scope is used: there is nothing to ask anyone.
func (p *project) cannotServe(h *held) error {
	for _, e := range p.needs {
		for _, u := range e.UsedBy {
			if e.Level == scopes.Required && u.Tool == "" && !h.kind.Serves(u.Base) {
				f := fail(exitNoCredential, fmt.Sprintf("the key from %s is %s: it can never call %s, for which %s needs %s",
					plain(h.credential.Source), h.kind.Label, u, plain(p.manifest.Name), e.Name()), diagnosis.UseKey(p.provider(), h.server))
				f.Verdict = &verdict{Cause: diagnosis.CauseWrongCredentialKind, Confidence: diagnosis.ConfidenceProved}
				return f
			}
		}
	}
	return nil
}

// inspect asks the server what a credential holds. One that it does not know is
// looked for on those other servers that the provider's file marks for that.
func (r *run) inspect(ctx context.Context, p *project, h *held) error {
	inspector, err := r.inspector(p, h.server, h.client)
	if err != nil {
		return err
	}
	source := h.credential.Source
	inquiry := inspector.Inquire(ctx, h.credential)
	own, _ := inquiry.At(h.server.Name)
	switch own.Standing {
	case credential.StandingKnown:
		h.credential = h.credential.Holding(own.Grant)
		return nil
	case credential.StandingNotKnown:
		return r.notAccepted(p, h, own.Err, inquiry)
	case credential.StandingNotAsked:
		if h.kind.Kind == scopes.ProjectKey || h.kind.Kind == scopes.ProjectSecretKey {
			f := fail(exitNoCredential, fmt.Sprintf("the key from %s is %s: nobody can say what it holds", plain(source), h.kind.Label), diagnosis.UseKey(p.provider(), h.server))
			f.Err, f.Verdict = own.Err, &verdict{Cause: diagnosis.CauseWrongCredentialKind, Confidence: diagnosis.ConfidenceLikely}
			return f
		}
	}
	return own.Err
}

// notAccepted is the failure of a credential that its server does not know, by what the
// other servers said that were asked.
func (r *run) notAccepted(p *project, h *held, err error, inquiry credential.Inquiry) error {
	f := asFailure(credentialFailure(p, err))
	f.Err = err
	v := diagnosis.Refused(diagnosis.Case{
		Provider: p.provider(), Server: h.server, Kind: h.kind, Grant: h.credential.Grant, Inquiry: inquiry, Login: loginAgain(p),
	})
	f.Verdict, f.diagnosis = &verdict{Cause: v.Cause, Confidence: v.Confidence}, &v
	others, silent := inquiry[1:].Servers(credential.StandingNotKnown), inquiry.Of(credential.StandingNoAnswer)
	switch known := inquiry.Servers(credential.StandingKnown); {
	case len(known) > 0:
		f.Message = fmt.Sprintf("the key from %s is unknown at server %s, and known at server %s", plain(h.credential.Source), h.server.Name, known[0])
		f.Hint = "--server " + known[0]
	case len(others)+len(silent) > 0:
		f.Hint = "it is unknown, expired or revoked there" + alsoAsked(others, silent)
	}
	return f
}

// alsoAsked says what came of asking other servers.
func alsoAsked(denied []string, silent []credential.Outcome) string {
	var text string
	if len(denied) > 0 {
		text = ", and unknown at " + strings.Join(denied, ", ")
	}
	for _, o := range silent {
		text += fmt.Sprintf("; server %s did not answer (%s): if it belongs there, ask again with --server %s", o.Server, plain(firstLine(o.Err.Error())), o.Server)
	}
	return text
}

// remarkOn tells what was forgiven in a key, and that one was in plain sight.
func (r *run) remarkOn(found oauth.FoundKey) {
	for _, note := range found.Notes {
		r.voice.note("%s: %s", plain(found.Source), plain(note))
	}
	if found.Exposed {
		r.voice.note("other users of this machine can read a key on the command line; --api-key-stdin, --api-key-file and AMBIT_API_KEY are not seen")
	}
}

// warnOfKind says what a key is that is not of the kind that is meant for programs.
func (r *run) warnOfKind(kind provider.CredentialKind, p *provider.Provider) {
	if len(kind.Env) > 0 {
		return
	}
	for _, expected := range p.Credentials {
		if len(expected.Env) > 0 {
			r.voice.note("this is %s; expected is %s (%s…)", kind.Label, expected.Label, expected.Prefix)
			return
		}
	}
}

func (r *run) inspector(p *project, server provider.Server, client *http.Client) (*oauth.Inspector, error) {
	documents, err := r.metadataClient()
	if err != nil {
		return nil, err
	}
	return &oauth.Inspector{
		HTTP: client, Provider: p.provider(), Server: server,
		Metadata: func(ctx context.Context, s provider.Server) (*metadata.AuthorizationServer, error) {
			return documents.AuthorizationServer(ctx, s.Issuer)
		},
	}, nil
}

// renewer keeps the stored credential alive.
func (r *run) renewer(p *project, s *stored, client *http.Client) (*oauth.Renewer, error) {
	documents, err := r.metadataClient()
	if err != nil {
		return nil, err
	}
	return &oauth.Renewer{
		Store: s.store, Key: s.key, HTTP: client, LockDir: r.lockDir(), KindOf: p.provider().KindOf,
		Server: func(ctx context.Context) (*metadata.AuthorizationServer, error) {
			return documents.AuthorizationServer(ctx, s.issuer.Issuer)
		},
	}, nil
}

// lifetime words how long a credential lives on.
func lifetime(until, now time.Time) string {
	exactly := until.Sub(now)
	left := exactly.Round(time.Minute)
	switch {
	case until.IsZero():
		return "no end is known"
	case !now.Before(until):
		return "expired " + now.Sub(until).Round(time.Second).String() + " ago"
	case left >= 48*time.Hour:
		return fmt.Sprintf("good for %d days", int(left.Hours())/24)
	case left >= 2*time.Hour:
		return fmt.Sprintf("good for %d hours", int(left.Hours()))
	}
	if exactly < time.Minute {
		return "good for " + count(max(1, int(exactly.Round(time.Second).Seconds())), "second")
	}
	return "good for " + count(int(left.Minutes()), "minute")
}
