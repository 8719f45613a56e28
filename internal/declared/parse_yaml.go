package declared

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

func (d *document) parseYAML() yamlfile.Mistakes {
	if at := strings.IndexAny(strings.ReplaceAll(d.text, "\r\n", " \n"), "\r\u0085\u2028\u2029"); at >= 0 {
		return yamlfile.Mistakes{d.mistake(at, yamlfile.BadYAML, "a line ends here in a way that only old YAML knows: end it with a line feed")}
	}
	r := &yamlfile.Reader{File: d.file}
	root := r.Document([]byte(d.text))
	if root != nil {
		d.root = d.yamlValue(root)
		return nil
	}
	mistakes := r.Told()
	if len(mistakes) == 1 && mistakes[0].Kind == yamlfile.BadSize {
		return nil // comments alone
	}
	return mistakes
}

func (d *document) yamlValue(n *yaml.Node) *value {
	v := &value{from: d.offset(n.Line, n.Column), block: n.Style&yaml.FlowStyle == 0}
	v.last = v.from
	switch n.Kind {
	case yaml.MappingNode:
		v.is = isTable
		for i := 0; i+1 < len(n.Content); i += 2 {
			m := member{key: n.Content[i].Value, from: d.offset(n.Content[i].Line, n.Content[i].Column), value: d.yamlValue(n.Content[i+1])}
			v.last = max(v.last, m.from, m.last)
			v.members = append(v.members, m)
		}
	case yaml.SequenceNode:
		v.is = isList
		for _, item := range n.Content {
			v.items = append(v.items, d.yamlValue(item))
			v.last = max(v.last, v.items[len(v.items)-1].last)
		}
	default:
		v.text, v.is = n.Value, isOther
		switch n.ShortTag() {
		case "!!str":
			v.is = isText
		case "!!null":
			v.is = isNothing
		}
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			v.last = max(v.last, d.scalarEnd(v.from)-1)
		}
	}
	if !v.block && (v.is == isTable || v.is == isList) {
		v.last = d.closer(v)
	}
	return v
}

// closer is where the bracket stands that closes a value.
func (d *document) closer(v *value) int {
	at := v.from + 1
	if v.last > v.from {
		at = v.last
		if c := d.text[at]; strings.IndexByte("]}'\"", c) >= 0 {
			at++
		} else if end := d.scalarEnd(at); end > at {
			at = end
		}
	}
	for at = d.skip(at, false); at < len(d.text) && d.text[at] != ']' && d.text[at] != '}'; at = d.skip(at+1, false) {
	}
	return min(at, len(d.text)-1)
}
