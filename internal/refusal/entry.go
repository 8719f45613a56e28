package refusal

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// entry finds the first of the errors in the provider's file that the response fits. It reports
// whether that says which scopes are needed: they are not looked for elsewhere then.
func (r *Reading) entry(p *provider.Provider, base string, h http.Header, body []any) (names bool) {
	if p == nil {
		return false
	}
	refusals := p.Voice().Refusals
	for i := range refusals {
		f := fitting{Refusal: &refusals[i], separator: p.Scopes.Separator.Response, caught: make(map[string]string)}
		if !f.ForStatus(r.status) || f.Base != "" && f.Base != base || !f.fits(r, h, body) {
			continue
		}
		r.Entry, r.Caught, r.anySaid = *f.Refusal, f.caught, r.anySaid || f.AnyOf
		if f.said != "" && (r.sentence == "" || strings.Contains(f.said, " ")) { // a person reads the sentence beside a code
			r.Said = f.said
		}
		r.Held, r.Counts = f.scopes.Held, f.counts
		if f.Means != provider.MeaningMissingScope || len(f.scopes.Needs) == 0 {
			return false
		}
		r.Needs, r.open, r.firm = f.scopes.Needs, f.scopes.open, f.scopes.firm
		for _, proof := range append(f.scopes.Proofs, f.holding) {
			r.prove(proof)
		}
		return true
	}
	return false
}

// A fitting is one error of the provider's file, compared with a response.
type fitting struct {
	*provider.Refusal
	separator string // of scopes in a response of this service; "" for those that are read anyhow
	caught    map[string]string
	said      string  // the text of the response that fits; "" where the error has none
	scopes    Reading // which scopes are needed and held, as the error says
	counts    bool    // it says where all that is held stands
	holding   string  // where that is, and what it says
}

func (f *fitting) fits(r *Reading, h http.Header, body []any) bool {
	said, ok := f.Match(h, body, f.caught)
	f.said = said
	return ok && f.fitsText(r.texts) && f.fitsScopes(r, h, body)
}

func (f *fitting) fitsText(texts []string) bool {
	if f.Text == "" {
		return true
	}
	for _, said := range texts[:min(len(texts), maxTexts)] {
		if caught, ok := template.Search(f.Text, said); ok {
			maps.Copy(f.caught, caught)
			f.said = said
			return true
		}
	}
	return false
}

// fitsScopes reads which scopes are needed and held. An error that says where those that are needed
// stand fits where there are some, and they are not held by what the same response says.
func (f *fitting) fitsScopes(r *Reading, h http.Header, body []any) bool {
	f.scopes = Reading{Entry: *f.Refusal, known: r.known, status: r.status, texts: r.texts, anySaid: r.anySaid || f.AnyOf, coded: true, Said: f.said, certain: true}
	held, counts := f.valuesOf(f.Holds, h, body)
	if caught, ok := f.caught[provider.CaughtHeld]; ok {
		held, counts = append(held, caught), true
	}
	f.scopes.valuesAt(place{noun: true, scope: true, held: true}, f.Holds.String(), held)
	f.counts = counts
	if counts && f.Holds.Given() {
		f.holding = at(f.Holds.String(), text.Cut(strings.Join(provider.Texts(held), " "), text.MaxWord))
	}
	needed, _ := f.valuesOf(f.Needs, h, body)
	need := place{noun: true, scope: true, need: true, firm: true, any: f.AnyOf}
	f.scopes.valuesAt(need, f.Needs.String(), needed)
	if f.Needs.Given() && len(f.scopes.Needs) == 0 {
		return false
	}
	if caught, ok := f.caught[provider.CaughtScope]; ok {
		named, sure := f.scopes.known.within(sentenceOf(caught))
		need.firm = sure
		f.scopes.valuesAt(need, "", []any{named})
	}
	return !f.counts || len(f.scopes.Needs) == 0 || f.Means != provider.MeaningMissingScope || !f.met()
}

// sentenceOf is the part of a text that ends with a sentence, or where an aside begins, without the marks
// at its end: what follows is not about scopes.
func sentenceOf(text string) string {
	for _, end := range []string{". ", "! ", "? ", "; ", " (", "\n", "\t"} {
		text, _, _ = strings.Cut(text, end)
	}
	return strings.TrimRight(text, " .,;:!?")
}

// met reports whether all that is needed is held.
func (f *fitting) met() bool {
	held := scopes.NewSet(f.scopes.Held...)
	return !slices.ContainsFunc(f.scopes.Needs, func(group Group) bool {
		need := scopes.Need{AnyOf: group}
		_, _, met := need.MetBy(held, f.scopes.known.Implies)
		return !met
	})
}

// valuesOf are the values at a place, and whether it is there at all.
func (f *fitting) valuesOf(p provider.Place, h http.Header, body []any) (found []any, there bool) {
	if !p.InBody() {
		body = []any{nil}
	}
	for _, value := range body {
		found = append(found, p.Find(h, value)...)
	}
	there, found = len(found) > 0, found[:min(len(found), maxTexts)]
	for i, value := range found {
		found[i] = f.spaced(legible(value))
	}
	return found, there
}

// spaced is a value with blanks where the service has its own separator.
func (f *fitting) spaced(value any) any {
	said, is := value.(string)
	if !is || f.separator == "" || f.separator == "," {
		return value
	}
	return strings.ReplaceAll(said, f.separator, " ")
}

// valuesAt takes the scopes out of values at a place.
func (r *Reading) valuesAt(p place, key string, values []any) {
	if len(values) == 1 {
		r.members(p, key, values[0], maxNesting)
	} else if len(values) > 1 {
		r.members(p, key, values, maxNesting)
	}
}
