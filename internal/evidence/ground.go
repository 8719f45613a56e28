package evidence

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A site is where operations of a document stand.
type site struct {
	urls []*url.URL // absolute
	path string     // of the first
	said string     // the first as people see it; "" where the document names no host
}

// site reads a document's servers, once for all that share them.
func (r *openAPIReader) site(servers member) *site {
	if known := r.ground.sites[servers.node]; known != nil {
		return known
	}
	var addresses []string
	if servers.kind == listNode {
		for _, server := range servers.children() {
			addresses = append(addresses, serverURL(server))
		}
	}
	s := r.ground.siteOf(r.root, addresses)
	r.ground.sites[servers.node] = s
	return s
}

// serverURL is a server's URL with the defaults of its variables.
func serverURL(server member) string {
	address := server.get("url").word()
	for _, v := range server.get("variables").children() {
		address = strings.ReplaceAll(address, "{"+v.key+"}", v.get("default").word())
	}
	return address
}

// siteOf is one at URLs, which may be relative to the document's own (OpenAPI 3.1 §4.8.5).
func (g *ground) siteOf(document *url.URL, addresses []string) *site {
	s := &site{}
	for i, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		said := u.IsAbs() && u.Host != ""
		if document != nil && !said {
			u = document.ResolveReference(u)
		}
		if i == 0 {
			s.path = u.Path
		}
		if u.IsAbs() && u.Host != "" {
			s.urls = append(s.urls, u)
		}
		if said && s.said == "" {
			s.said = strings.TrimSuffix(guard.ShownURL(address), "/")
		}
	}
	return s
}

// A ground is what knows on which base operations stand.
type ground struct {
	named     string // the base of all of them; "": their URLs choose
	server    provider.Server
	locators  []provider.Locator
	sites     map[*node]*site
	elsewhere []string // URLs that stand on no base
}

func newGround(named string, server provider.Server, of *provider.Provider) *ground {
	g := &ground{named: named, server: server, locators: []provider.Locator{server.Locator()}, sites: make(map[*node]*site)}
	if of != nil {
		g.locators = append(g.locators, of.Locator())
	}
	return g
}

// place is the base on which an operation stands, and its path there.
func (g *ground) place(at *site, path string) (base, below string) {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	if g.named != "" {
		return g.named, g.under(g.named, at.path, path)
	}
	for _, l := range g.locators {
		for _, u := range at.urls {
			full := strings.TrimSuffix(u.Path, "/") + path
			if base, rest, ok := l.Locate(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: full}); ok {
				return base, lastSegments(full, strings.Count(rest, "/"))
			}
		}
	}
	if at.said != "" && !slices.Contains(g.elsewhere, at.said) {
		g.elsewhere = append(g.elsewhere, at.said)
	}
	base = g.fallback(at)
	return base, g.under(base, at.path, path)
}

// lastSegments is the end of a path that has this many slashes.
func lastSegments(path string, slashes int) string {
	at := len(path)
	for ; slashes > 0; slashes-- {
		at = strings.LastIndexByte(path[:at], '/')
	}
	return path[at:]
}

// fallback is the base of what stands on none: the usual one, or the only one. At a server
// without bases, what names no other host stands on its issuer.
func (g *ground) fallback(at *site) string {
	bases := g.server.Bases
	_, usual := g.server.Base(DefaultBase)
	switch {
	case !usual && len(bases) == 1:
		return bases[0].Name
	case len(bases) == 0 && g.server.Issuer != "" && at.said == "":
		return provider.IssuerBase
	}
	return DefaultBase
}

// under is an operation's path below a base's URL: what a server's path adds to that begins it.
func (g *ground) under(base, server, path string) string {
	address, known := g.server.Base(base)
	at, err := url.Parse(address)
	if !known || err != nil {
		return path
	}
	prefix := strings.TrimSuffix(at.Path, "/")
	rest, below := strings.CutPrefix(strings.TrimSuffix(server, "/")+path, prefix)
	if below && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path
}

// DefaultBaseOf is the base of operations that name neither one nor a host: the usual one, the
// only one that a server has, or, where it has none, its issuer.
func DefaultBaseOf(s provider.Server) string { return (&ground{server: s}).fallback(&site{}) }
