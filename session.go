package ambit

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
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
// server that the provider does not know; one for a manifest that is nil.
func New(m *manifest.Manifest, o Options) (*Session, error) {
	if m == nil || m.Provider == nil {
		return nil, errors.New("there is no manifest to open a session with")
	}
	needs, err := m.Select(o.Programs...)
	if err != nil {
		return nil, err
	}
	named := cmp.Or(o.Server, m.Server)
	server, err := pickServer(m.Provider, named)
	if err != nil {
		return nil, err
	}
	s := &Session{manifest: m, needs: needs, server: server, chosen: named != "", opt: &o}
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
func pickServer(p *provider.Provider, named string) (provider.Server, error) {
	if s, ok := p.Lookup(cmp.Or(named, p.DefaultServer)); ok {
		return s, nil
	}
	switch {
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

// ownServer is a deployment that the provider file does not know: its issuer is
// the URL, and so is each base that stands on the issuer's own URL elsewhere.
func ownServer(p *provider.Provider, issuer string) provider.Server {
	own := provider.Server{Name: issuer, Issuer: issuer}
	for _, s := range p.Servers {
		for _, b := range s.Bases {
			if rest, ok := strings.CutPrefix(b.URL, strings.TrimSuffix(s.Issuer, "/")); ok {
				if _, there := own.Base(b.Name); !there {
					own.Bases = append(own.Bases, provider.Base{Name: b.Name, URL: strings.TrimSuffix(issuer, "/") + rest})
				}
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
