package provider

import (
	"maps"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// maxTable bounds the scopes that a file lists. Google has 1,545.
const maxTable = 5000

// scopeFacts reads what is known of the service's scopes, over f.
func (d *decoder) scopeFacts(n *yaml.Node, f ScopeFacts) ScopeFacts {
	d.Mapping(n, "scopes", []yamlfile.Member{
		yamlfile.Optional("listed", func(v *yaml.Node) { f.Partial = d.Word(v, "listed", []string{"all", "partial"}) == "partial" }, "whether scopes_supported is all there is; what a partial list lacks is requested"),
		yamlfile.Optional("except", func(v *yaml.Node) { f.Except = d.forms(v, "except") }, "listed, and not granted to ordinary people: not requested, unless the manifest has advertised: false there"),
		yamlfile.Optional("special", func(v *yaml.Node) { f.Special = d.forms(v, "special") }, "for some callers, or some things, alone: an audit proposes them only where nothing else would do"),
		yamlfile.Optional("table", func(v *yaml.Node) { f.Table = d.table(v) }, "scopes that exist, each a word or {scope, about}"),
		yamlfile.Optional("separator", func(v *yaml.Node) { f.Separator = d.separator(v, f.Separator) }, "what stands between scopes, where that is not a space"),
		yamlfile.Optional("same", func(v *yaml.Node) {
			f.Names.Same = cloned(f.Names.Same)
			d.Named(v, "same", func(name, other *yaml.Node) { f.Names.Same[d.scope(name)] = d.scope(other) })
		}, "two names of one scope: as it is requested, and as it comes back"),
		yamlfile.Optional("prefix", func(v *yaml.Node) { f.Names.Prefix = d.scope(v) }, "a name with it and without it is the same scope"),
		yamlfile.Optional("case", func(v *yaml.Node) { f.Names.AnyCase = d.Word(v, "case", []string{"exact", "any"}) == "any" }, "whether names that differ in nothing but case are the same"),
		yamlfile.Optional("added", func(v *yaml.Node) { f.Added = d.scopeSet(v, "added") }, "granted beside what is requested: no excess"),
		yamlfile.Optional("silent", func(v *yaml.Node) { f.Silent = d.scopeSet(v, "silent") }, "never named in a response: held where it was requested"),
		yamlfile.Optional("union", func(v *yaml.Node) { f.Union = d.Boolean(v, "union") }, "a response also names what was granted earlier"),
		yamlfile.Optional("request", func(v *yaml.Node) { d.requested(v, &f) }, "what a request names: the declared scopes, or, where the client's are set at the server, none, or a list in place of them"),
		yamlfile.Optional("resources", func(v *yaml.Node) { f.Resources = d.resourceScopes(v, f.Resources) }, "for each base with a list of its own (RFC 9728), what that is good for; default: where the server has no list, what is not in it is withheld"),
		yamlfile.Optional("set", func(v *yaml.Node) { f.Set = d.clientScopes(v) }, "the scopes that are set for the client at the server; another one cannot come"),
	})
	return f
}

// resourceScopes reads what the lists of resources are good for, over those of the provider under use.
func (d *decoder) resourceScopes(n *yaml.Node, used map[string]ResourceScopes) map[string]ResourceScopes {
	all := make(map[string]ResourceScopes)
	maps.Copy(all, used)
	d.MappingAnd(n, "resources", nil, func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		one := all[base.Value]
		d.Mapping(v, "a resource", []yamlfile.Member{
			yamlfile.Optional("listed", func(v *yaml.Node) { one.Partial = d.Word(v, "listed", []string{"all", "partial"}) == "partial" }, "whether its list is all there is for it; what a partial list lacks is not withheld for it"),
			yamlfile.Optional("except", func(v *yaml.Node) { one.Except = d.forms(v, "except") }, "listed, and not granted to ordinary people: not requested, unless the manifest has advertised: false there"),
		})
		all[base.Value] = one
	}, "a base with such a list")
	return all
}

func (d *decoder) requested(n *yaml.Node, f *ScopeFacts) {
	f.Instead = scopes.Set{}
	if n.Kind == yaml.SequenceNode {
		f.NoRequest, f.Instead = true, d.scopeSet(n, "request")
		d.AtLeast(n, 1, "request lists one scope or more; none is a word of its own")
		return
	}
	f.NoRequest = d.Word(n, "request", []string{"declared", "none"}) == "none"
}

func (d *decoder) clientScopes(n *yaml.Node) (set ClientScopes) {
	d.Mapping(n, "set", []yamlfile.Member{
		yamlfile.Optional("required", func(v *yaml.Node) { set.Required = d.scopeSet(v, "required") }, "those that a person grants, or nothing"),
		yamlfile.Optional("optional", func(v *yaml.Node) { set.Optional = d.scopeSet(v, "optional") }, "those that a person may leave out"),
	})
	if both := set.Required.Where(set.Optional.Has); both.Len() > 0 {
		d.Mistake(n, yamlfile.BadValue, "the scope %q is either required or optional there", both.Slice()[0])
	}
	return set
}

func (d *decoder) scopeSet(n *yaml.Node, what string) scopes.Set {
	var list []string
	d.List(n, what, func(item *yaml.Node) { list = append(list, d.scope(item)) })
	return scopes.NewSet(list...)
}

func (d *decoder) forms(n *yaml.Node, what string) scopes.Forms {
	var list []string
	d.List(n, what, func(item *yaml.Node) {
		form := d.scope(item)
		if _, err := scopes.NewForms(form); form != "" && err != nil {
			d.Mistake(item, yamlfile.BadValue, "%v", err)
			return
		}
		list = append(list, form)
	})
	forms, _ := scopes.NewForms(list...) // each was looked at
	return forms
}

func (d *decoder) table(n *yaml.Node) []KnownScope {
	var list []KnownScope
	if !d.AtMost(n, maxTable, "table lists at most %d scopes", maxTable) {
		return nil
	}
	d.List(n, "table", func(item *yaml.Node) {
		if item.Kind != yaml.MappingNode {
			list = append(list, KnownScope{Scope: d.scope(item)})
			return
		}
		var one KnownScope
		d.Mapping(item, "a scope of the table", []yamlfile.Member{
			yamlfile.Required("scope", func(v *yaml.Node) { one.Scope = d.scope(v) }, "its name"),
			yamlfile.Optional("about", func(v *yaml.Node) { one.About = d.Text(v, "about") }, "what it allows"),
		})
		list = append(list, one)
	})
	return list
}

// cloned is a map to write into.
func cloned(m map[string]string) map[string]string {
	if m == nil {
		return make(map[string]string)
	}
	return maps.Clone(m)
}

func (d *decoder) separator(n *yaml.Node, s Separator) Separator {
	one := func(v *yaml.Node) string {
		text := d.Text(v, "separator")
		if strings.Trim(text, " ,;|+") != "" {
			d.Mistake(v, yamlfile.BadValue, "a separator is a comma, a semicolon, a bar, a plus or a blank")
			return ""
		}
		return strings.TrimSpace(text)
	}
	d.Mapping(n, "separator", []yamlfile.Member{
		yamlfile.Optional("request", func(v *yaml.Node) { s.Request = one(v) }, "in requests"),
		yamlfile.Optional("response", func(v *yaml.Node) { s.Response = one(v) }, "in responses"),
	})
	return s
}

// maxEvidence bounds the forms: each operation is compared with each of them.
const maxEvidence = 50

// ReadEvidence reads the places in which descriptions name scopes, as evidence of a provider has
// them. What is wrong is noted in r.
func ReadEvidence(r *yamlfile.Reader, n *yaml.Node) []EvidenceForm {
	return (&decoder{Reader: r}).evidence(n)
}

func (d *decoder) evidence(n *yaml.Node) []EvidenceForm {
	var list []EvidenceForm
	if d.tooMany(n, "evidence", maxEvidence) {
		return nil
	}
	d.List(n, "evidence", func(item *yaml.Node) {
		f := EvidenceForm{On: DescribedOperation}
		d.Mapping(item, "a place of evidence", []yamlfile.Member{
			yamlfile.Optional("on", func(v *yaml.Node) {
				f.On = Described(d.Word(v, "on", []string{string(DescribedOperation), string(DescribedTool)}))
			}, "what has the member: an operation of an OpenAPI document (the default), or the definition of an MCP tool"),
			yamlfile.Required("at", func(v *yaml.Node) { f.At = d.evidencePath(v) }, "the path to the scopes: a word, a list, or an object whose keys they are; [] in it for a list of alternatives"),
			yamlfile.Optional("need", func(v *yaml.Node) { f.AnyOf = d.Word(v, "need", []string{"all", "any"}) == "any" }, "whether all that stand there are needed, or any one is enough"),
			yamlfile.Optional("fallback", func(v *yaml.Node) { f.Fallback = d.Boolean(v, "fallback") }, "whether it counts only where security names no scope"),
		})
		list = append(list, f)
	})
	return list
}

// evidencePath reads a path from a member to scopes.
func (d *decoder) evidencePath(n *yaml.Node) Path {
	path := d.path(n, "at")
	each := 0
	for _, step := range path {
		if step.Each {
			each++
		}
	}
	if each > 1 || each == 1 && path[0].Each {
		d.Mistake(n, yamlfile.BadValue, "at begins with a member, and has [] once at most")
		return nil
	}
	return path
}
