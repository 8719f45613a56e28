package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A project is what a manifest and the settings say together: which needs, and at
// which server.
type project struct {
	manifest *manifest.Manifest
	programs []string
	needs    []scopes.Need
	server   provider.Server
	chosen   bool // someone named the server; otherwise it is the provider's default
}

func (p *project) provider() *provider.Provider { return p.manifest.Provider }

// openProject reads the manifest and picks the needs and the server.
func (r *run) openProject() (*project, error) {
	path, err := findManifest(r.settings.Manifest)
	if err != nil {
		return nil, err
	}
	m, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	needs, err := m.Select(r.settings.Programs...)
	if err != nil {
		return nil, fail(exitUsage, plain(err.Error()), "the programs are the keys under programs: in "+path)
	}
	named := cmp.Or(r.settings.Server, m.Server)
	server, err := pickServer(m.Provider, named)
	if err != nil {
		f := asFailure(err) // of a setting: the decoder has seen to the manifest's own word
		f.Message = r.settings.Origin("server") + ": " + f.Message
		return nil, f
	}
	return &project{manifest: m, programs: r.settings.Programs, needs: needs, server: server, chosen: named != ""}, nil
}

// pickServer finds a server by name or issuer URL; "" is the provider's default.
func pickServer(p *provider.Provider, named string) (provider.Server, error) {
	if s, ok := p.Lookup(cmp.Or(named, p.DefaultServer)); ok {
		return s, nil
	}
	if !strings.Contains(named, "://") {
		return provider.Server{}, fail(exitUsage, fmt.Sprintf("unknown server %q", guard.ShownURL(named)), didYouMean(named, p.ServerNames())+"; or an issuer's URL")
	}
	if strings.ContainsAny(named, "?#") {
		return provider.Server{}, fail(exitUsage, fmt.Sprintf("%q has a query or a fragment, which an issuer may not have (RFC 8414 §2)", guard.ShownURL(named)), "")
	}
	if err := guard.CheckURL(named); err != nil {
		return provider.Server{}, fail(exitUsage, plain(err.Error()), "")
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

// withAPI is the server at which a key is asked about: the chosen one, or, where
// nobody chose and the default is only for logins, the first that has bases.
func (p *project) withAPI() provider.Server {
	if p.chosen || len(p.server.Bases) > 0 {
		return p.server
	}
	for _, s := range p.provider().Servers {
		if len(s.Bases) > 0 {
			return s
		}
	}
	return p.server
}
