package evidence

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

//go:embed forms.yaml
var formsFile []byte

// knownForms are the places in which descriptions are known to name scopes.
var knownForms = sync.OnceValue(func() []provider.EvidenceForm {
	r := &yamlfile.Reader{File: "forms.yaml"}
	list := provider.ReadEvidence(r, r.Document(formsFile))
	if told := r.Told(); len(told) > 0 {
		panic(told) // a test reads it
	}
	return list
})

// forms are places in which operations, or tools, name scopes, by the member that begins them.
type forms map[string][]provider.EvidenceForm

// formsFor are the known ones for what is described, and the provider's own.
func formsFor(on provider.Described, p *provider.Provider) forms {
	list := knownForms()
	if p != nil {
		list = slices.Concat(p.Evidence, list) // the first that has a path counts
	}
	f := make(forms)
	for _, one := range list {
		if one.On != on || len(one.At) == 0 {
			continue
		}
		first := one.At[0].Name
		if !slices.ContainsFunc(f[first], func(have provider.EvidenceForm) bool { return slices.Equal(have.At, one.At) }) {
			f[first] = append(f[first], one)
		}
	}
	return f
}

// A statement is what stands in one such place.
type statement struct {
	anyOf    [][]string // as in [audit.Requirement]
	fallback bool
	bad      *misfit // not nil: it says nothing
}

// A misfit is what stands in such a place and is not of its form.
type misfit struct {
	at     string // the place
	where  audit.Where
	reason string
}

func misfitAt(n *node, reason string) *misfit {
	return &misfit{where: audit.Where{File: n.document.name, Line: n.line}, reason: reason}
}

// What stands in a place.
const (
	notWords = "expected a word, a list of words, or an object whose keys are words"
	notList  = "expected a list of alternatives"
	notThere = "expected an object"
)

// in finds what the members of an operation or a tool state.
func (f forms) in(described *node) (all []statement) {
	for _, m := range described.children() {
		for _, form := range f[m.key] {
			anyOf, bad := alternatives(m.node, form.At[1:], form.AnyOf)
			if bad != nil {
				bad.at = form.At.String()
			}
			if bad != nil || anyOf != nil {
				all = append(all, statement{anyOf, form.Fallback, bad})
			}
		}
	}
	return all
}

// alternatives are what stands at a path; none where nothing does. bad is what is not of the form.
func alternatives(at *node, path provider.Path, any bool) (list [][]string, bad *misfit) {
	for i, step := range path {
		if at.kind <= nullNode {
			return nil, nil
		}
		if step.Each {
			if at.kind != listNode {
				return nil, misfitAt(at, notList)
			}
			for _, item := range at.children() {
				one, bad := alternatives(item.node, path[i+1:], any)
				if bad != nil {
					return nil, bad
				}
				if one == nil && item.kind != objectNode {
					return nil, misfitAt(item.node, notThere)
				}
				if one == nil {
					one = [][]string{{}}
				}
				list = append(list, one...)
			}
			return list, nil
		}
		if at.kind != objectNode {
			return nil, misfitAt(at, notThere)
		}
		at = at.get(step.Name).node
	}
	if at.kind <= nullNode {
		return nil, nil
	}
	words, bad := at.scopes()
	switch {
	case bad != nil:
		return nil, bad
	case !any || len(words) == 0:
		return [][]string{words}, nil
	}
	for _, word := range words {
		list = append(list, []string{word})
	}
	return list, nil
}

// scopes are those of a word, a list of words, or an object's keys.
func (n *node) scopes() (words []string, bad *misfit) {
	var texts []string
	if n.kind == scalarNode {
		texts = strings.FieldsFunc(n.text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	}
	for _, m := range n.children() {
		if n.kind == listNode && m.kind != scalarNode {
			return nil, misfitAt(m.node, notWords)
		}
		texts = append(texts, cmp.Or(m.key, m.word()))
	}
	for _, word := range texts {
		if err := scopes.CheckScope(word); err != nil {
			return nil, misfitAt(n, err.Error())
		}
	}
	return scopes.NewSet(texts...).Slice(), nil
}

// maxAlternatives bounds those of one operation; the most that a real document has is some ten.
const maxAlternatives = 1000

// stated is what is needed where security says anyOf (nil: nothing), and a place of its own says
// more. What names no scope gives way. A place that has every alternative of security says the same
// in full: any of its alternatives is enough. Else both are needed; ok is false where that would
// make too many alternatives.
func stated(anyOf [][]string, more statement) (all [][]string, ok bool) {
	switch {
	case more.bad != nil, more.fallback && names(anyOf):
		return anyOf, true
	case !names(anyOf):
		return more.anyOf, true
	case !names(more.anyOf):
		return anyOf, true
	case !slices.ContainsFunc(anyOf, func(one []string) bool { return len(one) > 0 && !hasAlternative(more.anyOf, one) }):
		all = more.anyOf
		for _, one := range anyOf {
			if !hasAlternative(all, one) {
				all = append(slices.Clone(all), one)
			}
		}
		return all, true
	}
	if len(anyOf)*len(more.anyOf) > maxAlternatives {
		return nil, false
	}
	for _, one := range anyOf {
		for _, other := range more.anyOf {
			if both := scopes.NewSet(slices.Concat(one, other)...).Slice(); !hasAlternative(all, both) {
				all = append(all, both)
			}
		}
	}
	return all, true
}

// names reports whether any alternative has a scope.
func names(anyOf [][]string) bool {
	return slices.ContainsFunc(anyOf, func(all []string) bool { return len(all) > 0 })
}

func hasAlternative(anyOf [][]string, all []string) bool {
	set := scopes.NewSet(all...)
	return slices.ContainsFunc(anyOf, func(have []string) bool {
		return scopes.NewSet(have...).Equal(set)
	})
}
