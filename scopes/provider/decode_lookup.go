package provider

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// lookup finds the provider that a word names; nil with the mistake noted where
// there is none.
func (d *decoder) lookup(n *yaml.Node) *Provider {
	d.Is(n, yamlfile.Spelling{Pattern: "^([^:]|:[^/]|:/[^/])+$|" + urlPattern})
	word := d.Text(n, "provider")
	switch {
	case word == "":
		return nil
	case strings.Contains(word, "://"):
		return d.issuerProvider(n)
	case isFile(word):
		return d.fileProvider(n)
	}
	p, err := Builtin(word)
	if err != nil {
		d.Mistake(n, yamlfile.BadProvider, "%v (a file is named as ./file.yaml, any other server by its issuer's URL)", err)
		return nil
	}
	return p
}

// isFile reports whether a word names a provider file.
func isFile(word string) bool {
	return strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml") || strings.ContainsAny(word, `/\`)
}

func (d *decoder) issuerProvider(n *yaml.Node) *Provider {
	if !d.url(n, "provider") {
		return nil
	}
	server := Server{Name: soleServer, Issuer: n.Value}
	return &Provider{Name: n.Value, Servers: []Server{server}, written: []Server{server}, DefaultServer: soleServer}
}

// soleServer names the only server of a provider that is a bare issuer URL.
const soleServer = "default"

func (d *decoder) fileProvider(n *yaml.Node) *Provider {
	path := d.besideFile(n.Value)
	if d.open == nil {
		d.Mistake(n, yamlfile.BadProvider, "a provider file is not allowed here")
		return nil
	}
	text, err := d.open(path)
	if err != nil {
		d.Mistake(n, yamlfile.BadProvider, "cannot read the provider file: %v", err)
		return nil
	}
	p, mistakes := decodeProviderFile(path, text)
	d.ofFile = mistakes
	return p
}
