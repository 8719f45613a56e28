package replay

import (
	"maps"
	"regexp"
	"strings"
	"sync"
)

// words are what stood in a scenario's requests where names in braces stand, by name.
type words map[string]string

var nameInBraces = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\*|[a-z_]+)\}`) })

// fit reports whether a value is as a text with words in braces has it, and which words it then has
// besides those of w.
func (w words) fit(text, value string) (words, bool) {
	var pattern strings.Builder
	var names []string
	at := 0
	for _, m := range nameInBraces().FindAllStringSubmatchIndex(text, -1) {
		pattern.WriteString(regexp.QuoteMeta(text[at:m[0]]))
		name := text[m[2]:m[3]]
		known, is := w[name]
		switch {
		case name == "*":
			pattern.WriteString(`.*`)
		case is:
			pattern.WriteString(regexp.QuoteMeta(known))
		default:
			pattern.WriteString(`(.+?)`)
			names = append(names, name)
		}
		at = m[1]
	}
	pattern.WriteString(regexp.QuoteMeta(text[at:]))
	m := regexp.MustCompile(`(?s)^` + pattern.String() + `$`).FindStringSubmatch(value)
	if m == nil {
		return nil, false
	}
	found := make(words)
	for i, name := range names {
		if before, twice := found[name]; twice && before != m[i+1] {
			return nil, false
		}
		found[name] = m[i+1]
	}
	return found, true
}

// with is w and others.
func (w words) with(others words) words {
	all := maps.Clone(w)
	if all == nil {
		all = make(words)
	}
	maps.Copy(all, others)
	return all
}
