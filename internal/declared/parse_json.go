package declared

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
)

func (d *document) parseJSON() yamlfile.Mistakes {
	comment := commentAt(d.text, 0)
	if comment >= 0 && d.kind.Comments {
		d.plain = uncommented(d.text)
	}
	var all any
	if err := json.Unmarshal([]byte(d.plain), &all); err != nil {
		return yamlfile.Mistakes{d.notJSON(err, comment)}
	}
	p := jsonParser{text: d.plain}
	d.root = p.value()
	return nil
}

// notJSON says what is wrong with a text that is not JSON, and where.
func (d *document) notJSON(err error, comment int) yamlfile.Mistake {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return d.mistake(0, yamlfile.BadYAML, "not JSON: "+err.Error())
	}
	at := max(int(syntax.Offset)-1, 0)
	before := strings.TrimRight(d.plain[:min(at, len(d.plain))], " \t\r\n")
	switch {
	case strings.TrimSpace(d.plain[min(at, len(d.plain)):]) == "" || strings.Contains(err.Error(), "unexpected end"):
		return d.mistake(len(strings.TrimRight(d.text, " \t\r\n")), yamlfile.BadYAML, "not JSON: the file ends in the middle of it")
	case comment >= 0 && comment <= at:
		return d.mistake(comment, yamlfile.BadYAML, "not JSON: a comment begins here, and JSON has none")
	case strings.HasSuffix(before, ",") && at < len(d.plain) && strings.IndexByte("]}", d.plain[at]) >= 0:
		return d.mistake(len(before)-1, yamlfile.BadYAML, "not JSON: nothing follows this comma")
	}
	return d.mistake(at, yamlfile.BadYAML, "not JSON: "+err.Error())
}

// commentAt is where the first comment begins at or behind an offset outside of text; -1 for none.
func commentAt(text string, from int) int {
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '"':
			i = closing(text, i)
		case text[i] == '/' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '*'):
			return i
		}
	}
	return -1
}

// uncommented is the text with blanks in place of its comments, each byte where it was.
func uncommented(text string) string {
	out := []byte(text)
	for at := commentAt(text, 0); at >= 0; {
		end := commentEnd(text, at)
		for i := at; i < end; i++ {
			if out[i] != '\n' && out[i] != '\r' {
				out[i] = ' '
			}
		}
		at = commentAt(text, end)
	}
	return string(out)
}

// commentEnd is where a comment of two slashes, or of a slash and a star, ends.
func commentEnd(text string, at int) int {
	if text[at+1] == '*' {
		if i := strings.Index(text[at+2:], "*/"); i >= 0 {
			return at + 2 + i + 2
		}
	} else if i := strings.IndexAny(text[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(text)
}

// closing is the offset of the quote that closes the text which begins at an offset, as JSON and TOML have
// it; the last of the text where none does.
func closing(text string, at int) int {
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text) - 1
}

// A jsonParser reads a text that is known to be JSON.
type jsonParser struct {
	text string
	at   int
}

func (p *jsonParser) next() byte {
	for strings.IndexByte(" \t\r\n,:", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.text[p.at]
}

func (p *jsonParser) word() string {
	from := p.at
	p.at = closing(p.text, p.at) + 1
	var word string
	_ = json.Unmarshal([]byte(p.text[from:p.at]), &word) // it is JSON
	return word
}

func (p *jsonParser) value() *value {
	c := p.next()
	v := &value{from: p.at, last: p.at}
	switch c {
	case '"':
		v.is, v.text = isText, p.word()
	case '{':
		v.is = isTable
		for p.at++; p.next() != '}'; {
			key := member{from: p.at, key: p.word()}
			key.value = p.value()
			v.members = append(v.members, key)
		}
		p.at++
	case '[':
		v.is = isList
		for p.at++; p.next() != ']'; {
			v.items = append(v.items, p.value())
		}
		p.at++
	default:
		from := p.at
		for p.at < len(p.text) && strings.IndexByte(" \t\r\n,:]}", p.text[p.at]) < 0 {
			p.at++
		}
		v.text = p.text[from:p.at]
		if v.is = isOther; v.text == "null" {
			v.is, v.text = isNothing, ""
		}
	}
	return v
}
