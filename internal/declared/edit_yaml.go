package declared

import (
	"slices"
	"strings"
)

// setBlock puts other words into a list that is written over lines with dashes.
func (d *document) setBlock(v *value, key int, words []string) (string, error) {
	var out strings.Builder
	from, left := 0, words
	for i, item := range v.items {
		line := d.lineStart(item.from)
		if !strings.HasPrefix(strings.TrimLeft(d.text[line:item.from], " "), "-") || line < from || i > 0 && line == d.lineStart(v.items[i-1].from) {
			return "", errStyle
		}
		if len(left) > 0 && left[0] == item.text {
			left = left[1:]
			continue
		}
		out.WriteString(d.text[from:line])
		from = d.lineEnd(item.from)
	}
	last := v.items[len(v.items)-1]
	end := d.lineEnd(last.from)
	out.WriteString(d.text[from:max(from, end)])
	text := out.String()
	switch {
	case len(words) == 0:
		colon := d.keyEnd(key)
		if colon < 0 || colon > d.lineEnd(key) {
			return "", errStyle
		}
		return text[:colon] + " []" + text[colon:] + d.text[end:], nil
	case len(left) > 0:
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += d.eol()
		}
		dash := d.text[d.lineStart(last.from):last.from]
		quote := d.text[last.from : last.from+1]
		if quote != "'" && quote != `"` {
			quote = ""
		}
		var lines strings.Builder
		for _, word := range left {
			lines.WriteString(dash + d.quoted(word, quote) + d.eol())
		}
		text += lines.String()
	}
	return d.closed(text, end) + d.text[end:], nil
}

// closed is lines as they stand before an offset: without the last end, where the file ends there without one.
func (d *document) closed(lines string, at int) string {
	if at == len(d.text) && d.text != "" && !strings.HasSuffix(d.text, "\n") {
		return strings.TrimSuffix(lines, d.eol())
	}
	return lines
}

// keyEnd is behind the colon of a key.
func (d *document) keyEnd(key int) int {
	at := key
	if c := d.text[at]; c == '"' || c == '\'' {
		at = d.scalarEnd(at)
	}
	if at < 0 {
		return -1
	}
	if i := strings.IndexByte(d.text[at:], ':'); i >= 0 {
		return at + i + 1
	}
	return -1
}

// blockItems are words as a list below a key that is indented so far; they come before an offset.
func (d *document) blockItems(indent string, words []string, before int) string {
	quote := ""
	var lines strings.Builder
	for _, word := range words {
		lines.WriteString(indent + d.dash() + d.quoted(word, quote) + d.eol())
	}
	return d.closed(lines.String(), before)
}

// dash is how the lists of the file begin their lines below a key: with the dash under the key where one does.
func (d *document) dash() string {
	dash := "  - "
	var look func(v *value)
	look = func(v *value) {
		for _, m := range v.members {
			if m.is == isList && m.block && len(m.items) > 0 && len(d.indent(m.value.from)) == len(d.indent(m.from)) {
				dash = "- "
			}
			look(m.value)
		}
	}
	if d.root != nil {
		look(d.root)
	}
	return dash
}

// setKeys puts other words into a mapping whose keys they are.
func (d *document) setKeys(v *value, words []string) (string, error) {
	var out strings.Builder
	from, left, end := 0, words, 0
	for _, m := range v.members {
		line := d.lineStart(m.from)
		if strings.TrimSpace(d.text[line:m.from]) != "" || line < from {
			return "", errStyle
		}
		end = d.blockEnd(max(m.from, m.last), len(d.indent(m.from)))
		if len(left) > 0 && left[0] == m.key {
			left = left[1:]
			continue
		}
		out.WriteString(d.text[from:line])
		from = end
	}
	out.WriteString(d.text[from:end])
	text := out.String()
	if len(words) == 0 {
		return "", errStyle
	}
	first := v.members[0]
	quote := d.text[first.from : first.from+1]
	if quote != "'" && quote != `"` {
		quote = ""
	}
	if len(left) > 0 && text != "" && !strings.HasSuffix(text, "\n") {
		text += d.eol()
	}
	var lines strings.Builder
	for _, word := range left {
		lines.WriteString(d.indent(first.from) + d.quoted(word, quote) + ": {}" + d.eol())
	}
	return d.closed(text+lines.String(), end) + d.text[end:], nil
}

// blockEnd is where the lines end that are indented deeper, behind the line of an offset; blank ones at the end do not
// count.
func (d *document) blockEnd(at, indent int) int {
	end := d.lineEnd(at)
	for next := end; next < len(d.text); {
		line := d.text[next:d.lineEnd(next)]
		blank := strings.TrimSpace(line) == ""
		if !blank && len(line)-len(strings.TrimLeft(line, " ")) <= indent {
			break
		}
		next += len(line)
		if !blank {
			end = next
		}
	}
	return end
}

// addYAML adds what lacks of a path, with the scopes below it.
func (d *document) addYAML(path, words []string) (string, error) {
	table, key, depth := d.root, -1, 0
	for depth < len(path) && table != nil && table.is == isTable {
		m := table.get(path[depth])
		if m == nil {
			break
		}
		key = m.from
		table, depth = m.value, depth+1
	}
	rest := path[depth:]
	switch {
	case d.root == nil:
		return d.addLines(len(d.text), "", path, words), nil
	case table.is == isNothing:
		at := d.lineEnd(key)
		if colon := d.keyEnd(key); colon < 0 || table.text != "" || strings.TrimSpace(d.text[d.lineStart(key):key]) != "" {
			return "", errStyle
		}
		if len(rest) == 0 {
			lines := d.blockItems(d.indent(key), words, at)
			return d.splice(at, at, d.opened(at)+lines), nil
		}
		return d.addLines(at, d.indent(key)+d.step(), rest, words), nil
	case table.is != isTable:
		return "", errStyle
	case !table.block:
		return d.addFlow(table, rest, words)
	}
	first := table.members[0].from
	if strings.TrimSpace(d.text[d.lineStart(first):first]) != "" {
		return "", errStyle
	}
	indent := d.indent(first)
	at := d.blockEnd(table.last, len(indent))
	if depth == 0 {
		at = d.documentEnd(at)
	}
	return d.addLines(at, indent, rest, words), nil
}

// documentEnd is behind the comments at the end of the file, which speak of what stands before them.
func (d *document) documentEnd(at int) int {
	rest := strings.TrimRight(d.text[at:], " \t\r\n")
	if rest == "" || strings.HasPrefix(rest, "...") || strings.Contains(rest, "\n...") {
		return at
	}
	return d.lineEnd(at + len(rest))
}

// addLines puts keys in lines of their own to an offset, each deeper than the one before, with the scopes below the last.
func (d *document) addLines(at int, indent string, path, words []string) string {
	var lines strings.Builder
	for i, name := range path {
		if i > 0 {
			indent += d.step()
		}
		lines.WriteString(indent + name + ":" + d.eol())
	}
	return d.splice(at, at, d.opened(at)+d.closed(lines.String()+d.blockItems(indent, words, -1), at))
}

// opened is the end of the line before an offset, where that lacks it.
func (d *document) opened(at int) string {
	if at > 0 && d.text[at-1] != '\n' {
		return d.eol()
	}
	return ""
}

// step is by how much the file indents a key below another.
func (d *document) step() string {
	var look func(v *value, indent int) string
	look = func(v *value, indent int) string {
		for _, m := range v.members {
			if m.is == isTable && m.block && len(m.members) > 0 {
				if deeper := d.indent(m.members[0].from); len(deeper) > indent {
					return deeper[indent:]
				}
			}
			if found := look(m.value, indent); found != "" {
				return found
			}
		}
		return ""
	}
	if d.root != nil && len(d.root.members) > 0 {
		if found := look(d.root, len(d.indent(d.root.members[0].from))); found != "" {
			return found
		}
	}
	return "  "
}

// addFlow adds keys within braces.
func (d *document) addFlow(table *value, path, words []string) (string, error) {
	items := make([]string, len(words))
	for i, word := range words {
		items[i] = d.quoted(word, `"`)
	}
	names := slices.Clone(path)
	if n := len(table.members); n > 0 && d.text[table.members[n-1].from] == '"' {
		for i := range names {
			names[i] = `"` + names[i] + `"`
		}
	}
	text := "[" + strings.Join(items, ", ") + "]"
	for i, name := range slices.Backward(names) {
		if text = name + ": " + text; i > 0 {
			text = "{" + text + "}"
		}
	}
	return d.addBraces(table, text), nil
}
