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
	bases        []string          // known to the provider; nil where the provider is unusable
	fromProvider yamlfile.Mistakes // of the provider's own file
}

func (d *decoder) root(n *yaml.Node) {
	m := d.manifest
	var server, resource, scopes, programs, waive *yaml.Node
	keep := func(to **yaml.Node) func(*yaml.Node) { return func(v *yaml.Node) { *to = v } }
	d.Mapping(n, "the manifest", []yamlfile.Member{
		yamlfile.Required("version", func(v *yaml.Node) { d.Version(v, manifestVersion) }),
		yamlfile.Required("name", func(v *yaml.Node) { m.Name = d.Name(v, "name") }),
		yamlfile.Required("provider", func(v *yaml.Node) { m.Provider, d.fromProvider = provider.Read(&d.Reader, v, d.open) }),
		yamlfile.Optional("server", keep(&server)),
		yamlfile.Optional("resource", keep(&resource)),
		yamlfile.Required("scopes", keep(&scopes)),
		yamlfile.Optional("programs", keep(&programs)),
		yamlfile.Optional("waive", keep(&waive)),
	})
	// The rest is compared with the provider, wherever in the file that stands.
	if m.Provider != nil {
		d.bases = m.Provider.BaseNames()
		d.whichServer(server)
		d.resources(resource)
	}
	if scopes != nil {
		m.Scopes = d.entries(scopes, "")
	}
	if programs != nil {
		d.Named(programs, "programs", d.program)
	}
	if waive != nil {
		d.List(waive, "waive", d.waiver)
	}
}

func (d *decoder) whichServer(n *yaml.Node) {
	if n != nil {
		d.manifest.Server = d.Word(n, "server", d.manifest.Provider.ServerNames())
	}
}

func (d *decoder) resources(n *yaml.Node) {
	if n == nil {
		return
	}
	base := func(v *yaml.Node) {
		switch word := d.Word(v, "base", d.bases); {
		case word == "":
		case slices.Contains(d.manifest.Resources, word):
			d.Mistake(v, yamlfile.DuplicateKey, "base %q appears twice in resource", word)
		default:
			d.manifest.Resources = append(d.manifest.Resources, word)
		}
	}
	if n.Kind == yaml.SequenceNode {
		d.List(n, "resource", base)
		return
	}
	base(n)
}

func (d *decoder) program(name, value *yaml.Node) {
	p := Program{Name: name.Value, Line: name.Line}
	if strings.Contains(p.Name, ",") {
		d.Mistake(name, yamlfile.BadValue, "the program %q cannot be chosen: a list of programs is split at commas", p.Name)
	}
	what := fmt.Sprintf("program %q", p.Name)
	d.Mapping(value, what, []yamlfile.Member{
		yamlfile.Required("scopes", func(v *yaml.Node) { p.Scopes = d.entries(v, p.Name) }),
	})
	d.manifest.Programs = append(d.manifest.Programs, p)
}

// entries reads the scopes of the base (program "") or of one program, and notes
// a need that one of these lists declares twice. A scope may stand alone and among
// the alternatives of any_of: these are two needs.
func (d *decoder) entries(n *yaml.Node, program string) []scopes.Need {
	var entries []scopes.Need
	lines := make(map[string]int)
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
	var scope, anyOf *yaml.Node
	d.Mapping(n, "a scope's entry", []yamlfile.Member{
		yamlfile.Optional("scope", func(v *yaml.Node) { scope = v }),
		yamlfile.Optional("any_of", func(v *yaml.Node) { anyOf = v }),
		yamlfile.Required("level", func(v *yaml.Node) { e.Level = d.level(v) }),
		yamlfile.Optional("why", func(v *yaml.Node) { e.Why = d.Text(v, "why") }),
		yamlfile.Optional("used_by", func(v *yaml.Node) { e.UsedBy = d.usedBy(v) }),
		yamlfile.Optional("advertised", func(v *yaml.Node) { e.Unadvertised = !d.Boolean(v, "advertised") }),
	})
	switch {
	case scope != nil && anyOf != nil:
		d.Mistake(anyOf, yamlfile.UnknownKey, "an entry has scope or any_of, not both")
	case scope != nil:
		place = scope
		if text := scopeOf(&d.Reader, scope); text != "" {
			e.AnyOf = []string{text}
		}
	case anyOf != nil:
		place = anyOf
		e.AnyOf = d.anyOf(anyOf)
	case n.Kind == yaml.MappingNode:
		d.Mistake(n, yamlfile.MissingKey, "a scope's entry is missing %q (or %q)", "scope", "any_of")
	}
	e.Line, e.Column = place.Line, place.Column
	return e, place
}

func (d *decoder) anyOf(n *yaml.Node) []string {
	scopes := scopesOf(&d.Reader, n, "any_of")
	if n.Kind == yaml.SequenceNode && len(n.Content) < 2 {
		d.Mistake(n, yamlfile.BadValue, "any_of lists two scopes or more; for one write scope")
	}
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
		yamlfile.Required("kind", func(v *yaml.Node) { w.Kind = FindingKind(d.Word(v, "kind of finding", waiverWords())) }),
		yamlfile.Required("scope", func(v *yaml.Node) { w.Scope = scopeOf(&d.Reader, v) }),
		yamlfile.Required("reason", func(v *yaml.Node) {
			if w.Reason = d.Text(v, "reason"); w.Reason != "" && strings.TrimSpace(w.Reason) == "" {
				d.Mistake(v, yamlfile.BadValue, "a waiver's reason may not be blank")
			}
		}),
		yamlfile.Optional("until", func(v *yaml.Node) { w.Until = d.date(v) }),
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
	day, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		d.Mistake(n, yamlfile.BadValue, "until is a day such as 2027-01-31, not %s", yamlfile.Form(n))
	}
	return day
}

// scopeOf reads a scope-token of RFC 6749 §3.3.
func scopeOf(r *yamlfile.Reader, n *yaml.Node) string {
	return r.Parsed(n, "scope", yamlfile.BadScope, scopes.CheckScope)
}

// scopesOf reads a list of scopes, each of which stands in it once.
func scopesOf(r *yamlfile.Reader, n *yaml.Node, what string) []string {
	var list []string
	seen := make(map[string]bool)
	r.List(n, what, func(item *yaml.Node) {
		switch scope := scopeOf(r, item); {
		case scope == "":
		case seen[scope]:
			r.Mistake(item, yamlfile.DuplicateKey, "scope %q appears twice in %s", scope, what)
		default:
			seen[scope] = true
			list = append(list, scope)
		}
	})
	return list
}
