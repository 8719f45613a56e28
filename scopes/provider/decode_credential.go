package provider

import (
	"slices"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// maxKinds bounds the kinds of credential: each is compared with each.
const maxKinds = 100

func (d *decoder) credentials(n *yaml.Node) []CredentialKind {
	var kinds []CredentialKind
	if len(n.Content) > maxKinds {
		d.Mistake(n, yamlfile.BadValue, "credentials lists at most %d kinds", maxKinds)
		return nil
	}
	d.List(n, "credentials", func(item *yaml.Node) {
		var k CredentialKind
		d.Mapping(item, "a credential", []yamlfile.Member{
			yamlfile.Optional("prefix", func(v *yaml.Node) { k.Prefix = d.Text(v, "prefix") }),
			yamlfile.Required("kind", func(v *yaml.Node) { k.Kind = scopes.Kind(d.Name(v, "kind")) }),
			yamlfile.Optional("token_type", func(v *yaml.Node) { k.TokenType = d.Text(v, "token_type") }),
			yamlfile.Optional("label", func(v *yaml.Node) { k.Label = d.Text(v, "label") }),
			yamlfile.Optional("env", func(v *yaml.Node) {
				d.List(v, "env", func(item *yaml.Node) { k.Env = append(k.Env, d.Text(item, "env")) })
			}),
			yamlfile.Optional("create", func(v *yaml.Node) { k.Create = d.template(v, "create") }),
			yamlfile.Optional("inspect", func(v *yaml.Node) { k.Inspect = d.inspection(v) }),
			yamlfile.Optional("usable", func(v *yaml.Node) { k.Usable = d.usable(v) }),
			yamlfile.Optional("renewable", func(v *yaml.Node) { k.Renewable = d.Boolean(v, "renewable") }),
			yamlfile.Optional("programs", func(v *yaml.Node) {
				k.Programs = Programs(d.Word(v, "programs", []string{string(ProgramsMeant), string(ProgramsNever)}))
			}),
		})
		if yamlfile.Child(item, "renewable") == nil {
			k.Renewable = k.Kind == scopes.AccessToken
		}
		if k.Programs == "" && len(k.Env) > 0 {
			k.Programs = ProgramsMeant
		}
		if slices.ContainsFunc(kinds, func(o CredentialKind) bool { return o.Prefix == k.Prefix }) {
			d.Mistake(item, yamlfile.DuplicateKey, "a credential with the prefix %q appears twice", k.Prefix)
		}
		kinds = append(kinds, k)
	})
	return kinds
}

func (d *decoder) inspection(n *yaml.Node) Inspection {
	var i Inspection
	d.Mapping(n, "inspect", []yamlfile.Member{
		yamlfile.Optional("url", func(v *yaml.Node) { i.URL = d.template(v, "url") }),
		yamlfile.Optional("introspection", func(v *yaml.Node) {
			i.Introspection, i.JSON = true, d.Word(v, "introspection", []string{"form", "json"}) == "json"
		}),
		yamlfile.Optional("caller", func(v *yaml.Node) { i.Bearer = d.Word(v, "caller", []string{"client_id", "bearer"}) == "bearer" }),
		yamlfile.Optional("scopes", func(v *yaml.Node) { i.Scopes = d.Text(v, "scopes") }),
		yamlfile.Optional("reach", func(v *yaml.Node) {
			d.Named(v, "reach", func(sort, member *yaml.Node) {
				i.Reach = append(i.Reach, ReachMember{Of: sort.Value, Member: d.Text(member, "reach")})
			})
		}),
		yamlfile.Optional("expires", func(v *yaml.Node) { i.Expires = d.Text(v, "expires") }),
	})
	if n.Kind == yaml.MappingNode && (yamlfile.Child(n, "url") != nil) == i.Introspection {
		d.Mistake(n, yamlfile.BadValue, "inspect has url or introspection, and not both")
	}
	if caller := yamlfile.Child(n, "caller"); caller != nil && !i.Introspection {
		d.Mistake(caller, yamlfile.BadValue, "caller says who introspects; a url is asked by the credential itself")
	}
	return i
}

func (d *decoder) usable(n *yaml.Node) []Usability {
	var list []Usability
	d.Named(n, "usable", func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		word := d.Word(v, "usable", []string{"never", "by_scope"})
		list = append(list, Usability{Base: base.Value, Never: word == "never"})
	})
	return list
}
