package refusal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Group are scopes of which any one is enough.
type Group []string

// A word is one of a sentence.
type word struct {
	text   string
	lower  string
	before string // what separates it from the one before
	quoted bool
}

const (
	quotes   = "\"`'“”‘’«»‹›「」『』„"
	brackets = "[](){}<>"
	// maxWords bounds how many words of a text are looked at.
	maxWords = 2000
	// farBack bounds how far from a word something is looked for that says what it is.
	farBack = 50
)

// split makes words of a sentence: runs without a space, a quote, a bracket or a separator.
// A point or a colon at the end of one is the sentence's.
func split(said string) []word {
	var list []word
	runes := []rune(strings.ReplaceAll(strings.ReplaceAll(said, "(s)", "s"), `\"`, `"`))
	before := ""
	for at := 0; at < len(runes) && len(list) < maxWords; {
		start := at
		for at < len(runes) && separates(runes, at) {
			at++
		}
		before += string(runes[start:at])
		for start = at; at < len(runes) && !separates(runes, at); {
			at++
		}
		raw := string(runes[start:at])
		begin := len(raw) - len(strings.TrimLeft(raw, ".:"))
		before, raw = before+raw[:begin], raw[begin:]
		if name, value, found := strings.Cut(raw, "="); found && isTerm(strings.ToLower(name)) { // scope=read
			list = append(list, word{text: name, lower: strings.ToLower(name), before: before})
			before, raw = "=", value
		}
		w := word{text: strings.TrimRight(raw, sentenceEnds), before: before}
		if w.text == "" {
			before += raw
			continue
		}
		before = raw[len(w.text):]
		w.quoted = start > 0 && at < len(runes) && strings.ContainsRune(quotes, runes[start-1]) && strings.ContainsRune(quotes, runes[at])
		w.lower = strings.ToLower(w.text)
		list = append(list, w)
	}
	return list
}

// isNoun reports whether a word is one for scopes. In scripts without spaces it stands within
// others.
func isNoun(word string) bool {
	return scopeNouns[word] || word != "" && word[0] >= utf8.RuneSelf && slices.ContainsFunc(unspacedNouns, func(noun string) bool { return strings.Contains(word, noun) })
}

var unspacedNouns = []string{"権限", "スコープ", "权限", "許可", "範囲", "范围", "권한"}

// isTerm reports whether a word says what a list is one of.
func isTerm(word string) bool { return scopeNouns[word] || needWords[word] || heldWords[word] }

const sentenceEnds = ".:!?…。"

// separates reports whether a character stands between words. An apostrophe within a word
// does not.
func separates(runes []rune, at int) bool {
	c := runes[at]
	if c == '\'' || c == '’' {
		return at == 0 || at+1 == len(runes) || !unicode.IsLetter(runes[at-1]) || !unicode.IsLetter(runes[at+1])
	}
	return unicode.IsSpace(c) || unicode.IsControl(c) || strings.ContainsRune(",;|、，；："+quotes+brackets, c)
}

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
		if i > 0 && i+1 < len(s.words) && ownWords[s.words[i-1].lower] && strings.ContainsAny(s.words[i+1].before, ":=([") { // token scopes: a
			s.flush()
			s.mode = modeHeld
		}
		return
	case (w.lower == "or" || openWords[w.lower] && w.lower != "of") && len(s.run) > 0:
		s.any = true
		return
	case joinWords[w.lower], articles[w.lower]:
		return
	}
	if s.flush() {
		s.flushed = i
	}
	switch {
	case denials[w.lower]:
		s.mode, s.denied = modeNeed, i
	case needWords[w.lower]:
		s.mode = modeNeed
		if at := len(s.all.named) - s.loose; i-s.flushed <= 3 && !s.otherClause() { // c is required
			s.all.needs = append(s.all.needs, s.all.named[at:]...)
			s.all.named = s.all.named[:at]
		}
		s.loose = 0
	case w.lower == "granted" && i+1 < len(s.words) && s.words[i+1].lower == "by": // any of those that grant it
		s.mode, s.any = modeNeed, true
	case heldWords[w.lower] && i-s.denied > 4:
		s.mode = modeHeld
	}
	if anyWords[w.lower] {
		s.any = true
	}
}

// ownWords are what has scopes.
var ownWords = wordSet(`token your key client app user`)

// begins reports whether a word begins a sentence, or a clause that says something else.
func (s *sentenceReader) begins(i int) bool {
	return i > 0 && strings.ContainsAny(s.words[i].before, ".!?。") || contrasts[s.words[i].lower]
}

// otherClause reports whether the clause asks for something else than a scope, though it names
// one: a role that has the permission, a plan.
func (s *sentenceReader) otherClause() bool {
	other := false
	for i := s.clause; i < min(len(s.words), s.clause+4*farBack) && (i <= s.clause || !s.begins(i)); i++ {
		if scopeWord[s.words[i].lower] {
			return false
		}
		other = other || roleWords[s.words[i].lower]
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

func (s *sentenceReader) isScope(i int) bool {
	w := &s.words[i]
	known := s.r.known.Knows(w.text)
	if bare := strings.TrimSuffix(w.text, "_permission"); !known && s.r.known.Knows(bare) {
		w.text, known = bare, true
	}
	if !known && strings.Contains(w.text, "/") && !strings.Contains(w.text, "://") {
		known = true
		for part := range strings.SplitSeq(w.text, "/") {
			known = known && s.r.known.Knows(part)
		}
	}
	if known {
		return w.quoted || !isPlain(w.text) || s.besideNoun(i, -1) || s.besideNoun(i, 1) || s.listed(i)
	}
	return s.r.coded && s.unknownScope(i)
}

// listed reports whether a plain word is one of a list of scopes, or what a refusal for a scope
// says to be missing.
func (s *sentenceReader) listed(i int) bool {
	if s.r.lacks() && i > 0 && needWords[s.words[i-1].lower] {
		return true
	}
	for _, step := range []int{-1, 1} {
		for at := i + step; at >= 0 && at < len(s.words); at += step {
			w := &s.words[at]
			joined := at != i+step || strings.ContainsAny(s.words[max(at, at-step)].before, ",|")
			if joined && s.r.known.Knows(w.text) && (w.quoted || !isPlain(w.text)) {
				return true
			}
			if !joinWords[w.lower] && w.lower != "or" {
				break
			}
		}
	}
	return false
}

// unknownScope reports whether a word that nobody knows is a scope, in a refusal whose code
// says that one is missing: it stands in quotes beside a word for scopes, has a scope's form
// there, or follows its colon.
func (s *sentenceReader) unknownScope(i int) bool {
	w := &s.words[i]
	if !canBeScope(w.text) || strings.Contains(w.text, "://") || denialWords[w.lower] || needWords[w.lower] || heldWords[w.lower] {
		return false
	}
	formed := strings.ContainsAny(strings.Trim(w.text, ":."), ":.") && !isPlain(w.text)
	for at := i; at > max(0, i-farBack); at-- { // back to the colon, over a list
		before := s.words[at].before
		if strings.Contains(before, ":") {
			return scopeWord[s.words[at-1].lower] || formed && needWords[s.words[at-1].lower]
		}
		if !strings.ContainsAny(before, ",|") {
			break
		}
	}
	return (w.quoted || formed) && (s.besideNoun(i, -1) || s.besideNoun(i, 1) || formed && i > 0 && needWords[s.words[i-1].lower])
}

// besideNoun reports whether a word for scopes stands beside a word, with nothing but
// articles, other scopes and what joins them between.
func (s *sentenceReader) besideNoun(i, step int) bool {
	for at, steps := i+step, 0; at >= 0 && at < len(s.words) && steps < 12; at, steps = at+step, steps+1 {
		w := &s.words[at]
		if strings.ContainsAny(s.words[max(at, at-step)].before, ".!?。") {
			return false
		}
		switch {
		case isNoun(w.lower):
			return true
		case articles[w.lower], joinWords[w.lower], openWords[w.lower], betweenWords[w.lower], s.r.known.Knows(w.text):
		default:
			return false
		}
	}
	return false
}

var betweenWords = wordSet(`is are required needed needs named called either one more all any these missing lacking`)

// isPlain reports whether a word could stand in any sentence.
func isPlain(text string) bool {
	for i, c := range text {
		if !unicode.IsLetter(c) || i > 0 && unicode.IsUpper(c) {
			return false
		}
	}
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
	r.take(place{need: true}, s.needs, where)
	if len(s.needs) == 0 {
		words := reasonWords(said)
		aside := len(s.held) > 0 || anyOf(words, otherWords) || anyOf(words, rejectWords)
		r.take(place{need: p.need || s.saying && !aside}, s.named, where)
	}
}
