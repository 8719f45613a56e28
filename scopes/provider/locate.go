package provider

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/scopes"
)

// A Locator tells on which base a URL stands, and what path follows. Its zero value knows no
// base. It is read-only, and safe for concurrent use.
type Locator struct{ places []place }

// A place is where a base begins.
type place struct {
	base   string
	origin string // scheme and host, in one form
	prefix string // of the path, escaped, without a final slash
}

// Locator is for the server's bases; the issuer is not among them.
func (s Server) Locator() Locator { return locatorOf(s.Bases) }

// Locator is for the bases of all servers, and after them for their issuers, which often have the
// address of a base.
func (p *Provider) Locator() Locator {
	var all, issuers []Base
	for _, s := range p.Servers {
		all = append(all, s.Bases...)
		issuers = append(issuers, Base{Name: IssuerBase, URL: s.Issuer})
	}
	return locatorOf(append(all, issuers...))
}

func locatorOf(bases []Base) (l Locator) {
	for _, b := range bases {
		u, err := url.Parse(b.URL)
		if err != nil || u.Host == "" {
			continue
		}
		l.places = append(l.places, place{base: b.Name, origin: originOf(u), prefix: strings.TrimSuffix(u.EscapedPath(), "/")})
	}
	return l
}

// Locate finds the base with the longest path that a URL stands on, of equals the first: scheme
// and host are the same, whatever their case, a port that is the scheme's own may be left out,
// and the path goes on, escaped as it is, at the end of a segment. below is what follows, still
// escaped. A path that [scopes.RequestPath] takes for one that leads out of the base does not
// stand on it.
func (l Locator) Locate(u *url.URL) (base, below string, ok bool) {
	origin, path, longest := originOf(u), u.EscapedPath(), -1
	for _, at := range l.places {
		rest, within := strings.CutPrefix(path, at.prefix)
		if !within || rest != "" && rest[0] != '/' || at.origin != origin || len(at.prefix) <= longest {
			continue
		}
		if _, inside := scopes.RequestPath(rest); inside {
			base, below, ok, longest = at.base, rest, true, len(at.prefix)
		}
	}
	return base, below, ok
}

// Spell is a text for people in which operations stand as the manifest writes them, with what each
// means in its place: of {base} its address on this server, or nothing where it has none there and
// the path has to do; of a parameter of a path "…"; and of tool:NAME the tool.
func (s Server) Spell(text string) string {
	for _, base := range append([]Base{{Name: IssuerBase, URL: s.Issuer}}, s.Bases...) {
		if _, address, is := strings.Cut(strings.TrimSuffix(base.URL, "/"), "://"); is {
			text = strings.ReplaceAll(text, "{"+base.Name+"}", address)
		}
	}
	text = otherBase().ReplaceAllString(pathParameter().ReplaceAllString(text, "/…"), "$1/")
	return toolName().ReplaceAllString(text, "${1}the tool $2")
}

var (
	pathParameter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`/\{[A-Za-z_][A-Za-z0-9_]*\}`) })
	otherBase     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|[\s(])\{[A-Za-z_][A-Za-z0-9_]*\}/`) })
	toolName      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|[\s(])tool:(\S)`) })
)

// originOf is scheme and host in the one form in which they are compared.
func originOf(u *url.URL) string { return strings.ToLower(u.Scheme) + "://" + hostOf(u) }

// HostOf is the host of a URL in lower case, with its port where that is not the
// scheme's own; "" for what is no absolute URL.
func HostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return hostOf(u)
}

func hostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || port == "443" && strings.EqualFold(u.Scheme, "https") || port == "80" && strings.EqualFold(u.Scheme, "http") {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}
