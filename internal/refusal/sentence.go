package refusal

import (
	"net/http"
	"slices"
	"strings"
)

// A sentence is what a text says of scopes.
type sentence struct {
	needs  []Group // it says that they are missing or required
	named  []Group // it names them, and not what for
	held   []string
	saying bool // it has a word for a scope in it
	aside  bool // it says of a scope that it is not needed, or what else is needed for it
}

// mode is what a sentence is speaking of.
type mode int

const (
	modeNone mode = iota
	modeNeed
	modeHeld
)

// A sentenceReader is on its way through a sentence.
type sentenceReader struct {
	r       *Reading
	words   []word
	all     sentence
	mode    mode
	any     bool // one of those that follow is enough
	run     Group
	joins   []join // how each of the run is joined to the one before
	join    join   // how the next one will be
	firm    bool   // all of those that follow are needed
	denied  int    // where a negation stood
	holds   int    // where a word stood that says what is held
	filed   int    // how many needs came of the last scopes
	loose   int    // how many of those that were named last wait for a word that says what for
	flushed int    // where they ended
	clause  int    // where the clause begins
}

// scopesIn finds the words of a text that are scopes, and what it says of them. A plain word
// is one only in quotes or next to a word for scopes.
func (r *Reading) scopesIn(said string) sentence {
	s := sentenceReader{r: r, words: split(said, r.known.Scopes.Has), denied: -10, holds: -10}
	for i := range s.words {
		s.word(i)
	}
	s.flush()
	return s.all
}

func (s *sentenceReader) word(i int) {
	w := &s.words[i]
	if s.begins(i) {
		s.flush()
		s.mode, s.loose, s.clause, s.any, s.firm = modeNone, 0, i, s.any && s.r.anySaid, false
	}
	switch {
	case s.isScope(i):
		for _, scope := range s.scopes(w) {
			s.run, s.joins, s.join = append(s.run, scope), append(s.joins, s.join), joinNone
		}
		if strings.ContainsAny(w.before, "|") {
			s.any = true
		}
		return
	case isNoun(w.lower):
		s.all.saying = true
		if i > 0 && i+1 < len(s.words) && ownWords.has(s.words[i-1].lower) && strings.ContainsAny(s.words[i+1].before, ":=(["+quotes) { // token scopes: a
			s.flush()
			s.mode = modeHeld
		}
		return
	case (w.lower == "or" || openWords.has(w.lower) && w.lower != "of") && len(s.run) > 0:
		s.join = joinOr
		return
	case joinWords.has(w.lower), articles.has(w.lower):
		s.firm = s.firm || w.lower == "both"
		if joinWords.has(w.lower) && len(s.run) > 0 {
			s.firm, s.join = true, joinAnd
			if strings.Contains(w.before, ",") {
				s.join = joinBesides
			}
		}
		return
	}
	if s.flush() {
		s.flushed = i
	}
	s.turn(i)
	s.count(i)
}

// turn changes what the sentence speaks of, where a word does.
func (s *sentenceReader) turn(i int) {
	w := &s.words[i]
	switch {
	case denials.has(w.lower):
		if i+1 < len(s.words) && withinWords.has(s.words[i+1].lower) { // c is not among them
			s.claim(i)
		}
		s.mode, s.denied = modeNeed, i
	case s.isFine(i): // c: granted
		s.unneed()
	case needWords.has(w.lower) && s.negated(i): // c is not needed
		s.unneed()
		s.mode, s.loose, s.all.aside = modeNone, 0, true
	case needWords.has(w.lower) && i-s.holds <= 2 && s.mode == modeHeld: // it includes the required scope c
	case needWords.has(w.lower):
		s.mode = modeNeed
		if !activeWords.has(w.lower) {
			s.claim(i) // c is required
		}
		s.loose = 0
	case purposes.has(w.lower) && s.mode == modeNeed && s.otherObject(i): // a header required for c
		s.mode, s.all.aside = modeNone, true
	case w.lower == "granted" && i+1 < len(s.words) && s.words[i+1].lower == "by": // any of those that grant it
		s.mode, s.any = modeNeed, true
	case (heldWords.has(w.lower) || w.lower == "found") && i-s.denied <= 4:
		if s.deniesScopes(w.lower) { // c was not granted
			s.claim(s.denied)
		}
		s.any = false // at least one was not granted
	case (givenWords.has(w.lower) || fineWords.has(w.lower)) && passives.has(s.words[max(0, i-1)].lower) && s.waits(i): // c was granted
		at := len(s.all.named) - s.loose
		s.all.held = append(s.all.held, names(s.all.named[at:])...)
		s.all.named, s.loose = s.all.named[:at], 0
	case heldWords.has(w.lower) && !s.demanded(i):
		s.mode, s.holds = modeHeld, i
	}
}

// negated reports whether a need is denied: no longer needed, isn't required.
func (s *sentenceReader) negated(i int) bool {
	for at := i - 1; at >= max(0, i-3) && !strings.ContainsAny(s.words[at+1].before, ".!?;:,"); at-- {
		switch word := s.words[at].lower; {
		case denials.has(word):
			return word != "without"
		case !betweenNegation.has(word):
			return false
		}
	}
	return false
}

// betweenNegation stand between a negation and what it denies.
var betweenNegation = wordSet(`longer be been a any actually really strictly currently more plus is es est wird mehr`)

// isFine reports whether a word right behind scopes says that they are there: c: granted, c (present).
func (s *sentenceReader) isFine(i int) bool {
	return i > 0 && i == s.flushed && strings.ContainsAny(s.words[i].before, ":(=") && (givenWords.has(s.words[i].lower) || fineWords.has(s.words[i].lower))
}

var withinWords = wordSet(`in among part within`)

var fineWords = wordSet(`present ok okay yes true fine satisfied met held passed`)

// unneed takes back that the last scopes are needed.
func (s *sentenceReader) unneed() {
	s.all.needs = s.all.needs[:len(s.all.needs)-s.filed]
	s.filed, s.all.aside = 0, true
}

// otherObject reports whether what is needed before a word is something else than a scope.
func (s *sentenceReader) otherObject(i int) bool {
	for at := i - 1; at >= s.clause && i-at <= farBack; at-- {
		switch word := s.words[at].lower; {
		case isNoun(word), accessWords.has(word), bearers.has(word), ownWords.has(word), word == "approval", word == "consent":
			return false
		case needWords.has(word), denials.has(word):
			return true
		}
	}
	return false
}

// activeWords are those of needs whose object follows: what stands before them is who needs it.
var activeWords = wordSet(`requires require needs need lacks lack must wants want demands without accepts enable add`)

// purposes stand before what something else is needed for.
var purposes = wordSet(`for on with when if during`)

// count changes how many of those that follow are needed, where a word does.
func (s *sentenceReader) count(i int) {
	switch w := &s.words[i]; {
	case goneWords.has(w.lower): // at least one of them is missing
		s.any = false
	case allWords.has(w.lower):
		s.firm = true
	case anyWords.has(w.lower) && s.meansAny(i):
		s.any = true
	}
}

// meansAny reports whether a word of which that can be true says that any one is enough.
func (s *sentenceReader) meansAny(i int) bool {
	next := ""
	if i+1 < len(s.words) {
		next = s.words[i+1].lower
	}
	switch here := s.words[i].lower; {
	case here == "none":
		return next == "of"
	case takenWords.has(here):
		return isNoun(next)
	}
	return true
}

// takenWords say of scopes that any one is enough only right before them: accepted scopes.
var takenWords = wordSet(`accepted acceptable allowed granular sufficient`)

var (
	givenWords = wordSet(`granted approved authorized authorised assigned given provided received`)
	authWords  = wordSet(`authorized authorised found`)
	bearers    = wordSet(`token tokens jwt`)
	passives   = wordSet(`is are was were been`)
)

// waits reports whether scopes were named shortly before a word that says what for.
func (s *sentenceReader) waits(i int) bool { return s.loose > 0 && i >= s.flushed && i-s.flushed <= 3 }

// deniesScopes reports whether a word that is denied is about scopes that were named before it: it is
// itself, or the sentence is; and nothing before them says what else they may be: a role, a project.
func (s *sentenceReader) deniesScopes(verb string) bool {
	about := s.all.saying || s.r.SaysLacking() || grantWords.has(verb) && !authWords.has(verb)
	for i := s.clause; i < s.denied; i++ {
		if otherWords.has(s.words[i].lower) && !s.all.saying {
			return false
		}
	}
	return about || slices.ContainsFunc(s.words, func(w word) bool { return bearers.has(w.lower) }) && !authWords.has(verb)
}

// claim makes needs of those that wait for a word.
func (s *sentenceReader) claim(i int) {
	if at := len(s.all.named) - s.loose; s.waits(i) && !s.otherClause() {
		s.all.needs = append(s.all.needs, s.all.named[at:]...)
		s.all.named, s.loose = s.all.named[:at], 0
	}
}

// demanded reports whether a word stands behind one that demands it: must have, must be granted.
func (s *sentenceReader) demanded(i int) bool {
	return i > 0 && demands.has(s.words[i-1].lower) || i > 1 && s.words[i-1].lower == "be" && demands.has(s.words[i-2].lower)
}

var demands = wordSet(`must should shall to needs need muss müssen doit debe deve`)

// ownWords are what has scopes.
var ownWords = wordSet(`token your key client app user`)

// begins reports whether a word begins a sentence, or a clause that says something else.
func (s *sentenceReader) begins(i int) bool {
	return i > 0 && strings.ContainsAny(s.words[i].before, ".!?。") || contrasts.has(s.words[i].lower)
}

// otherClause reports whether the clause asks for something else than a scope, though it names
// one: a role that has the permission, a plan.
func (s *sentenceReader) otherClause() bool {
	other, aside := false, 0
	for i := s.clause; i < min(len(s.words), s.clause+4*farBack) && (i <= s.clause || !s.begins(i)); i++ {
		w := &s.words[i]
		aside += strings.Count(w.before, "(") - strings.Count(w.before, ")")
		switch {
		case scopeWord.has(w.lower), other && grantWords.has(w.lower) && s.deniedBefore(i): // the owner did not grant it
			return false
		case aside > 0, i > 0 && s.words[i-1].lower == "resource": // a resource owner is who grants (RFC 6749 §1.1)
		default:
			other = other || roleWords.has(w.lower)
		}
	}
	return other
}

// deniedBefore reports whether a negation stands shortly before a word.
func (s *sentenceReader) deniedBefore(i int) bool {
	return slices.ContainsFunc(s.words[max(0, i-2):i], func(w word) bool { return denials.has(w.lower) })
}

var grantWords = wordSet(`grant granted consent consented approve approved authorize authorized authorise authorised`)

var roleWords = wordSet(`admin admins administrator administrators owner owners editor role roles plan plans premium enterprise upgrade subscription`)

// contrasts begin another clause.
var contrasts = wordSet(`but however aber mais pero`)

// articles stand between scopes and change nothing.
var articles = wordSet(`the a an following der die das les des la le los las access oauth oauth2 both - – — •`)

// scopes are those in a word: itself, or those that are held together in it; of those with a slash
// any one is enough.
func (s *sentenceReader) scopes(w *word) []string {
	parts := heldTogether(w.text)
	if s.r.known.Knows(w.text) || len(parts) < 2 || slices.ContainsFunc(parts, func(part string) bool { return !s.r.known.Knows(part) }) {
		return []string{w.text}
	}
	s.any = s.any || strings.Contains(w.text, "/")
	return parts
}

// flush files the scopes that were read, and reports whether there were any.
func (s *sentenceReader) flush() bool {
	if len(s.run) == 0 {
		return false
	}
	groups := s.groups()
	s.filed = 0
	if s.mode == modeNeed || s.mode == modeNone && len(groups) > 1 {
		s.r.note(groups, s.firm)
	}
	switch {
	case s.mode == modeNeed && !s.otherClause():
		s.all.needs, s.filed = append(s.all.needs, groups...), len(groups)
	case s.mode == modeHeld:
		s.all.held = append(s.all.held, s.run...)
	default:
		s.all.named, s.loose = append(s.all.named, groups...), len(groups)
	}
	s.run, s.joins, s.join, s.any, s.firm = nil, nil, joinNone, false, false
	return true
}

// groups are those of the scopes that were read. What is joined by and is one alternative, unless
// a comma stands before the and: a, and b or c.
func (s *sentenceReader) groups() []Group {
	if s.any || s.r.Entry.AnyOf {
		return []Group{s.run}
	}
	var groups []Group
	for from, to := 0, 1; to <= len(s.run); to++ {
		if to < len(s.run) && s.joins[to] != joinBesides {
			continue
		}
		groups, from = append(groups, joined(s.run[from:to], s.joins[from:to])...), to
	}
	return groups
}

// read takes the scopes out of a sentence. What it names without saying what for is missing
// where it speaks of scopes, and has no other place for those that are.
func (r *Reading) read(said string, p place) {
	s := r.scopesIn(said)
	if p.held {
		return
	}
	r.Held = append(r.Held, s.held...)
	where := at("it says", said)
	if said == r.Said {
		where = ""
	}
	denies := r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
	r.take(place{need: denies || s.saying || r.SaysLacking()}, s.needs, where) // else it only stands there
	r.unsure = r.unsure || s.aside
	if len(s.needs) == 0 && !s.aside {
		r.unsure = r.unsure || len(s.named) > 0 && s.saying && !r.isPlainNaming(said)
		r.take(place{need: p.need || s.saying && len(s.held) == 0 && r.isStraight(said)}, s.named, where)
	}
}
