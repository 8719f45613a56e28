package evidence_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/google/go-cmp/cmp"
)

// places shows needs with where each stands.
func places(e audit.Evidence) []string {
	lines := described(e)
	for i := range lines {
		lines[i] = e.Requirements[i].Where.String() + " " + lines[i]
	}
	return lines
}

// served gives out documents by name, and notes which were asked for.
type served struct {
	texts map[string]string
	asked []string
}

func (s *served) open(name string) ([]byte, error) {
	s.asked = append(s.asked, name)
	text, there := s.texts[name]
	if !there {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

// A document that is spread over files is read as one; nothing outside of its directory is
// asked for, and what is not there spoils nothing else.
func TestOpenAPIFiles(t *testing.T) {
	const text = `openapi: 3.1.0
security: [{k: [doc]}]
paths:
  /whole: {$ref: ./paths/users.yaml}
  /part: {$ref: "paths/all.json#/~1part"}
  /op:
    get: {$ref: paths/users.yaml#/get}
    put: {}
  /back: {$ref: paths/all.json#/back}
  /gone: {$ref: paths/gone.yaml}
  /lost: {$ref: paths/users.yaml#/nowhere}
  /words: {$ref: words.txt}
  /up: {$ref: ../secret.yaml}
  /over: {$ref: paths/../../secret.yaml}
  /root: {$ref: /etc/passwd}
  /url: {$ref: "file:///etc/passwd"}
  /far: {$ref: https://other.example/far.yaml}
  /loop: {$ref: paths/loop.yaml}
components:
  securitySchemes: {k: {$ref: schemes.yaml#/k}, gone: {$ref: gone.yaml}}
`
	s := &served{texts: map[string]string{
		"paths/users.yaml": "get:\n  security: [{k: [users:read]}]\npost:\n  summary: Adds one\n",
		"paths/all.json":   "{\n\"/part\": {\"get\": {\"security\": [{\"k\": [\"part:read\"]}]}},\n\"back\": {\"$ref\": \"../api/doc.yaml#/paths/~1op\"}}",
		"api/doc.yaml":     "paths:\n  /op:\n    $ref: ../doc.yaml#/paths/~1op\n",
		"paths/loop.yaml":  "$ref: './loop.yaml'",
		"schemes.yaml":     "k: {type: oauth2, flows: {implicit: {scopes: {listed: a scope}}}}",
		"words.txt":        "words",
	}}
	e, err := evidence.OpenAPI{Open: s.open}.Read("api/doc.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"api/paths/users.yaml:1 GET {api}/whole: users:read",
		"api/paths/users.yaml:3 POST {api}/whole: doc",
		"api/paths/all.json:2 GET {api}/part: part:read",
		"api/paths/users.yaml:1 GET {api}/op: users:read",
		"api/doc.yaml:8 PUT {api}/op: doc",
		"api/paths/users.yaml:1 GET {api}/back: users:read",
		"api/doc.yaml:8 PUT {api}/back: doc",
	}
	if diff := cmp.Diff(want, places(e)); diff != "" {
		t.Error(diff)
	}
	const outside = " is outside the document's directory, and is not read"
	wantNotes := []string{
		"api/doc.yaml:10: what /gone needs is not known: paths/gone.yaml is not there",
		"api/doc.yaml:11: what /lost needs is not known: paths/users.yaml#/nowhere is not there",
		"api/doc.yaml:12: what /words needs is not known: words.txt is not an object in YAML or JSON",
		"api/doc.yaml:13: what /up needs is not known: ../secret.yaml" + outside,
		"api/doc.yaml:14: what /over needs is not known: paths/../../secret.yaml" + outside,
		"api/doc.yaml:15: what /root needs is not known: /etc/passwd" + outside,
		"api/doc.yaml:16: what /url needs is not known: file:///etc/passwd is in another document, which is not read",
		"api/doc.yaml:17: what /far needs is not known: https://other.example/far.yaml is elsewhere, and only fetched with --allow-remote-refs",
		"api/doc.yaml:18: what /loop needs is not known: paths/loop.yaml leads back to itself",
		"api/doc.yaml:20: what the scheme gone allows is not known: gone.yaml is not there",
	}
	if diff := cmp.Diff(wantNotes, notes(e)); diff != "" {
		t.Error(diff)
	}
	if !e.Vocabulary().Has("listed") {
		t.Error("the scheme was not found")
	}
	asked := []string{"paths/users.yaml", "paths/all.json", "api/doc.yaml", "paths/gone.yaml", "words.txt", "paths/loop.yaml", "schemes.yaml", "gone.yaml"}
	if diff := cmp.Diff(asked, s.asked); diff != "" {
		t.Errorf("each once, and no other: %s", diff)
	}

	s.texts["paths/users.yaml"] = "get:\n  security: {k: [users:read]}\n"
	_, err = evidence.OpenAPI{Open: s.open}.Read("api/doc.yaml", strings.NewReader(text))
	if err == nil || !strings.HasPrefix(err.Error(), "api/paths/users.yaml:2: security is a list") {
		t.Errorf("malformed security elsewhere: %v", err)
	}
}

// Remote documents lead on as URLs, and never to a file; their operations have their place
// there, without what may be a secret of the URL.
func TestOpenAPIRemoteDocuments(t *testing.T) {
	remote := &served{texts: map[string]string{
		"https://a.example/v1/a.yaml?key=hush": "a: {$ref: 'b.yaml#/b'}\nf: {$ref: 'file:///etc/passwd'}\n",
		"https://a.example/v1/b.yaml":          "b:\n  get: {security: [{k: [far]}]}\n  put: {$ref: '/c.yaml#/c'}\n",
		"https://a.example/c.yaml":             "c: {security: [{k: [further]}]}\n",
	}}
	const text = "openapi: 3.1.0\npaths:\n  /a: {$ref: 'https://a.example/v1/a.yaml?key=hush#/a'}\n  /f: {$ref: 'https://a.example/v1/a.yaml?key=hush#/f'}\n"
	e, err := evidence.OpenAPI{Fetch: remote.open}.Read("doc.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"https://a.example/v1/b.yaml:2 GET {api}/a: far", "https://a.example/c.yaml:1 PUT {api}/a: further"}, places(e)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"https://a.example/v1/a.yaml:2: what /f needs is not known: file:///etc/passwd is in another document, which is not read"}, notes(e)); diff != "" {
		t.Error(diff)
	}

	// A document that has a URL has its neighbors there, and not in a directory.
	files := &served{}
	e, err = evidence.OpenAPI{Fetch: remote.open, Open: files.open}.Read("https://a.example/v1/doc.yaml", strings.NewReader("openapi: 3.1.0\npaths: {/b: {$ref: 'b.yaml#/b'}}"))
	if err != nil || len(e.Requirements) != 2 || len(files.asked) > 0 {
		t.Errorf("%v %v, asked for %v", err, described(e), files.asked)
	}
}

// The schemes of a document may stand elsewhere, all together or one by one. A note shows
// nothing of a reference that may be a secret.
func TestOpenAPISchemesElsewhere(t *testing.T) {
	s := &served{texts: map[string]string{
		"components.yaml": "securitySchemes: {$ref: 'schemes.yaml#/all'}",
		"schemes.yaml":    "all: {k: {type: oauth2, flows: {implicit: {scopes: {listed: a scope}}}}}",
	}}
	for _, components := range []string{"{$ref: components.yaml}", "{securitySchemes: {$ref: 'schemes.yaml#/all'}}"} {
		e, err := evidence.OpenAPI{Open: s.open}.Read("doc.yaml", strings.NewReader("openapi: 3.1.0\npaths: {}\ncomponents: "+components))
		if err != nil || !e.Vocabulary().Has("listed") || len(e.Notes) > 0 {
			t.Errorf("%s: %v %v", components, err, notes(e))
		}
	}
	e, err := evidence.OpenAPI{Open: s.open}.Read("doc.yaml", strings.NewReader("openapi: 3.1.0\npaths: {}\ncomponents: {$ref: 'https://a:hush@b.example/c?key=hush#/x'}"))
	want := []string{"doc.yaml:3: what the schemes allow is not known: https://b.example/c#/x is elsewhere, and only fetched with --allow-remote-refs"}
	if diff := cmp.Diff(want, notes(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// However much a document stands for, reading it has an end.
func TestOpenAPIUnfoldsTooMuch(t *testing.T) {
	var merges strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&merges, "m%d: &m%d {<<: *m%d, k%d: 1}\n", i+1, i+1, i, i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"aliases", "r: &r {k: [" + strings.Repeat("a, ", 2000) + "]}\npaths: {/a: {get: {security: [" + strings.Repeat("*r, ", 1000) + "]}}}", "it names more than 1000000 scopes"},
		{"merge keys", "m0: &m0 {k: 1}\n" + merges.String() + "paths: *m1000", "its merge keys (<<) bring in more than 200000 members"},
		{"paths", "x: &x {get: , put: , post: , patch: , delete: }\npaths:\n" + lines(40_001, "  /p%d: *x\n"), "it describes more than 200000 operations"},
	} {
		_, err := evidence.OpenAPI{}.Read("doc.yaml", strings.NewReader("openapi: 3.1.0\n"+c.text))
		var e *evidence.Error
		if !errors.As(err, &e) || e.Kind != evidence.TooLarge || err.Error() != "doc.yaml: "+c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// However much a document leads to, reading it has an end.
func TestOpenAPITooMuch(t *testing.T) {
	var paths strings.Builder
	for i := range 5001 {
		fmt.Fprintf(&paths, "  /p%d: {$ref: 'p%d.yaml'}\n", i, i)
	}
	many := "openapi: 3.1.0\npaths:\n" + paths.String()
	small := func(string) ([]byte, error) { return []byte("get: {}"), nil }
	for _, c := range []struct {
		name, file string
		reader     evidence.OpenAPI
		want       string
	}{
		{"files", "doc.yaml", evidence.OpenAPI{Open: small}, "doc.yaml: it leads to more than 5000 files"},
		{"URLs", "https://a.example/doc.yaml", evidence.OpenAPI{Fetch: small}, "https://a.example/doc.yaml: it leads to more than 50 documents elsewhere"},
		{
			"bytes", "doc.yaml",
			evidence.OpenAPI{Open: func(string) ([]byte, error) {
				return []byte(`{"get": {}, "x": "` + strings.Repeat("x", 30<<20) + `"}`), nil
			}},
			"doc.yaml: with everything that it refers to, it is larger than 128 MiB",
		},
	} {
		_, err := c.reader.Read(c.file, strings.NewReader(many))
		var e *evidence.Error
		if !errors.As(err, &e) || e.Kind != evidence.TooLarge || err.Error() != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What is passed over may be large; what is looked at has its bound, for read it takes many times its size.
func TestLargeDocuments(t *testing.T) {
	const paths = `"paths": {"/a": {"get": {"security": [{"o": ["a"]}]}}}`
	schemas := `"components": {"schemas": {` + strings.TrimSuffix(lines(4_000_000, `"s%d": {},`), ",") + `}}`
	e, err := evidence.OpenAPI{}.Read("doc.json", strings.NewReader(`{"openapi": "3.1.0", `+schemas+`, `+paths+`}`))
	if diff := cmp.Diff([]string{"GET {api}/a: a"}, described(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, c := range []struct{ text, want string }{
		{`{"openapi": "3.1.0", "paths": {` + strings.TrimSuffix(lines(200_001, `"/p%d": {},`), ",") + `}}`, "doc:1: more than 200000 members or items"},
		{"openapi: 3.1.0\nx: [" + strings.Repeat("abcdefg,", 4<<20) + "]", "doc: as YAML it cannot be read in parts, and is larger than 32 MiB; JSON may be larger"},
	} {
		if _, err := (evidence.OpenAPI{}).Read("doc", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// The flows of a scheme say what scopes allow, and where people are sent for them.
func TestOpenAPISchemesTell(t *testing.T) {
	e, err := evidence.OpenAPI{}.Read("doc.yaml", strings.NewReader(`openapi: 3.1.0
paths: {}
components:
  securitySchemes:
    o:
      type: oauth2
      flows:
        implicit: {authorizationUrl: "https://id.example/authorize", scopes: {"a:read": "  Reads a.\e[2J\nMore of it.", "b:read": ""}}
        authorizationCode:
          authorizationUrl: https://id.example/authorize
          tokenUrl: https://id.example/token
          refreshUrl: /refresh
          scopes: {"a:read": again, "a:write": `+strings.Repeat("w", 500)+`}
    c: {type: openIdConnect, openIdConnectUrl: "https://id2.example/.well-known/openid-configuration"}
    r: {type: oauth2, flows: {implicit: {authorizationUrl: /here, scopes: {}}, password: {tokenUrl: "ftp://a.example"}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]audit.AuthorizedAt{{Authorization: "https://id.example/authorize"}, {Authorization: "https://id.example/authorize", Token: "https://id.example/token"}, {Discovery: "https://id2.example/.well-known/openid-configuration"}}, e.Authorized); diff != "" {
		t.Error(diff)
	}
	if about := e.About; len(about) != 2 || about["a:read"] != `Reads a.\x1b[2J` || len(about["a:write"]) > 110 {
		t.Errorf("%q", about)
	}
	more := audit.Evidence{About: map[string]string{"a:read": "other", "z": "z"}, Authorized: []audit.AuthorizedAt{{Token: "https://z.example"}}}
	more.Merge(e)
	if more.About["a:read"] != "other" || len(more.About) != 3 || len(more.Authorized) != 4 {
		t.Errorf("%q %q", more.About, more.Authorized)
	}
}
