package provider

import (
	"errors"
	"slices"
	"strings"

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

	values         map[string]*yaml.Node // parameters that are given here
	parameterWords []parameterWord       // words in braces in the servers' URLs
	kindWords      []*yaml.Node          // words that must be kinds of credential
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

// provider reads a provider's mapping over what use names, or from nothing. Servers, the client, and what is
// said of scopes and token responses are laid over the other's member by member; any other member that is
// given takes the place of the other's. It returns nil where use names nothing usable.
func (d *decoder) provider(n *yaml.Node) *Provider {
	p := &Provider{Name: d.File}
	given, before, ownID := d.Has(n, "use"), []Server(nil), false
	used := !given
	d.Mapping(n, "the provider", append([]yamlfile.Member{
		yamlfile.Optional("use", func(v *yaml.Node) {
			if found := d.lookup(v); found != nil {
				*p, used, before = *found, true, found.Servers
			}
		}, "the provider over which these members are laid: a built-in one, or an issuer's URL"),
		yamlfile.Optional("parameters", func(v *yaml.Node) { d.serverParameters(v, p) }, "words for {braces} in the URLs of the servers, each with its default; empty where a manifest has to give it"),
		{Key: "servers", Required: !given, Read: func(v *yaml.Node) { p.written, before = d.servers(v, p, before) }, About: "the deployments of the service, each under a name"},
		yamlfile.Optional("bases", func(v *yaml.Node) { p.written = d.furtherBases(v, p.written) }, "further bases of every server: the URL of an API, under a name of your own"),
		yamlfile.Optional("default_server", func(v *yaml.Node) { p.DefaultServer = d.Defined(v, "default_server", namesOf(p.written)) }, "the server that is asked where nobody names one"),
		yamlfile.Optional("server_from", func(v *yaml.Node) { p.ServerFrom = d.Text(v, "server_from") }, "the member of the token response that names the server"),
		yamlfile.Optional("client", func(v *yaml.Node) { p.Client, ownID = d.client(v, p.Client), yamlfile.Child(v, "id") != nil }, "how this program is registered at the service"),
		yamlfile.Optional("token_response", func(v *yaml.Node) { p.TokenResponse = d.tokenResponse(v, p.TokenResponse) }, "how the service answers at its token endpoint, where it does that in a way of its own"),
		yamlfile.Optional("credentials", func(v *yaml.Node) { p.Credentials = d.credentials(v) }, "the kinds of credential that the service knows"),
		yamlfile.Optional("scopes", func(v *yaml.Node) { p.Scopes = d.scopeFacts(v, p.Scopes) }, "what is known of the service's scopes"),
		yamlfile.Optional("evidence", func(v *yaml.Node) { p.Evidence = d.evidence(v) }, "where the service's descriptions name the scopes that an operation or a tool needs, apart from security"),
		yamlfile.Optional("whoami", func(v *yaml.Node) { p.Whoami = d.whoami(v) }, "where the service says whose credential asks"),
		yamlfile.Optional("implies", func(v *yaml.Node) { p.Implies = d.implies(v) }, "scopes that cover others; {x} stands for any text without a colon"),
		yamlfile.Optional("starter", func(v *yaml.Node) {
			p.Starter, p.starterIn, p.starterLine = d.Text(v, "starter"), d.File, v.Line-1
			if v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				p.starterLine = v.Line // that of the | alone
			}
		}, "the scopes of a new manifest, as the YAML text of a list"),
		yamlfile.Optional("cannot_tell", func(v *yaml.Node) { p.CannotTell = d.cannotTell(v) }, "what the service does not reveal, each in a few words"),
	}, d.voice(p)...))
	p.File = d.File
	if d.Describing() {
		return p
	}
	for _, word := range []string{"credentials", "whoami"} {
		p.OwnWays = p.OwnWays || !given || yamlfile.Child(n, word) != nil
	}
	if !used || len(p.written) == 0 {
		return nil // what the rest is compared with is not known
	}
	d.fillServers(p, n)
	p.OwnHosts = slices.Clone(p.OwnHosts)
	for _, word := range []string{"servers", "bases"} {
		p.nameHosts(yamlfile.Child(n, word))
	}
	if !ownID {
		p.Client.leave(before, p.Servers)
	}
	p.Implies = p.Implies.WithNames(p.Scopes.Names)
	// An inherited name that overridden servers do not have gives way to the first of them.
	if !slices.Contains(namesOf(p.written), p.DefaultServer) {
		p.DefaultServer = p.written[0].Name
	}
	d.checkWords("base", d.baseWords, p.BaseNames())
	d.checkKinds(p, n)
	d.checkWords("server", d.serverWords, p.AllServerNames())
	return p
}

// nameHosts notes the hosts of the URLs that stand in a file.
func (p *Provider) nameHosts(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "://") {
		u, _ := fillURL(n.Value, p.values())
		p.OwnHosts = append(p.OwnHosts, HostOf(u))
	}
	for _, inner := range n.Content {
		p.nameHosts(inner)
	}
}

func (d *decoder) cannotTell(n *yaml.Node) (list []string) {
	d.List(n, "cannot_tell", func(item *yaml.Node) { list = append(list, d.Text(item, "cannot_tell")) })
	return list
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
	d.AtMost(n, maxRules, "implies holds at most %d rules", maxRules)
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
			d.AtMost(v, maxRules, "an implication covers at most %d scopes", maxRules)
		}
	}
	d.Mapping(n, "an implication", []yamlfile.Member{
		yamlfile.Required("scope", func(v *yaml.Node) { r.Scope = d.scope(v) }, "whoever holds this scope"),
		yamlfile.Required("covers", each(&r.Covers, "covers"), "holds these too"),
		yamlfile.Optional("except", each(&except, "except"), "scopes that fit, and are not covered"),
	})
	r.Except = scopes.NewSet(except...)
	return r
}

// scope reads a scope-token, or a pattern of one (RFC 6749 §3.3).
func (d *decoder) scope(n *yaml.Node) string {
	d.Is(n, yamlfile.Spelling{Pattern: scopes.ScopePattern})
	return d.Parsed(n, "scope", yamlfile.BadScope, scopes.CheckScope)
}
