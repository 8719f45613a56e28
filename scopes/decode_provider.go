package scopes

import (
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed providers/*.yaml
var providerFiles embed.FS

const providerFolder = "providers"

// BuiltinProviders lists the names of the providers that are built in, sorted.
func BuiltinProviders() []string {
	files, _ := providerFiles.ReadDir(providerFolder) // embedded: it is there
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return names
}

// BuiltinProvider reads a built-in provider; the error of an unknown name lists
// the known ones.
func BuiltinProvider(name string) (*Provider, error) {
	if !slices.Contains(BuiltinProviders(), name) {
		return nil, fmt.Errorf("unknown provider %q%s", name, allowed(name, BuiltinProviders()))
	}
	file := providerFolder + "/" + name + ".yaml"
	text, _ := providerFiles.ReadFile(file) // embedded: it is there
	p, mistakes := decodeProviderFile(file, text)
	if err := mistakes.err(); err != nil {
		return nil, err
	}
	p.Name, p.File = name, ""
	return p, nil
}

// DecodeProvider reads a provider file; file is the name for messages. The error
// is [Mistakes]: everything that is wrong in it.
func DecodeProvider(file string, text []byte) (*Provider, error) {
	p, mistakes := decodeProviderFile(file, text)
	return p, mistakes.err()
}

// decodeProviderFile reads a file that stands alone, or that overrides fields of
// a built-in provider under use. It names no second file: one step is enough to
// follow by eye.
func decodeProviderFile(file string, text []byte) (*Provider, Mistakes) {
	d := &decoder{reader: reader{file: file}}
	root := d.document(text)
	if root == nil {
		return nil, d.mistakes
	}
	p := d.readProvider(root, d.lookup)
	if p == nil {
		return nil, d.mistakes
	}
	p.Name, p.File = file, file
	return p, d.mistakes
}

// readProvider reads a provider's mapping over what use names, or from nothing. A
// field that is given replaces the other's whole.
func (d *decoder) readProvider(n *yaml.Node, lookup func(*yaml.Node) *Provider) *Provider {
	p := &Provider{}
	if use := child(n, "use"); use != nil {
		used := lookup(use)
		if used == nil {
			return nil
		}
		overridden := *used
		p = &overridden
	}
	var defaultServer *yaml.Node
	d.mapping(n, "the provider", []member{
		{"use", false, func(*yaml.Node) {}},
		{"servers", child(n, "use") == nil, func(v *yaml.Node) { p.Servers = d.servers(v) }},
		{"default_server", false, func(v *yaml.Node) { defaultServer = v }},
		{"server_from", false, func(v *yaml.Node) { p.ServerFrom = d.text(v, "server_from") }},
		{"client", false, func(v *yaml.Node) { p.Client = d.client(v, p) }},
		{"credentials", false, func(v *yaml.Node) { p.Credentials = d.credentials(v) }},
		{"implies", false, func(v *yaml.Node) { p.Implies = d.implies(v) }},
		{"errors", false, func(v *yaml.Node) { p.Refusals = d.refusals(v) }},
		{"refusal_body", false, func(v *yaml.Node) { p.RefusalBody = d.refusalBody(v) }},
	})
	d.defaultServer(p, defaultServer)
	d.checkBases(n, p)
	return p
}

// child is the value of a key of a mapping, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// defaultServer reads which server is asked when nobody names one. An inherited
// name that overridden servers do not have gives way to the first of them.
func (d *decoder) defaultServer(p *Provider, n *yaml.Node) {
	if n != nil {
		p.DefaultServer = d.word(n, "default_server", p.ServerNames())
	}
	if len(p.Servers) > 0 && !slices.Contains(p.ServerNames(), p.DefaultServer) {
		p.DefaultServer = p.Servers[0].Name
	}
}

func (d *decoder) servers(n *yaml.Node) []Server {
	var servers []Server
	d.named(n, "servers", func(name, value *yaml.Node) {
		s := Server{Name: name.Value}
		d.named(value, fmt.Sprintf("server %q", s.Name), func(key, v *yaml.Node) {
			switch key.Value {
			case IssuerBase:
				if d.url(v, "issuer") {
					s.Issuer = v.Value
				}
			case "ask_on_401":
				s.AskOn401 = d.boolean(v, "ask_on_401")
			default:
				if d.baseName(key) && d.url(v, "base "+strconv.Quote(key.Value)) {
					s.Bases = append(s.Bases, Base{Name: key.Value, URL: strings.TrimSuffix(v.Value, "/")})
				}
			}
		})
		if value.Kind == yaml.MappingNode && child(value, IssuerBase) == nil {
			d.mistake(name, MissingKey, "server %q lacks %q", s.Name, IssuerBase)
		}
		servers = append(servers, s)
	})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		d.mistake(n, BadValue, "servers names one server or more")
	}
	return servers
}

// baseName allows what can stand between the braces of used_by and within the
// name of an environment variable.
func (d *decoder) baseName(key *yaml.Node) bool {
	bad := strings.ContainsFunc(key.Value, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	})
	if bad {
		d.mistake(key, BadValue, "%q cannot name a base: lower-case letters, digits and _ only", key.Value)
	}
	return !bad
}

// url notes what is no https URL, nor http on loopback (RFC 8252 §8.3), or has
// parts that a prefix may not have.
func (d *decoder) url(n *yaml.Node, what string) bool {
	text := d.text(n, what)
	if text == "" {
		return false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		d.mistake(n, BadValue, "%s is a URL, not %q", what, text)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		d.mistake(n, BadValue, "%s is an https URL (http only on loopback), not %q", what, text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		d.mistake(n, BadValue, "%s has no user, query or fragment: %q", what, u.Redacted())
	default:
		return true
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (d *decoder) client(n *yaml.Node, p *Provider) Client {
	c := p.Client // a member that is not given stays as it was
	d.mapping(n, "client", []member{
		{"id", false, func(v *yaml.Node) { c.ID, c.IDs = d.clientID(v) }},
		{"redirect", false, func(v *yaml.Node) { c.Redirect = d.redirect(v) }},
		{"authorize", false, func(v *yaml.Node) { c.Authorize = d.parameters(v) }},
	})
	return c
}

// clientID is one id, or one for each server.
func (d *decoder) clientID(n *yaml.Node) (one string, each map[string]string) {
	if n.Kind != yaml.MappingNode {
		return d.text(n, "client id"), nil
	}
	each = make(map[string]string)
	d.named(n, "client id", func(name, v *yaml.Node) { each[name.Value] = d.text(v, "client id") })
	return "", each
}

func (d *decoder) redirect(n *yaml.Node) Redirect {
	var r Redirect
	d.mapping(n, "redirect", []member{
		{"host", true, func(v *yaml.Node) { r.Host = d.word(v, "redirect host", []string{"localhost", "127.0.0.1", "[::1]"}) }},
		{"path", true, func(v *yaml.Node) {
			if r.Path = d.text(v, "redirect path"); !strings.HasPrefix(r.Path, "/") {
				d.mistake(v, BadValue, "redirect path begins with /")
			}
		}},
		{"ports", false, func(v *yaml.Node) {
			d.list(v, "ports", func(item *yaml.Node) { r.Ports = append(r.Ports, d.number(item, "port", 1, 65535)) })
		}},
	})
	return r
}

// reservedParameters are set by the flow itself: a file that could set them could
// lead the answer elsewhere or take the protection off.
var reservedParameters = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
}

func (d *decoder) parameters(n *yaml.Node) []Parameter {
	var list []Parameter
	d.named(n, "authorize", func(name, v *yaml.Node) {
		if slices.Contains(reservedParameters, name.Value) {
			d.mistake(name, BadValue, "%q is set by the flow itself", name.Value)
			return
		}
		list = append(list, Parameter{name.Value, d.text(v, name.Value)})
	})
	return list
}

func (d *decoder) credentials(n *yaml.Node) []CredentialKind {
	var kinds []CredentialKind
	words := []string{string(OAuthToken), string(PersonalAPIKey), string(ProjectKey), string(ProjectSecretKey), string(UnknownKind)}
	d.list(n, "credentials", func(item *yaml.Node) {
		var k CredentialKind
		d.mapping(item, "a credential", []member{
			{"prefix", false, func(v *yaml.Node) { k.Prefix = d.text(v, "prefix") }},
			{"kind", true, func(v *yaml.Node) { k.Kind = Kind(d.word(v, "kind", words)) }},
			{"label", false, func(v *yaml.Node) { k.Label = d.text(v, "label") }},
			{"env", false, func(v *yaml.Node) {
				d.list(v, "env", func(item *yaml.Node) { k.Env = append(k.Env, d.text(item, "env")) })
			}},
			{"create", false, func(v *yaml.Node) { k.Create = d.text(v, "create") }},
			{"inspect", false, func(v *yaml.Node) { k.Inspect = d.inspection(v) }},
			{"usable", false, func(v *yaml.Node) { k.Usable = d.usable(v) }},
		})
		kinds = append(kinds, k)
	})
	return kinds
}

func (d *decoder) inspection(n *yaml.Node) Inspection {
	var i Inspection
	d.mapping(n, "inspect", []member{
		{"url", false, func(v *yaml.Node) { i.URL = d.text(v, "url") }},
		{"introspection", false, func(v *yaml.Node) {
			i.Introspection, i.JSON = true, d.word(v, "introspection", []string{"form", "json"}) == "json"
		}},
		{"scopes", false, func(v *yaml.Node) { i.Scopes = d.text(v, "scopes") }},
		{"teams", false, func(v *yaml.Node) { i.Teams = d.text(v, "teams") }},
		{"organizations", false, func(v *yaml.Node) { i.Organizations = d.text(v, "organizations") }},
		{"expires", false, func(v *yaml.Node) { i.Expires = d.text(v, "expires") }},
	})
	if n.Kind == yaml.MappingNode && (i.URL != "") == i.Introspection {
		d.mistake(n, BadValue, "inspect has url or introspection, and not both")
	}
	return i
}

func (d *decoder) usable(n *yaml.Node) []Usability {
	var list []Usability
	d.named(n, "usable", func(base, v *yaml.Node) {
		word := d.word(v, "usable", []string{"never", "by_scope"})
		list = append(list, Usability{Base: base.Value, Never: word == "never"})
	})
	return list
}

func (d *decoder) implies(n *yaml.Node) Implications {
	var rules []Rule
	d.list(n, "implies", func(item *yaml.Node) {
		var r Rule
		var except []string
		d.mapping(item, "an implication", []member{
			{"scope", true, func(v *yaml.Node) { r.Scope = d.scope(v) }},
			{"covers", true, func(v *yaml.Node) {
				d.list(v, "covers", func(item *yaml.Node) { r.Covers = append(r.Covers, d.scope(item)) })
			}},
			{"except", false, func(v *yaml.Node) {
				d.list(v, "except", func(item *yaml.Node) { except = append(except, d.scope(item)) })
			}},
		})
		r.Except = NewSet(except...)
		if r.Scope != "" && !slices.Contains(r.Covers, "") {
			rules = append(rules, r)
		}
	})
	imp, err := NewImplications(rules)
	if err != nil {
		d.mistake(n, ImplyCycle, "implies: %v", err)
	}
	return imp
}

func (d *decoder) refusals(n *yaml.Node) []Refusal {
	var list []Refusal
	d.list(n, "errors", func(item *yaml.Node) {
		var f Refusal
		d.mapping(item, "an error", []member{
			{"status", true, func(v *yaml.Node) { f.Status = d.number(v, "status", 200, 599) }},
			{"base", false, func(v *yaml.Node) { f.Base = d.text(v, "base") }},
			{"text", false, func(v *yaml.Node) { f.Text = d.text(v, "text") }},
			{"means", true, func(v *yaml.Node) { f.Means = d.word(v, "meaning", RefusalMeanings()) }},
			{"advice", false, func(v *yaml.Node) { f.Advice = d.text(v, "advice") }},
		})
		list = append(list, f)
	})
	return list
}

func (d *decoder) refusalBody(n *yaml.Node) []RefusalBody {
	var list []RefusalBody
	d.named(n, "refusal_body", func(base, v *yaml.Node) {
		text := d.text(v, "refusal_body")
		if text != "" && !json.Valid([]byte(text)) {
			d.mistake(v, BadValue, "refusal_body of %q is not JSON", base.Value)
		}
		list = append(list, RefusalBody{Base: base.Value, JSON: text})
	})
	return list
}

// checkBases notes bases that parts of the provider name and no server has.
func (d *decoder) checkBases(n *yaml.Node, p *Provider) {
	known := p.BaseNames()
	check := func(base, where string) {
		if base != "" && !slices.Contains(known, base) && child(n, "use") == nil {
			d.mistake(n, BadValue, "%s: unknown base %q%s", where, base, allowed(base, known))
		}
	}
	for _, k := range p.Credentials {
		for _, u := range k.Usable {
			check(u.Base, "usable")
		}
	}
	for _, f := range p.Refusals {
		check(f.Base, "errors")
	}
	for _, b := range p.RefusalBody {
		check(b.Base, "refusal_body")
	}
}
