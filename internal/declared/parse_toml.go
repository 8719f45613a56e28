package declared

import (
	"errors"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

func (d *document) parseTOML() yamlfile.Mistakes {
	var all map[string]any
	if err := toml.Unmarshal([]byte(d.text), &all); err != nil {
		m := d.mistake(0, yamlfile.BadYAML, text.Line("not TOML: "+strings.TrimPrefix(err.Error(), "toml: ")))
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			m.Line, m.Column = e.Position()
		}
		return yamlfile.Mistakes{m}
	}
	d.root = &value{is: isTable, block: true}
	into := d.root
	var p unstable.Parser
	p.Reset([]byte(d.text))
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.KeyValue:
			d.keyValue(into, e)
		case unstable.Table, unstable.ArrayTable:
			into = d.header(e)
		}
	}
	return nil // it was decoded before
}

// header is the table that a header opens. Each of a list of tables is an item.
func (d *document) header(e *unstable.Node) *value {
	table, from := d.root, 0
	var list *member
	for keys := e.Key(); keys.Next(); {
		key := keys.Node()
		from = int(key.Raw.Offset)
		list = table.in(string(key.Data), from)
		table = list.value
		if table.is == isList && len(table.items) > 0 {
			table = table.items[len(table.items)-1]
		}
	}
	if e.Kind == unstable.ArrayTable {
		item := &value{is: isTable, block: true, from: from}
		list.value.is = isList
		list.value.items = append(list.value.items, item)
		table = item
	}
	table.from, table.last = from, d.lineEnd(from)
	return table
}

// in is a member of a table, which is added where it is not there.
func (v *value) in(key string, from int) *member {
	if m := v.get(key); m != nil {
		return m
	}
	v.members = append(v.members, member{key, from, &value{is: isTable, block: true, from: from}})
	return &v.members[len(v.members)-1]
}

func (d *document) keyValue(into *value, e *unstable.Node) {
	table, from, end := into, -1, 0
	var name string
	for keys := e.Key(); keys.Next(); {
		key := keys.Node()
		if from >= 0 {
			table = table.in(name, from).value
		}
		name, from, end = string(key.Data), int(key.Raw.Offset), int(key.Raw.Offset+key.Raw.Length)
	}
	at := end + strings.IndexByte(d.text[end:], '=') + 1
	at += len(d.text[at:]) - len(strings.TrimLeft(d.text[at:], " \t"))
	table.members = append(table.members, member{name, from, d.tomlValue(e.Value(), at)})
	into.last = max(into.last, d.lineEnd(int(e.Raw.Offset+e.Raw.Length)))
}

// tomlValue is a value that begins at an offset; the items of a list are found where they are edited.
func (d *document) tomlValue(n *unstable.Node, at int) *value {
	v := &value{from: at, last: at, text: string(n.Data)}
	if n.Raw.Length > 0 {
		v.from = int(n.Raw.Offset)
	}
	switch n.Kind {
	case unstable.String:
		v.is = isText
	case unstable.Array:
		v.is, v.text = isList, ""
		for items := n.Children(); items.Next(); {
			v.items = append(v.items, d.tomlValue(items.Node(), at))
		}
	case unstable.InlineTable:
		v.is, v.text = isTable, ""
		for items := n.Children(); items.Next(); {
			d.keyValue(v, items.Node())
		}
	default:
		v.is = isOther
	}
	return v
}
