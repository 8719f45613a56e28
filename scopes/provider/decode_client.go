package provider

import (
	"cmp"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// client reads members over those of c: one that is not given stays as it was. The secret and the
// method belong to the id: another id has its own. The method of a file without an id is the service's,
// and good for any client with a secret.
func (d *decoder) client(n *yaml.Node, c Client) Client {
	if yamlfile.Child(n, "id") != nil && (c.ID != "" || len(c.IDs) > 0) {
		c.Secret, c.Secrets, c.Proof, c.KeyID, c.ForToken, c.Method, c.Own = SecretSource{}, nil, "", "", false, "", false
	}
	var secret *yaml.Node
	proof := func(word string, is Proof) func(*yaml.Node) {
		return func(v *yaml.Node) {
			secret, c.Proof = v, is
			c.Secret, c.Secrets = d.clientSecret(v, word)
		}
	}
	d.Mapping(n, "client", []yamlfile.Member{
		yamlfile.Optional("id", func(v *yaml.Node) { c.ID, c.IDs = d.clientID(v) }, "the client id, or one for each server"),
		yamlfile.Optional("secret", proof("secret", ""), "where the client's secret is; never the secret itself"),
		yamlfile.Optional(publicSecret, proof(publicSecret, ""), "the secret of an installed program, which is none: it stands in every copy"),
		yamlfile.Optional("device_secret", func(v *yaml.Node) { c.CodeOnly = d.Word(v, "device_secret", []string{noMetadataWord}) != "" }, "none: a login by a code for another device is made without the secret that one in the browser needs"),
		yamlfile.Optional("private_key", proof("private_key", ProofKey), "where the private key is with which the client signs who it is (PEM or JWK; RFC 7523)"),
		yamlfile.Optional("assertion", proof("assertion", ProofAssertion), "where a JWT is that somebody else has signed for the client, such as the platform of a pipeline"),
		yamlfile.Optional("key_id", func(v *yaml.Node) { c.KeyID = d.Text(v, "key_id") }, "the kid of the private key, where the key itself has none"),
		yamlfile.Optional("assertion_audience", func(v *yaml.Node) {
			c.ForToken = d.Word(v, "assertion_audience", []string{"issuer", "token_endpoint"}) == "token_endpoint"
		}, "for whom the client signs: the issuer (the default), or its token endpoint at older servers"),
		yamlfile.Optional("token_endpoint_auth_method", func(v *yaml.Node) {
			c.Method = AuthMethod(d.Word(v, "token_endpoint_auth_method", append(AuthMethods(), string(AuthKey))))
		}, "how the client proves that it is itself (RFC 7591 §2)"),
		yamlfile.Optional("grant", func(v *yaml.Node) { c.Own = d.Word(v, "grant", grants()) == grantOwn }, "how the client gets a token: a person agrees (the default), or it gets one for itself (RFC 6749 §4.4)"),
		yamlfile.Optional("pkce", func(v *yaml.Node) {
			word := d.Word(v, "pkce", []string{"S256", "none"})
			c.PKCE, c.NoPKCE = word == "S256", word == "none"
		}, "S256: the server uses PKCE, also where its metadata does not say so; none: it does not, and only a client with a secret can log in"),
		yamlfile.Optional("require_pushed_authorization_requests", func(v *yaml.Node) {
			c.Push = d.Boolean(v, "require_pushed_authorization_requests")
		}, "push the authorization request (RFC 9126)"),
		yamlfile.Optional("token", func(v *yaml.Node) { c.Token = scopes.Kind(d.kindWord(v)) }, "which token of a token response with several is used, by its kind"),
		yamlfile.Optional("redirect", func(v *yaml.Node) { c.Redirect = d.redirect(v, c.Redirect) }, "the redirect URI that is registered for the client"),
		yamlfile.Optional("authorize", func(v *yaml.Node) { c.Authorize = d.parameters(v, "authorize", ReservedParameters()) }, "further parameters of the authorization request"),
		yamlfile.Optional("token_request", func(v *yaml.Node) { c.Exchange = d.parameters(v, "token_request", reservedInExchange) }, "further parameters of the token request after a person's consent"),
		yamlfile.Optional("resource", func(v *yaml.Node) { c.Resources = d.resources(v) }, "whom a token is for (RFC 8707), where the manifest names no resource: a URL, {base}, or a list"),
	})
	d.AtMostOne(n, "a client", "secret", publicSecret, "private_key", "assertion")
	hasID, hasSecret := c.ID != "" || len(c.IDs) > 0, c.Secret != SecretSource{} || len(c.Secrets) > 0
	shared := IsDocument(c.ID) && c.Secret != SecretSource{}
	for server, id := range c.IDs {
		shared = shared || IsDocument(id) && c.SecretFor(server) != SecretSource{}
	}
	method := yamlfile.Child(n, "token_endpoint_auth_method")
	if method == nil && (c.Method == AuthKey) != (c.Proof != "") {
		c.Method = ""
	}
	if about := cmp.Or(yamlfile.Child(n, "key_id"), yamlfile.Child(n, "assertion_audience")); about != nil && c.Proof != ProofKey {
		d.Mistake(about, yamlfile.BadValue, "key_id and assertion_audience are about what a client signs with its private_key")
	}
	switch {
	case c.Own && yamlfile.Child(n, publicSecret) != nil:
		d.Mistake(yamlfile.Child(n, publicSecret), yamlfile.BadValue, "a client that gets a token for itself has a secret that nobody else knows: say under secret where that is")
	case c.Own && !(hasID && hasSecret):
		d.Mistake(cmp.Or(yamlfile.Child(n, "grant"), n), yamlfile.BadValue, "a client that gets a token for itself has an id, and proves that it is itself: name its id, and where its secret or its private_key is")
	case hasSecret && (method != nil || secret != nil) && (c.Method == AuthKey) != (c.Proof != "") && c.Method != "":
		d.Mistake(cmp.Or(method, secret), yamlfile.BadValue, "the method %q goes with a private_key or an assertion, and the others with a secret", AuthKey)
	case hasSecret && secret != nil && !hasID:
		d.Mistake(secret, yamlfile.BadValue, "a secret belongs to a client that is registered: name its id too")
	case secret != nil && shared && c.Proof == "":
		d.Mistake(secret, yamlfile.BadValue, "a client whose id is a document has no secret: everybody reads the document")
	case hasSecret && method != nil && c.Method == AuthNone:
		d.Mistake(method, yamlfile.BadValue, "a client with a secret has another method than %q", AuthNone)
	case !hasSecret && method != nil && c.Method == AuthKey:
		d.Mistake(method, yamlfile.BadValue, "a client whose method is %q has a private_key or an assertion: say where it is", c.Method)
	case c.NoPKCE && hasID && (!hasSecret || secret != nil && yamlfile.Child(n, publicSecret) != nil):
		d.Mistake(n, yamlfile.BadValue, "the service does not use PKCE, so that only a client with a secret of its own can log in there: name that under secret")
	case hasID && !hasSecret && method != nil && c.Method != AuthNone && c.Method != "":
		d.Mistake(method, yamlfile.BadValue, "a client whose method is %q has a secret: say where it is", c.Method)
	}
	return c
}

// The grants by which a client gets a token (RFC 7591 §2).
const (
	grantPerson = "authorization_code"
	grantOwn    = "client_credentials"
)

func grants() []string { return []string{grantPerson, grantOwn} }

// clientSecret is where the secret is, or that for each server.
func (d *decoder) clientSecret(n *yaml.Node, word string) (one SecretSource, each map[string]SecretSource) {
	if n.Kind != yaml.MappingNode || word != publicSecret && slices.ContainsFunc(secretSources, func(word string) bool { return d.Has(n, word) }) {
		return d.secretSource(n, word), nil
	}
	each = make(map[string]SecretSource)
	d.Named(n, word, func(name, v *yaml.Node) {
		if near := text.Near(name.Value, secretSources); len(near) > 0 && v.Kind == yaml.ScalarNode && word != publicSecret {
			d.Mistake(name, yamlfile.UnknownKey, "unknown key %q in %s%s", name.Value, word, text.Allowed(name.Value, secretSources))
			return
		}
		d.serverWords = append(d.serverWords, name)
		each[name.Value] = d.secretSource(v, word)
	})
	return SecretSource{}, each
}

// publicSecret is the word for a secret that is none: it stands in the file itself.
const publicSecret = "public_secret"

var secretSources = []string{"variable", "file", "keyring"}

func (d *decoder) secretSource(n *yaml.Node, word string) SecretSource {
	var s SecretSource
	if word == publicSecret {
		s.Public = d.Text(n, word)
		return s
	}
	if n.Kind != yaml.MappingNode { // not quoted: it may be the secret
		d.Mistake(n, yamlfile.BadValue, "a client's secret does not stand in a file that people share: say where it is, as {variable: NAME}, {file: PATH} or {keyring: ACCOUNT}")
		return s
	}
	d.Mapping(n, word, []yamlfile.Member{
		yamlfile.Optional("variable", func(v *yaml.Node) { s.Variable = d.variable(v) }, "an environment variable"),
		yamlfile.Optional("file", func(v *yaml.Node) { s.File = d.besideFile(d.Text(v, "file")) }, "a file, as seen from this one; ~/ is the home"),
		yamlfile.Optional("keyring", func(v *yaml.Node) { s.Keyring = d.Name(v, "keyring") }, "the account of an item in the system's keyring"),
	})
	d.OneOf(n, word, secretSources...)
	return s
}

// variable reads the name of an environment variable.
func (d *decoder) variable(n *yaml.Node) string {
	d.Is(n, yamlfile.Spelling{Pattern: "^[A-Za-z0-9_]+$"})
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

// redirect reads the redirect URI, over r.
func (d *decoder) redirect(n *yaml.Node, r Redirect) Redirect {
	d.Mapping(n, "redirect", []yamlfile.Member{
		yamlfile.Optional("host", func(v *yaml.Node) { r.Host = d.Word(v, "redirect host", []string{"localhost", "127.0.0.1", "[::1]"}) }, "the host that is registered"),
		yamlfile.Optional("path", func(v *yaml.Node) { r.Path = d.redirectPath(v) }, "the path that is registered"),
		yamlfile.Optional("ports", func(v *yaml.Node) {
			r.Ports = nil
			d.List(v, "ports", func(item *yaml.Node) { r.Ports = append(r.Ports, d.Number(item, "port", 1, 65535)) })
		}, "the ports that are registered; without them, any free one"),
	})
	if r.Host == "" && n.Kind == yaml.MappingNode && yamlfile.Child(n, "host") == nil && !d.Describing() {
		d.Mistake(n, yamlfile.MissingKey, "redirect is missing %q", "host")
	}
	return r
}

// redirectPath reads a path that means the same to an HTTP server, in a URL and in
// the exact comparison of RFC 6749 §3.1.2.3: plain letters only.
func (d *decoder) redirectPath(n *yaml.Node) string {
	d.Is(n, yamlfile.Spelling{Pattern: "^/[A-Za-z0-9/._~-]*$", Example: "/callback"})
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

// reservedInExchange are those of a token request that a file may not hold: the flow itself sets them.
var reservedInExchange = []string{
	"assertion", "client_assertion", "client_assertion_type", "client_id", "client_secret", "code", "code_verifier", "device_code",
	"grant_type", "redirect_uri", "refresh_token", "resource", "scope",
}

func (d *decoder) parameters(n *yaml.Node, what string, reserved []string) []Parameter {
	var list []Parameter
	d.Named(n, what, func(name, v *yaml.Node) {
		d.Is(name, yamlfile.Spelling{Not: reserved})
		if slices.Contains(reserved, name.Value) {
			d.Mistake(name, yamlfile.BadValue, "%q is set by the flow itself", name.Value)
			return
		}
		list = append(list, Parameter{name.Value, d.Text(v, name.Value)})
	})
	return list
}
