package manifestedit

import (
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// An entryStyle is how the entries of a list are written.
type needStyle struct {
	indent    int  // blanks before the dash
	gap       int  // blanks behind it
	flow      bool // {scope: x, level: y} on one line
	quoteKeys bool
	end       string // of a line
}

// FormatNeeds writes entries as a list of a manifest, indented by two blanks, to stand
// under a line that says scopes: itself.
func FormatNeeds(entries []scopes.Need) string {
	return needStyle{indent: 2, gap: 1, end: "\n"}.list(entries)
}

// A field is a key of an entry, and its value as YAML text.
type field struct{ key, value string }

// fields are the keys that the entry needs, in the order in which manifests have them.
func (s needStyle) fields(e scopes.Need) []field {
	list := []field{{"scope", scalarText(e.Name(), s.flow)}}
	if len(e.AnyOf) > 1 {
		list[0] = field{"any_of", listText(e.AnyOf)}
	}
	list = append(list, field{"level", scalarText(e.Level.String(), s.flow)})
	if e.Unadvertised {
		list = append(list, field{"advertised", "false"})
	}
	if e.Why != "" {
		list = append(list, field{"why", scalarText(e.Why, s.flow)})
	}
	if len(e.UsedBy) > 0 {
		uses := make([]string, len(e.UsedBy))
		for i, u := range e.UsedBy {
			uses[i] = u.String()
		}
		list = append(list, field{"used_by", listText(uses)})
	}
	if s.quoteKeys { // JSON: every word is quoted
		for i := range list {
			if list[i].value != "false" && list[i].value[0] != '[' && list[i].value[0] != '"' {
				list[i].value = strconv.Quote(list[i].value)
			}
		}
	}
	return list
}

// mapping is the entry in flow style.
func (s needStyle) mapping(e scopes.Need) string {
	parts := make([]string, 0, 5)
	for _, f := range s.fields(e) {
		if s.quoteKeys {
			f.key = strconv.Quote(f.key)
		}
		parts = append(parts, f.key+": "+f.value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// mappings are the entries in flow style, with commas between them.
func (s needStyle) mappings(entries []scopes.Need, comma string) string {
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = s.mapping(e)
	}
	return strings.Join(parts, comma)
}

// list is the entries as a list in block style.
func (s needStyle) list(entries []scopes.Need) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(s.item(e))
	}
	return b.String()
}

// item is the entry as an item of a list in block style, with the ends of its lines.
func (s needStyle) item(e scopes.Need) string {
	lead := strings.Repeat(" ", s.indent) + "-" + strings.Repeat(" ", s.gap)
	if s.flow {
		return lead + s.mapping(e) + s.end
	}
	var b strings.Builder
	for i, f := range s.fields(e) {
		if i > 0 {
			lead = strings.Repeat(" ", s.indent+1+s.gap)
		}
		b.WriteString(lead + f.key + ": " + f.value + s.end)
	}
	return b.String()
}

// listText is a list in flow style, each word quoted.
func listText(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// scalarText writes a word plain where it can stand so, else between double quotes,
// whose escapes Go and YAML share. In flow style a colon is reason enough: editors
// take it for the end of a key.
func scalarText(word string, inFlow bool) string {
	if plain(word) && !(inFlow && strings.ContainsAny(word, ":,[]{}?")) {
		return word
	}
	return strconv.Quote(word)
}

// plain reports whether the word is text for YAML as it stands.
func plain(word string) bool {
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !strconv.IsPrint(r) }) || strings.ContainsAny(word, `#"'\`) {
		return false
	}
	var n yaml.Node
	err := yaml.Unmarshal([]byte("k: "+word), &n)
	if err != nil || len(n.Content) == 0 || n.Content[0].Kind != yaml.MappingNode || len(n.Content[0].Content) != 2 {
		return false
	}
	v := n.Content[0].Content[1]
	return v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str" && v.Value == word && v.Anchor == "" && v.Style == 0
}
