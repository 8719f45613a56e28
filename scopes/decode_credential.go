package scopes

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxKinds bounds the kinds of credential: each is held against each.
const maxKinds = 100

func (d *decoder) credentials(n *yaml.Node) []CredentialKind {
	var kinds []CredentialKind
	words := []string{string(OAuthToken), string(PersonalAPIKey), string(ProjectKey), string(ProjectSecretKey), string(UnknownKind)}
	if len(n.Content) > maxKinds {
		d.mistake(n, BadValue, "credentials lists at most %d kinds", maxKinds)
		return nil
	}
	d.list(n, "credentials", func(item *yaml.Node) {
		var k CredentialKind
		d.mapping(item, "a credential", []member{
			{"prefix", false, func(v *yaml.Node) { k.Prefix = d.text(v, "prefix") }},
			{"kind", true, func(v *yaml.Node) { k.Kind = Kind(d.word(v, "kind", words)) }},
			{"label", false, func(v *yaml.Node) { k.Label = d.text(v, "label") }},
			{"env", false, func(v *yaml.Node) {
				d.list(v, "env", func(item *yaml.Node) { k.Env = append(k.Env, d.text(item, "env")) })
			}},
			{"create", false, func(v *yaml.Node) { k.Create = d.template(v, "create") }},
			{"inspect", false, func(v *yaml.Node) { k.Inspect = d.inspection(v) }},
			{"usable", false, func(v *yaml.Node) { k.Usable = d.usable(v) }},
		})
		if slices.ContainsFunc(kinds, func(o CredentialKind) bool { return o.Prefix == k.Prefix }) {
			d.mistake(item, DuplicateKey, "a credential with the prefix %q stands twice", k.Prefix)
		}
		kinds = append(kinds, k)
	})
	return kinds
}

func (d *decoder) inspection(n *yaml.Node) Inspection {
	var i Inspection
	d.mapping(n, "inspect", []member{
		{"url", false, func(v *yaml.Node) { i.URL = d.template(v, "url") }},
		{"introspection", false, func(v *yaml.Node) {
			i.Introspection, i.JSON = true, d.word(v, "introspection", []string{"form", "json"}) == "json"
		}},
		{"scopes", false, func(v *yaml.Node) { i.Scopes = d.text(v, "scopes") }},
		{"teams", false, func(v *yaml.Node) { i.Teams = d.text(v, "teams") }},
		{"organizations", false, func(v *yaml.Node) { i.Organizations = d.text(v, "organizations") }},
		{"expires", false, func(v *yaml.Node) { i.Expires = d.text(v, "expires") }},
	})
	if n.Kind == yaml.MappingNode && (child(n, "url") != nil) == i.Introspection {
		d.mistake(n, BadValue, "inspect has url or introspection, and not both")
	}
	return i
}

func (d *decoder) usable(n *yaml.Node) []Usability {
	var list []Usability
	d.named(n, "usable", func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		word := d.word(v, "usable", []string{"never", "by_scope"})
		list = append(list, Usability{Base: base.Value, Never: word == "never"})
	})
	return list
}
