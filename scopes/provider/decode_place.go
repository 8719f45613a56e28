package provider

import (
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// path reads a path within a JSON document.
func (d *decoder) path(n *yaml.Node, what string) Path {
	var path Path
	d.Parsed(n, what, yamlfile.BadValue, func(written string) (err error) {
		path, err = ParsePath(written)
		return err
	})
	return path
}

// place reads a place in a response: a path, or {header: NAME}.
func (d *decoder) place(n *yaml.Node, what string) Place {
	if n.Kind != yaml.MappingNode {
		return Place{Path: d.path(n, what)}
	}
	var p Place
	d.Mapping(n, what, []yamlfile.Member{
		yamlfile.Required("header", func(v *yaml.Node) { p.Header = d.headerName(v) }, "the header field with it"),
	})
	return p
}

// headerName reads the name of a header field (RFC 9110 §5.1).
func (d *decoder) headerName(n *yaml.Node) string {
	name := d.Text(n, "header")
	if name != "" && (len(name) > text.MaxName || !text.IsToken(name)) {
		d.Mistake(n, yamlfile.BadValue, "header is the name of a header field, not %s", text.Quote(name))
		return ""
	}
	return name
}
