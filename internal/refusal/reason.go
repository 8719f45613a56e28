package refusal

import (
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
// access is denied gives no reason of its own; whatever else stands in one, in whichever
// language, may be one. Texts and numbers beside the sentence may be a request's name, or a
// reason in a member that nobody knows: with them, the response is not silent.
func (r Reading) Reason() Reason {
	if r.Means(provider.MeaningSilent) {
		return ReasonNone
	}
	for _, said := range append(slices.Clone(r.Codes), r.Said) {
		isLink := strings.Contains(said, "://") // to a page about the error
		if !isLink && slices.ContainsFunc(wordsOf(said), isReason) {
			return ReasonOwn
		}
	}
	for _, said := range append(slices.Clone(r.texts), r.Said) {
		if !isName(said) && slices.ContainsFunc(wordsOf(said), saysMore) {
			return ReasonAccess
		}
	}
	if r.numbers {
		return ReasonAccess
	}
	return ReasonNone
}

// isName reports whether a text names something, as a link or a request's identifier does,
// in place of saying something.
func isName(said string) bool {
	return strings.Contains(said, "://") || !strings.Contains(said, " ") && strings.ContainsFunc(said, unicode.IsDigit)
}

// saysMore reports whether a word says more than the status does.
func saysMore(word string) bool { return !slices.Contains(statusWords, word) }

// statusWords are those of texts that say no more than "Forbidden", "Access denied" or
// "Authentication required".
var statusWords = strings.Fields(`
	a an are blank about denied error forbidden found http is no not or page status the to you
	access authentication authenticated authorisation authorised authorization authorized insufficient
	permission permissions required unauthenticated unauthorised unauthorized`)

func isReason(word string) bool { return !slices.Contains(denialWords, word) }

// wordsOf are the words of a sentence or of a code, in lower case: permission_denied and
// permissionDenied have two.
func wordsOf(text string) []string {
	var spaced strings.Builder
	for i, c := range text {
		if unicode.IsUpper(c) && i > 0 && unicode.IsLower(rune(text[i-1])) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(c))
	}
	return strings.FieldsFunc(spaced.String(), func(c rune) bool { return !unicode.IsLetter(c) })
}

// denialWords are those in which servers say that access is denied, and no more.
var denialWords = strings.Fields(`
	a about an and any are at be been blank by can cannot could do does don for from have has http in is it no not of on or that the
	this to was were with without you your s t
	access accessing action allow allowed api auth authenticate authenticated authentication authorisation authorised
	authorization authorized authorize bearer credential credentials denied deny endpoint error errors
	false forbidden found grant granted insufficient lack lacks missing must necessary need needed needs operation page perform
	performing permission permissions permitted privilege privileges proper provide provided request requested require required
	requires resource resources right rights scope scopes status sufficient token unauthenticated unauthorised unauthorized use
	user view`)
