package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Session is a manifest at one server, for one user: it plans, logs in, finds, renews and
// ends a credential. It reads and sends nothing until it is asked to. Safe for concurrent use;
// of two logins at a time, the later one stays.
type Session struct {
	manifest *manifest.Manifest
	needs    []scopes.Need
	server   provider.Server
	chosen   bool // someone named the server; otherwise it is the provider's default
	opt      *Options
	client   func() (*http.Client, error)
	memory   *store.Memory // keeps a client's own token where no store can
	inFolder func() FolderAccount
	kept     *string   // the account of a login that was found ([Session.For]); nil for the usual one
	widening *widening // of [Session.Widen]; nil for any other
}

// Open begins a session with the manifest in a file; "" is the nearest scopes.yaml, here or
// above. Errors: those of [Load] and of [New].
func Open(path string, o Options) (*Session, error) {
	m, err := Load(path)
	if err != nil {
		return nil, err
	}
	return New(m, o)
}

// New begins a session with a manifest that was read before, such as one that a program
// embeds ([manifest.Decode]). Errors: *[manifest.UnknownProgramError]; a *[ServerError] for a
// server that the provider does not know; one for a manifest that is nil, and for an account that
// is no name.
func New(m *manifest.Manifest, o Options) (*Session, error) {
	if m == nil || m.Provider == nil {
		return nil, errors.New("there is no manifest to open a session with")
	}
	if o.Account != "" && !text.IsName(o.Account) {
		return nil, fmt.Errorf("the name of an account has 1 to %d printable characters", text.MaxName)
	}
	needs, err := m.Select(o.Programs...)
	if err != nil {
		return nil, err
	}
	named := cmp.Or(o.Server, m.Server)
	server, err := pickServer(m, named)
	if err != nil {
		return nil, err
	}
	s := &Session{manifest: m, needs: needs, server: server, chosen: named != "", opt: &o, memory: &store.Memory{}}
	s.inFolder = sync.OnceValue(func() FolderAccount { return s.folders().nearest(o.Folder, m.Name) })
	o.prepareProgram(s)
	s.client = sync.OnceValues(func() (*http.Client, error) {
		if o.HTTP != nil {
			return o.HTTP, nil
		}
		return guard.NewClient(guard.Options{})
	})
	return s, nil
}

// Manifest is what the session was opened with.
func (s *Session) Manifest() *manifest.Manifest { return s.manifest }

// path is where the manifest is, from wherever somebody looks; "" for one that is no file.
func (s *Session) path() string {
	path, err := filepath.Abs(s.manifest.File)
	if _, statErr := os.Stat(path); err != nil || statErr != nil {
		return ""
	}
	return path
}

// Provider is the manifest's.
func (s *Session) Provider() *provider.Provider { return s.manifest.Provider }

// Needs are those of the base and of the chosen programs. They are read-only.
func (s *Session) Needs() []scopes.Need { return s.needs }

// Programs are the chosen ones.
func (s *Session) Programs() []string { return s.opt.Programs }

// Server is the one at which a login asks.
func (s *Session) Server() provider.Server { return s.server }

// Chosen reports whether someone named the server; otherwise it is the provider's default.
func (s *Session) Chosen() bool { return s.chosen }

// Named reports whether the options named the server, whatever the manifest says.
func (s *Session) Named() bool { return s.opt.Server != "" }

// Account is what a command has to name to come to the same login: the account that the options name,
// or that of a login which was found without its name. "" where it has to name none.
func (s *Session) Account() string {
	if s.kept == nil || *s.kept == s.named() {
		return s.opt.Account
	}
	return *s.kept
}

// For is the same session, for the account of a login that it found.
func (s *Session) For(h *Held) *Session {
	if h.login == nil || h.Credential.Own {
		return s
	}
	its := *s
	its.kept = &h.login.key.Account
	return &its
}

// Environ is the environment of the session, KEY=value; it may hold keys.
func (s *Session) Environ() []string { return s.opt.Env }

// At is the same session at another server, as if someone had named that.
func (s *Session) At(server provider.Server) *Session {
	there := *s
	there.server, there.chosen = server, true
	return &there
}

// KeyServer is the server at which an API key is asked about: the chosen one, or, where
// nobody chose and the default is only for logins, the first that has bases.
func (s *Session) KeyServer() provider.Server {
	if s.chosen || len(s.server.Bases) > 0 {
		return s.server
	}
	for _, other := range s.Provider().Servers {
		if len(other.Bases) > 0 {
			return other
		}
	}
	return s.server
}

// pickServer finds a server by name or issuer URL; "" is the provider's default.
func pickServer(m *manifest.Manifest, named string) (provider.Server, error) {
	p := m.Provider
	if s, ok := p.Lookup(cmp.Or(named, p.DefaultServer)); ok {
		return s, nil
	}
	lacks, open := p.OpenServer(cmp.Or(named, p.DefaultServer))
	switch {
	case open:
		return provider.Server{}, &ServerError{Named: lacks.Name, Issuer: lacks.Issuer, Err: errors.New(p.Wanted(lacks, m.File))}
	case !strings.Contains(named, "://"):
		return provider.Server{}, &ServerError{Named: named, Known: p.ServerNames()}
	case strings.ContainsAny(named, "?#"):
		return provider.Server{}, &ServerError{Named: named, Problem: "has a query or a fragment, which an issuer may not have (RFC 8414 §2)"}
	}
	if err := guard.CheckURL(named); err != nil {
		return provider.Server{}, &ServerError{Named: named, Err: err}
	}
	return ownServer(p, named), nil
}

// ownServer is a deployment that the provider file does not know: what stands on the issuer's own
// URL elsewhere stands on this one.
func ownServer(p *provider.Provider, issuer string) provider.Server {
	if own, fits := p.Elsewhere(issuer); fits {
		return own
	}
	own := provider.Server{Name: issuer, Issuer: issuer}
	for i, s := range p.Servers {
		there := s.At(issuer)
		if i == 0 {
			own.Metadata, own.NoDocument, own.NoLogin = there.Metadata, there.NoDocument, there.NoLogin
		}
		for _, b := range there.Bases {
			if _, has := own.Base(b.Name); !has {
				own.Bases = append(own.Bases, b)
			}
		}
	}
	return own
}

// documents reads public metadata; it carries no credential, and needs no trust.
func (s *Session) documents() (*metadata.Client, error) {
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	return &metadata.Client{HTTP: client, CacheDir: s.opt.cacheDir()}, nil
}

// metadataOf is what an authorization server says of itself, with what the provider's file says of
// it. The error is a *[metadata.Error].
func (s *Session) metadataOf(ctx context.Context, at provider.Server) (*metadata.AuthorizationServer, error) {
	documents, err := s.documents()
	if err != nil {
		return nil, err
	}
	return documents.AuthorizationServerWith(ctx, at.Issuer, given(at))
}

// lastMetadataOf is the same as it was last read; nil where nothing was kept of it. No server is asked.
func (s *Session) lastMetadataOf(at provider.Server) *metadata.AuthorizationServer {
	documents, err := s.documents()
	if err != nil {
		return nil
	}
	return documents.CachedAuthorizationServer(at.Issuer, given(at))
}

func given(at provider.Server) metadata.Given {
	return metadata.Given{Members: at.Metadata, Alone: at.NoDocument}
}
