package provider

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// Decode reads a provider file; file is the name for messages. The error
// is [yamlfile.Mistakes]: everything that is wrong in it.
func Decode(file string, text []byte) (*Provider, error) {
	p, mistakes := decodeProviderFile(file, text)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return p, nil
}

// Read reads the provider of a manifest: a built-in one's name, a file (looked up
// beside r's and read with open, which may be nil where none is allowed), an issuer's URL, or
// one of these under use with fields that override its own. What is wrong is noted in r; the
// mistakes of the provider's own file are returned. The provider is nil where it is unusable.
func Read(r *yamlfile.Reader, n *yaml.Node, open func(path string) ([]byte, error)) (*Provider, yamlfile.Mistakes) {
	d := &decoder{Reader: r, open: open}
	if n.Kind != yaml.MappingNode {
		return d.lookup(n), d.ofFile
	}
	return d.provider(n), d.ofFile
}

type decoder struct {
	*yamlfile.Reader
	open        func(path string) ([]byte, error)
	baseWords   []*yaml.Node      // words that must name bases of the servers
	serverWords []*yaml.Node      // the same for servers
	ofFile      yamlfile.Mistakes // in the provider's own file, where that is another one
}

// decodeProviderFile reads a file that stands alone, or that overrides fields of
// a built-in provider under use. It names no second file: one step is enough to
// follow by eye. The provider is usable where there are no mistakes.
func decodeProviderFile(file string, source []byte) (*Provider, yamlfile.Mistakes) {
	d := &decoder{Reader: &yamlfile.Reader{File: file}}
	root := d.Document(source)
	if root == nil {
		return nil, d.Told()
	}
	p := d.provider(root)
	if p != nil {
		p.Name, p.File = file, file
	}
	return p, d.Told()
}

// provider reads a provider's mapping over what use names, or from nothing. A
// field that is given replaces the other's whole. It returns nil where use names
// nothing usable.
func (d *decoder) provider(n *yaml.Node) *Provider {
	p := &Provider{Name: d.File}
	use := yamlfile.Child(n, "use")
	used := use == nil
	if use != nil {
		if found := d.lookup(use); found != nil {
			*p, used = *found, true
		}
	}
	p.File = d.File
	var defaultServer *yaml.Node
	d.Mapping(n, "the provider", []yamlfile.Member{
		yamlfile.Optional("use", func(*yaml.Node) {}),
		{Key: "servers", Required: use == nil, Read: func(v *yaml.Node) { p.Servers = d.servers(v) }},
		yamlfile.Optional("default_server", func(v *yaml.Node) { defaultServer = v }),
		yamlfile.Optional("server_from", func(v *yaml.Node) { p.ServerFrom = d.Text(v, "server_from") }),
		yamlfile.Optional("client", func(v *yaml.Node) { p.Client = d.client(v, p.Client) }),
		yamlfile.Optional("credentials", func(v *yaml.Node) { p.Credentials = d.credentials(v) }),
		yamlfile.Optional("implies", func(v *yaml.Node) { p.Implies = d.implies(v) }),
		yamlfile.Optional("errors", func(v *yaml.Node) { p.Refusals, p.Denials = d.errors(v) }),
		yamlfile.Optional("refusal_body", func(v *yaml.Node) { p.RefusalBody = d.refusalBody(v) }),
		yamlfile.Optional("starter", func(v *yaml.Node) { p.Starter = d.Text(v, "starter") }),
	})
	if !used || len(p.Servers) == 0 {
		return nil // what the rest is compared with is not known
	}
	d.defaultServer(p, defaultServer)
	d.checkWords("base", d.baseWords, p.BaseNames())
	d.checkWords("server", d.serverWords, p.ServerNames())
	return p
}

// checkWords notes words of the provider that name no base, or no server, of it.
// It runs last, for these may stand above what they name.
func (d *decoder) checkWords(what string, words []*yaml.Node, known []string) {
	set := scopes.NewSet(known...)
	for _, n := range words {
		if !set.Has(n.Value) {
			d.Mistake(n, yamlfile.BadValue, "unknown %s %q%s", what, n.Value, text.Allowed(n.Value, known))
		}
	}
}

// baseWord reads the name of a base; whether a server has it is found out later.
func (d *decoder) baseWord(n *yaml.Node) string {
	text := d.Text(n, "base")
	if text != "" {
		d.baseWords = append(d.baseWords, n)
	}
	return text
}

// defaultServer reads which server is asked when nobody names one. An inherited
// name that overridden servers do not have gives way to the first of them.
func (d *decoder) defaultServer(p *Provider, n *yaml.Node) {
	if n != nil {
		p.DefaultServer = d.Word(n, "default_server", p.ServerNames())
	}
	if len(p.Servers) > 0 && !slices.Contains(p.ServerNames(), p.DefaultServer) {
		p.DefaultServer = p.Servers[0].Name
	}
}

// maxRules bounds the implications of a provider, and what one of them covers.
const maxRules = 100

func (d *decoder) implies(n *yaml.Node) scopes.Implications {
	var rules []scopes.Rule
	var places []*yaml.Node
	before := d.Count()
	d.List(n, "implies", func(item *yaml.Node) {
		r := d.rule(item)
		if r.Scope == "" || len(r.Covers) == 0 {
			return
		}
		if err := r.Check(); err != nil {
			d.Mistake(item, yamlfile.BadValue, "%v", err)
		}
		rules, places = append(rules, r), append(places, item)
	})
	if len(rules) > maxRules {
		d.Mistake(n, yamlfile.BadValue, "implies holds at most %d rules", maxRules)
	}
	if d.Count() > before {
		return scopes.Implications{} // a cycle is looked for among rules that are right
	}
	imp, err := scopes.NewImplications(rules)
	if cycle, ok := errors.AsType[*scopes.RuleError](err); ok {
		d.Mistake(places[cycle.Index], yamlfile.ImplyCycle, "this implication leads back to itself")
	}
	return imp
}

func (d *decoder) rule(n *yaml.Node) scopes.Rule {
	var r scopes.Rule
	var except []string
	each := func(list *[]string, what string) func(*yaml.Node) {
		return func(v *yaml.Node) {
			d.List(v, what, func(item *yaml.Node) { *list = append(*list, d.scope(item)) })
		}
	}
	d.Mapping(n, "an implication", []yamlfile.Member{
		yamlfile.Required("scope", func(v *yaml.Node) { r.Scope = d.scope(v) }),
		yamlfile.Required("covers", each(&r.Covers, "covers")),
		yamlfile.Optional("except", each(&except, "except")),
	})
	if len(r.Covers) > maxRules {
		d.Mistake(n, yamlfile.BadValue, "an implication covers at most %d scopes", maxRules)
	}
	r.Except = scopes.NewSet(except...)
	return r
}

// errors reads how the APIs refuse, and, of items with a place, how the authorization server does.
func (d *decoder) errors(n *yaml.Node) (refusals []Refusal, denials []Denial) {
	d.List(n, "errors", func(item *yaml.Node) {
		if yamlfile.Child(item, "place") != nil {
			denials = append(denials, d.denial(item))
		} else {
			refusals = append(refusals, d.refusal(item))
		}
	})
	return refusals, denials
}

func (d *decoder) refusal(n *yaml.Node) Refusal {
	var f Refusal
	d.Mapping(n, "an error", []yamlfile.Member{
		yamlfile.Required("status", func(v *yaml.Node) { f.Status = d.Number(v, "status", 200, 599) }),
		yamlfile.Optional("base", func(v *yaml.Node) { f.Base = d.baseWord(v) }),
		yamlfile.Optional("text", func(v *yaml.Node) { f.Text = d.Text(v, "text") }),
		yamlfile.Required("means", func(v *yaml.Node) { f.Means = d.meaning(v) }),
		yamlfile.Optional("any_of", func(v *yaml.Node) { f.AnyOf = d.Boolean(v, "any_of") }),
		yamlfile.Optional("advice", func(v *yaml.Node) { f.Advice = d.Text(v, "advice") }),
	})
	return f
}

func (d *decoder) denial(n *yaml.Node) Denial {
	var f Denial
	d.Mapping(n, "an error with a place", []yamlfile.Member{
		yamlfile.Required("place", func(v *yaml.Node) { f.Place = Place(d.Word(v, "place", places())) }),
		yamlfile.Required("code", func(v *yaml.Node) { f.Code = d.Text(v, "code") }),
		yamlfile.Optional("text", func(v *yaml.Node) { f.Text = d.Text(v, "text") }),
		yamlfile.Required("means", func(v *yaml.Node) { f.Means = d.meaning(v) }),
		yamlfile.Optional("advice", func(v *yaml.Node) { f.Advice = d.Text(v, "advice") }),
	})
	return f
}

func (d *decoder) meaning(n *yaml.Node) Meaning { return Meaning(d.Word(n, "meaning", meanings())) }

func (d *decoder) refusalBody(n *yaml.Node) []RefusalBody {
	var list []RefusalBody
	d.Named(n, "refusal_body", func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		body := RefusalBody{Base: base.Value}
		if v.Kind == yaml.MappingNode {
			body.Of = make(map[Failing]string)
			d.Named(v, "refusal_body of "+base.Value, func(why, v *yaml.Node) {
				body.Of[Failing(d.Word(why, "reason", failings()))] = d.errorShape(base.Value, v)
			})
			body.JSON = body.Of[FailingRefused]
		} else {
			body.JSON = d.errorShape(base.Value, v)
		}
		list = append(list, body)
	})
	return list
}

func (d *decoder) errorShape(base string, n *yaml.Node) string {
	text := d.Text(n, "refusal_body")
	if text != "" && !json.Valid([]byte(text)) {
		d.Mistake(n, yamlfile.BadValue, "refusal_body of %q is not JSON", base)
	}
	return text
}

// scope reads a scope-token, or a pattern of one (RFC 6749 §3.3).
func (d *decoder) scope(n *yaml.Node) string {
	return d.Parsed(n, "scope", yamlfile.BadScope, scopes.CheckScope)
}
