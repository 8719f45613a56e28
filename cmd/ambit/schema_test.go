package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What the program prints has the form that "ambit schema" says, also where it failed; and the form
// is not so loose that it takes anything.
func TestOutputsHaveTheirSchema(t *testing.T) {
	ready := startBox(t, sandbox.Options{}).Ready()
	report := filepath.Join(t.TempDir(), "report.json")
	ambit := func(key string, args ...string) []byte {
		var out, story bytes.Buffer
		env := []string{"HOME=" + t.TempDir(), "AMBIT_MANIFEST=" + ready.Manifest, "PATH=" + os.Getenv("PATH")}
		if key != "" {
			env = append(env, "AMBIT_API_KEY="+key)
		}
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &story, Env: env}
		c.Main(t.Context(), args)
		if args[0] == "run" {
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err, story.String())
			}
			return text
		}
		return out.Bytes()
	}
	app := filepath.Join(t.TempDir(), "appsscript.json")
	if err := os.WriteFile(app, []byte(`{"oauthScopes": ["user:read", "x"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	full, less := ready.Keys.Full, ready.Keys.NoGateway
	for _, tt := range []struct {
		schema, key string
		args        []string
	}{
		{"plan", full, []string{"plan", "-o", "json"}},
		{"plan", full, []string{"plan", "-o", "json", "--server", "nowhere"}},
		{"grant", full, []string{"status", "-o", "json"}},
		{"grant", less, []string{"check", "-o", "json"}},
		{"grant", "phx_unknown", []string{"check", "-o", "json"}},
		{"init", full, []string{"init", "-o", "json", "-f", filepath.Join(t.TempDir(), "new.yaml"), "--from", ready.Issuer}},
		{"audit", full, []string{"audit", "-o", "json"}},
		{"doctor", full, []string{"doctor", "-o", "json"}},
		{"matches", "", []string{"check", "-o", "json", "--matches", app}},
		{"grant", full, []string{"check", "-o", "json", "--matches", app}},
		{"plan", full, []string{"plan", "-o", "json", "--matches", app}},
		{"export", "", []string{"export", "appsscript", "-o", "json"}},
		{"export", "", []string{"export", "appsscript", "-o", "json", "--into", filepath.Join(t.TempDir(), "new.json")}},
		{"export", "", []string{"export", "claude", "-o", "json"}},
		{"export", "", []string{"export", "markdown", "-o", "json"}},
		{"explain", full, []string{"explain", "-o", "json", "llm_gateway:read"}},
		{"explain", full, []string{"explain", "-o", "json", "billing:read"}},
		{"scopes", full, []string{"scopes", "-o", "json"}},
		{"scopes", full, []string{"scopes", "-o", "json", "no-such-word"}},
		{"scopes", full, []string{"scopes", "-o", "json", "--from", "nobody"}},
		{"token", full, []string{"token", "-o", "json"}},
		{"token", full, []string{"token", "--format", "json", "--min-ttl", "-1s"}},
		{"run", less, []string{"run", "--report", report, "--", "true"}},
		{"run", full, []string{"run", "--report", report, "--", "true"}},
	} {
		text := ambit("", "schema", tt.schema)
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource("schema.json", document); err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile("schema.json")
		if err != nil {
			t.Fatal(err)
		}
		output := ambit(tt.key, tt.args...)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(output))
		if err != nil {
			t.Fatalf("%v: %v\n%s", tt.args, err, output)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v: %v\n%s", tt.args, err, output)
		}
		for _, wrong := range []string{`{}`, `{"schema": "ambit.other/v1", "ok": false}`, `{"schema": "ambit.` + tt.schema + `/v1", "ok": true}`} {
			value, _ := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(wrong)))
			if schema.Validate(value) == nil {
				t.Errorf("the schema %s takes %s", tt.schema, wrong)
			}
		}
	}
}
