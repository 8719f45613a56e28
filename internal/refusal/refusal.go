package refusal

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Response is what a server sent to a request that it refused.
type Response struct {
	Status int
	Header http.Header // WWW-Authenticate, Content-Type and Content-Encoding are read
	Body   []byte      // as it came; [MaxBody] bytes of it will do
}

// A Reading is what a response says.
type Reading struct {
	Said      string   // the server's own sentence, else what comes next to one; "" where it says nothing
	Named     []string // scopes that it says are missing
	Mentioned []string // scopes that it names without saying that they are missing
	Codes     []string // what stands where errors have their code

	Wording provider.Refusal // of the provider's file; the zero value where it knows none for this

	texts    []string // every text in it
	numbers  bool     // numbers stand in it that are not its status
	status   int
	sentence string // what stands where errors have their message for people
	word     string // the same, where that is a single word
}

// Codes of errors that are known beyond one provider.
const (
	insufficientScope = "insufficient_scope" // RFC 6750 §3.1
	missingScope      = "missing_scope"
	invalidToken      = "invalid_token" // RFC 6750 §3.1
)

// HasStatus reports whether a status means a refusal: anywhere, or by the provider's file.
func HasStatus(p *provider.Provider, status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden ||
		slices.ContainsFunc(p.Refusals, func(r provider.Refusal) bool { return r.Status == status })
}

// Read reads a response of one of the provider's bases.
func Read(p *provider.Provider, base string, resp Response) Reading {
	r := Reading{status: resp.Status}
	if challenge, ok := metadata.Bearer(resp.Header); ok {
		r.challenge(challenge)
	}
	r.body(resp)
	r.Said = r.bestText()
	r.wording(p, base, resp.Status)
	r.Named = slices.Clip(scopes.NewSet(r.Named...).Slice())
	return r
}

// Means reports whether the provider's file says that the response means this.
func (r Reading) Means(m provider.Meaning) bool { return r.Wording.Means == m }

// LacksScope reports whether the response says that a scope is missing, whether or not it
// says which.
func (r Reading) LacksScope() bool {
	return len(r.Named) > 0 || r.Means(provider.MeaningMissingScope) || slices.ContainsFunc(r.Codes, meansScope)
}

// Rejects reports whether the server says that it does not take the credential as such.
func (r Reading) Rejects() bool {
	return r.Means(provider.MeaningRejected) || slices.Contains(r.Codes, invalidToken)
}

func meansScope(code string) bool { return code == insufficientScope || code == missingScope }

// challenge reads that of RFC 6750 §3.
func (r *Reading) challenge(c metadata.Challenge) {
	r.code(c.ErrorCode())
	if named := scopeWords(c.Scope()); meansScope(c.ErrorCode()) {
		r.Named = named
	} else {
		r.Mentioned = named
	}
	r.say(c.ErrorDescription())
	r.sentence = c.ErrorDescription()
}

// wording finds the first refusal in the file's order that the response fits.
func (r *Reading) wording(p *provider.Provider, base string, status int) {
	if p == nil {
		return
	}
	for _, known := range p.Refusals {
		if known.Status != status || known.Base != "" && known.Base != base {
			continue
		}
		if known.Text == "" {
			r.Wording = known
			return
		}
		for _, said := range r.texts {
			captured, ok := template.Search(known.Text, said)
			if !ok {
				continue
			}
			r.Wording, r.Said = known, said
			if known.Means == provider.MeaningMissingScope {
				r.Named = append(r.Named, scopeWords(captured["scope"])...)
			}
			return
		}
	}
}

// bestText is what a person reads first: the message for people, else a code, else the
// text that says most.
func (r *Reading) bestText() string {
	if best := cmp.Or(r.sentence, r.word); best != "" {
		return best
	}
	candidates := slices.Clone(r.Codes)
	if len(candidates) == 0 {
		candidates = slices.DeleteFunc(slices.Clone(r.texts), func(said string) bool { return strings.Contains(said, "://") })
	}
	best := ""
	for _, said := range candidates {
		if len(said) > len(best) {
			best = said
		}
	}
	return best
}

// maxTexts bounds how many texts, codes and scopes of a response are looked at.
const maxTexts = 200

func (r *Reading) say(said string) {
	if said != "" && len(r.texts) < maxTexts {
		r.texts = append(r.texts, said)
	}
}

func (r *Reading) code(code string) {
	if code != "" && len(r.Codes) < maxTexts {
		r.Codes = append(r.Codes, code)
	}
}

// scopeWords are the scopes in a text; what is longer than any honest scope is left out.
func scopeWords(value string) []string {
	list := scopes.ParseList(value).Where(func(scope string) bool { return len(scope) <= text.MaxWord }).Slice()
	return list[:min(len(list), maxTexts)]
}
