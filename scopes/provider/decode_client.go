package provider

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// client reads members over those of c: one that is not given stays as it was.
func (d *decoder) client(n *yaml.Node, c Client) Client {
	d.Mapping(n, "client", []yamlfile.Member{
		yamlfile.Optional("id", func(v *yaml.Node) { c.ID, c.IDs = d.clientID(v) }),
		yamlfile.Optional("redirect", func(v *yaml.Node) { c.Redirect = d.redirect(v) }),
		yamlfile.Optional("authorize", func(v *yaml.Node) { c.Authorize = d.parameters(v) }),
		yamlfile.Optional("resource", func(v *yaml.Node) { c.Resources = d.resources(v) }),
	})
	return c
}

// clientID is one id, or one for each server.
func (d *decoder) clientID(n *yaml.Node) (one string, each map[string]string) {
	if n.Kind != yaml.MappingNode {
		return d.Text(n, "client id"), nil
	}
	each = make(map[string]string)
	d.Named(n, "client id", func(name, v *yaml.Node) {
		d.serverWords = append(d.serverWords, name)
		each[name.Value] = d.Text(v, "client id")
	})
	return "", each
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
