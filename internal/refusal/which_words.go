package refusal

import (
	"slices"
	"strings"
)

// isScope reports whether a word of the sentence is a scope.
func (s *sentenceReader) isScope(i int) bool {
	w := &s.words[i]
	if s.r.certain && w.quoted && canBeScope(w.text) {
		return true
	}
	known := s.r.known.Knows(w.text)
	if bare := strings.TrimSuffix(w.text, "_permission"); !known && s.r.known.Knows(bare) {
		w.text, known = bare, true
	}
	if !known {
		parts := heldTogether(w.text)
		known = len(parts) > 1 && !slices.ContainsFunc(parts, func(part string) bool { return !s.r.known.Knows(part) })
	}
	if known && !s.r.known.Scopes.Has(w.text) && !s.r.SaysLacking() && !s.besideNoun(i, -1) && !s.besideNoun(i, 1) {
		return false // it has the form of one, and nothing here speaks of scopes
	}
	if known {
		return w.quoted || !isPlain(w.text) || s.besideNoun(i, -1) || s.besideNoun(i, 1) || s.listed(i)
	}
	return s.r.coded && s.unknownScope(i) || s.r.told && s.namedScope(i)
}

// heldTogether are the parts of a word that characters hold together: a/b, a+b.
func heldTogether(word string) []string {
	if strings.Contains(word, "://") {
		return nil
	}
	return strings.FieldsFunc(word, func(c rune) bool { return strings.ContainsRune("/+&", c) })
}

// namedScope reports whether a word that nobody knows has a scope's form, and stands right beside
// the word scope, behind one for what is needed, or is the next of a list.
func (s *sentenceReader) namedScope(i int) bool {
	w := &s.words[i]
	if !canBeScope(w.text) || strings.Contains(w.text, "://") || isPlain(w.text) || !strings.ContainsAny(strings.Trim(w.text, ":."), ":.") {
		return false
	}
	if i > 0 && scopeWord.has(s.words[i-1].lower) || i+1 < len(s.words) && scopeWord.has(s.words[i+1].lower) {
		return true
	}
	if len(s.run) > 0 && (s.join != joinNone || strings.ContainsAny(w.before, ",|")) { // the next of a list
		return true
	}
	return i > 0 && needWords.has(s.words[i-1].lower) && strings.Contains(strings.Trim(w.text, ":."), ":") && !strings.ContainsAny(w.text, "0123456789")
}

// listed reports whether a plain word is one of a list of scopes, or what a refusal for a scope
// says to be missing.
func (s *sentenceReader) listed(i int) bool {
	if s.r.SaysLacking() && i > 0 && needWords.has(s.words[i-1].lower) {
		return true
	}
	for _, step := range []int{-1, 1} {
		for at := i + step; at >= 0 && at < len(s.words); at += step {
			w := &s.words[at]
			joined := at != i+step || strings.ContainsAny(s.words[max(at, at-step)].before, ",|")
			if joined && s.r.known.Knows(w.text) && (w.quoted || !isPlain(w.text)) {
				return true
			}
			if !joinWords.has(w.lower) && w.lower != "or" {
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
	if !canBeScope(w.text) || strings.Contains(w.text, "://") || denialWords.has(w.lower) || needWords.has(w.lower) || heldWords.has(w.lower) {
		return false
	}
	formed := strings.ContainsAny(strings.Trim(w.text, ":."), ":.") && !isPlain(w.text)
	for at := i; at > max(0, i-farBack); at-- { // back to the colon, over a list
		before := s.words[at].before
		if strings.Contains(before, ":") {
			return scopeWord.has(s.words[at-1].lower) || formed && needWords.has(s.words[at-1].lower)
		}
		if !strings.ContainsAny(before, ",|") {
			break
		}
	}
	return (w.quoted || formed) && (s.besideNoun(i, -1) || s.besideNoun(i, 1) || formed && i > 0 && needWords.has(s.words[i-1].lower))
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
		case articles.has(w.lower), joinWords.has(w.lower), openWords.has(w.lower), betweenWords.has(w.lower), s.r.known.Knows(w.text):
		default:
			return false
		}
	}
	return false
}

var betweenWords = wordSet(`is are required needed needs named called either one more all any these missing lacking`)
