package ambit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A StoredLogin is one login of this user, whatever manifest it is for.
type StoredLogin struct {
	Issuer     string    // of the server; "" where the record alone could tell, and cannot be read
	Manifest   string    // the manifest's name; "" where nothing tells
	File       string    // of the manifest with which somebody logged in; "" where nothing tells
	Account    Account   // under which it is kept, and as its server calls it
	Store      string    // in which it is, or was
	Since      time.Time // when somebody logged in; zero where nothing tells
	Credential *credential.Credential
	Err        error // why there is no credential: [ErrNoCredential] where it is not in the store any more
	// Unrenewable is why the server does not renew it, as of [Held.Unrenewable].
	Unrenewable error

	login *login
}

// Logins are all logins of this user, in the stores of this machine and in that of the options: those
// that are listed when they are made, and those that a store lists besides. Of the options only
// Store, Env and UI count. The error is that of a list that cannot be read.
func Logins(ctx context.Context, o Options) ([]StoredLogin, error) {
	o.prepareProgram(nil)
	p := stores{&o}
	entries, err := p.index().List()
	if err != nil {
		return nil, err
	}
	var all []StoredLogin
	dead := make(map[string]error) // stores that do not answer are asked once
	for _, e := range entries {
		all = append(all, p.stored(ctx, e, dead))
	}
	unlisted, err := p.unlisted(ctx, entries, dead)
	return append(all, unlisted...), err
}

// places are the stores in which a login may be: those of this machine, and that of the options.
func (p stores) places() []store.Store {
	var list []store.Store
	if p.opt.hasHome() {
		list = p.system()
	}
	if named := p.opt.Store; named != nil && !slices.ContainsFunc(list, func(s store.Store) bool { return s.Name() == named.Name() }) {
		list = append(list, named)
	}
	return list
}

// An ElsewhereStoreError says that a login is in a store that is not at hand.
type ElsewhereStoreError struct{ Store string }

// Error names the store.
func (e *ElsewhereStoreError) Error() string {
	return text.Line(e.Store) + " is not asked: it has to be named"
}

// stored is the login of an entry, as its store has it now.
func (p stores) stored(ctx context.Context, e store.Entry, dead map[string]error) StoredLogin {
	found := StoredLogin{Issuer: e.Key.Issuer, Manifest: e.Key.Manifest, File: e.File, Account: Account{Name: e.Key.Account}, Store: e.Store, Since: e.Since}
	places := p.places()
	at := slices.IndexFunc(places, func(s store.Store) bool { return s.Name() == e.Store })
	if at < 0 {
		found.Err = &ElsewhereStoreError{e.Store}
		return found
	}
	found.load(ctx, p, places[at], e.Key, dead)
	return found
}

// load reads the credential, or finds out why it cannot be read.
func (f *StoredLogin) load(ctx context.Context, p stores, in store.Store, key store.Key, dead map[string]error) {
	from := provider.Server{Issuer: key.Issuer}
	f.login = &login{store: in, key: key, issuer: from, server: from}
	if f.Err = dead[in.Name()]; f.Err != nil {
		return
	}
	var c *credential.Credential
	f.Err = p.opt.UI.during("asking "+in.Name(), func() (err error) {
		c, err = in.Load(ctx, key)
		return err
	})
	if _, silent := errors.AsType[*store.NoKeyringError](f.Err); silent {
		dead[in.Name()] = f.Err
	}
	if f.Err != nil {
		return
	}
	f.Credential, f.login.credential, f.Account.Told = c, c, c.Account
	f.Unrenewable = unrenewable(c, p.opt.now())
	if f.Since.IsZero() {
		f.Since = c.ObtainedAt
	}
}

// unlisted are the logins that a store lists, and the list of logins does not.
func (p stores) unlisted(ctx context.Context, entries []store.Entry, dead map[string]error) ([]StoredLogin, error) {
	var all []StoredLogin
	for _, in := range p.places() {
		lister, ok := in.(interface {
			List(ctx context.Context) ([]store.Key, error)
		})
		if !ok {
			continue
		}
		keys, err := lister.List(ctx)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
		for _, key := range keys {
			if slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Store == in.Name() && e.Key.ID() == key.ID() }) {
				continue
			}
			found := StoredLogin{Issuer: key.Issuer, Manifest: key.Manifest, Account: Account{Name: key.Account}, Store: in.Name()}
			found.load(ctx, p, in, key, dead)
			if found.Credential != nil {
				found.Issuer = cmp.Or(key.Issuer, found.Credential.Issuer)
				found.login.issuer.Issuer = found.Issuer
			}
			if !isRegistration(found.Credential) {
				all = append(all, found)
			}
		}
	}
	return all, nil
}

// isRegistration reports whether a record is that of a client, and no login.
func isRegistration(c *credential.Credential) bool {
	if c == nil {
		return false
	}
	_, err := client.FromCredential(c, c.Issuer)
	return err == nil
}

// An Ended is what became of one login at the end of all.
type Ended struct {
	StoredLogin
	Logout
	Err error // why it is still here; nil where it is not
}

// LogoutAll ends every login of this user as [Session.Logout] does, one after the other, and the
// defaults of all directories. Of the options those count that [Logins] reads, HTTP, TrustHosts and
// Now. The error is that of [Logins]; what became of each is in the results.
func LogoutAll(ctx context.Context, o Options) ([]Ended, error) {
	o.UI.Ask = nil // a host that was never confirmed is told, like any other failure
	list, err := Logins(ctx, o)
	if err != nil {
		return nil, err
	}
	var ended []Ended
	for _, one := range list {
		if ctx.Err() != nil {
			return ended, context.Cause(ctx)
		}
		ended = append(ended, one.end(ctx, o))
	}
	if len(ended) > 0 {
		if err := (folders{o.foldersDir()}).forget(func(FolderAccount) bool { return true }); err != nil {
			o.UI.note("an account remains the default of a directory: " + text.Line(err.Error()))
		}
	}
	return ended, nil
}

// end ends the login.
func (f StoredLogin) end(ctx context.Context, o Options) Ended {
	e := Ended{StoredLogin: f, Err: f.Err}
	_, corrupt := errors.AsType[*store.CorruptError](f.Err)
	if f.login == nil || f.Err != nil && !corrupt && !errors.Is(f.Err, ErrNoCredential) {
		return e // it may be there, and nobody can look
	}
	s, err := f.session(o)
	if err == nil {
		err = e.Logout.remove(ctx, s, f.login)
	}
	if e.Err = err; err == nil && errors.Is(f.Err, ErrNoCredential) {
		e.Removed = false
	}
	return e
}

// session is one with the manifest with which somebody logged in, if that is still there: it may say
// with which secret a client asks. Else it is for the server of the login alone.
func (f StoredLogin) session(o Options) (*Session, error) {
	o.Server, o.Programs, o.Account, o.Folder = "", nil, f.login.key.Account, ""
	if s := f.inFile(o); s != nil {
		return s, nil
	}
	at := provider.Server{Name: f.Issuer, Issuer: f.Issuer}
	return New(&manifest.Manifest{
		File: "the login at " + f.Issuer, Name: f.Manifest,
		Provider: &provider.Provider{Name: f.Issuer, Servers: []provider.Server{at}, DefaultServer: at.Name},
	}, o)
}

// inFile is the session of the login's own manifest; nil where the file names it no more.
func (f StoredLogin) inFile(o Options) *Session {
	if f.File == "" {
		return nil
	}
	m, err := Load(f.File)
	if err != nil || m.Name != f.Manifest {
		return nil
	}
	at, ok := m.Provider.Lookup(f.Issuer)
	if !ok {
		return nil
	}
	o.Server = at.Name
	s, err := New(m, o)
	if err != nil || s.logins().key(at) != f.login.key {
		return nil
	}
	f.login.issuer, f.login.server = at, at
	return s
}
