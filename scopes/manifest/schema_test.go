package manifest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// unseen lists the files of testdata/mistakes that a schema cannot refuse, and why.
var unseen = map[string]string{
	"provider_errors_wide":      "whether a text has a word of its own is not for a pattern to say",
	"duplicate_scope":           "a schema compares whole items, not one member of each",
	"unknown_base":              "the bases are the provider's to name",
	"server":                    "the servers are the provider's to name",
	"use_no_server":             "which servers there are is the provider's to say, and what a redirect URI has already",
	"implication_cycle":         "the provider is another file",
	"name_invisible_far":        "not every editor's patterns reach beyond the first plane of Unicode",
	"implication_self":          "a schema compares no value with another",
	"implication_cycle_growing": "whether rules lead back to themselves takes more than a schema",
	"provider_starter":          "the provider is another file",
	"provider_starter_inline":   "a starter is the text of a list",
	"provider_file_missing":     "the provider is another file",
	"provider_file_not_yaml":    "the provider is another file",
	"provider_file_cut":         "the provider is another file",
	"provider_file_uses_file":   "the provider is another file",
	"parameter_values":          "what stands in which place is the provider's to say",
	"parameter_http":            "the servers are the provider's to name",
	"parameter_wanted":          "the servers are the provider's to name",
	"provider_unknown":          "a schema that listed the built-in providers would refuse the next one",
	"client_method":             "the provider under use may have said where the secret is",
	"client_method_none":        "a schema compares no member with another",
	"client_document_secret":    "a schema compares no member with another",
	"client_document":           "what a URL is takes more than a pattern",
	"client_public_secret_own":  "a schema compares no member with another",
	"client_secret_alone":       "the provider under use may have named the client",
	"client_key_method":         "a schema compares no member with another",
	"client_key_id":             "a schema compares no member with another",
	"client_key_missing":        "the provider under use may have said where the key is",
	"client_grant_public":       "the provider under use may have said where the secret is",
	"token_choice":              "a schema compares no member with another",
	"whoami_head":               "a schema compares no member with another",
	"two_documents":             "each document is checked by itself",
	"not_yaml_after":            "each document is checked by itself",
}

// asJSON is what a schema's checker sees of a YAML file: plain values, a date as
// its text, as editors have it. ok is false for what no editor could read.
func asJSON(text []byte) (value any, ok bool) {
	var doc yaml.Node
	if yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc) != nil {
		return nil, false
	}
	plainDates(&doc)
	if doc.Decode(&value) != nil {
		return nil, false
	}
	return value, true
}

func plainDates(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, child := range n.Content {
		plainDates(child)
	}
}

// The file that editors fetch is what the decoder's tables say.
func TestSchemaFile(t *testing.T) {
	testkit.Golden(t, "scopes.schema.json", string(manifest.Schema()))
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	return compile(t, manifest.Schema())
}

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	if err := compiler.AddResource("scopes.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("scopes.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// With the scopes of a service, editors have words to offer, each with what it allows; a scope that is none of
// them stays valid, and what is no scope does not become one.
func TestSchemaSuggestsScopes(t *testing.T) {
	hostile := "ends\x1b[31m\nhere"
	offer := scopes.Offer{{Scope: "repo", About: "full control of repositories"}, {Scope: "read:org", About: hostile}, {Scope: "gist"}}
	text := manifest.SchemaFor(offer)
	for _, want := range []string{`{"const": "repo", "description": "full control of repositories"}`, `{"const": "gist"}`, `"$ref": "#/$defs/known"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the schema has no %s", want)
		}
	}
	if bytes.ContainsRune(text, 0x1b) || bytes.Contains(text, []byte(`\n`)) {
		t.Error("what a service says is not made fit for a line")
	}
	schema := compile(t, text)
	for entry, valid := range map[string]bool{
		`{scope: repo, level: required}`: true, `{scope: "custom:thing", level: required}`: true,
		`{any_of: [gist, elsewhere], level: required}`: true, `{scope: "two words", level: required}`: false,
		`{any_of: [gist, "two words"], level: required}`: false, `{scope: [repo], level: required}`: false,
	} {
		value, _ := asJSON([]byte("version: 1\nname: app\nprovider: posthog\nscopes:\n  - " + entry + "\n"))
		if err := schema.Validate(value); (err == nil) != valid {
			t.Errorf("%s: %v", entry, err)
		}
	}
	if !bytes.Equal(manifest.SchemaFor(nil), manifest.Schema()) {
		t.Error("with no scopes it is another schema")
	}
}

// Whoever adds a member says in a line what it is for, and its decoder says what it takes.
func TestEachMemberHasALine(t *testing.T) { testkit.Described(t, manifest.Schema()) }

// The schema of a provider's file takes the built-in ones, and refuses a manifest and a word too many.
func TestProviderSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(provider.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("provider.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("provider.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range provider.BuiltinNames() {
		text, err := os.ReadFile("../provider/providers/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		value, _ := asJSON(text)
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		value, _ = asJSON(append(text, "\nserver_form: x\n"...))
		if schema.Validate(value) == nil {
			t.Errorf("%s: a key that nobody knows is taken", name)
		}
	}
	if value, _ := asJSON(ambit.ExampleManifest); schema.Validate(value) == nil {
		t.Error("a manifest is taken for a provider")
	}
}

func TestSchemaAcceptsGoodManifests(t *testing.T) {
	schema := compileSchema(t)
	good := map[string][]byte{"the root's scopes.yaml": ambit.ExampleManifest}
	for _, file := range yamlFiles(t, "good") {
		good[file], _ = os.ReadFile(file)
	}
	for file, text := range good {
		value, ok := asJSON(text)
		if !ok {
			t.Errorf("%s: not YAML", file)
			continue
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The schema refuses every file that the decoder refuses, but for those listed.
func TestSchemaRefusesMistakes(t *testing.T) {
	schema := compileSchema(t)
	var listed []string
	for _, file := range yamlFiles(t, "mistakes") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		listed = append(listed, name)
		text, _ := os.ReadFile(file)
		value, readable := asJSON(text)
		refused := !readable || schema.Validate(value) != nil
		if reason, cannot := unseen[name]; cannot == refused {
			t.Errorf("%s: refused is %v, the reason why a schema cannot is %q", name, refused, reason)
		}
	}
	for name := range unseen {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is listed as unseen and is no file", name)
		}
	}
}

// The schema refuses the same parameters of authorize as the decoder, which asks the list
// that the flow itself asks.
func TestSchemaKnowsReservedParameters(t *testing.T) {
	schema := compileSchema(t)
	const text = "version: 1\nname: app\nprovider: {use: posthog, client: {id: c, authorize: {%s: x}}}\nscopes: []\n"
	refused := func(name string) (bySchema, byDecoder bool) {
		file := fmt.Appendf(nil, text, name)
		value, _ := asJSON(file)
		_, err := manifest.Decode("app.yaml", file, nil)
		return schema.Validate(value) != nil, err != nil
	}
	for _, name := range provider.ReservedParameters() {
		if bySchema, byDecoder := refused(name); !bySchema || !byDecoder {
			t.Errorf("%s: refused by the schema %v, by the decoder %v; want both", name, bySchema, byDecoder)
		}
	}
	if bySchema, byDecoder := refused("audience"); bySchema || byDecoder {
		t.Errorf("audience: refused by the schema %v, by the decoder %v; it is nobody's own", bySchema, byDecoder)
	}
}

// Editors find the schema by the first line of the manifest, also without a network.
func TestManifestNamesItsSchema(t *testing.T) {
	first, _, _ := strings.Cut(string(ambit.ExampleManifest), "\n")
	path, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
	if text, err := os.ReadFile(filepath.Join("../..", path)); !ok || !bytes.Equal(text, manifest.Schema()) {
		t.Errorf("the first line of scopes.yaml is %q, which does not lead to the schema: %v", first, err)
	}
}
