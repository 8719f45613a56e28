package scopes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// The outline of each built-in provider is that of its YAML file, and says the same.
func TestBuiltinOutlines(t *testing.T) {
	for _, name := range scopes.BuiltinProviders() {
		file := filepath.Join("providers", name+".yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var root yaml.Node
		if err := yaml.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		outline(t, &b, root.Content[0], 0)
		golden(t, strings.TrimSuffix(file, ".yaml")+".outline", b.String())

		if *update {
			continue // what is built in is still the old one
		}
		read, err := scopes.DecodeProvider(file, text)
		if err != nil {
			t.Fatal(err)
		}
		builtin, err := scopes.BuiltinProvider(name)
		if err != nil {
			t.Fatal(err)
		}
		opts := cmp.Options{cmpopts.IgnoreFields(scopes.Provider{}, "Name", "File"), cmp.Exporter(func(reflect.Type) bool { return true })}
		if diff := cmp.Diff(read, builtin, opts); diff != "" {
			t.Errorf("%s: the YAML file (-) and what is built in (+) differ:\n%s", name, diff)
		}
	}
}

// outline writes a line for each node, as builtin.go reads it.
func outline(t *testing.T, b *strings.Builder, n *yaml.Node, depth int) {
	t.Helper()
	letter, known := map[string]string{"!!map": "m", "!!seq": "s", "!!str": "t", "!!int": "i", "!!bool": "b"}[n.ShortTag()]
	if !known {
		t.Fatalf("line %d: an outline has no letter for %s", n.Line, n.ShortTag())
	}
	fmt.Fprint(b, strings.Repeat(" ", depth), letter)
	if n.Kind == yaml.ScalarNode {
		fmt.Fprintf(b, "%q", n.Value)
	}
	b.WriteByte('\n')
	for _, child := range n.Content {
		outline(t, b, child, depth+1)
	}
}
