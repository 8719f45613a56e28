package refusal

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Reason is how far a response says why it refuses, apart from scopes that it names.
type Reason int

// How far a response says why.
const (
	ReasonNone   Reason = iota // no further than its status does
	ReasonAccess               // access is denied: this fits a scope that is missing, and a role too
	ReasonOwn                  // a reason of its own, which no wording explains
)

// Reason tells how far the response says why. A sentence of nothing but the words in which
// access is denied gives no reason of its own, nor does one that denies access to what scopes
// are about; any other word, in whichever language, may be one. Numbers and single words beside
// the sentence may be a request's name, or a reason in a member that nobody knows: with them,
// the response is not silent.
func (r Reading) Reason() Reason {
	switch {
	case r.Means(provider.MeaningSilent):
		return ReasonNone
	case r.protocol, r.Means(provider.MeaningRejected), r.asksForAnother():
		return ReasonOwn
	}
	for _, said := range r.sentences() {
		if r.reasonOf(said) == ReasonOwn {
			return ReasonOwn
		}
	}
	for _, code := range r.Codes {
		if isLink(code) || meansScope(code) {
			continue
		}
		switch words := reasonWords(code); {
		case anyOf(words, rejectWords), anyOf(words, otherWords):
			return ReasonOwn
		case !isName(code) && !strings.Contains(r.Said, " ") && slices.ContainsFunc(words, isReason):
			return ReasonOwn // nothing but the code says why
		}
	}
	for _, said := range append(slices.Clone(r.texts), r.Said) {
		if !isName(said) && slices.ContainsFunc(wordsOf(said), saysMore) {
			return ReasonAccess
		}
	}
	if r.numbers || r.Unread != "" || r.bare && r.status == http.StatusUnauthorized { // no token came, says RFC 6750 §3.1
		return ReasonAccess
	}
	return ReasonNone
}

// asksForAnother reports whether every challenge wants something else than a token (RFC 9110
// §11.6.1).
func (r Reading) asksForAnother() bool {
	return len(r.schemes) > 0 && !slices.ContainsFunc(r.schemes, func(scheme string) bool { return !otherSchemes.has(scheme) })
}

// otherSchemes are those of passwords, keys of a machine and single sign-on.
var otherSchemes = wordSet(`basic digest negotiate ntlm kerberos hoba mutual vapid scram-sha-1 scram-sha-256 aws4-hmac-sha256`)

// Disowns reports whether the response says that a credential is not accepted: expired, revoked,
// unknown.
func (r Reading) Disowns() bool {
	return r.someText(func(words []string) bool { return anyOf(words, rejectWords) && anyOf(words, credentialWords) })
}

// GivesAnotherReason reports whether the response has a word in it that stands for another reason
// than a scope.
func (r Reading) GivesAnotherReason() bool {
	return r.protocol || r.someText(func(words []string) bool { return anyOf(words, otherWords) })
}

// SpeaksOfRoles reports whether the response speaks of what someone is, or has paid for.
func (r Reading) SpeaksOfRoles() bool {
	return r.someText(func(words []string) bool { return anyOf(words, roleWords) })
}

// IsStraight reports whether nothing in the response beside the scopes that it names may be another
// reason. An entry of the provider's file that a value or a header tells is believed.
func (r Reading) IsStraight() bool {
	if r.Means(provider.MeaningMissingScope) && r.Entry.Text == "" {
		return r.Entry.Says()
	}
	return !r.unsure && !r.codedReason() && !slices.ContainsFunc(r.sentences(), func(said string) bool { return !r.isStraight(said) })
}

// GivesCodedReason reports whether a code gives another reason than a scope, and nothing says that one is
// missing: scopes in members beside it are what the call takes, whatever came.
func (r Reading) GivesCodedReason() bool {
	return r.codedReason() && !r.SaysLacking() && !r.Means(provider.MeaningMissingScope)
}

func (r Reading) codedReason() bool {
	return slices.ContainsFunc(r.Codes, func(code string) bool {
		words := reasonWords(code)
		return !meansScope(code) && (anyOf(words, otherWords) || anyOf(words, endWords))
	})
}

// isStraight reports whether a sentence has no word for another reason than a scope. One that says
// that a scope is missing may say besides whose it is, and who can grant it.
func (r Reading) isStraight(said string) bool {
	words := reasonWords(r.withoutScopes(withoutAdvice(said)))
	return !anyOf(words, endWords) && (saysScope(said) || wantsPermission(words) || !anyOf(words, otherWords) && !anyOf(words, rejectWords))
}

// isPlainNaming reports whether a sentence that names scopes has no other words than those by which
// servers say that one is missing.
func (r Reading) isPlainNaming(said string) bool {
	return !slices.ContainsFunc(wordsOf(r.withoutScopes(withoutAdvice(said))), func(word string) bool {
		return isReason(word) && !objectWords.has(word) && !isTerm(word) && !denials.has(word) && !anyWords.has(word) && !allWords.has(word) && !joinWords.has(word) && !articles.has(word) && !namingWords.has(word)
	})
}

// namingWords stand beside scopes that are missing, and are no reason.
var namingWords = wordSet(`would having continue key account order`)

// endWords say that a credential or an account came to its end.
var endWords = wordSet(`expired expires expiry revoked inactive disabled suspended deactivated deleted blocked banned locked frozen closed`)

// withoutScopes is a sentence without the scopes and other names in it.
func (r Reading) withoutScopes(said string) string {
	var kept []string
	for _, w := range split(said, r.known.Scopes.Has) {
		named := w.quoted || r.known.Knows(w.text) || strings.ContainsAny(w.text, "/{}.:_") || w.text != strings.ToUpper(w.text) && strings.ContainsFunc(w.text[1:], unicode.IsUpper)
		if !named {
			kept = append(kept, w.text)
		}
	}
	return strings.Join(kept, " ")
}

// NamesUnknown reports whether a sentence calls something a scope that nobody knows as one.
func (r Reading) NamesUnknown() bool {
	return slices.ContainsFunc(r.texts, func(said string) bool {
		words := split(said, r.known.Knows)
		for i, w := range words {
			beside := i > 0 && scopeWord.has(words[i-1].lower) || i+1 < len(words) && scopeWord.has(words[i+1].lower)
			if beside && (w.quoted || strings.ContainsAny(w.text, ":./") || strings.Trim(w.text, "0123456789") == "") && !r.known.Knows(w.text) {
				return true
			}
		}
		return false
	})
}

// someText reports whether the words of the sentence, or of a code, are as is says.
func (r Reading) someText(is func([]string) bool) bool {
	return slices.ContainsFunc(append(slices.Clone(r.Codes), withoutQuotes(withoutNames(r.Said))), func(said string) bool { return is(reasonWords(said)) })
}

// withoutQuotes is a sentence without the words in it that stand in quotes: they are names.
func withoutQuotes(said string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(said), func(field string) bool {
		return strings.ContainsAny(field[:1], "\"'`") && strings.ContainsAny(strings.TrimRight(field, ".,:;!?)")[1:], "\"'`")
	}), " ")
}

var credentialWords = wordSet(`token tokens credential credentials key apikey session login auth authentication authorization bearer
	jwt oauth grant signature secret password`)

// reasonOf is how far a text says why. A sentence that only says whom to ask gives no reason.
func (r Reading) reasonOf(said string) Reason {
	words := reasonWords(withoutNames(withoutAdvice(said)))
	switch {
	case isLink(said), !slices.ContainsFunc(words, isReason):
		return ReasonNone
	case anyOf(words, rejectWords), anyOf(words, otherWords):
	case deniesAccess(words) && (r.isPlain(said) || wantsPermission(words)):
		return ReasonAccess
	}
	return ReasonOwn
}

// isPlain reports whether each word of a text is one by which access is denied, or stands for
// what scopes are about in general. This board is no such thing: it may not be shared.
func (r Reading) isPlain(said string) bool {
	before := ""
	for _, word := range reasonWords(withoutQuotes(withoutNames(withoutAdvice(said)))) {
		if isReason(word) && !objectWords.has(word) && (particular.has(before) || !r.known.speaksOf(word)) {
			return false
		}
		before = word
	}
	return true
}

// wantsPermission reports whether words say that permissions are wanting: whatever they say besides
// is where to look.
func wantsPermission(words []string) bool {
	for i, word := range words {
		if i > 0 && scopeNouns.has(word) && lackWords.has(words[i-1]) {
			return true
		}
	}
	return false
}

// particular are the words behind which one thing stands among others.
var particular = wordSet(`the this that your these those its`)

// sentences are what the response says to people: its own sentence first, and those in other
// members, without pages to read.
func (r Reading) sentences() []string {
	list := []string{r.Said}
	for _, said := range r.texts {
		first, _, _ := strings.Cut(said, ". ")
		if said != r.Said && strings.Contains(strings.TrimSpace(said), " ") && !anyOf(wordsOf(first), adviceWords) {
			list = append(list, said)
		}
	}
	return list
}

// Denies reports whether the response says that access is denied: with another status than
// those of refusals, nothing else tells that it is about that.
func (r Reading) Denies() bool {
	for _, said := range append(slices.Clone(r.Codes), r.texts...) {
		if words := wordsOf(said); deniesAccess(words) || anyOf(words, deniedWords) {
			return true
		}
	}
	return false
}

// deniesAccess reports whether words speak of access, and deny it.
func deniesAccess(words []string) bool {
	return anyOf(words, deniedWords) || anyOf(words, accessWords) && anyOf(words, notWords)
}

var (
	deniedWords = wordSet(`denied forbidden unauthorized unauthorised disallowed`)
	accessWords = wordSet(`access accessible authorized authorised authorization permission permissions permitted privilege privileges
		scope scopes right rights allowed entitled`)
	notWords = wordSet(`no not failed failure fails don doesn isn hasn cannot can't lack lacks lacking missing insufficient without enough require requires
		required need needs needed`)
	// rejectWords say that a credential is not accepted as such.
	rejectWords = wordSet(`frozen expired expires expiry invalid revoked inactive disabled suspended deactivated deleted blocked banned malformed
		unrecognized unrecognised unknown valid locked incorrect rejected mismatch`)
	// otherWords stand for another reason than a scope: who someone is, what is paid for, what an
	// organization wants, what is shared, how often something was done, how a message was written.
	otherWords = wordSet(`admin admins administrator administrators owner owners editor editors viewer viewers member members maintainer
		manager role roles team teams group groups organization organisation organizations workspace tenant tenants project projects seat
		plan plans premium upgrade upgrading subscription subscribe billing payment paid enterprise trial quota license licence
		feature features limit limits limited rate many exceeded
		policy policies sso saml mfa ip region country vpn network allowlist whitelist restriction restrictions enforcement
		restrict compliance enabled
		shared share sharing connected installed registered ownership
		origin host header cors csrf version unsupported supported
		session login password audience free sandbox`)
)

// objectWords stand in denials for what was tried, and to what.
var objectWords = wordSet(`create creating update updating delete deleting list listing write edit editing modify modifying change add remove
	manage managing get send make call run execute complete operate attempt attempted attempting fulfill validation carry out
	object objects item items record records data content field fields section service function method methods
	caller client app apps application applications integration account's enough due because failed failure fails check checks try again sorry exception occurred given level
	following available type types have current currently appropriate correct such these those either`)

// reasonWords are the words of a text, but for two that mean something else in their place:
// invalid permissions are too few, and what is valid is not refused for that.
func reasonWords(said string) []string {
	words := wordsOf(said)
	for i, word := range words {
		switch {
		case word == "invalid" && i+1 < len(words) && scopeNouns.has(words[i+1]):
			words[i] = "insufficient"
		case word == "valid" && !anyOf(words[max(0, i-3):i], notWords):
			words[i] = "is"
		}
	}
	return words
}

// withoutAdvice is a text without those of its sentences that say whom to ask or where to
// read, but for the first.
func withoutAdvice(said string) string {
	sentences := strings.Split(said, ". ")
	kept := sentences[:1:1]
	for _, one := range sentences[1:] {
		if !anyOf(wordsOf(one), adviceWords) {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, ". ")
}

var adviceWords = wordSet(`contact ask please visit see learn documentation docs information support`)

// withoutNames is a sentence without the operations and the identifiers in it: POST /posts,
// userinfo.GET.NO_VERSION, https://docs.example.
func withoutNames(said string) string {
	var kept []string
	for _, field := range strings.Fields(said) {
		inner := strings.Trim(field, `.,:;!?()'"`+"`")
		if strings.ContainsAny(inner, "/{}") || strings.Count(inner, ".") > 0 || methods.has(inner) {
			continue
		}
		kept = append(kept, field)
	}
	return strings.Join(kept, " ")
}

var methods = wordSet(`GET POST PUT PATCH DELETE HEAD`)

func isLink(said string) bool { return strings.Contains(said, "://") && !strings.Contains(said, " ") }

// isName reports whether a text names something, as a link or a request's identifier does,
// in place of saying something.
func isName(said string) bool {
	return isLink(said) || !strings.Contains(said, " ") && strings.ContainsFunc(said, unicode.IsDigit)
}

// saysMore reports whether a word says more than the status does.
func saysMore(word string) bool { return !statusWords.has(word) }

// statusWords are those of texts that say no more than "Forbidden", "Access denied" or
// "Authentication required".
var statusWords = wordSet(`
	a an are blank about denied error forbidden found http is no not or page status the to you
	access authentication authenticated authorisation authorised authorization authorized insufficient
	permission permissions required unauthenticated unauthorised unauthorized`)

func isReason(word string) bool { return !denialWords.has(word) }

// denialWords are those in which servers say that access is denied, and no more.
var denialWords = wordSet(`
	a about accessible an and any are at be been blank by can cannot could do does don for from have has http in is it no not of on or that the
	this to was were with without you your s t
	access accessing action allow allowed api auth authenticate authenticated authentication authorisation authorised
	authorization authorized authorize bearer credential credentials denied deny endpoint error errors
	false forbidden found grant granted html insufficient lack lacks missing must necessary need needed needs oauth operation operations page perform
	performing permission permissions permitted privilege privileges proper provide provided request requested require required
	requires resource resources right rights scope scopes status sufficient token unauthenticated unauthorised unauthorized use
	user view message nginx openresty apache specified disallowed`)
