package profile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(profile.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("profile.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("profile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchemaAcceptsTheBuiltInProfiles(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Schema and decoder refuse the same files.
func TestSchemaRefusesMistakes(t *testing.T) {
	schema := compileSchema(t)
	const good = "label: Quill\ncommands: [quill]\n"
	for _, more := range []string{
		"commands: []", "commands: [./quill]", "sett: {}", "label2: x", "drop: A_*", "drop: [1]", `set: {"A B": x}`, "set: {C: 1}", `set: {C: ""}`, "retries_401: perhaps", "refusal_status: 200", "origins: perhaps", `refusal_status: "451"`,
		"credential_headers: [Host]", "credential_headers: [content-length]", `credential_headers: ["a b"]`, "passing_headers: [TE]", `credential_schemes: ["a b"]`,
		"settings: [{os: win, source: user, path: /x}]", "logins: [{os: macos, path: /x}]",
		"keys: [{key: a, needed: true}]", "mcp_files: [{source: user, path: /x}]", "mcp_files: [{source: user, path: /x, urls: [a], advice: b, format: ini}]", "offline: 1",
		"settings: [{source: everyone, path: /x}]", "settings: [{source: user}]", "settings: [{source: user, path: /x, format: ini}]",
		"directories: {home: {env: A, else: b}}", "directories: {a: {env: A}}", "keys: [{overrides: true}]", "logins: [{path: a, keychain: b}]",
		"logins: [{os: linux}]", "precedence: {arguments: [a]}", "precedence: {arguments: [a], sources: [everyone]}",
		"flags: [{flag: settings, takes: setting}]", "flags: [{flag: --, takes: setting}]", "set: {AMBIT_LEASE: x}", "set: {no_proxy: x}", "set: {ambit_a: x}",
		"keys: [{key: a, fields: perhaps}]",
	} {
		text := []byte(good + more + "\n")
		if strings.HasPrefix(more, "commands") {
			text = []byte("label: Quill\n" + more + "\n")
		}
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		_, err := profile.Decode("x.yaml", text)
		if bySchema := schema.Validate(value) != nil; !bySchema || err == nil {
			t.Errorf("%s: refused by the schema %v, by the decoder %v; want both", more, bySchema, err != nil)
		}
	}
}

func TestEachMemberHasALine(t *testing.T) { testkit.Described(t, profile.Schema()) }
