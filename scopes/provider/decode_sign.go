package provider

import (
	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// sign are the members that say what a response has.
func (d *decoder) sign(s *Sign) []yamlfile.Member {
	return []yamlfile.Member{
		yamlfile.Optional("status", func(v *yaml.Node) { s.Statuses = d.statuses(v) }, "the HTTP status, or a list of them"),
		yamlfile.Optional("header", func(v *yaml.Node) { s.Headers = d.headerTexts(v) }, "header fields, each with a text that its value fits"),
		yamlfile.Optional("at", func(v *yaml.Node) { s.At = d.path(v, "at") }, "a path in the body"),
		yamlfile.Optional("is", func(v *yaml.Node) { s.Is = d.templates(v, "is") }, "a text that stands there, or a list of them"),
	}
}

const maxOfOne = 50 // statuses, headers and texts of one error, or of one sign

func (d *decoder) tooMany(n *yaml.Node, what string, most int) bool {
	return n.Kind == yaml.SequenceNode && !d.AtMost(n, most, "%s lists at most %d", what, most)
}

// each reads one item, or a list of them.
func (d *decoder) each(n *yaml.Node, what string, read func(*yaml.Node)) {
	switch {
	case n.Kind != yaml.SequenceNode:
		read(n)
	case !d.tooMany(n, what, maxOfOne):
		d.List(n, what, read)
	}
}

func (d *decoder) statuses(n *yaml.Node) (list []int) {
	d.each(n, "status", func(item *yaml.Node) { list = append(list, d.Number(item, "status", 200, 599)) })
	return list
}

func (d *decoder) templates(n *yaml.Node, what string) (list []string) {
	d.each(n, what, func(item *yaml.Node) { list = append(list, d.valueText(item, what)) })
	return list
}

// valueText is textTemplate for a value: a number, true and false stand there as JSON writes them.
func (d *decoder) valueText(n *yaml.Node, what string) string {
	return d.asTemplate(n, what, d.Plain(n, what))
}

// textTemplate reads a text in which {name} stands for any text.
func (d *decoder) textTemplate(n *yaml.Node, what string) string {
	return d.asTemplate(n, what, d.Text(n, what))
}

func (d *decoder) asTemplate(n *yaml.Node, what, written string) string {
	if _, err := template.Names(written); err != nil {
		d.Mistake(n, yamlfile.BadValue, "%s: %v", what, err)
		return ""
	}
	return written
}

func (d *decoder) headerTexts(n *yaml.Node) (list []HeaderText) {
	d.Named(n, "header", func(name, v *yaml.Node) {
		if len(list) < maxOfOne {
			list = append(list, HeaderText{Name: d.headerName(name), Text: d.valueText(v, "header "+name.Value)})
		}
	})
	return list
}
