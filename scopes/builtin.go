package scopes

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// Beside each built-in provider's file lies its outline: the same nodes in a form that
// is read in a fifth of the time, for this is a good part of what a short command
// costs. The YAML file is the one that people edit; go test ./scopes -update writes the
// outline anew, and without -update fails where the two differ.
//
//go:embed providers/*.yaml providers/*.outline
var providerFiles embed.FS

const providerFolder = "providers"

// BuiltinProviders lists the names of the providers that are built in, sorted.
func BuiltinProviders() []string {
	files, _ := providerFiles.ReadDir(providerFolder) // embedded: it is there
	var names []string
	for _, f := range files {
		if name, is := strings.CutSuffix(f.Name(), ".yaml"); is {
			names = append(names, name)
		}
	}
	return names
}

// builtins holds the built-in providers that were asked for; they never change.
var builtins sync.Map // name → func() (*Provider, error)

// BuiltinProvider returns a built-in provider, the same one at each call; the error
// of an unknown name lists the known ones. Safe for concurrent use.
func BuiltinProvider(name string) (*Provider, error) {
	if !slices.Contains(BuiltinProviders(), name) {
		return nil, fmt.Errorf("unknown provider %q%s", name, text.Allowed(name, BuiltinProviders()))
	}
	read, _ := builtins.LoadOrStore(name, sync.OnceValues(func() (*Provider, error) { return readBuiltin(name) }))
	return read.(func() (*Provider, error))()
}

func readBuiltin(name string) (*Provider, error) {
	text, err := providerFiles.ReadFile(providerFolder + "/" + name + ".outline")
	if err != nil {
		return nil, err
	}
	d := &decoder{Reader: yamlfile.Reader{File: name}}
	p := d.readProvider(parseOutline(string(text)))
	if mistakes := d.Told(); len(mistakes) > 0 {
		return nil, mistakes
	}
	p.Name, p.File = name, ""
	return p, nil
}

// parseOutline reads a line for each node, parents before what they hold: a space for
// each step of depth, the letter of its kind, and for a scalar its value in quotes.
func parseOutline(text string) *yaml.Node {
	var above []*yaml.Node // the latest node of each depth
	for line := range strings.Lines(text) {
		depth := 0
		for line[depth] == ' ' {
			depth++
		}
		n := &yaml.Node{Kind: yaml.ScalarNode}
		switch line[depth] {
		case 'm':
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		case 's':
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		case 't':
			n.Tag = "!!str"
		case 'i':
			n.Tag = "!!int"
		case 'b':
			n.Tag = "!!bool"
		}
		if n.Kind == yaml.ScalarNode {
			n.Value, _ = strconv.Unquote(line[depth+1 : len(line)-1]) // a test wrote it
		}
		if depth > 0 {
			parent := above[depth-1]
			parent.Content = append(parent.Content, n)
		}
		above = append(above[:depth], n)
	}
	return above[0]
}
