package refusal

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Vocabulary knows which words are scopes: those that somebody lists, and those that have
// the form of which the provider's rules speak. The zero value knows none.
type Vocabulary struct {
	Scopes  scopes.Set // declared, held, or advertised by the server
	Implies scopes.Implications
}

// Knows reports whether a word is a scope.
func (v Vocabulary) Knows(word string) bool {
	return v.Scopes.Has(word) || canBeScope(word) && v.Implies.SpeaksOf(word)
}

// speaksOf reports whether a word stands in the name of a scope that somebody lists, in the
// singular or the plural.
func (v Vocabulary) speaksOf(word string) bool {
	for scope := range v.Scopes.All() {
		for _, part := range wordsOf(scope) {
			if part == word || part+"s" == word || part == word+"s" {
				return true
			}
		}
	}
	return false
}

// canBeScope reports whether a word can be a scope at all: an honest one is not long.
func canBeScope(word string) bool { return len(word) <= text.MaxWord && scopes.CheckScope(word) == nil }

// list are the scopes in a list, with blanks or commas between them, each once. One with a comma
// in it is taken whole where somebody lists it (RFC 6749 §3.3 allows it).
func (v Vocabulary) list(value string) []string {
	var list []string
	for _, field := range strings.Fields(value) {
		parts := strings.Split(field, ",")
		for at := 0; at < len(parts) && len(list) < maxTexts; {
			end := min(len(parts), at+maxCommas)
			for end > at+1 && !v.Scopes.Has(strings.Join(parts[at:end], ",")) {
				end--
			}
			list, at = append(list, strings.Join(parts[at:end], ",")), end
		}
	}
	return scopes.NewSet(list...).Where(canBeScope).Slice()
}

// maxCommas bounds how many parts a scope has between commas.
const maxCommas = 8

// The words by which servers speak of scopes: a scope itself, that it lacks or is wanted, and
// that it is held. Those of other languages than English are the ones that stand next to a
// scope's name.
var (
	scopeNouns = wordSet(`scope scopes permission permissions
		berechtigung berechtigungen permiso permisos permissao permissoes permissão permissões ambito ambiti ámbito ámbitos escopo escopos
		portée portées permesso permessi toestemming toestemmingen machtiging uprawnienie uprawnienia разрешение разрешения scopen
		権限 スコープ 权限 範囲 范围 권한`)
	needWords = wordSet(`required requires require requiring missing lack lacks lacking absent need needs needed necessary must without expected
		accepted acceptable accepts insufficient add adding enable enabling additional want wanted wants demands
		erforderlich benötigt fehlt fehlen fehlende requis requise requises manquant manquante nécessaire requiere requerido falta necesario
		necessário ontbreekt vereist richiesto manca`)
	heldWords = wordSet(`granted grants provided has have had holds held hold current currently actual existing presented supplied given
		contains contain includes include included including present got possesses owned authorized authorised approved assigned received`)
	// goneWords say of what is needed that it is not there.
	goneWords = wordSet(`missing lack lacks lacking lacked absent denied ungranted fehlt fehlen fehlende falta manquant manquante manca ontbreekt`)
	denials   = wordSet(`not no none neither cannot never hasn't haven't doesn't don't isn't aren't didn't wasn't weren't can't without nicht kein keine pas sin non não niet`)
	anyWords  = wordSet(`any either one none accepted acceptable alternatives alternative sufficient granular allowed oneof anyof`)
	allWords  = wordSet(`all allof both every each`)
	openWords = wordSet(`or oder ou o of`)                      // between scopes: one is enough
	joinWords = wordSet(`and & && nor und et y e as well plus`) // between scopes: all are needed
)

// A lexicon is a set of words. It is made when it is asked for the first time: most runs of the
// program read no refusal.
type lexicon struct {
	words string
	once  sync.Once
	set   map[string]bool
}

func wordSet(words string) *lexicon { return &lexicon{words: words} }

func (l *lexicon) has(word string) bool {
	l.once.Do(func() {
		l.set = make(map[string]bool)
		for _, word := range strings.Fields(l.words) {
			l.set[word] = true
		}
	})
	return l.set[word]
}

// wordsOf are the words of a sentence, of a code or of a name, in lower case:
// permission_denied and permissionDenied have two.
func wordsOf(text string) []string {
	var spaced strings.Builder
	before := ' '
	for _, c := range text {
		if unicode.IsUpper(c) && unicode.IsLower(before) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(c))
		before = c
	}
	return strings.FieldsFunc(spaced.String(), func(c rune) bool { return !unicode.IsLetter(c) })
}

func anyOf(words []string, set *lexicon) bool {
	return slices.ContainsFunc(words, set.has)
}

// meansScope reports whether a code says that a scope is missing: insufficient_scope
// (RFC 6750 §3.1), missing_scope, MISSING_SCOPES, ACCESS_TOKEN_SCOPE_INSUFFICIENT.
func meansScope(code string) bool {
	if strings.Contains(code, "://") || strings.Contains(code, " ") || len(code) > text.MaxWord {
		return false
	}
	words := wordsOf(code)
	return anyOf(words, scopeWord) && anyOf(words, lackWords)
}

var (
	scopeWord = wordSet(`scope scopes`)
	lackWords = wordSet(`insufficient missing lack lacks lacking required invalid needed denied mismatch check not`)
)

// saysScope reports whether a sentence says that a scope is missing, whether or not it says
// which.
func saysScope(said string) bool {
	words := wordsOf(strings.ReplaceAll(said, "(s)", "s"))
	lacks := false
	for i, word := range words {
		if !scopeWord.has(word) {
			continue
		}
		if i > 0 && otherScopes.has(words[i-1]) {
			return false
		}
		if i+1 < len(words) && words[i+1] == "none" { // missing scope: none
			continue
		}
		near := words[max(0, i-4):min(len(words), i+4)]
		idiom := word == "scope" && !anyOf(near, heldWords) || i+1 < len(words) && words[i+1] == "of" // outside the scope of a plan
		lacks = lacks || anyOf(near, sentenceLacks) || anyOf(words[i+1:min(len(words), i+5)], mismatchWords) || !idiom && anyOf(near, outsideWords)
	}
	return lacks || slices.Contains(words, "scopes") && saysAny(said)
}

// otherScopes stand before a scope that is none of a credential's: over which something extends,
// within which something lies, a parameter of that name.
var otherScopes = wordSet(`over in at within under field parameter value property variable`)

var sentenceLacks = wordSet(`insufficient missing lack lacks lacking required requires require needed needs need no not invalid hasn doesn without fehlt fehlen fehlende erforderlich benötigt requis requise requises manquant manquante falta requerido`)

var (
	outsideWords  = wordSet(`outside beyond exceeds`)
	mismatchWords = wordSet(`mismatch mismatches mismatched`)
)

// within is a list of scopes without the words beside them, where scopes that somebody knows are in it; sure is
// false where nobody knows any of several words, which may be a sentence.
func (v Vocabulary) within(list string) (named string, sure bool) {
	words := strings.Fields(list)
	isKnown := func(word string) bool {
		return slices.ContainsFunc(v.list(strings.Trim(word, "\"'`[](),;")), v.Knows)
	}
	if !slices.ContainsFunc(words, isKnown) {
		return list, len(words) <= 1 || strings.ContainsAny(list, ",|")
	}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool {
		return !isKnown(word) && !slices.Contains([]string{"and", "or", "|"}, strings.ToLower(word))
	}), " "), true
}
