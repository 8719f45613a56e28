package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// fuzz feeds a reader anything. Whatever comes, it either gives evidence that an audit
// can take, or a typed error on one printable line each.
func fuzz(f *testing.F, read func(io.Reader) (audit.Evidence, error), seeds ...string) {
	for _, s := range seeds {
		if text, err := os.ReadFile("testdata/" + s); err == nil {
			s = string(text)
		}
		f.Add([]byte(s))
	}
	m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: a\nprovider: posthog\nscopes:\n  - {scope: \"a:write\", level: required, used_by: [\"GET {api}/a\", \"tool:a\"]}\n"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		e, err := read(bytes.NewReader(text))
		if err != nil {
			var typed *evidence.Error
			if !errors.As(err, &typed) || typed.File != "fuzz" || typed.Kind == "" {
				t.Fatalf("%#v", err)
			}
			for row := range strings.SplitSeq(err.Error(), "\n") {
				if strings.ContainsFunc(row, func(r rune) bool { return !strconv.IsPrint(r) }) {
					t.Fatalf("not printable: %q", row)
				}
			}
			return
		}
		for _, n := range e.Requirements {
			if _, err := scopes.ParseOperation(n.Operation.String()); err != nil {
				t.Fatal(err)
			}
			for _, all := range n.AnyOf {
				for _, scope := range all {
					if err := scopes.CheckScope(scope); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if _, err := audit.Audit(audit.Question{Manifest: m, Evidence: &e}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func FuzzOpenAPI(f *testing.F) {
	fuzz(f, func(r io.Reader) (audit.Evidence, error) {
		return evidence.OpenAPI{Server: serverAt("https://a.example/v1")}.Read("fuzz", r)
	}, "calendar.openapi.yaml", "repository-host.openapi.json", "discovery-drive.json", "discovery-sheets.json",
		`{"openapi": "3.1.0", "servers": [{"url": "https://a.example/v1"}, {"url": "//b"}], "paths": {"/a": {"get": {"x-atlassian-oauth2-scopes": [{"scopes": ["a"]}], "x-scope": {"a": 1}, "security": [{"k": ["b"]}, {}]}}}}`,
		"openapi: 3.1.0\npaths: {/a: {$ref: '#/components/pathItems/a'}}\ncomponents: {pathItems: {a: {$ref: '#/paths/~1a'}}}",
		"openapi: 3.0.0\nx: &x {get: {security: [{k: [a]}]}}\npaths: {/a: *x, /b: {<<: *x}}", `{"swagger": "2.0"}`)
}

// FuzzYAMLInParts: whatever is read in parts reads as it does in one.
func FuzzYAMLInParts(f *testing.F) {
	for _, name := range []string{"calendar.openapi.yaml", "posthog-shaped.openapi.yaml"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range divided {
		f.Add(text)
	}
	f.Fuzz(sameInParts)
}

func FuzzTools(f *testing.F) {
	fuzz(f, func(r io.Reader) (audit.Evidence, error) { return evidence.Tools{}.Read("fuzz", r) },
		"mcp-tools-sample.json", `{"jsonrpc": "2.0", "result": {"tools": [{"name": "a", "required_scopes": ["x"]}]}}`, `[{"name": "a"}, {"name": "a"}]`,
		`[{"name": "a", "securitySchemes": [{"type": "noauth"}, {"scopes": ["b"]}], "_meta": {"securitySchemes": [{"scopes": "c"}]}, "authorization": {"scopes": {"d": 1}}}]`)
}

func FuzzCalls(f *testing.F) {
	fuzz(f, func(r io.Reader) (audit.Evidence, error) { return evidence.Calls{}.Read("fuzz", r) },
		"wizard-calls.txt", "GET {a}/b\ntool:x-*\n# c\n", "tool:[\n")
}

func FuzzTraffic(f *testing.F) {
	p, err := provider.Builtin("posthog")
	if err != nil {
		f.Fatal(err)
	}
	fuzz(f, func(r io.Reader) (audit.Evidence, error) { return evidence.Traffic{Provider: p}.Read("fuzz", r) },
		har, `{"base":"api","method":"GET","path":"/a","status":403,"scopes":["a:write"]}`, "\n{}\n")
}
