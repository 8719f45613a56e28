package cli

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

func (r *run) loginCommand() *cobra.Command {
	var keys *keyFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "ask for the declared scopes, and compare what was granted",
		Long: `login shows what will be asked, opens a browser for the consent, compares what was
granted with what is needed, and keeps the credential in the system's keyring. A
required scope that this server cannot give ends it before the browser opens.

Without a browser on this machine: --no-browser prints the URL, and takes the URL
that the browser ended at, its query, or the bare code. Without a person:
--browser 'CMD ARGS' is run with the URL, and --api-key-stdin takes an API key.

Exit codes: 0 everything required is granted; 2 wrong usage or an untrusted host;
3 a required scope is missing; 4 no credential, or consent denied; 6 the server
does not answer.`,
		Example: "  ambit login\n  ambit login --server eu --program slack\n  ambit login --no-browser",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view, error) { return r.login(ctx, keys) }),
	}
	keys = addKeyFlags(cmd.Flags())
	cmd.Flags().String("browser", "", "run `CMD` with the URL, also where nobody watches")
	cmd.Flags().Bool("no-browser", false, "print the URL, and take what the browser ended at")
	return cmd
}

func (r *run) login(ctx context.Context, keys *keyFlags) (view, error) {
	p, err := r.openProject()
	if err != nil {
		return nil, err
	}
	client, err := r.guarded(ctx, p)
	if err != nil {
		return nil, err
	}
	if h, err := r.holdKey(ctx, p, r.keySources(keys, p, true), client); !errors.Is(err, oauth.ErrNoKey) {
		return r.keepKey(ctx, p, h, err)
	}
	if err := r.someone(); err != nil {
		return nil, err
	}
	n, err := r.negotiate(ctx, p)
	if err != nil {
		return nil, err
	}
	planText := &printer{paint: r.voice.paint, width: widthOf(r.Stderr)}
	(&planView{plan: n.plan}).text(planText)
	r.voice.write(planText.String() + "\n")
	if err := n.blocked(); err != nil {
		return lacking(p, n.withheld(scopes.Required)), err
	}
	if err := n.nothingLeft(); err != nil {
		return lacking(p, n.withheld(scopes.Optional)), err
	}
	if err := r.trustEndpoints(ctx, p, n); err != nil {
		return nil, err
	}
	store, err := r.writingStore(ctx, p.keyAt(p.server))
	if err != nil {
		return nil, err
	}
	r.warnOfVariable(r.keySources(keys, p, false))
	h, err := r.consent(ctx, p, n, client, store)
	if refused, ok := is[*oauth.AuthorizationError](err); ok && refused.InvalidScope() {
		needs := n.refused(refused)
		return lacking(p, needs), n.refusal(p, refused, needs)
	}
	if err != nil {
		return nil, credentialFailure(p, err)
	}
	return r.outcome(p, h, store)
}

// trustEndpoints looks, before anybody consents, whether the places to which the
// server's metadata would have the code and the tokens sent may have them.
func (r *run) trustEndpoints(ctx context.Context, p *project, n *negotiation) error {
	trust, err := r.trust(ctx, p)
	if err != nil {
		return err
	}
	hosts := []string{provider.HostOf(n.server.TokenEndpoint)}
	if n.server.RevocationEndpoint != "" {
		hosts = append(hosts, provider.HostOf(n.server.RevocationEndpoint))
	}
	trust.Known = append(trust.Known, builtinHosts()...)
	r.remember(hosts)
	err = trust.Check(hosts, "the metadata of "+p.server.Issuer)
	if err != nil {
		r.noteUseless(append(p.hosts(), hosts...))
	}
	return credentialFailure(p, err)
}

// warnOfVariable names a key in the environment or the settings: every command would take
// that, and not the login that is about to be made.
func (r *run) warnOfVariable(s oauth.KeySources) {
	if s.File != "" {
		r.voice.note("%s names an API key, which goes before a login: take it away to use this one", r.settings.Origin("api_key_file"))
		return
	}
	for _, name := range append([]string{oauth.KeyVariable}, s.Variables...) {
		if _, set := r.env.Lookup(name); set {
			r.voice.note("%s is set, and goes before a login: unset it to use this one", name)
			return
		}
	}
}

// someone refuses at once to wait for a person who is not there.
func (r *run) someone() error {
	if r.settings.Browser != "" {
		if err := (oauth.Browser{Command: r.settings.Browser}).Check(); err != nil {
			return &failure{Code: exitUsage, Message: plain(err.Error()), Hint: "--browser 'CMD ARGS' is run with the URL as its last argument", Err: err}
		}
		return nil
	}
	if r.visit != nil || r.interactive() {
		return nil
	}
	if r.settings.NoBrowser && !r.settings.NoInput && !r.env.InCI() {
		return nil
	}
	return fail(exitNoCredential, "nobody is here to log in: "+r.whyNobody(),
		"give an API key with --api-key-stdin, or run a browser of your own with --browser CMD")
}

func (r *run) whyNobody() string {
	switch {
	case r.unasking != "":
		return r.unasking
	case r.settings.NoInput:
		return "--no-input was given"
	case r.env.InCI():
		return "CI is set"
	}
	return "this is no terminal"
}

// keepKey compares and keeps an API key that was handed over to login.
func (r *run) keepKey(ctx context.Context, p *project, h *held, err error) (view, error) {
	if err != nil {
		return nil, credentialFailure(p, err)
	}
	// Under the key of the server that was asked for, where commands look first.
	store, err := r.writingStore(ctx, p.keyAt(p.server))
	if err != nil {
		return nil, err
	}
	if err := r.keep(ctx, p, h, store); err != nil {
		return nil, credentialFailure(p, err)
	}
	return r.outcome(p, h, store)
}

// outcome shows what a credential that was just kept holds.
func (r *run) outcome(p *project, h *held, store store.Store) (view, error) {
	h.credential.Source = store.Name()
	v := r.compare(p, h)
	v.brief = h.kind.Create == "" // a login showed the needs before it asked
	return v, missingFailure(missingLines(v.gap, scopes.Required))
}

// compare holds what a credential holds against the needs.
func (r *run) compare(p *project, h *held) grantView {
	gap := scopes.Compare(p.needs, h.credential.Grant, p.provider().Implies)
	return grantView{
		name: p.manifest.Name, needs: p.needs, implies: p.provider().Implies, grant: h.credential.Grant, gap: gap,
		label: h.label(), server: h.server.Name, next: r.nextSteps(p, h, gap), now: time.Now(),
		renews: !h.credential.Refresh.Empty(),
	}
}

// label is what people call the credential: a server that nobody described has no words
// for its tokens.
func (h *held) label() string {
	if h.kind.Kind == scopes.UnknownKind && h.credential.Kind == scopes.OAuthToken {
		return "an OAuth access token"
	}
	return cmp.Or(h.kind.Label, "a credential")
}

// consent runs the login in a browser, settles what came of it, and keeps it before the
// browser's last page says so.
func (r *run) consent(ctx context.Context, p *project, n *negotiation, client *http.Client, store store.Store) (*held, error) {
	clientID := p.provider().Client.IDFor(p.server.Name)
	if clientID == "" && n.server.RegistrationEndpoint == "" {
		return nil, fail(exitUsage, "no client id is known for "+plain(p.server.Issuer)+", and it offers no registration",
			"provider: {use: "+p.provider().Name+", client: {id: YOUR-CLIENT-ID}}")
	}
	r.watchSignals() // a listener waits, though no request may have gone out yet
	var h *held
	var unkept error
	pages := &pages{project: p}
	pages.asking(n.plan)
	login := &oauth.Login{
		HTTP: r.watched(client), Server: n.server, ClientID: clientID, Redirect: redirectOf(p.provider()), Authorize: p.provider().Client.Authorize,
		Scopes: n.plan.Request, Hosts: p.hosts(), KindOf: p.provider().KindOf, ServerFrom: p.provider().ServerFrom,
		Tell:  r.voice.say,
		Start: pages.start,
		Open:  r.opener(),
		Finish: func(ctx context.Context, c *credential.Credential, err error) http.Handler {
			if refused, ok := is[*oauth.AuthorizationError](err); ok && refused.InvalidScope() {
				err = n.refusal(p, refused, n.refused(refused))
			}
			if err != nil {
				return pages.failed(err)
			}
			h = r.settle(ctx, p, c, client)
			h.plan = &n.plan
			if unkept = r.keep(ctx, p, h, store); unkept != nil {
				return pages.failed(unkept)
			}
			return pages.finished(r.compare(p, h))
		},
		Narrow: func(e *oauth.AuthorizationError) (scopes.Set, bool) {
			fewer, ok := r.narrow(n, e)
			pages.asking(n.plan)
			return fewer, ok
		},
	}
	if clientID == "" {
		registration := &oauth.Registration{HTTP: r.watched(client), Endpoint: n.server.RegistrationEndpoint, Name: p.manifest.Name, Scopes: n.plan.Request}
		login.Register = func(ctx context.Context, uri string) (string, error) { return registration.Register(ctx, uri) }
	}
	if r.settings.NoBrowser || r.interactive() {
		login.Paste, login.PasteOnly = r.lines(), !isTerminal(r.Stdin)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	login.Open = r.openOrEnd(login.Open, cancel)
	if _, err := login.Run(ctx); err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	return h, unkept
}

// openOrEnd ends the login where the page cannot be shown and nobody is there to
// open it by hand: the wait would be for nothing.
func (r *run) openOrEnd(open opener, end context.CancelCauseFunc) opener {
	return func(ctx context.Context, startURL, authorizationURL string) error {
		err := open(ctx, startURL, authorizationURL)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case r.interactive():
			r.voice.say("the browser could not be opened: %s", plain(err.Error()))
			r.voice.say("open this URL yourself, and paste here where the browser ended if that page does not load:\n\n%s\n", authorizationURL)
			return nil
		}
		end(&failure{Code: exitUsage, Message: "the browser cannot be run: " + plain(err.Error()), Hint: "see --browser and --no-browser", Err: err})
		return err
	}
}

// An opener shows the login to the person.
type opener func(ctx context.Context, startURL, authorizationURL string) error

// redirectOf is the provider's registered redirect; a provider that registers none
// gets the loopback redirect of RFC 8252 §7.3.
func redirectOf(p *provider.Provider) provider.Redirect {
	if p.Client.Redirect.Host == "" {
		return provider.Redirect{Host: "127.0.0.1", Path: "/callback"}
	}
	return p.Client.Redirect
}

// settle finds out what a fresh token holds: from the token answer, else by asking.
func (r *run) settle(ctx context.Context, p *project, c *credential.Credential, client *http.Client) *held {
	h := &held{credential: c, server: p.goodFor(c, p.server), kind: p.provider().KindOf(c.Access.Reveal()), client: client}
	c.Server = h.server.Name
	if c.KnownBy != scopes.Assumed || !h.kind.Inspect.Possible() {
		return h
	}
	inspector, err := r.inspector(p, h.server, r.watched(client))
	if err != nil {
		return h
	}
	inspected, err := inspector.Inspect(ctx, c)
	if err != nil {
		r.voice.note("the server did not say what it granted, and asking it failed: %s", inOneLine(err))
		return h
	}
	h.credential = inspected
	return h
}

// opener shows the login to the person: by the command that was named, by BROWSER
// on a terminal, else by the system's browser; or not at all.
func (r *run) opener() opener {
	command := r.settings.Browser
	if command == "" && r.interactive() {
		command = r.env.Get("BROWSER")
	}
	browser := oauth.Browser{Command: command, Output: r.Stderr}
	return func(ctx context.Context, startURL, authorizationURL string) error {
		switch {
		case r.settings.NoBrowser:
			r.voice.say("open this URL in a browser, on whichever machine:\n\n%s\n\nThen come back here. If the browser ends at a page that does not load, paste its URL, or the code that the server shows:", authorizationURL)
			return nil
		case r.visit != nil:
			return r.visit(ctx, authorizationURL)
		case command != "":
			r.voice.say("opening the login with %s", plain(strings.Fields(command)[0]))
			return browser.Open(ctx, authorizationURL)
		}
		r.voice.say("opening your browser; if none appears, visit %s", startURL)
		return browser.Open(ctx, startURL)
	}
}
