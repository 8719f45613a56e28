package diagnosis

import (
	"iter"
	"maps"
	"slices"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// What a wording of a provider file means; see [scopes.RefusalMeanings].
const (
	meansMissing  = "missing_scope"
	meansNoScope  = "not_a_scope_problem"
	meansRejected = "rejected"
	meansSilent   = "silent"
)

// A wording is a refusal of the provider's file that an answer uses.
type wording struct {
	provider.Refusal
	said     string   // the server's own words
	captured []string // what stood for {scope}
}

// wordingOf finds the first refusal in the file's order that an answer fits.
func wordingOf(p *provider.Provider, base string, status int, w words) (wording, bool) {
	for _, r := range p.Refusals {
		if r.Status != status || r.Base != "" && r.Base != base {
			continue
		}
		if r.Text == "" {
			said := ""
			if len(w.strings) > 0 {
				said = longest(w.strings)
			}
			return wording{Refusal: r, said: said}, true
		}
		for _, text := range w.strings {
			if captured, ok := template.Search(r.Text, text); ok {
				return wording{Refusal: r, said: text, captured: scopeWords(captured["scope"])}, true
			}
		}
	}
	return wording{}, false
}

// longest is the text that says most: codes are short.
func longest(texts []string) string {
	return slices.MaxFunc(texts, func(a, b string) int { return len(a) - len(b) })
}

// sortedPairs yields an object's members in the order of their names.
func sortedPairs(members map[string]any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if !yield(key, members[key]) {
				return
			}
		}
	}
}
