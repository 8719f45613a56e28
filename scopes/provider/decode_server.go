package provider

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// servers reads servers over those of p: one of the same name is laid over it member by member, null takes one
// away, and another name is one more. Where an issuer is given, the first of these servers is the default one,
// unless that is one of them: whoever names a deployment means it. stay are those of before that stand where
// they did, as far as this says.
func (d *decoder) servers(n *yaml.Node, p *Provider, before []Server) (servers, stay []Server) {
	used, moved := p.written, []string(nil)
	d.AtLeast(n, 1, "servers names one server or more")
	if !d.AtMost(n, maxServers, "a provider has at most %d servers", maxServers) {
		return nil, nil
	}
	servers = slices.Clone(used)
	d.Named(n, "servers", func(name, value *yaml.Node) {
		d.Is(name, yamlfile.Spelling{Not: append(serverWords(), "*_endpoint", "*_uri", "*_supported")})
		if slices.Contains(serverWords(), name.Value) || isMetadataWord(name.Value) {
			d.Mistake(name, yamlfile.BadValue, "%q belongs to one of the servers: servers: {NAME: {%s: …}}", name.Value, name.Value)
			return
		}
		if d.Describing() {
			_, _ = d.Nothing(value), d.server(name, value, nil)
			return
		}
		i := slices.IndexFunc(servers, func(s Server) bool { return s.Name == name.Value })
		switch nothing := d.Nothing(value); {
		case nothing && i >= 0:
			servers = slices.Delete(servers, i, i+1)
		case i >= 0:
			servers[i] = d.server(name, value, &servers[i])
		case used != nil && (nothing || yamlfile.Child(value, IssuerBase) == nil):
			d.Mistake(name, yamlfile.BadValue, "use has no server %q, and another one needs an issuer%s", name.Value, text.Allowed(name.Value, namesOf(used)))
		default:
			servers = append(servers, d.server(name, value, nil))
		}
		if yamlfile.Child(value, IssuerBase) != nil {
			moved = append(moved, name.Value)
		}
	})
	switch {
	case len(servers) > maxServers:
		d.Mistake(n, yamlfile.BadValue, "a provider has at most %d servers", maxServers)
	case len(servers) == 0 && len(used) > 0:
		d.Mistake(n, yamlfile.BadValue, "servers takes every server away: one has to be left")
	}
	if len(moved) > 0 && !slices.Contains(moved, p.DefaultServer) {
		p.DefaultServer = moved[0]
	}
	return servers, slices.DeleteFunc(slices.Clone(before), func(s Server) bool { return slices.Contains(moved, s.Name) })
}

// The bounds of a provider: its names are compared with each other, so a hostile
// file could make that slow.
const (
	maxServers = 100
	maxBases   = 50 // of one server
)

// server reads a server, over that of the same name under use; nil for none.
func (d *decoder) server(name, value *yaml.Node, used *Server) Server {
	s := Server{Name: name.Value}
	if used != nil {
		s = *used
		s.Metadata, s.Bases = maps.Clone(s.Metadata), slices.Clone(s.Bases)
	}
	members := []yamlfile.Member{
		yamlfile.Optional(IssuerBase, func(v *yaml.Node) {
			if d.writtenURL(v, "issuer") {
				s.Issuer = v.Value
			}
		}, "the authorization server, as its metadata names it (RFC 8414 §2)"),
		yamlfile.Optional(askOn401Word, func(v *yaml.Node) { s.AskOn401 = d.Boolean(v, askOn401Word) }, "a key that another server refused may be asked about here"),
		yamlfile.Optional(metadataWord, func(v *yaml.Node) {
			s.NoDocument = d.Word(v, metadataWord, []string{noMetadataWord}) != ""
		}, "none: the server publishes no metadata, and is not asked for it"),
		yamlfile.Optional(loginWord, func(v *yaml.Node) {
			s.NoLogin = d.Word(v, loginWord, []string{noMetadataWord}) != ""
		}, "none: nobody can log in, and there are keys alone"),
		yamlfile.Optional(scopesWord, func(v *yaml.Node) {
			list := []string{}
			d.List(v, scopesWord, func(item *yaml.Node) { list = append(list, d.scope(item)) })
			s.give(scopesWord, list)
		}, "the scopes that the server knows"),
		yamlfile.Optional(sendsIssuer, func(v *yaml.Node) { s.give(sendsIssuer, d.Boolean(v, sendsIssuer)) }, "the server names itself in its authorization response (RFC 9207)"),
	}
	members = append(members, yamlfile.Optional(tokenIssuer, func(v *yaml.Node) { s.IDTokenIssuer = d.tokenIssuer(v) },
		"the issuer in the server's ID tokens, where that is another; {name} stands for the token's own claim of that name"))
	for _, word := range endpointWords {
		members = append(members, yamlfile.Optional(word, func(v *yaml.Node) { s.give(word, d.endpoint(v, word)) }, "in place of what the server's metadata says"))
	}
	if used != nil || d.Describing() {
		for i, m := range members[1:] {
			members[i+1].Read = func(v *yaml.Node) {
				if d.Nothing(v) {
					s.lose(m.Key)
				} else {
					m.Read(v)
				}
			}
		}
	}
	what := fmt.Sprintf("server %q", s.Name)
	d.MappingAnd(value, what, members, func(key, v *yaml.Node) {
		d.Is(key, yamlfile.Spelling{Pattern: basePattern, Not: []string{"*_endpoint", "*_uri", "*_supported"}})
		switch nothing := d.Nothing(v); {
		case d.misnamed(key):
		case nothing && used != nil:
			s.lose(key.Value)
		case d.baseName(key) && d.writtenURL(v, "base "+strconv.Quote(key.Value)) && len(s.Bases) <= maxBases:
			s.Bases = with(s.Bases, Base{Name: key.Value, URL: strings.TrimSuffix(v.Value, "/")})
		}
	}, "the URL of an API, under a name of your own: a base")
	if used == nil && value.Kind == yaml.MappingNode && yamlfile.Child(value, IssuerBase) == nil && !d.Describing() {
		d.Mistake(value, yamlfile.MissingKey, "%s is missing %q", what, IssuerBase)
	}
	if used == nil || !s.Gives("token_endpoint") {
		d.Needs(value, metadataWord, "token_endpoint", "%s has no metadata, and is missing \"token_endpoint\"", what)
	}
	if given := yamlfile.Child(value, "token_endpoint"); used != nil && given != nil && used.NoDocument && s.NoDocument && !s.NoLogin && !s.Gives("token_endpoint") {
		d.Mistake(given, yamlfile.BadValue, "%s has no metadata, and needs its \"token_endpoint\"", what)
	}
	if login := cmp.Or(yamlfile.Child(value, loginWord), value); s.NoLogin && s.Gives("token_endpoint") {
		d.Mistake(login, yamlfile.BadValue, "%s has no login, and yet a token_endpoint", what)
	}
	s.NoDocument = s.NoDocument || s.NoLogin
	if len(s.Bases) > maxBases {
		d.Mistake(name, yamlfile.BadValue, "server %q has more than %d bases", s.Name, maxBases)
	}
	return s
}

// with is a list of bases with another one, in place of that of its name.
func with(bases []Base, one Base) []Base {
	if i := slices.IndexFunc(bases, func(b Base) bool { return b.Name == one.Name }); i >= 0 {
		bases[i] = one
		return bases
	}
	return append(bases, one)
}

// lose takes a member away that the provider under use has.
func (s *Server) lose(word string) {
	switch word {
	case askOn401Word:
		s.AskOn401 = false
	case metadataWord:
		s.NoDocument = false
	case loginWord:
		s.NoLogin, s.NoDocument = false, false
	case tokenIssuer:
		s.IDTokenIssuer = ""
	}
	delete(s.Metadata, word)
	s.Bases = slices.DeleteFunc(s.Bases, func(b Base) bool { return b.Name == word })
}

// furtherBases are the servers with further bases, each in place of one of its name.
func (d *decoder) furtherBases(n *yaml.Node, servers []Server) []Server {
	var bases []Base
	d.Named(n, "bases", func(name, value *yaml.Node) {
		d.Is(name, yamlfile.Spelling{Pattern: basePattern, Not: append(serverWords(), "*_endpoint", "*_uri", "*_supported")})
		switch {
		case slices.Contains(serverWords(), name.Value):
			d.Mistake(name, yamlfile.BadValue, "%q cannot name a base", name.Value)
		case !d.misnamed(name) && d.baseName(name) && d.writtenURL(value, "base "+strconv.Quote(name.Value)):
			bases = append(bases, Base{Name: name.Value, URL: strings.TrimSuffix(value.Value, "/")})
		}
	})
	if !d.AtMost(n, maxBases, "there are at most %d further bases", maxBases) {
		return servers
	}
	servers = slices.Clone(servers)
	for i := range servers {
		servers[i].Bases = slices.Clone(servers[i].Bases)
		for _, b := range bases {
			servers[i].Bases = with(servers[i].Bases, b)
		}
	}
	return servers
}

// tokenIssuer reads an issuer in whose path names of claims may stand: a server with many tenants has one for each.
func (d *decoder) tokenIssuer(n *yaml.Node) string {
	written := d.textTemplate(n, tokenIssuer)
	sample := *n
	sample.Value, _ = template.Fill(written, func(string) (string, bool) { return fitsAll, true })
	switch {
	case written == "":
		return ""
	case strings.Contains(hostPart(written), "{"):
		d.Mistake(n, yamlfile.BadValue, "%s has names of claims in its path only, not in its host", tokenIssuer)
		return ""
	case !d.url(&sample, tokenIssuer):
		return ""
	}
	return written
}

// misnamed notes a word that has the form of a member of metadata, or is close to one: it would be
// taken for a base of that name, and what was meant would not be heard.
func (d *decoder) misnamed(key *yaml.Node) bool {
	if instead := insteadOf(key.Value); instead != "" {
		d.Mistake(key, yamlfile.UnknownKey, "%q cannot name a base: %s", key.Value, instead)
		return true
	}
	near := slices.DeleteFunc(text.Near(key.Value, serverWords()), func(word string) bool { return word == IssuerBase })
	if !isMetadataWord(key.Value) && len(near) == 0 {
		return false
	}
	d.Mistake(key, yamlfile.UnknownKey, "%q is not a base, and no member of metadata that a file can give%s", key.Value, text.Allowed(key.Value, serverWords()))
	return true
}

// endpoint reads a URL to which requests are sent as it stands: it may have a query (RFC 6749 §3.1).
func (d *decoder) endpoint(n *yaml.Node, what string) string {
	d.Is(n, yamlfile.Spelling{Pattern: endpointPattern, Example: "https://auth.example.com/path"})
	sample, ok := d.sample(n, what)
	if !ok {
		return ""
	}
	word := d.Text(sample, what)
	if word == "" {
		return ""
	}
	if err := checkEndpoint(word, what); err != nil {
		d.Mistake(n, yamlfile.BadValue, "%v", err)
		return ""
	}
	return n.Value
}

// writtenURL is url for one that may have {words}.
func (d *decoder) writtenURL(n *yaml.Node, what string) bool {
	sample, ok := d.sample(n, what)
	return ok && d.url(sample, what)
}

func checkEndpoint(u, what string) error {
	if _, err := guard.ParseEndpoint(u); err != nil { // not quoted: a password may stand there
		return fmt.Errorf("%s %w", what, err)
	}
	return nil
}

// baseName allows what can stand between the braces of used_by and within the
// name of an environment variable.
func (d *decoder) baseName(key *yaml.Node) bool {
	if !isWord(key.Value) {
		d.Mistake(key, yamlfile.BadValue, "%q cannot name a base: lower-case letters, digits and _ only", key.Value)
		return false
	}
	return true
}

// isWord reports whether a name can stand between braces.
func isWord(text string) bool {
	odd := func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') }
	return !strings.ContainsFunc(text, odd)
}

// url notes what is no https URL, nor http on loopback (RFC 8252 §8.3), or has
// parts that a prefix may not have. A host is ASCII: a look-alike of a known name
// in another script is to be seen as what it is, its xn-- form.
func (d *decoder) url(n *yaml.Node, what string) bool {
	d.Is(n, yamlfile.Spelling{Pattern: urlPattern, Example: "https://auth.example.com"})
	text := d.Text(n, what)
	if text == "" {
		return false
	}
	err := checkURL(text, what)
	if err != nil {
		d.Mistake(n, yamlfile.BadValue, "%v", err)
	}
	return err == nil
}

func checkURL(text, what string) error {
	u, err := url.Parse(text)
	switch {
	case (err != nil || u.Hostname() == "") && !strings.ContainsAny(text, "@?#"):
		return fmt.Errorf("%s is a URL, not %q", what, text)
	case err != nil || u.User != nil || u.Hostname() == "" || strings.ContainsAny(text, "?#"):
		return fmt.Errorf("%s has no user, query or fragment", what) // not quoted: a password may stand there
	case u.Scheme != "https" && (u.Scheme != "http" || !guard.IsLoopback(u.Hostname())):
		return fmt.Errorf("%s is an https URL (http only on loopback), not %q", what, text)
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
		return fmt.Errorf("%s names its host in ASCII (xn--…), not as %q", what, u.Host)
	}
	return nil
}

// template reads a URL that may begin with a {base}. Only a path can follow that:
// anything else would make another host of it.
func (d *decoder) template(n *yaml.Node, what string) string {
	d.Is(n, yamlfile.Spelling{Pattern: templatePattern, Example: "{api}/path"})
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
	if !closed || err != nil || path != "" && path[0] != '/' || strings.ContainsAny(path, "?#{}") || !text.IsUnbroken(path) {
		d.Mistake(n, yamlfile.BadValue, "%s is a URL or {base}/path, not %q", what, word)
		return ""
	}
	named := *n
	named.Value = base
	d.baseWords = append(d.baseWords, &named)
	return word
}

// The same for readers of a schema: roughly what the functions above take.
const (
	origin          = `^([Hh][Tt][Tt][Pp][Ss]://[^/?#@\s]+|[Hh][Tt][Tt][Pp]://(localhost|127(\.[0-9]+){3}|\[::1\]|\{[a-z0-9_]+\})(:[0-9]+)?)`
	urlPattern      = origin + `(/[^?#\s]*)?$`
	endpointPattern = origin + `([/?][^#\s]*)?$`
	templatePattern = urlPattern + `|^\{[a-z0-9_]+\}(/[^?#\s]*)?$`
	basePattern     = `^[a-z0-9_]+$`
)
