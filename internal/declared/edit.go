package declared

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/jsonedit"
)

// add puts scopes to a place at which nothing stands yet.
func (d *document) add(p *Place, path, words []string) (string, error) {
	switch d.format {
	case formatJSON:
		return d.addJSON(p, path, words)
	case formatYAML:
		return d.addYAML(path, words)
	}
	return d.addTOML(p, path, words)
}

// addJSON finds what is put in by comparing: where the file has comments, the text that is edited has none.
func (d *document) addJSON(p *Place, path, words []string) (string, error) {
	var value any = words
	if p.Form != formList {
		value = joinWords(p.Form, "", words)
	}
	after, err := jsonedit.Set([]byte(d.plain), path, value)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(d.plain) == "" {
		return string(after), nil
	}
	from := 0
	for from < len(d.plain) && d.plain[from] == after[from] {
		from++
	}
	end := 0
	for end < len(d.plain)-from && d.plain[len(d.plain)-1-end] == after[len(after)-1-end] {
		end++
	}
	return d.splice(from, len(d.text)-end, string(after[from:len(after)-end])), nil
}

// reword puts another text in the place of one, between the same quotes.
func (d *document) reword(v *value, line string) (string, error) {
	end := d.scalarEnd(v.from)
	if mark := d.text[v.from:min(v.from+3, len(d.text))]; mark == `"""` || mark == "'''" { // TOML's text of several lines
		end = v.from + 3 + strings.Index(d.text[v.from+3:], mark) + 3
	}
	if end <= v.from {
		return "", errStyle
	}
	quote := d.text[v.from : v.from+1]
	if quote == "'" && strings.Contains(line, "'") || quote != "'" {
		quote = `"`
	}
	return d.splice(v.from, end, quote+line+quote), nil
}

// addTOML puts a line behind the last of the place's table, or a new table at the end of the file.
func (d *document) addTOML(p *Place, path, words []string) (string, error) {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = d.quoted(word, `"`)
	}
	line := path[len(path)-1] + " = [" + strings.Join(list, ", ") + "]" + d.eol()
	if p.Form != formList {
		line = path[len(path)-1] + ` = "` + joinWords(p.Form, "", words) + `"` + d.eol()
	}
	var table *value
	if d.root != nil {
		table = d.root.find(path[:len(path)-1])
	}
	at, before := len(d.text), "["+strings.Join(path[:len(path)-1], ".")+"]"+d.eol()
	switch {
	case table != nil && !table.block && table.is == isTable:
		return d.addBraces(table, strings.TrimSuffix(line, d.eol())), nil
	case table != nil && (!table.block || table.last == 0):
		return "", errStyle
	case table != nil:
		at, before = table.last, ""
		line = d.indentOfMembers(table) + line
	case strings.TrimSpace(d.text) != "":
		before = d.eol() + before
	}
	if at > 0 && d.text[at-1] != '\n' {
		before = d.eol() + before
	}
	return d.splice(at, at, before+line), nil
}

// addBraces puts a member before the others in braces.
func (d *document) addBraces(table *value, member string) string {
	if len(table.members) == 0 {
		return d.splice(table.from+1, table.from+1, member)
	}
	at := table.members[0].from
	return d.splice(at, at, member+", ")
}

// indentOfMembers is how far the last member of a table is indented.
func (d *document) indentOfMembers(table *value) string {
	if n := len(table.members); n > 0 && !table.members[n-1].block {
		return d.indent(table.members[n-1].from)
	}
	return ""
}
