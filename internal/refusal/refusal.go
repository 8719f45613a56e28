package refusal

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Response is what a server sent to a request that it refused.
type Response struct {
	Status int
	Header http.Header // WWW-Authenticate, Content-Type, Content-Encoding, and fields whose name speaks of scopes, are read
	Body   []byte      // as it came; [MaxBody] bytes of it will do
	Veil   text.Veil   // over what the request carried, which a server may repeat
}

// A Reading is what a response says.
type Reading struct {
	Said      string   // the server's own sentence, else what comes next to one; "" where it says nothing
	Unread    string   // why the body is not read, as a clause; "" where it is
	Needs     []Group  // scopes that it says are missing or required: each group is needed
	Mentioned []Group  // scopes that the resource takes, without a word that they are missing
	Held      []string // scopes that it says the credential holds
	Codes     []string // what stands where errors have their code
	Proofs    []string // where it names scopes, but for Said

	Entry  provider.Refusal  // of the provider's file; the zero value where none fits
	Caught map[string]string // what stands for the names in its texts
	Counts bool              // Held is all that the credential holds: the entry says where that stands

	known      Vocabulary
	challenged []metadata.Challenge
	texts      []string // every text in it
	numbers    bool     // numbers stand in it that are not its status
	protocol   bool     // it has a JSON-RPC error that is about the message as such
	coded      bool     // a code in it says that a scope is missing
	told       bool     // a sentence in it does
	schemes    []string // of its challenges, in lower case
	bare       bool     // a challenge says no more than its scheme
	certain    bool     // what is read is known to be about scopes: words in quotes are some
	unsure     bool     // a sentence names scopes, and may not say that they are missing
	anySaid    bool     // a sentence in it, or the provider's file, says that one of several is enough
	lists      []Group  // what challenges name, of which by RFC 6750 §3 all are needed
	open       []Group  // lists of which nothing says whether all are needed, or any one is enough
	firm       []string // scopes that are named without such a doubt
	status     int
	sentence   string // what stands where errors have their message for people
	word       string // the same, where that is a single word
}

// invalidToken is the code of a credential that is not accepted (RFC 6750 §3.1).
const invalidToken = "invalid_token"

// Read reads a response of one of the provider's bases; known tells which words are scopes.
func Read(p *provider.Provider, base string, known Vocabulary, resp Response) Reading {
	resp.Header = resp.Veil.Header(resp.Header)
	r := Reading{status: resp.Status, known: known}
	whole, unread := values(resp)
	r.Unread = unread
	legible(whole)
	values := whole
	if succeeded(resp.Status) {
		values = failures(whole)
	}
	r.challenges(resp.Header)
	for _, value := range values {
		if said, ok := value.(string); ok && r.sentence == "" {
			r.sentence = said // the whole body
		}
		r.gather(value, maxNesting)
	}
	r.weigh()
	r.headerCodes(resp.Header)
	r.coded = r.coded || slices.ContainsFunc(r.Codes, meansScope)
	r.Said = r.bestText()
	if !r.entry(p, base, resp.Header, whole) {
		r.anywhere(resp.Header, values)
	}
	r.Needs, r.Mentioned = unique(r.Needs), unique(r.Mentioned)
	return r
}

// anywhere takes the scopes from wherever a response has them.
func (r *Reading) anywhere(h http.Header, values []any) {
	r.headers(h)
	r.challengeScopes()
	for _, challenge := range r.challenged {
		r.read(challenge.ErrorDescription(), place{})
	}
	for _, value := range values {
		r.members(place{}, "", value, maxNesting)
	}
	r.mergeLists()
}

// weigh finds out what the texts say as a whole.
func (r *Reading) weigh() {
	r.coded = slices.ContainsFunc(r.Codes, meansScope) || slices.ContainsFunc(r.texts, func(said string) bool {
		code, _, _ := strings.Cut(said, ":") // insufficient_scope: a
		return meansScope(code)
	})
	r.told = slices.ContainsFunc(r.texts, saysScope)
	r.anySaid = slices.ContainsFunc(r.texts, saysAny)
}

// saysAny reports whether a sentence says that one of several is enough. Where at least one of
// them is missing, all are needed.
func saysAny(said string) bool {
	said = strings.ToLower(said)
	for _, phrase := range anyPhrases {
		if _, rest, found := strings.Cut(said, phrase); found {
			return !slices.ContainsFunc(missingPhrases, func(missing string) bool { return strings.Contains(rest, missing) })
		}
	}
	return false
}

var (
	anyPhrases     = []string{"one or more of", "one of the following", "at least one", "any of the following", "any one of", "one of these"}
	missingPhrases = []string{" is missing", " are missing", " not granted", " not been granted"}
)

// Names are the scopes that the response says are missing or required, each once.
func (r Reading) Names() []string { return names(r.Needs) }

// Words are the scopes that the response says are missing or, where it refuses by its status,
// those that the resource takes. Of several that are enough it is the first that somebody
// lists, else the first.
func (r Reading) Words() []string {
	groups := r.Needs
	if len(groups) == 0 && (r.status == http.StatusUnauthorized || r.status == http.StatusForbidden) {
		groups = r.Mentioned
	}
	var list []string
	for _, group := range groups {
		list = append(list, group[max(0, slices.IndexFunc(group, r.known.Scopes.Has))])
	}
	return scopes.NewSet(list...).Slice()
}

func names(groups []Group) []string {
	var list []string
	for _, group := range groups {
		list = append(list, group...)
	}
	return slices.Clip(scopes.NewSet(list...).Slice())
}

// Means reports whether the provider's file says that the response means this.
func (r Reading) Means(m provider.Meaning) bool { return r.Entry.Means == m }

// LacksScope reports whether the response says that a scope is missing, whether or not it
// says which. A code alone does not where the sentence beside it gives another reason: servers
// have insufficient_scope for roles too.
func (r Reading) LacksScope() bool {
	return len(r.Needs) > 0 || r.Means(provider.MeaningMissingScope) || r.told || r.coded && !r.otherSentence()
}

// otherSentence reports whether the sentence has words for another reason, and none for scopes.
func (r Reading) otherSentence() bool {
	words := reasonWords(r.Said)
	return strings.Contains(r.Said, " ") && (anyOf(words, rejectWords) || anyOf(words, otherWords)) && !anyOf(words, aboutScopes)
}

var aboutScopes = wordSet(`scope scopes permission permissions privilege privileges consent`)

// SaysLacking reports whether words in the response say that a scope is missing.
func (r Reading) SaysLacking() bool { return r.coded || r.told }

// Rejects reports whether the server says that it does not take the credential as such.
func (r Reading) Rejects() bool {
	other := r.Means(provider.MeaningMissingScope) || r.Means(provider.MeaningNotAScopeProblem)
	return r.Means(provider.MeaningRejected) || !other && slices.Contains(r.Codes, invalidToken)
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

// prove notes where scopes are named.
func (r *Reading) prove(where string) {
	if where != "" && len(r.Proofs) < maxProofs && !slices.Contains(r.Proofs, where) {
		r.Proofs = append(r.Proofs, where)
	}
}

// maxProofs bounds how many places of a response are told.
const maxProofs = 4

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
