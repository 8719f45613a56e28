package manifestedit

import (
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// A needStyle is how the needs of a list are written.
type needStyle struct {
	indent    int  // blanks before the dash
	gap       int  // blanks behind it
	flow      bool // {scope: x, level: y} on one line
	quoteKeys bool
	end       string // of a line
}

// FormatNeeds writes needs as a list of a manifest, indented by two spaces, to follow
// a line that says scopes: itself.
func FormatNeeds(needs []scopes.Need) string {
	return needStyle{indent: 2, gap: 1, end: "\n"}.list(needs)
}

// FormatLine writes a need as an item of a list on one line, without an indent or an end.
func FormatLine(n scopes.Need) string { return needStyle{gap: 1, flow: true}.item(n) }

// A field is a key of an entry, and its value as YAML text.
type field struct{ key, value string }

// fields are the keys that the need needs, in the order in which manifests have them.
func (s needStyle) fields(n scopes.Need) []field {
	list := []field{{"scope", scalarText(n.Name(), s.flow)}}
	if len(n.AnyOf) > 1 {
		list[0] = field{"any_of", listText(n.AnyOf)}
	}
	list = append(list, field{"level", scalarText(n.Level.String(), s.flow)})
	if n.Unadvertised {
		list = append(list, field{"advertised", "false"})
	}
	if n.Why != "" {
		list = append(list, field{"why", scalarText(n.Why, s.flow)})
	}
	if len(n.UsedBy) > 0 {
		uses := make([]string, len(n.UsedBy))
		for i, u := range n.UsedBy {
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

// mapping is the need in flow style.
func (s needStyle) mapping(n scopes.Need) string {
	parts := make([]string, 0, 5)
	for _, f := range s.fields(n) {
		if s.quoteKeys {
			f.key = strconv.Quote(f.key)
		}
		parts = append(parts, f.key+": "+f.value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// mappings are the needs in flow style, with commas between them.
func (s needStyle) mappings(needs []scopes.Need, comma string) string {
	parts := make([]string, len(needs))
	for i, n := range needs {
		parts[i] = s.mapping(n)
	}
	return strings.Join(parts, comma)
}

// list is the needs as a list in block style.
func (s needStyle) list(needs []scopes.Need) string {
	var b strings.Builder
	for _, n := range needs {
		b.WriteString(s.item(n))
	}
	return b.String()
}

// item is the need as an item of a list in block style, with the ends of its lines.
func (s needStyle) item(n scopes.Need) string {
	lead := strings.Repeat(" ", s.indent) + "-" + strings.Repeat(" ", s.gap)
	if s.flow {
		return lead + s.mapping(n) + s.end
	}
	var b strings.Builder
	for i, f := range s.fields(n) {
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

// Scalar writes a word as a value of a manifest, between quotes where it needs them.
func Scalar(word string) string { return scalarText(word, true) }

// scalarText writes a word plain where it can stand so, else between double quotes,
// whose escapes Go and YAML share. In flow style a colon is reason enough: editors
// take it for the end of a key.
func scalarText(word string, inFlow bool) string {
	if plain(word) && !(inFlow && strings.ContainsAny(word, ":,[]{}?")) {
		return word
	}
	return strconv.Quote(word)
}

// plain reports whether YAML reads the word as it is, without quotes.
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
