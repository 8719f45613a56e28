package refusal

import (
	"net/http"
	"strings"
)

// A Group are scopes of which any one is enough.
type Group []string

// A sentence is what a text says of scopes.
type sentence struct {
	needs  []Group // it says that they are missing or required
	named  []Group // it names them, and not what for
	held   []string
	saying bool // it has a word for a scope in it
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
	denied  int // where a negation stood
	loose   int // how many of those that were named last wait for a word that says what for
	flushed int // where they ended
	clause  int // where the clause begins
}

// scopesIn finds the words of a text that are scopes, and what it says of them. A plain word
// is one only in quotes or next to a word for scopes.
func (r *Reading) scopesIn(said string) sentence {
	s := sentenceReader{r: r, words: split(said), denied: -10}
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
		s.mode, s.loose, s.clause = modeNone, 0, i
	}
	switch {
	case s.isScope(i):
		s.run = append(s.run, s.scopes(w)...)
		if strings.ContainsAny(w.before, "|") {
			s.any = true
		}
		return
	case isNoun(w.lower):
		s.all.saying = true
		if i > 0 && i+1 < len(s.words) && ownWords.has(s.words[i-1].lower) && strings.ContainsAny(s.words[i+1].before, ":=([") { // token scopes: a
			s.flush()
			s.mode = modeHeld
		}
		return
	case (w.lower == "or" || openWords.has(w.lower) && w.lower != "of") && len(s.run) > 0:
		s.any = true
		return
	case joinWords.has(w.lower), articles.has(w.lower):
		return
	}
	if s.flush() {
		s.flushed = i
	}
	switch {
	case denials.has(w.lower):
		s.mode, s.denied = modeNeed, i
	case needWords.has(w.lower):
		s.mode = modeNeed
		if at := len(s.all.named) - s.loose; i-s.flushed <= 3 && !s.otherClause() { // c is required
			s.all.needs = append(s.all.needs, s.all.named[at:]...)
			s.all.named = s.all.named[:at]
		}
		s.loose = 0
	case w.lower == "granted" && i+1 < len(s.words) && s.words[i+1].lower == "by": // any of those that grant it
		s.mode, s.any = modeNeed, true
	case heldWords.has(w.lower) && i-s.denied > 4 && !s.demanded(i):
		s.mode = modeHeld
	}
	if anyWords.has(w.lower) {
		s.any = true
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
	other := false
	for i := s.clause; i < min(len(s.words), s.clause+4*farBack) && (i <= s.clause || !s.begins(i)); i++ {
		if scopeWord.has(s.words[i].lower) {
			return false
		}
		other = other || roleWords.has(s.words[i].lower)
	}
	return other
}

var roleWords = wordSet(`admin admins administrator administrators owner owners editor role roles plan plans premium enterprise upgrade subscription`)

// contrasts begin another clause.
var contrasts = wordSet(`but however aber mais pero`)

// articles stand between scopes and change nothing.
var articles = wordSet(`the a an following der die das les des la le los las access oauth oauth2 both - – — •`)

// scopes are those in a word: itself, or those that a slash holds together.
func (s *sentenceReader) scopes(w *word) []string {
	if s.r.known.Knows(w.text) || !strings.Contains(w.text, "/") {
		return []string{w.text}
	}
	s.any = true
	return strings.Split(w.text, "/")
}

// flush files the scopes that were read, and reports whether there were any.
func (s *sentenceReader) flush() bool {
	if len(s.run) == 0 {
		return false
	}
	groups := []Group{s.run}
	if !s.any {
		groups = nil
		for _, scope := range s.run {
			groups = append(groups, Group{scope})
		}
	}
	switch {
	case s.mode == modeNeed && !s.otherClause():
		s.all.needs = append(s.all.needs, groups...)
	case s.mode == modeHeld:
		s.all.held = append(s.all.held, s.run...)
	default:
		s.all.named, s.loose = append(s.all.named, groups...), len(groups)
	}
	s.run, s.any = nil, false
	return true
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
	if len(s.needs) == 0 {
		words := reasonWords(said)
		aside := len(s.held) > 0 || anyOf(words, otherWords) || anyOf(words, rejectWords)
		r.take(place{need: p.need || s.saying && !aside}, s.named, where)
	}
}
