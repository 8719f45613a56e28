package evidence_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// large is a manifest of 200 scopes, a document of 1,000 operations with their schemas,
// 1,000 tools and 100,000 recorded calls with ids of their own.
func large() (declared, document, tools, traffic []byte) {
	var m, d, o, r bytes.Buffer
	m.WriteString("version: 1\nname: large\nprovider:\n  servers: {one: {issuer: https://id.example, api: https://api.example}}\n  implies: [{scope: \"{x}:write\", covers: [\"{x}:read\"]}]\nscopes:\n")
	d.WriteString(`{"openapi": "3.1.0", "info": {"title": "large", "version": "1"}, "paths": {`)
	o.WriteString("{")
	for i := range 500 {
		if i < 200 {
			fmt.Fprintf(&m, "  - scope: thing_%d:write\n    level: recommended\n    why: things of kind %d\n    used_by: [\"POST {api}/api/things%s/{id}/\", \"tool:thing-%d-create\"]\n", i, i, letters(i), i)
		}
		comma := ","
		if i == 499 {
			comma = ""
		}
		schema := fmt.Sprintf(`{"description": %q, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing%d"}}}}`, strings.Repeat("words ", 40), i)
		fmt.Fprintf(&d, "\n"+`"/api/things%s/{id}/": {"get": {"operationId": "get_%d", "security": [{"key": ["thing_%d:read"]}], "responses": {"200": %s}},`+
			` "post": {"operationId": "post_%d", "security": [{"key": ["thing_%d:write"]}, {"key": ["thing_%d:admin"]}], "responses": {"201": %s}}}%s`, letters(i), i, i%200, schema, i, i%200, i%200, schema, comma)
		fmt.Fprintf(&o, "\n\"thing-%d-list\": {\"title\": \"Lists things\", \"required_scopes\": [\"thing_%d:read\"]},\n\"thing-%d-create\": {\"title\": \"Creates a thing\", \"required_scopes\": [\"thing_%d:write\"]}%s", i, i%200, i, i%200, comma)
	}
	d.WriteString(`}, "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}, "schemas": {`)
	for i := range 500 {
		if i > 0 {
			d.WriteString(",")
		}
		fmt.Fprintf(&d, "\n\"Thing%d\": {\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, \"next\": {\"$ref\": \"#/components/schemas/Thing%d\"}}}", i, (i+1)%500)
	}
	d.WriteString("}}}")
	o.WriteString("}")
	for i := range 100_000 {
		method, status := "GET", 200
		if i%7 == 0 {
			method = "POST"
		}
		scope := ""
		if i%1000 == 0 {
			status, scope = 403, fmt.Sprintf("\"thing_%d:write\"", i%200)
		}
		fmt.Fprintf(&r, "{\"time\":\"2026-11-23T10:00:00Z\",\"base\":\"api\",\"method\":%q,\"path\":\"/api/things%s/thing%s/\",\"status\":%d,\"scopes\":[%s]}\n", method, letters(i%500), letters(i), status, scope)
	}
	return m.Bytes(), d.Bytes(), o.Bytes(), r.Bytes()
}

// letters is a number in a name that no folding takes for an identifier, so that no two calls
// are the same.
func letters(i int) string {
	name := []byte("_")
	for ; i > 0; i /= 26 {
		name = append(name, 'a'+byte(i%26))
	}
	return string(name)
}

// auditLarge reads and audits all of it.
func auditLarge(tb testing.TB, declared, document, tools, traffic []byte) audit.Findings {
	tb.Helper()
	m, err := manifest.Decode("scopes.yaml", declared, nil)
	if err != nil {
		tb.Fatal(err)
	}
	var all audit.Evidence
	take := func(e audit.Evidence, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		all.Merge(e)
	}
	take(evidence.OpenAPI{}.Read("openapi.json", bytes.NewReader(document)))
	take(evidence.Tools{}.Read("tools.json", bytes.NewReader(tools)))
	take(evidence.Traffic{Provider: m.Provider}.Read("run.jsonl", bytes.NewReader(traffic)))
	if len(all.Requirements) != 2000 || len(all.Traffic) != 100_000 {
		tb.Fatalf("%d needs, %d recorded calls", len(all.Requirements), len(all.Traffic))
	}
	f, err := audit.Audit(audit.Question{Manifest: m, Evidence: &all})
	if err != nil || f.Least.Scopes.Len() == 0 {
		tb.Fatal(err, f.Least)
	}
	return f
}

// BenchmarkAudit is the promise: under 2 s and 200 MB.
func BenchmarkAudit(b *testing.B) {
	manifest, document, tools, traffic := large()
	b.ReportAllocs()
	for b.Loop() {
		auditLarge(b, manifest, document, tools, traffic)
	}
}

// Memory is what lives at the end, and what the
// neighbor cost up to ten times as much. Memory is what lives at the end, and what the
// process got from the system for it.
func TestLargeAudit(t *testing.T) {
	manifest, document, tools, traffic := large()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := auditLarge(t, manifest, document, tools, traffic)
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 200<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if len(f.Of(audit.Undeclared)) > 0 || len(f.Matrix) == 0 {
		t.Errorf("%q", said(f.Of(audit.Undeclared)))
	}
}
