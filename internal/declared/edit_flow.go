package declared

import (
	"slices"
	"strings"
)

// A flowList is a list in brackets, taken apart so that putting it together again gives the same text.
type flowList struct {
	pieces []piece
	final  string // before the closing bracket
	end    int    // behind it
}

// A piece is an item of a list in brackets with what belongs to it.
type piece struct {
	lead  string // space and comments before it
	item  string
	mid   string // up to its comma
	comma bool
	after string // a comment in the comma's line
}

// setFlow puts other words into a list in brackets.
func (d *document) setFlow(v *value, key int, words []string) (string, error) {
	list, ok := d.scanFlow(v.from)
	if !ok || len(list.pieces) != len(v.items) {
		return "", errStyle
	}
	if len(v.items) == 0 && strings.TrimSpace(list.final) == "" {
		return d.fill(v, key, list.end, words)
	}
	var gone []bool
	left := slices.Clone(words)
	for _, item := range v.items {
		keep := len(left) > 0 && left[0] == item.text
		if keep {
			left = left[1:]
		}
		gone = append(gone, !keep)
	}
	quote := d.quoteOf(list)
	for i, word := range left {
		left[i] = d.quoted(word, quote)
	}
	list.change(gone, left, d.eol())
	return d.splice(v.from, list.end, list.String()), nil
}

// quoteOf is how the last item of a list is quoted; a double quote where there is none.
func (d *document) quoteOf(list flowList) string {
	if n := len(list.pieces); n > 0 {
		switch c := list.pieces[n-1].item[0]; {
		case c == '\'' || c == '"':
			return string(c)
		case d.format == formatYAML:
			return ""
		}
	}
	return `"`
}

// quoted is a word between quotes, or plain where that is the style and YAML reads it so.
func (d *document) quoted(word, quote string) string {
	switch {
	case quote == "" && plainWord(word):
		return word
	case quote == "'" && d.format == formatYAML:
		return "'" + strings.ReplaceAll(word, "'", "''") + "'"
	case quote == "'" && !strings.Contains(word, "'"):
		return "'" + word + "'"
	}
	return `"` + word + `"` // a scope holds no double quote and no backslash (RFC 6749 §3.3)
}

// plainWord reports whether YAML takes a scope without quotes for text, wherever it stands.
func plainWord(word string) bool {
	switch strings.ToLower(word) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return false
	}
	letter := word[0] >= 'a' && word[0] <= 'z' || word[0] >= 'A' && word[0] <= 'Z'
	return letter && !strings.HasSuffix(word, ":") && strings.IndexFunc(word, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(":_./-", c))
	}) < 0
}

// fill puts the first words into an empty list: a line each where the file has lines, as whoever writes such
// files does.
func (d *document) fill(v *value, key, end int, words []string) (string, error) {
	items := make([]string, len(words))
	for i, word := range words {
		items[i] = d.quoted(word, `"`)
	}
	switch {
	case d.format == formatJSON && strings.Contains(d.text[:v.from], "\n"):
		indent, unit := d.indent(v.from), d.unit()
		between := d.eol() + indent + unit
		return d.splice(v.from, end, "["+between+strings.Join(items, ","+between)+d.eol()+indent+"]"), nil
	case d.format == formatYAML && d.lineStart(key) == d.lineStart(v.from) && strings.TrimSpace(d.text[d.lineStart(key):key]) == "":
		from := key + strings.LastIndexByte(strings.TrimRight(d.text[key:v.from], " "), ':') + 1
		line := d.lineEnd(end)
		rest := d.text[end:line]
		return d.text[:from] + strings.TrimRight(rest, "\r\n") + d.eol() + d.blockItems(d.indent(key), words, line) + d.text[line:], nil
	}
	return d.splice(v.from, end, "["+strings.Join(items, ", ")+"]"), nil
}

// unit is by how much the file indents.
func (d *document) unit() string {
	if d.format == formatYAML {
		return "  "
	}
	for line := range strings.Lines(d.text) {
		if rest := strings.TrimLeft(line, " \t"); len(rest) < len(line) && strings.TrimSpace(rest) != "" {
			return line[:len(line)-len(rest)]
		}
	}
	return "  "
}

// scanFlow takes a list of plain values in brackets apart.
func (d *document) scanFlow(open int) (list flowList, ok bool) {
	at := open + 1
	if d.text[open] != '[' {
		return list, false
	}
	for {
		lead := at
		at = d.skip(at, false)
		if at >= len(d.text) {
			return list, false
		}
		if d.text[at] == ']' {
			list.final, list.end = d.text[lead:at], at+1
			if n := len(list.pieces); n > 0 && !list.pieces[n-1].comma {
				list.pieces[n-1].mid, list.final = splitTail(list.pieces[n-1].mid + list.final)
			}
			return list, true
		}
		if n := len(list.pieces); n > 0 && !list.pieces[n-1].comma {
			return list, false
		}
		one := piece{lead: d.text[lead:at]}
		end := d.scalarEnd(at)
		if end <= at {
			return list, false
		}
		one.item = d.text[at:end]
		at = d.skip(end, false)
		one.mid = d.text[end:at]
		if at < len(d.text) && d.text[at] == ',' {
			one.comma = true
			at++
			if line := d.skip(at, true); line < len(d.text) && strings.IndexByte("\r\n", d.text[line]) >= 0 {
				one.after, at = d.text[at:line], line
			}
		}
		list.pieces = append(list.pieces, one)
	}
}

// splitTail parts what stands behind the last item: its line, and the rest.
func splitTail(tail string) (line, rest string) {
	if at := strings.IndexAny(tail, "\r\n"); at >= 0 {
		return tail[:at], tail[at:]
	}
	if strings.TrimSpace(tail) == "" {
		return "", tail
	}
	return tail, ""
}

// skip is what comes behind space and comments, within the line where that is wanted.
func (d *document) skip(at int, line bool) int {
	for at < len(d.text) {
		switch c := d.text[at]; {
		case c == ' ' || c == '\t' || !line && (c == '\r' || c == '\n'):
			at++
		case c == '#' && d.format != formatJSON:
			at += strings.IndexAny(d.text[at:]+"\n", "\r\n")
		case c == '/' && d.format == formatJSON:
			at = commentEnd(d.text, at)
		default:
			return at
		}
	}
	return at
}

// scalarEnd is where a plain value ends; -1 for another.
func (d *document) scalarEnd(at int) int {
	switch c := d.text[at]; c {
	case '"':
		if strings.HasPrefix(d.text[at:], `"""`) {
			return -1
		}
		return closing(d.text, at) + 1
	case '\'':
		if d.format == formatYAML {
			return d.singleEnd(at)
		}
		return at + 1 + strings.IndexByte(d.text[at+1:]+"'", '\'') + 1
	case '[', '{', ',':
		return -1
	}
	return at + strings.IndexAny(d.text[at:]+"]", " \t\r\n,]")
}

// singleEnd is where a text in single quotes ends, in which two of them are one.
func (d *document) singleEnd(at int) int {
	for i := at + 1; i < len(d.text); i++ {
		if d.text[i] != '\'' {
			continue
		}
		if i+1 == len(d.text) || d.text[i+1] != '\'' {
			return i + 1
		}
		i++
	}
	return -1
}

// change takes items out, and adds others behind the last.
func (l *flowList) change(gone []bool, items []string, eol string) {
	before := l.pieces
	trailing := before[len(before)-1].comma
	var kept []piece
	held := "" // comments of their own lines before what goes
	for i, one := range before {
		if gone[i] {
			held += comments(one.lead)
			continue
		}
		if len(kept) == 0 && i > 0 && held == "" && !strings.Contains(one.lead, "\n") {
			one.lead = before[0].lead
		}
		one.lead = ended(held, one.lead, eol) + one.lead
		held = ""
		kept = append(kept, one)
	}
	l.final = ended(held, l.final, eol) + l.final
	for i, item := range items {
		lead := leadFor(before)
		if len(kept) == 0 && !strings.Contains(lead, "\n") {
			lead = before[0].lead
		}
		if n := len(kept); i == 0 && n > 0 && !kept[n-1].comma {
			kept[n-1].after, kept[n-1].mid = kept[n-1].mid, ""
		}
		kept = append(kept, piece{lead: lead, item: item})
	}
	for i := range kept {
		kept[i].comma = i < len(kept)-1 || trailing
	}
	if len(kept) == 0 && strings.TrimSpace(l.final) == "" {
		l.final = ""
	}
	l.pieces = kept
}

// ended is comments with the end of their last line, where what follows does not begin with it.
func ended(comments, next, eol string) string {
	if comments == "" || strings.HasPrefix(next, "\n") || strings.HasPrefix(next, "\r") {
		return comments
	}
	return comments + eol
}

// comments are the lines of comments in what stands before an item, without the item's own line.
func comments(lead string) string {
	if strings.TrimSpace(lead) == "" {
		return ""
	}
	return strings.TrimRight(lead[:strings.LastIndexAny(lead, "\n")+1], "\r\n")
}

// leadFor is the space before a new item, as the last one has it.
func leadFor(pieces []piece) string {
	last := pieces[len(pieces)-1].lead
	if at := strings.LastIndexByte(last, '\n'); at >= 0 {
		if at > 0 && last[at-1] == '\r' {
			at--
		}
		return last[at : len(last)-len(strings.TrimLeft(last[at:], " \t\r\n"))]
	}
	if len(pieces) > 1 && strings.TrimSpace(last) == "" {
		return last
	}
	return " "
}

// String is the list as text.
func (l *flowList) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for _, one := range l.pieces {
		b.WriteString(one.lead + one.item + one.mid)
		if one.comma {
			b.WriteByte(',')
		}
		b.WriteString(one.after)
	}
	b.WriteString(l.final + "]")
	return b.String()
}
