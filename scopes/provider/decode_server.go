package provider

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

func (d *decoder) servers(n *yaml.Node) []Server {
	var servers []Server
	d.Named(n, "servers", func(name, value *yaml.Node) { servers = append(servers, d.server(name, value)) })
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		d.Mistake(n, yamlfile.BadValue, "servers names one server or more")
	case len(servers) > maxServers:
		d.Mistake(n, yamlfile.BadValue, "a provider has at most %d servers", maxServers)
		return nil
	}
	return servers
}

// The bounds of a provider: its names are compared with each other, so a hostile
// file could make that slow.
const (
	maxServers = 100
	maxBases   = 50 // of one server
)

func (d *decoder) server(name, value *yaml.Node) Server {
	s := Server{Name: name.Value}
	d.Named(value, fmt.Sprintf("server %q", s.Name), func(key, v *yaml.Node) {
		switch key.Value {
		case IssuerBase:
			if d.url(v, "issuer") {
				s.Issuer = v.Value
			}
		case "ask_on_401":
			s.AskOn401 = d.Boolean(v, "ask_on_401")
		default:
			if d.baseName(key) && d.url(v, "base "+strconv.Quote(key.Value)) && len(s.Bases) <= maxBases {
				s.Bases = append(s.Bases, Base{Name: key.Value, URL: strings.TrimSuffix(v.Value, "/")})
			}
		}
	})
	if value.Kind == yaml.MappingNode && yamlfile.Child(value, IssuerBase) == nil {
		d.Mistake(name, yamlfile.MissingKey, "server %q is missing %q", s.Name, IssuerBase)
	}
	if len(s.Bases) > maxBases {
		d.Mistake(name, yamlfile.BadValue, "server %q has more than %d bases", s.Name, maxBases)
	}
	return s
}

// baseName allows what can stand between the braces of used_by and within the
// name of an environment variable.
func (d *decoder) baseName(key *yaml.Node) bool {
	bad := strings.ContainsFunc(key.Value, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	})
	if bad {
		d.Mistake(key, yamlfile.BadValue, "%q cannot name a base: lower-case letters, digits and _ only", key.Value)
	}
	return !bad
}

// url notes what is no https URL, nor http on loopback (RFC 8252 §8.3), or has
// parts that a prefix may not have. A host is ASCII: a look-alike of a known name
// in another script is to be seen as what it is, its xn-- form.
func (d *decoder) url(n *yaml.Node, what string) bool {
	text := d.Text(n, what)
	if text == "" {
		return false
	}
	u, err := url.Parse(text)
	switch {
	case (err != nil || u.Hostname() == "") && !strings.ContainsAny(text, "@?#"):
		d.Mistake(n, yamlfile.BadValue, "%s is a URL, not %q", what, text)
	case err != nil || u.User != nil || u.Hostname() == "" || strings.ContainsAny(text, "?#"):
		d.Mistake(n, yamlfile.BadValue, "%s has no user, query or fragment", what) // not quoted: a password may stand there
	case u.Scheme != "https" && (u.Scheme != "http" || !guard.IsLoopback(u.Hostname())):
		d.Mistake(n, yamlfile.BadValue, "%s is an https URL (http only on loopback), not %q", what, text)
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
		d.Mistake(n, yamlfile.BadValue, "%s names its host in ASCII (xn--…), not as %q", what, u.Host)
	default:
		return true
	}
	return false
}

// template reads a URL that may begin with a {base}. Only a path can follow that:
// anything else would make another host of it.
func (d *decoder) template(n *yaml.Node, what string) string {
	word := d.Text(n, what)
	inner, braced := strings.CutPrefix(word, "{")
	if word == "" || !braced && !d.url(n, what) {
		return ""
	}
	if !braced {
		return word
	}
	base, path, closed := strings.Cut(inner, "}")
	_, err := url.PathUnescape(path)
	if !closed || err != nil || path != "" && path[0] != '/' || strings.ContainsAny(path, "?#") || !text.IsUnbroken(path) {
		d.Mistake(n, yamlfile.BadValue, "%s is a URL or {base}/path, not %q", what, word)
		return ""
	}
	named := *n
	named.Value = base
	d.baseWords = append(d.baseWords, &named)
	return word
}
