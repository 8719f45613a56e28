package scopes

import "strings"

// ParseList reads scopes from text of a server or of another program, with spaces, line
// ends or commas between them, each once. RFC 6749 §3.3 has spaces alone, and allows a
// comma within a scope; but services that separate with commas are many, and no scope
// with a comma is known. What can be no scope is left out: nothing that was declared can
// be among it. For text of our own see [ParseSet].
func ParseList(text string) Set {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,\t\r\n", r) })
	return NewSet(words...).Where(func(scope string) bool { return CheckScope(scope) == nil })
}

// ReadList reads a member of JSON that lists scopes: a text as in [ParseList], or a list
// of such texts. said is false where the member is absent, null or of another form; a
// text or a list without a scope in it is said, and is the empty set.
func ReadList(member any) (list Set, said bool) {
	switch value := member.(type) {
	case string:
		return ParseList(value), true
	case []any:
		var texts []string
		for _, element := range value {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
		return ParseList(strings.Join(texts, " ")), true
	}
	return Set{}, false
}
