package provider

import (
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// client reads members over those of c: one that is not given stays as it was. The secret and the
// method belong to the id: another id has its own.
func (d *decoder) client(n *yaml.Node, c Client) Client {
	if yamlfile.Child(n, "id") != nil {
		c.Secret, c.Secrets, c.Method = SecretSource{}, nil, ""
	}
	d.Mapping(n, "client", []yamlfile.Member{
		yamlfile.Optional("id", func(v *yaml.Node) { c.ID, c.IDs = d.clientID(v) }),
		yamlfile.Optional("secret", func(v *yaml.Node) { c.Secret, c.Secrets = d.clientSecret(v) }),
		yamlfile.Optional("token_endpoint_auth_method", func(v *yaml.Node) {
			c.Method = AuthMethod(d.Word(v, "token_endpoint_auth_method", AuthMethods()))
		}),
		yamlfile.Optional("pkce", func(v *yaml.Node) { c.PKCE = d.Word(v, "pkce", []string{"S256"}) != "" }),
		yamlfile.Optional("require_pushed_authorization_requests", func(v *yaml.Node) {
			c.Push = d.Boolean(v, "require_pushed_authorization_requests")
		}),
		yamlfile.Optional("redirect", func(v *yaml.Node) { c.Redirect = d.redirect(v) }),
		yamlfile.Optional("authorize", func(v *yaml.Node) { c.Authorize = d.parameters(v) }),
		yamlfile.Optional("resource", func(v *yaml.Node) { c.Resources = d.resources(v) }),
	})
	hasID, hasSecret := c.ID != "" || len(c.IDs) > 0, c.Secret != SecretSource{} || len(c.Secrets) > 0
	shared := IsDocument(c.ID) && c.Secret != SecretSource{}
	for server, id := range c.IDs {
		shared = shared || IsDocument(id) && c.SecretFor(server) != SecretSource{}
	}
	secret, method := yamlfile.Child(n, "secret"), yamlfile.Child(n, "token_endpoint_auth_method")
	switch {
	case hasSecret && secret != nil && !hasID:
		d.Mistake(secret, yamlfile.BadValue, "secret belongs to a client that is registered: name its id too")
	case secret != nil && shared:
		d.Mistake(secret, yamlfile.BadValue, "a client whose id is a document has no secret: everybody reads the document")
	case hasSecret && method != nil && c.Method == AuthNone:
		d.Mistake(method, yamlfile.BadValue, "a client with a secret has another method than %q", AuthNone)
	case hasID && !hasSecret && method != nil && c.Method != AuthNone && c.Method != "":
		d.Mistake(method, yamlfile.BadValue, "a client whose method is %q has a secret: say where it is", c.Method)
	}
	return c
}

// clientSecret is where the secret is, or that for each server.
func (d *decoder) clientSecret(n *yaml.Node) (one SecretSource, each map[string]SecretSource) {
	if n.Kind != yaml.MappingNode || slices.ContainsFunc(secretSources, func(word string) bool { return yamlfile.Child(n, word) != nil }) {
		return d.secretSource(n), nil
	}
	each = make(map[string]SecretSource)
	d.Named(n, "secret", func(name, v *yaml.Node) {
		d.serverWords = append(d.serverWords, name)
		each[name.Value] = d.secretSource(v)
	})
	return SecretSource{}, each
}

var secretSources = []string{"variable", "file", "keyring"}

func (d *decoder) secretSource(n *yaml.Node) SecretSource {
	var s SecretSource
	if n.Kind != yaml.MappingNode { // not quoted: it may be the secret
		d.Mistake(n, yamlfile.BadValue, "a client's secret does not stand in a file that people share: say where it is, as {variable: NAME}, {file: PATH} or {keyring: ACCOUNT}")
		return s
	}
	d.Mapping(n, "secret", []yamlfile.Member{
		yamlfile.Optional("variable", func(v *yaml.Node) { s.Variable = d.variable(v) }),
		yamlfile.Optional("file", func(v *yaml.Node) { s.File = d.besideFile(d.Text(v, "file")) }),
		yamlfile.Optional("keyring", func(v *yaml.Node) { s.Keyring = d.Name(v, "keyring") }),
	})
	if len(n.Content) != 2 { // a key and its value
		d.Mistake(n, yamlfile.BadValue, "secret names one place: variable, file or keyring")
	}
	return s
}

// variable reads the name of an environment variable.
func (d *decoder) variable(n *yaml.Node) string {
	name := d.Text(n, "variable")
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
	}
	if strings.ContainsFunc(name, odd) { // not quoted: it may be the secret
		d.Mistake(n, yamlfile.BadValue, "the name of a variable holds letters, digits and _ only")
		return ""
	}
	return name
}

// besideFile is a path as seen from the file that names it.
func (d *decoder) besideFile(path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~/") {
		return path
	}
	return filepath.Join(filepath.Dir(d.File), path)
}

// clientID is one id, or one for each server.
func (d *decoder) clientID(n *yaml.Node) (one string, each map[string]string) {
	if n.Kind != yaml.MappingNode {
		return d.oneID(n), nil
	}
	each = make(map[string]string)
	d.Named(n, "client id", func(name, v *yaml.Node) {
		d.serverWords = append(d.serverWords, name)
		each[name.Value] = d.oneID(v)
	})
	return "", each
}

// oneID is an id as the server gave it, or the URL of a document, which is compared as text.
func (d *decoder) oneID(n *yaml.Node) string {
	id := d.Text(n, "client id")
	if !IsDocument(id) {
		return id
	}
	u, err := url.Parse(id)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path == "" || strings.Contains(id, "#") || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/" {
		d.Mistake(n, yamlfile.BadValue, "a client id that is a URL names a document: a path with no dots in it, and no user or fragment")
		return ""
	}
	return id
}

func (d *decoder) redirect(n *yaml.Node) Redirect {
	var r Redirect
	d.Mapping(n, "redirect", []yamlfile.Member{
		yamlfile.Required("host", func(v *yaml.Node) { r.Host = d.Word(v, "redirect host", []string{"localhost", "127.0.0.1", "[::1]"}) }),
		yamlfile.Required("path", func(v *yaml.Node) { r.Path = d.redirectPath(v) }),
		yamlfile.Optional("ports", func(v *yaml.Node) {
			d.List(v, "ports", func(item *yaml.Node) { r.Ports = append(r.Ports, d.Number(item, "port", 1, 65535)) })
		}),
	})
	return r
}

// redirectPath reads a path that means the same to an HTTP server, in a URL and in
// the exact comparison of RFC 6749 §3.1.2.3: plain letters only.
func (d *decoder) redirectPath(n *yaml.Node) string {
	text := d.Text(n, "redirect path")
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("/-._~", c))
	}
	if text != "" && (text[0] != '/' || strings.ContainsFunc(text, odd)) {
		d.Mistake(n, yamlfile.BadValue, "redirect path begins with / and holds letters, digits and -._~ only, not %q", text)
	}
	return text
}

// ReservedParameters are those of an authorization request that a provider's
// authorize may not hold, in the order of the alphabet. The flow itself sets them: a
// file that could set them could lead the answer elsewhere or take the protection off.
func ReservedParameters() []string {
	return []string{
		"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri",
		"request", "request_uri", // RFC 9101: an object that stands for all of these
		"resource", // RFC 8707: whom the token is for
		"response_mode", "response_type", "scope", "state",
	}
}

// resources are one template of a URL, or a list of them.
func (d *decoder) resources(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode {
		return []string{d.template(n, "resource")}
	}
	var list []string
	d.List(n, "resource", func(item *yaml.Node) { list = append(list, d.template(item, "resource")) })
	return list
}

func (d *decoder) parameters(n *yaml.Node) []Parameter {
	var list []Parameter
	d.Named(n, "authorize", func(name, v *yaml.Node) {
		if slices.Contains(ReservedParameters(), name.Value) {
			d.Mistake(name, yamlfile.BadValue, "%q is set by the flow itself", name.Value)
			return
		}
		list = append(list, Parameter{name.Value, d.Text(v, name.Value)})
	})
	return list
}
