package ambit

import (
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
)

// Options say how a session works. The zero value is safe: the manifest's own server, nobody
// to ask, the system's stores, and no host but those of the built-in providers and those that
// this user confirmed before.
type Options struct {
	// Server is the provider's server, by name or issuer URL; "" is the manifest's choice, or
	// else the provider's default.
	Server string
	// Account names one of several logins, for [Session.Login] and all that uses a login: the name
	// under which it is kept, or the account as its server calls it. "" is the default of Folder,
	// else the login without a name, else the only one.
	Account string
	// Folder is the directory in which the person is: the last login made in it with a name is its
	// default, and that of the directories below it. "" is none.
	Folder string
	// Programs are the sets of features in use, besides the base.
	Programs []string

	// Device has a login go by a code for another device ([UI.Code]), and by nothing else.
	Device bool

	// UI speaks with the person. The zero value: nobody is there.
	UI UI
	// HTTP sends every request. nil: a client with bounds on time and size, that follows few
	// redirects and honors the proxy variables.
	HTTP *http.Client
	// Store keeps the login. nil: it is looked for in the file store and the system's keyring,
	// and kept in the keyring; in a file only after a yes.
	Store store.Store
	// Key are further places of an API key, which go before the environment: a value, a
	// stream, a file. Its Lookup and Variables are filled in by the session.
	Key apikey.Sources
	// TrustHosts are hosts that this user trusts with a credential from now on, in the form of
	// [trust.ParseHost]. No file of a repository may fill this.
	TrustHosts []string
	// SameService are pairs of hosts, in the form of [trust.ParsePair], of which this user says that both
	// belong to one service: a code for what is agreed to at one may go to the other. No file of a
	// repository may fill this either.
	SameService [][2]string

	// Env is the environment, KEY=value; nil is the process's own. It holds API keys, and says
	// where state, configuration and cache lie.
	Env []string
	// Now is the clock; nil means [time.Now].
	Now func() time.Time
}

func (o *Options) env() settings.Environment {
	if o.Env == nil {
		return os.Environ()
	}
	return o.Env
}

func (o *Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// someone reports whether anybody is there to log in.
func (o *Options) someone() bool {
	return o.UI.Open != nil || o.UI.Ask != nil || o.UI.Code != nil && o.Device
}

// hasHome reports whether the environment names directories in which something can be kept.
func (o *Options) hasHome() bool { return o.env().StateDir() != "" && o.env().ConfigDir() != "" }

// lockDir is where this machine keeps locks; "" where there is no place for them.
func (o *Options) lockDir() string {
	if dir := o.env().StateDir(); dir != "" {
		return filepath.Join(dir, "locks")
	}
	return ""
}

func (o *Options) credentialsDir() string { return filepath.Join(o.env().StateDir(), "credentials") }

// loginsDir and foldersDir are "" where there is no place for them: a program of the user's keeps
// logins without one.
func (o *Options) loginsDir() string  { return o.inState("logins") }
func (o *Options) foldersDir() string { return o.inState("folders") }

func (o *Options) inState(name string) string {
	if dir := o.env().StateDir(); dir != "" {
		return filepath.Join(dir, name)
	}
	return ""
}

func (o *Options) trustFile() trust.File {
	return trust.File{Path: filepath.Join(o.env().ConfigDir(), "trusted-hosts")}
}

// cacheDir is where metadata documents are kept; "" where there is no place for them.
func (o *Options) cacheDir() string {
	if dir := o.env().CacheDir(); dir != "" {
		return filepath.Join(dir, "metadata")
	}
	return ""
}

// FileStore is the store of plain files in which the command keeps a login, in the state
// directory that an environment names ([Options.Env]); nil is the process's own.
func FileStore(env []string) store.File {
	o := Options{Env: env}
	return store.File{Dir: o.credentialsDir()}
}
