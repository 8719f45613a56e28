package refusal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/text"
)

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

// plainMarks undoes what stands for a quote, and the plural.
var plainMarks = strings.NewReplacer("(s)", "s", `\"`, `"`, "**", "`")

// split makes words of a sentence: runs without a space, a quote, a bracket or a separator.
// A point or a colon at the end of one is the sentence's.
// whole tells which words are not cut at their commas; nil: none.
func split(said string, whole func(string) bool) []word {
	var list []word
	runes := []rune(plainMarks.Replace(said))
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
		at = beyondComma(runes, start, at, whole)
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
		w.lower = strings.ReplaceAll(strings.ToLower(w.text), "’", "'")
		list = append(list, w)
	}
	return list
}

// beyondComma is where a word ends that has commas in it and is taken whole, else where it ends
// without them.
func beyondComma(runes []rune, start, at int, whole func(string) bool) int {
	if whole == nil || at == len(runes) || runes[at] != ',' {
		return at
	}
	longest := at
	for end, commas := at, 0; commas < maxCommas && end < len(runes) && end-start <= text.MaxWord; {
		for end++; end < len(runes) && !separates(runes, end); {
			end++
		}
		if commas++; end-start <= text.MaxWord && whole(strings.TrimRight(string(runes[start:end]), sentenceEnds)) {
			longest = end
		}
		if end < len(runes) && runes[end] != ',' {
			break
		}
	}
	return longest
}

// isNoun reports whether a word is one for scopes, or a code that says that one is missing. In scripts without spaces it stands within
// others.
func isNoun(word string) bool {
	return scopeNouns.has(word) || strings.Contains(word, "_") && meansScope(word) ||
		word != "" && word[0] >= utf8.RuneSelf && slices.ContainsFunc(unspacedNouns, func(noun string) bool { return strings.Contains(word, noun) })
}

var unspacedNouns = []string{"権限", "スコープ", "权限", "許可", "範囲", "范围", "권한"}

// isTerm reports whether a word says what a list is one of.
func isTerm(word string) bool {
	return isNoun(word) || needWords.has(word) || heldWords.has(word)
}

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

// isPlain reports whether a word could stand in any sentence.
func isPlain(word string) bool {
	for i, c := range word {
		if !unicode.IsLetter(c) || i > 0 && unicode.IsUpper(c) {
			return false
		}
	}
	return true
}
