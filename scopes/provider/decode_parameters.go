package provider

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// fitsAll is a value that fits wherever a parameter can stand.
const fitsAll = "localhost"

// maxParameters bounds the parameters of a provider.
const maxParameters = 20

// serverParameters reads values over those of the provider under use: null is for one that has to be given.
func (d *decoder) serverParameters(n *yaml.Node, p *Provider) {
	p.Parameters = slices.Clone(p.Parameters)
	d.values = make(map[string]*yaml.Node)
	d.Named(n, "parameters", func(name, v *yaml.Node) {
		d.Is(name, yamlfile.Spelling{Pattern: basePattern})
		if !isWord(name.Value) {
			d.Mistake(name, yamlfile.BadValue, "%q cannot name a parameter: lower-case letters, digits and _ only", name.Value)
			return
		}
		one := Parameter{Name: name.Value}
		if !d.Nothing(v) {
			one.Value = cmp.Or(d.Text(v, "the parameter "+name.Value), fitsAll)
		}
		d.values[name.Value] = name
		if i := slices.IndexFunc(p.Parameters, func(o Parameter) bool { return o.Name == one.Name }); i >= 0 {
			p.Parameters[i] = one
		} else {
			p.Parameters = append(p.Parameters, one)
		}
	})
	if len(p.Parameters) > maxParameters {
		d.Mistake(n, yamlfile.BadValue, "a provider has at most %d parameters", maxParameters)
		p.Parameters = p.Parameters[:maxParameters]
	}
}

// sample is a URL with something that fits in place of each {word}, by which the rest of it is checked;
// ok is false, with the mistake noted, for words in the wrong place.
func (d *decoder) sample(n *yaml.Node, what string) (sample *yaml.Node, ok bool) {
	if n.Kind != yaml.ScalarNode || !strings.ContainsAny(n.Value, "{}") {
		return n, true
	}
	scheme, rest, _ := strings.Cut(n.Value, "://")
	if scheme != "https" && scheme != "http" {
		d.Mistake(n, yamlfile.BadValue, "%s begins with https:// as it stands: a {parameter} is for its host and its path", what)
		return nil, false
	}
	named := *n
	named.Value = scheme + "://"
	for {
		before, behind, open := strings.Cut(rest, "{")
		word, after, closed := strings.Cut(behind, "}")
		if strings.Contains(before, "}") || open && (!closed || word == "" || !isWord(word)) {
			d.Mistake(n, yamlfile.BadValue, "%s has braces in it that are no {parameter}", what)
			return nil, false
		}
		named.Value += before
		if !open {
			return &named, true
		}
		d.parameterWords = append(d.parameterWords, parameterWord{n, word})
		named.Value += fitsAll
		rest = after
	}
}

// A parameterWord is one that stands in braces in a URL.
type parameterWord struct {
	at   *yaml.Node
	word string
}

// fillServers makes the servers of those that are written, as far as the parameters have values.
func (d *decoder) fillServers(p *Provider, place *yaml.Node) {
	known, used := make([]string, len(p.Parameters)), make(map[string]bool)
	for i, one := range p.Parameters {
		known[i] = one.Name
	}
	values, told, unknown := p.values(), make(map[string]bool), false
	for _, w := range d.parameterWords {
		if !slices.Contains(known, w.word) {
			values[w.word], unknown = fitsAll, true
			d.Mistake(w.at, yamlfile.BadValue, "parameters does not name {%s}%s", w.word, text.Allowed(w.word, known))
		}
	}
	p.Servers, p.open = nil, nil
	for _, s := range p.written {
		lacks := ""
		for _, word := range s.words() {
			used[word] = true
			if values[word] == "" && lacks == "" {
				lacks = word
			}
		}
		if lacks != "" {
			p.open = append(p.open, OpenServer{s, lacks})
			continue
		}
		own, problems := s.filled(values)
		for _, problem := range problems {
			if !told[problem.Error()] {
				told[problem.Error()] = true
				d.Mistake(d.blamed(problem, s, place), yamlfile.BadValue, "%v", problem)
			}
		}
		p.Servers = append(p.Servers, own)
	}
	for _, one := range p.Parameters {
		if at := d.values[one.Name]; at != nil && !used[one.Name] && !unknown {
			words := slices.DeleteFunc(slices.Clone(known), func(word string) bool { return !used[word] })
			d.Mistake(at, yamlfile.UnknownKey, "the parameter %q stands in no URL of the servers%s", one.Name, text.Allowed(one.Name, words))
		}
	}
}

// blamed is the value that does not fit, as far as it stands here.
func (d *decoder) blamed(err error, s Server, place *yaml.Node) *yaml.Node {
	words := s.words()
	if unfit, ok := errors.AsType[*unfitError](err); ok {
		words = []string{unfit.parameter}
	}
	for _, word := range words {
		if at := d.values[word]; at != nil {
			return at
		}
	}
	return place
}
