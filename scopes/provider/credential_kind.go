package provider

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/scopes"
)

// A CredentialKind is what a provider file says of one kind of credential.
type CredentialKind struct {
	Prefix  string // by which it is told; "" for every credential that nothing else tells
	Pattern string // a regular expression for all of it, which is known to be one: in place of a prefix, or beside one that kinds share
	Kind    scopes.Kind
	Label   string       // what people call it, with its article: "a personal API key"
	Env     []string     // environment variables that hold one, first found wins
	Create  string       // where one is made: a URL, {base} and, in its query, {scopes} allowed; see CreateAt
	Send    Sending      // how a request carries it
	Inspect []Inspection // how to ask what it holds, in the order in which that is tried
	Revoke  Revoke       // how one that a login obtained is ended, where that is not by RFC 7009
	Usable  []Usability

	TokenType string // token_type under which the server gives one, where that is not Bearer; "" for Bearer

	Permissions  bool // it carries permissions, which no server lists, and no scopes
	EmptyUnknown bool // no scopes in a token response say nothing of what it holds

	Renewable bool     // a login obtains it, and can obtain another
	Programs  Programs // whether it is meant for programs
}

// Programs says whether a kind of credential is meant for programs, as an API key is.
type Programs string

// What a file says of that; "" where it says nothing.
const (
	ProgramsMeant Programs = "meant" // also where the file names variables that hold one
	ProgramsNever Programs = "never" // whatever it is good for, it is not what a program brings
)

// An Inspection is one way in which the holder of a credential asks what it holds. With
// Introspection set it is RFC 7662 at the endpoint that the metadata names; otherwise a request for
// URL, with the credential as its own proof.
type Inspection struct {
	URL     string      // {base} allowed
	Method  string      // GET, HEAD or POST
	Send    Sending     // where this request carries the credential in a way of its own
	Headers []Parameter // that the request has besides
	Body    string      // JSON; "" for none

	Introspection bool
	JSON          bool // the introspection request's body is JSON, where RFC 7662 §2.1 has a form
	Bearer        bool // who introspects is the credential itself; otherwise the client, by its client_id

	Scopes        Place // a list of the scopes, or a text of them as in a token response
	AbsentUnknown bool  // a response without them is of a credential that is good, and of which nobody knows what it holds
	Reach         []ReachMember
	Expires       Place // the end of life, or how much of it is left
	Account       Place // whose it is, in a name for people

	Unknown, Expired, Denied []Sign // what a response looks like for a credential that the server does not know, that has ended, or that is good and may not look at itself
}

// A Revoke is the service's own way to end a token. The zero value: there is none.
type Revoke struct {
	Ask  Inspection // a URL, and how it is asked, with the token
	Done []Sign     // what the response has where the token has ended; none: the status tells
}

// A Sending is how a request carries a credential; the zero value is RFC 6750 §2.1.
type Sending struct {
	Header    string // the name of a header field
	Text      string // what stands in it, with {credential} for the credential; "" for that alone
	Parameter string // the name of a parameter: in the form of a POST, and otherwise in the query
	Member    string // the name of the only member of the JSON of a POST
}

// bearer is RFC 6750 §2.1.
var bearer = Sending{Header: "Authorization", Text: "Bearer {" + credentialWord + "}"}

// credentialWord stands for the credential in the text of a header field.
const credentialWord = "credential"

// Field is the header field with a credential in it.
func (s Sending) Field(credential string) (name, value string) {
	if s.Header == "" {
		s = bearer
	}
	value, _ = template.Fill(cmp.Or(s.Text, "{"+credentialWord+"}"), func(string) (string, bool) { return credential, true })
	return s.Header, value
}

// InBody reports whether the credential is what the body of a request has.
func (s Sending) InBody(method string) bool {
	return s.Member != "" || s.Parameter != "" && method == http.MethodPost
}

// A ReachMember is the member of an answer that lists the things of one sort on which the
// credential works; without it, or with an empty one, it works on all.
type ReachMember struct {
	Of     string // the sort: project, organization, repository
	Member string
}

// Base is the name of the base on which the URL stands; "" where it names a host.
func (i Inspection) Base() string {
	base, _, _ := strings.Cut(strings.TrimPrefix(i.URL, "{"), "}")
	if !strings.HasPrefix(i.URL, "{") {
		return ""
	}
	return base
}

// AsItself reports whether the credential is what asks: a refusal of whoever asks is one of the
// credential then.
func (i Inspection) AsItself() bool { return !i.Introspection || i.Bearer }

// ReadsBody reports whether anything is read from the body of the response.
func (i Inspection) ReadsBody() bool {
	return i.Introspection || len(i.Reach) > 0 || i.Scopes.InBody() || i.Expires.InBody() || i.Account.InBody()
}

// Reach are the limits of which any way to ask tells, each once.
func (k CredentialKind) Reach() []ReachMember {
	var list []ReachMember
	for _, way := range k.Inspect {
		for _, limit := range way.Reach {
			if !slices.Contains(list, limit) {
				list = append(list, limit)
			}
		}
	}
	return list
}

// Of is what is known of a grant to a credential of this kind: where it carries permissions, they
// are all that there is to know.
func (k CredentialKind) Of(g scopes.Grant) scopes.Grant {
	if k.Permissions {
		g.Scopes, g.KnownBy = scopes.Set{}, scopes.Permissions
	}
	return g
}

// A Usability says whether a kind of credential can serve a base.
type Usability struct {
	Base  string
	Never bool // usable: never; otherwise by_scope
}

// CreateAt is the page of a server on which one is made, for these scopes; "" where nobody knows.
func (k CredentialKind) CreateAt(s Server, wanted []string) string {
	page, query, asks := strings.Cut(k.Create, "?")
	link, ok := s.Expand(page)
	if !ok || !asks {
		return link
	}
	filled := link + "?" + strings.ReplaceAll(query, wantedWord, url.QueryEscape(strings.Join(wanted, ",")))
	if len(filled) > maxLink {
		return link
	}
	return filled
}

// wantedWord stands in the query of a page for the scopes that are wanted, with commas between.
const wantedWord = "{scopes}"

// Serves reports whether the kind can serve the named base at all; its scopes are
// another question.
func (k CredentialKind) Serves(base string) bool {
	return !slices.Contains(k.Usable, Usability{Base: base, Never: true})
}

// KindOf tells a credential by its prefix, the longest that fits, and of kinds with the same one by the first
// pattern that fits; else by the first pattern of those without a prefix; the entry without either, else a bare [scopes.UnknownKind], where none does.
func (p *Provider) KindOf(credential string) CredentialKind {
	best := CredentialKind{Kind: scopes.UnknownKind, Label: "a credential of an unknown kind"}
	for _, k := range p.Credentials {
		longer := len(k.Prefix) - len(best.Prefix)
		fits := strings.HasPrefix(credential, k.Prefix) && (k.Prefix != "" || k.Pattern == "")
		if fits && (longer > 0 || longer == 0 && best.Pattern == "") && (k.Pattern == "" || whole(k.Pattern).MatchString(credential)) {
			best = k
		}
	}
	if best.Prefix != "" {
		return best
	}
	for _, k := range p.Credentials {
		if k.Prefix == "" && k.Pattern != "" && whole(k.Pattern).MatchString(credential) {
			return k
		}
	}
	return best
}

// LoginsHoldPermissions reports whether no kind of credential that a login obtains carries scopes.
func (p *Provider) LoginsHoldPermissions() bool {
	some := false
	for _, k := range p.Credentials {
		if some = some || k.Renewable; k.Renewable && !k.Permissions {
			return false
		}
	}
	return some
}

// KindOfToken is [Provider.KindOf] for what a login obtained: where nothing tells, it is an
// [scopes.AccessToken] all the same.
func (p *Provider) KindOfToken(access string) CredentialKind {
	k := p.KindOf(access)
	if k.Prefix == "" && k.Pattern == "" && !k.Renewable {
		k.Kind, k.Label, k.Create, k.Renewable = scopes.AccessToken, "an OAuth access token", "", true
	}
	return k
}

// patterns holds those that were needed: most commands need none, and a file has a few.
var patterns sync.Map // pattern → *regexp.Regexp

// whole compiles a pattern for all of a text.
func whole(pattern string) *regexp.Regexp {
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp.Regexp)
	}
	compiled := regexp.MustCompile(`\A(?:` + pattern + `)\z`) // it was parsed when the file was read
	patterns.Store(pattern, compiled)
	return compiled
}
