package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// keyFlags are the ways to hand over an API key.
type keyFlags struct {
	value string
	stdin bool
	flags *pflag.FlagSet
}

func addKeyFlags(f *pflag.FlagSet) *keyFlags {
	k := &keyFlags{flags: f}
	f.StringVar(&k.value, "api-key", "", "use this API `KEY`; other users of this machine can read it here")
	f.BoolVar(&k.stdin, "api-key-stdin", false, "read an API key from standard input")
	settings.KeyFileFlag(f)
	return k
}

// open reads the manifest and opens the session of this invocation. keys are those of the
// command; nil where it takes none.
func (r *invocation) open(keys *keyFlags) (*ambit.Session, error) {
	return r.openWith(r.keySources(keys), r.ui())
}

func (r *invocation) openWith(keys apikey.Sources, ui ambit.UI) (*ambit.Session, error) {
	m, err := r.manifest()
	if err != nil {
		return nil, err
	}
	return r.openOn(m, keys, ui)
}

// openOn opens the session on a manifest that was read.
func (r *invocation) openOn(m *manifest.Manifest, keys apikey.Sources, ui ambit.UI) (*ambit.Session, error) {
	hosts, pairs, err := r.trusted()
	if err != nil {
		return nil, failure.From(failure.ExitUsage, err, "").At(r.settings.Origin("trust_host"))
	}
	client, err := r.httpClient()
	if err != nil {
		return nil, err
	}
	s, err := ambit.New(m, ambit.Options{
		Server: r.settings.Server, Account: r.settings.Account, Folder: folderOf(m.File), Programs: r.settings.Programs, Device: r.settings.Device, UI: ui, HTTP: client, Store: r.store(), Key: keys,
		TrustHosts: hosts, SameService: pairs, Env: r.env,
	})
	if unknown, ok := errors.AsType[*manifest.UnknownProgramError](err); ok {
		return nil, failure.From(failure.ExitUsage, unknown, "the programs are the keys under programs: in "+m.File)
	}
	if e, ok := errors.AsType[*ambit.ServerError](err); ok { // of a setting: the decoder has seen to the manifest's own word
		hint := ""
		switch {
		case e.Issuer != "":
			hint = "or name a server by its issuer: --server " + text.Printable(e.Issuer)
		case e.Known != nil:
			hint = text.AllowedHint(e.Named, e.Known) + "; or an issuer's URL"
		}
		failed := failure.From(failure.ExitUsage, e, hint)
		if r.settings.Server == "" { // the provider's default
			return nil, failed
		}
		return nil, failed.At(r.settings.Origin("server"))
	}
	return s, err
}

// trusted are the hosts that --trust-host names, and the pairs of which it says that both belong to one
// service.
func (r *invocation) trusted() (hosts []string, pairs [][2]string, err error) {
	for _, word := range r.settings.TrustHost {
		pair, ok, wrong := trust.ParsePair(word)
		if ok {
			pairs = append(pairs, pair)
		} else {
			hosts = append(hosts, word)
			_, wrong = trust.ParseHost(word)
		}
		err = cmp.Or(err, wrong)
	}
	return hosts, pairs, err
}

// folderOf is the directory whose default account counts: that of the manifest where someone stands
// in it or below, else the one in which they stand; "" where nobody can tell.
func folderOf(manifest string) string {
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		return ""
	}
	its, err := filepath.EvalSymlinks(filepath.Dir(manifest))
	if err == nil {
		its, err = filepath.Abs(its)
	}
	if below, relErr := filepath.Rel(its, here); err == nil && relErr == nil && filepath.IsLocal(below) {
		return its
	}
	return here
}

// manifest reads the manifest; every mistake in it is told.
func (r *invocation) manifest() (*manifest.Manifest, error) {
	m, err := ambit.Load(r.settings.Manifest)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, ambit.ErrNoManifest):
		f := failure.From(failure.ExitUsage, err, "write one with: ambit init; or name it with --manifest")
		if e, ok := errors.AsType[*ambit.MisnamedError](err); ok {
			f.Hint = "rename it to " + ambit.ManifestName + ", or use: -f " + advice.ShellWord(e.Path)
		}
		f.Err = err
		return nil, f
	case errors.Is(err, fs.ErrNotExist) && r.settings.Manifest != "":
		return nil, failure.From(failure.ExitUsage, err, "write one with: "+failure.ForManifest(r.settings.Manifest).Command("init"))
	}
	return nil, fileFailure(err)
}

// fileFailure is what is wrong with a file that a person wrote: every mistake in it, or why
// it cannot be read.
func fileFailure(err error) error {
	mistakes, mistaken := errors.AsType[yamlfile.Mistakes](err)
	if !mistaken {
		return failure.From(failure.ExitUsage, err, "")
	}
	f := failure.New(failure.ExitUsage, text.Block(err.Error()), failure.CountOf(len(mistakes)))
	f.Err = err
	return f
}

// keySources are the places of a key that flags and settings name.
func (r *invocation) keySources(k *keyFlags) apikey.Sources {
	s := apikey.Sources{File: r.settings.APIKeyFile}
	if k == nil {
		return s
	}
	if k.flags.Changed("api-key") {
		s.Value = &k.value
	}
	if k.stdin {
		s.Stdin = r.input.Secret()
	}
	return s
}

// store is the one that --store names; nil leaves the choice to the session.
func (r *invocation) store() store.Store {
	if command, ok := strings.CutPrefix(r.settings.Store, settings.ExecStore); ok {
		return &store.Exec{Command: command}
	}
	switch r.settings.Store {
	case "memory":
		return &r.memory
	case "file":
		return ambit.FileStore(r.env)
	case "keyring":
		return store.Keyring{}
	}
	return nil
}

// ui is how a session of this invocation speaks with the person.
func (r *invocation) ui() ambit.UI {
	ui := ambit.UI{Note: func(sentence string) { r.console.Note("%s", sentence) }, Detail: r.detail, Begin: r.watchSignals, During: r.console.During}
	if r.interactive() {
		ui.Ask = r.input.Ask
	}
	return ui
}

// httpClient is the one way in which this program speaks to servers: limits, proxy variables
// and --ca-file hold for every request. It is made when the first request goes out, unless
// there is a file that may be wrong.
func (r *invocation) httpClient() (*http.Client, error) {
	if r.http != nil {
		return r.http, nil
	}
	make := sync.OnceValues(func() (*http.Client, error) { return guard.NewClient(guard.Options{CAFile: r.settings.CAFile}) })
	if r.settings.CAFile != "" {
		if _, err := make(); err != nil {
			return nil, failure.From(failure.ExitUsage, err, "it names a PEM file with certificates").At(r.settings.Origin("ca_file"))
		}
	}
	var next http.RoundTripper = transport(func(request *http.Request) (*http.Response, error) {
		client, err := make()
		if err != nil {
			return nil, err
		}
		return client.Transport.RoundTrip(request)
	})
	if r.settings.Verbose || r.log != nil {
		next = &traced{next: next, tell: r.trace}
	}
	r.http = guard.ClientOn(transport(func(request *http.Request) (*http.Response, error) {
		r.watchSignals() // a response under way is something to put away
		return next.RoundTrip(request)
	}))
	return r.http, nil
}

// transport is a function as an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// noteUseless tells of a host that this command line trusts and that is none of those that
// are in question: it was written without its port, or slipped. Other layers may name more
// than one project needs.
func (r *invocation) noteUseless(e *trust.UntrustedHostError) {
	if !r.settings.FromFlag("trust_host") {
		return
	}
	hosts, _, _ := r.trusted() // what is wrong was told
	for _, word := range hosts {
		if host, err := trust.ParseHost(word); err == nil && !slices.Contains(e.Hosts, host) {
			r.console.Note("--trust-host %s does not help here: the hosts are %s", text.Printable(host), text.Printable(strings.Join(e.Hosts, ", ")))
		}
	}
}

// blameFork says of a key that is not there that a pipeline gives a fork no secrets.
func (r *invocation) blameFork(f *view.Failure) {
	if r.env.FromFork() {
		f.Message += ": the change comes from a fork, and a pipeline gives a fork no secrets"
		f.Hint = "run this for pushes, not for changes from forks; or let a maintainer run it"
	}
}

// failure is the failure of a session, with what the settings have to do with it.
func (r *invocation) failure(s *ambit.Session, err error) error {
	untrusted, isUntrusted := errors.AsType[*trust.UntrustedHostError](err)
	if isUntrusted {
		r.noteUseless(untrusted)
	}
	if e, ok := errors.AsType[*ambit.UnknownCredentialError](err); ok {
		f := failure.Unknown(s, e, r.unattended())
		f.Err = err
		return f
	}
	if e, ok := errors.AsType[*ambit.RenewalError](err); ok {
		f := failure.NotRenewed(s, e, r.unattended())
		f.Err = err
		return f
	}
	if errors.Is(err, ambit.ErrNoCredential) {
		f := *failure.As(failure.Of(s, err))
		switch {
		case isUntrusted: // the way out is to say yes
		case r.unattended() || s.Server().NoLogin:
			f.Hint = advice.Line(failure.ToFirst(s))
			if f.Message == ambit.ErrNoCredential.Error() {
				f.Message = "no API key is set"
			}
			r.blameFork(&f)
		case r.settings.Store == "memory":
			f.Hint = r.settings.Origin("store") + " is memory, which forgets a login at the end of each command; log in with another store, or give an API key, see: ambit status --help"
		}
		return &f
	}
	f := *failure.As(failure.Of(s, err))
	if bad, ok := errors.AsType[*apikey.BadKeyError](err); ok && bad.Problem == apikey.Empty {
		r.blameFork(&f)
	}
	return &f
}
