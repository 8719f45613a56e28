package starter

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Service is the provider of a manifest, as that writes it. Set Use, or Server.
type Service struct {
	Use        string               // a built-in one, a file, or an issuer's URL; "" where Server is all that is known
	At         string               // one of its servers; "" for its default
	Parameters []provider.Parameter // each without a value is left to be filled in
	In         string               // the issuer with their {names} in it, where one has no value
	Server     *provider.Server     // where Use is "", or has no bases of its own
	Bases      []provider.Base      // beside those of Use
	Register   string               // a login needs a client, with this redirect URI; "" where it needs none
	PKCE       bool                 // nobody says whether the server knows it, and a login takes it
	Secret     string               // the environment variable of that client's secret; "" where it has none
}

// Issuer is what names the service: what the manifest uses, else the issuer of its server.
func (s *Service) Issuer() string {
	if s.Use == "" && s.Server != nil {
		return s.Server.Issuer
	}
	return s.Use
}

// maxBases bounds how many bases a new manifest gives its service.
const maxBases = 5

// maxHosts bounds how many URLs are looked at for the service that they are of.
const maxHosts = 50

// BasesAt are bases at the URLs on which descriptions say that operations stand.
func BasesAt(urls []string) (list []provider.Base) {
	for _, u := range urls {
		if guard.CheckURL(u) != nil || len(list) == maxBases {
			continue
		}
		name := "api"
		if n := len(list); n > 0 {
			name += "_" + strconv.Itoa(n+1)
		}
		list = append(list, provider.Base{Name: name, URL: strings.TrimSuffix(u, "/")})
	}
	return list
}

// Beside are bases, beside those of the provider, at the URLs on which descriptions say that operations
// stand: each is named as its host begins.
func Beside(p *provider.Provider, urls []string) (list []provider.Base) {
	taken := p.BaseNames()
	for _, base := range BasesAt(urls) {
		if u, err := url.Parse(base.URL); err == nil {
			if _, _, known := p.Locator().Locate(u); known {
				continue
			}
			first, _, _ := strings.Cut(u.Hostname(), ".")
			if first = strings.ToLower(first); first != "www" && first != "" && strings.Trim(first, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" {
				base.Name = first
			}
		}
		for n, name := 2, base.Name; slices.Contains(taken, base.Name); n++ {
			base.Name = name + "_" + strconv.Itoa(n)
		}
		taken = append(taken, base.Name)
		list = append(list, base)
	}
	return list
}

// wellKnown is where an OpenID provider describes itself, behind its issuer (OpenID Connect Discovery §4).
const wellKnown = "/.well-known/openid-configuration"

// ServiceAt is the service that descriptions are of: a built-in one by its hosts, else one that is as they
// say. ok is false where they do not say enough.
func ServiceAt(found *audit.Evidence) (s Service, ok bool) {
	var hosts []string
	for _, at := range found.Authorized {
		hosts = append(hosts, at.Authorization, at.Token, at.Discovery)
	}
	for scope := range found.Vocabulary().All() { // a scope that is a URL stands at the service that grants it
		if len(hosts) < maxHosts && strings.Contains(scope, "://") {
			hosts = append(hosts, scope)
		}
	}
	for _, u := range append(hosts, found.Elsewhere...) {
		if p := provider.BuiltinAt(provider.HostOf(u)); p != nil {
			return Service{Use: p.Name}, true
		}
	}
	bases := BasesAt(found.Elsewhere)
	for _, at := range found.Authorized {
		if issuer, is := strings.CutSuffix(at.Discovery, wellKnown); is {
			return Service{Server: &provider.Server{Issuer: issuer, Bases: bases}}, true
		}
	}
	for _, at := range found.Authorized {
		if u, err := url.Parse(at.Authorization); at.Authorization != "" && at.Token != "" && err == nil {
			return Service{Server: &provider.Server{
				Issuer: u.Scheme + "://" + u.Host, NoDocument: true, Bases: bases,
				Metadata: map[string]any{"authorization_endpoint": at.Authorization, "token_endpoint": at.Token},
			}}, true
		}
	}
	return Service{}, false
}

// text is the members provider and server of a manifest, with the ends of their lines.
func (s *Service) text() string {
	var b strings.Builder
	if s.isWord() {
		b.WriteString("provider: " + manifestedit.Scalar(s.Use) + "  # a built-in one, a ./file.yaml, or an issuer's URL\n")
	} else {
		b.WriteString("provider:\n")
		if s.Use != "" {
			b.WriteString("  use: " + manifestedit.Scalar(s.Use) + "  # a built-in one, a ./file.yaml, or an issuer's URL\n")
		}
		s.members(&b)
	}
	if s.At != "" {
		b.WriteString("server: " + manifestedit.Scalar(s.At) + "\n")
	}
	return b.String()
}

func (s *Service) isWord() bool {
	return s.Server == nil && len(s.Parameters)+len(s.Bases) == 0 && s.Register == "" && !s.PKCE
}

func (s *Service) members(b *strings.Builder) {
	if len(s.Parameters) > 0 {
		b.WriteString("  parameters:\n")
		for _, one := range s.Parameters {
			value := manifestedit.Scalar(one.Value)
			if one.Value == "" {
				value = "null  # FILL IN: what stands for {" + one.Name + "} in " + text.Line(s.In)
			}
			b.WriteString("    " + one.Name + ": " + value + "\n")
		}
	}
	if len(s.Bases) > 0 {
		b.WriteString("  bases:\n")
		for _, base := range s.Bases {
			b.WriteString("    " + base.Name + ": " + manifestedit.Scalar(base.URL) + "\n")
		}
	}
	if s.Server != nil {
		b.WriteString("  servers:\n    main:\n      issuer: " + manifestedit.Scalar(s.Server.Issuer) + "\n")
		if s.Server.NoDocument {
			b.WriteString("      metadata: none  # remove this line where the server publishes its own\n")
		}
		for _, word := range []string{"authorization_endpoint", "token_endpoint"} {
			if u, is := s.Server.Metadata[word].(string); is {
				b.WriteString("      " + word + ": " + manifestedit.Scalar(u) + "\n")
			}
		}
		for _, base := range s.Server.Bases {
			b.WriteString("      " + base.Name + ": " + manifestedit.Scalar(base.URL) + "\n")
		}
	}
	s.client(b)
}

// client leaves a comment for what only a person knows of the client of a login.
func (s *Service) client(b *strings.Builder) {
	var members []string
	if s.Register != "" {
		b.WriteString("  # A login needs a client. Register one with this redirect URI, remove \"# \" below, and fill its id in:\n")
		b.WriteString("  # " + text.Line(s.Register) + "\n")
		members = append(members, "id: YOUR-CLIENT-ID")
	}
	if s.Secret != "" {
		members = append(members, "secret: {variable: "+s.Secret+"}")
	}
	if s.PKCE {
		b.WriteString("  # Nobody says that the server protects a login by PKCE. pkce: S256 says that you know it does.\n")
		members = append(members, "pkce: S256")
	}
	if len(members) > 0 {
		b.WriteString("  # client: {" + strings.Join(members, ", ") + "}\n")
	}
}
