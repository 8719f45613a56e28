package manifest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"go.yaml.in/yaml/v3"
)

// manifestVersion is the version of the manifest's form that this package reads.
const manifestVersion = "1"

// Decode reads a manifest, and the provider that it names. file is the name for
// messages; a provider that is a file is looked up beside it and read with open,
// which may be nil where no provider file is allowed. The error is [yamlfile.Mistakes]:
// everything that is wrong in either file, each with its place.
func Decode(file string, text []byte, open func(path string) ([]byte, error)) (*Manifest, error) {
	d := &decoder{Reader: yamlfile.Reader{File: file}, open: open, manifest: &Manifest{File: file}}
	if root := d.Document(text); root != nil {
		d.root(root)
	}
	if mistakes := slices.Concat(d.fromProvider, d.Told()); len(mistakes) > 0 {
		return nil, mistakes.Sorted()
	}
	return d.manifest, nil
}

type decoder struct {
	yamlfile.Reader
	open         func(path string) ([]byte, error)
	manifest     *Manifest
	servers      []string          // known to the provider; nil where the provider is unusable
	bases        []string          // the same
	fromProvider yamlfile.Mistakes // of the provider's own file
}

func (d *decoder) root(n *yaml.Node) {
	m := d.manifest
	d.Mapping(n, "the manifest", []yamlfile.Member{
		yamlfile.Required("version", func(v *yaml.Node) { d.Version(v, manifestVersion) }, "the version of this format"),
		yamlfile.Required("name", func(v *yaml.Node) { m.Name = d.Name(v, "name") }, "the program that needs the scopes"),
		yamlfile.Required("provider", d.provider, "a built-in provider, a ./file.yaml, an issuer's URL, or {use: one of these} with members that replace its own"),
		// What follows is compared with the provider, wherever in the file that stands.
		yamlfile.Optional("server", func(v *yaml.Node) { m.Server = d.server(v) }, "one of the provider's servers"),
		yamlfile.Optional("resource", func(v *yaml.Node) { m.Resources = d.resources(v) }, "a base, or several, whose RFC 9728 document limits which of the scopes used there are requested"),
		yamlfile.Required("scopes", func(v *yaml.Node) { m.Scopes = d.entries(v, "") }, "what every run needs"),
		yamlfile.Optional("programs", func(v *yaml.Node) { d.Named(v, "programs", d.program) }, "sets of features; each adds to the scopes above"),
		yamlfile.Optional("waive", func(v *yaml.Node) { d.List(v, "waive", d.waiver) }, "findings of an audit that are known and accepted"),
	})
	d.whichServer(n)
}

func (d *decoder) provider(n *yaml.Node) {
	d.manifest.Provider, d.fromProvider = provider.Read(&d.Reader, n, d.open)
	if p := d.manifest.Provider; p != nil {
		d.servers, d.bases = p.AllServerNames(), p.BaseNames()
		d.starter(p)
	}
}

// starter notes what is wrong in the scopes with which the provider's own file begins a manifest: nothing
// else reads them before somebody begins one.
func (d *decoder) starter(p *provider.Provider) {
	written, above, own := p.OwnStarter()
	says := func(line string) bool {
		line = strings.TrimSpace(line)
		return line != "" && line[0] != '#'
	}
	if !own || !slices.ContainsFunc(strings.Split(written, "\n"), says) {
		return
	}
	in := &decoder{Reader: yamlfile.Reader{File: p.File}, manifest: &Manifest{}, servers: d.servers, bases: d.bases}
	if root := in.Document([]byte(written)); root != nil {
		in.entries(root, "")
	}
	for _, mistake := range in.Told() {
		mistake.Line += above
		mistake.Message = "starter: " + mistake.Message
		d.fromProvider = append(d.fromProvider, mistake)
	}
}

// server reads which server is asked.
func (d *decoder) server(n *yaml.Node) string {
	if p := d.manifest.Provider; p != nil {
		if _, open := p.OpenServer(n.Value); open {
			return n.Value // told with what it lacks
		}
	}
	return d.Defined(n, "server", d.servers)
}

// whichServer notes that the manifest names a server which lacks a parameter: it cannot be asked. In place of
// the provider's default a user may name another.
func (d *decoder) whichServer(n *yaml.Node) {
	p := d.manifest.Provider
	if p == nil || d.Describing() {
		return
	}
	if s, open := p.OpenServer(d.manifest.Server); open {
		d.Mistake(yamlfile.Child(n, "server"), yamlfile.MissingKey, "%s", p.Wanted(s, d.File))
	}
}

func (d *decoder) resources(n *yaml.Node) []string {
	base := func(v *yaml.Node) string { return d.Defined(v, "base", d.bases) }
	if n.Kind == yaml.SequenceNode {
		return d.Distinct(n, "resource", "base", base)
	}
	if word := base(n); word != "" {
		return []string{word}
	}
	return nil
}

func (d *decoder) program(name, value *yaml.Node) {
	p := Program{Name: name.Value, Line: name.Line}
	d.Is(name, yamlfile.Spelling{Not: []string{"*,*"}})
	if strings.Contains(p.Name, ",") {
		d.Mistake(name, yamlfile.BadValue, "the program %q cannot be chosen: a list of programs is split at commas", p.Name)
	}
	what := fmt.Sprintf("program %q", p.Name)
	d.Mapping(value, what, []yamlfile.Member{
		yamlfile.Required("scopes", func(v *yaml.Node) { p.Scopes = d.entries(v, p.Name) }, "what they need beside the scopes of every run"),
	})
	d.manifest.Programs = append(d.manifest.Programs, p)
}

// entries reads the scopes of the base (program "") or of one program, and notes
// a need that one of these lists declares twice. A scope may stand alone and among
// the alternatives of any_of: these are two needs.
func (d *decoder) entries(n *yaml.Node, program string) []scopes.Need {
	var entries []scopes.Need
	lines := make(map[string]int)
	if d.Nothing(n) {
		return nil // as in a new manifest, whose entries are comments
	}
	d.List(n, "scopes", func(item *yaml.Node) {
		e, place := d.entry(item, program)
		if len(e.AnyOf) == 0 {
			return
		}
		if line, twice := lines[e.Key()]; twice {
			d.Mistake(place, yamlfile.DuplicateKey, "scope %q is declared twice: the first is on line %d", e.Name(), line)
			return
		}
		lines[e.Key()] = place.Line
		entries = append(entries, e)
	})
	return entries
}

func (d *decoder) entry(n *yaml.Node, program string) (scopes.Need, *yaml.Node) {
	e, place := scopes.Need{File: d.File, StartLine: n.Line}, n
	if program != "" {
		e.Programs = []string{program}
	}
	d.Mapping(n, "a scope's entry", []yamlfile.Member{
		yamlfile.Optional("scope", func(v *yaml.Node) {
			if text := scopeOf(&d.Reader, v); text != "" {
				place, e.AnyOf = v, []string{text}
			}
		}, "one scope (RFC 6749 §3.3)"),
		yamlfile.Optional("any_of", func(v *yaml.Node) { place, e.AnyOf = v, d.anyOf(v) }, "in its place: several, one of which is enough; the first that can be requested is requested"),
		yamlfile.Required("level", func(v *yaml.Node) { e.Level = d.level(v) }, "what the program does without it: required, it does not start; recommended, it works noticeably worse; optional, one feature is lost"),
		yamlfile.Optional("why", func(v *yaml.Node) { e.Why = d.Text(v, "why") }, "what it is needed for, in a few words that people read when it is missing"),
		yamlfile.Optional("used_by", func(v *yaml.Node) { e.UsedBy = d.usedBy(v) }, "what needs it: METHOD {base}/path/{param}, or tool:NAME of an MCP tool"),
		yamlfile.Optional("advertised", func(v *yaml.Node) { e.Unadvertised = !d.Boolean(v, "advertised") }, "false: the server grants it, though scopes_supported leaves it out"),
	})
	d.OneOf(n, "a scope's entry", "scope", "any_of")
	e.Line, e.Column = place.Line, place.Column
	return e, place
}

func (d *decoder) anyOf(n *yaml.Node) []string {
	scopes := scopesOf(&d.Reader, n, "any_of")
	d.AtLeast(n, 2, "any_of lists two scopes or more; for one write scope")
	return scopes
}

func (d *decoder) level(n *yaml.Node) scopes.Level {
	word := d.Word(n, "level", scopes.LevelWords())
	for _, level := range scopes.Levels() {
		if level.String() == word {
			return level
		}
	}
	return scopes.Optional // the mistake is noted
}

func (d *decoder) usedBy(n *yaml.Node) []scopes.Operation {
	var uses []scopes.Operation
	d.List(n, "used_by", func(item *yaml.Node) {
		d.Is(item, yamlfile.Spelling{Pattern: scopes.OperationPattern})
		word := d.Text(item, "used_by")
		if word == "" {
			return
		}
		u, err := scopes.ParseOperation(word)
		switch {
		case err != nil:
			d.Mistake(item, yamlfile.BadUse, "used_by: %v", err)
		case u.Tool == "" && d.bases != nil && !slices.Contains(d.bases, u.Base):
			d.Mistake(item, yamlfile.BadUse, "used_by: unknown base %q%s", u.Base, text.Allowed(u.Base, d.bases))
		default:
			u.Line, u.Column = item.Line, item.Column
			uses = append(uses, u)
		}
	})
	return uses
}

func (d *decoder) waiver(n *yaml.Node) {
	w := Waiver{Line: n.Line}
	d.Mapping(n, "a waiver", []yamlfile.Member{
		yamlfile.Required("kind", func(v *yaml.Node) { w.Kind = FindingKind(d.Word(v, "kind of finding", waiverWords())) }, "the kind of the finding"),
		yamlfile.Required("scope", func(v *yaml.Node) { w.Scope = scopeOf(&d.Reader, v) }, "the scope that it is about"),
		yamlfile.Required("reason", func(v *yaml.Node) {
			d.Is(v, yamlfile.Spelling{Pattern: `\S`})
			if w.Reason = d.Text(v, "reason"); w.Reason != "" && strings.TrimSpace(w.Reason) == "" {
				d.Mistake(v, yamlfile.BadValue, "a waiver's reason may not be blank")
			}
		}, "why it is accepted"),
		yamlfile.Optional("until", func(v *yaml.Node) { w.Until = d.date(v) }, "the last day on which it is accepted"),
	})
	d.manifest.Waivers = append(d.manifest.Waivers, w)
}

func waiverWords() []string {
	var words []string
	for _, kind := range waiverKinds() {
		words = append(words, string(kind))
	}
	return words
}

func (d *decoder) date(n *yaml.Node) time.Time {
	d.Is(n, yamlfile.Spelling{Date: true})
	day, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		d.Mistake(n, yamlfile.BadValue, "until is a day such as 2027-01-31, not %s", yamlfile.Form(n))
	}
	return day
}

// scopeOf reads a scope-token of RFC 6749 §3.3.
func scopeOf(r *yamlfile.Reader, n *yaml.Node) string {
	r.Is(n, yamlfile.Spelling{Pattern: scopes.ScopePattern, Of: scopeWord})
	return r.Parsed(n, "scope", yamlfile.BadScope, scopes.CheckScope)
}

// scopesOf reads a list of scopes, each of which stands in it once.
func scopesOf(r *yamlfile.Reader, n *yaml.Node, what string) []string {
	return r.Distinct(n, what, "scope", func(item *yaml.Node) string { return scopeOf(r, item) })
}
