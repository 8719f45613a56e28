package evidence_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// described shows needs, a line each: what, what for, where.
func described(e audit.Evidence) []string {
	var lines []string
	for _, n := range e.Requirements {
		alternatives := make([]string, len(n.AnyOf))
		for i, all := range n.AnyOf {
			if alternatives[i] = strings.Join(all, "+"); len(all) == 0 {
				alternatives[i] = "nothing"
			}
		}
		said := strings.Join(alternatives, " | ")
		if n.Silent() {
			said = "silent"
		}
		lines = append(lines, fmt.Sprintf("%s: %s", n.Operation, said))
	}
	return lines
}

func notes(e audit.Evidence) []string {
	lines := []string{}
	for _, n := range e.Notes {
		lines = append(lines, n.Where.String()+": "+n.Message)
	}
	return lines
}

// serverAt is a server with a base at a URL, by each name that tests use.
func serverAt(url string) provider.Server {
	if url == "" {
		return provider.Server{}
	}
	return provider.Server{Bases: []provider.Base{{Name: "api", URL: url}, {Name: "calendar", URL: url}}}
}

func open(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func readOpenAPI(t testing.TB, o evidence.OpenAPI, name string) audit.Evidence {
	t.Helper()
	e, err := o.Read(name, open(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOpenAPICalendar(t *testing.T) {
	e := readOpenAPI(t, evidence.OpenAPI{Base: "calendar", Server: serverAt("https://www.calendar.example/calendar/v3")}, "calendar.openapi.yaml")
	short := func(lines []string) []string {
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], "https://auth.calendar.example/", "")
		}
		return lines
	}
	want := []string{
		"GET {calendar}/calendars/{calendarId}: calendar | calendar.readonly",
		"PUT {calendar}/calendars/{calendarId}: calendar",
		"DELETE {calendar}/calendars/{calendarId}: calendar",
		"GET {calendar}/calendars/{calendarId}/events: calendar | calendar.readonly | calendar.events | calendar.events.readonly",
		"POST {calendar}/calendars/{calendarId}/events: calendar | calendar.events",
		"POST {calendar}/calendars/{calendarId}/acl: calendar | calendar.acls+contacts.readonly",
		"GET {calendar}/colors: calendar | calendar.readonly",
		"POST {calendar}/freeBusy: calendar.freebusy | calendar.readonly",
		"GET {calendar}/status: nothing",
	}
	if diff := cmp.Diff(want, short(described(e))); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(e.Words, "https://auth.calendar.example/calendar.settings.readonly") {
		t.Error("a scope that only a flow lists is not known")
	}
	if n := e.Requirements[0]; n.Where.Line != 12 || n.Title != "Returns metadata of a calendar" || n.Source != audit.SourceAPI {
		t.Errorf("%+v", n)
	}
}

func TestOpenAPIRepositoryHost(t *testing.T) {
	e := readOpenAPI(t, evidence.OpenAPI{}, "repository-host.openapi.json")
	want := []string{
		"GET {api}/user: read:user | user", // the session cookie is no OAuth credential
		"PATCH {api}/user: user",
		"GET {api}/user/emails: user:email",
		"GET {api}/repos/{owner}/{repo}: repo | public_repo", // by a reference within the document
		"DELETE {api}/repos/{owner}/{repo}: delete_repo",
		"GET {api}/repos/{owner}/{repo}/issues: repo | public_repo",
		"POST {api}/repos/{owner}/{repo}/issues: repo", // the document's own security
		"GET {api}/repos/{owner}/{repo}/compare/{base}: repo | nothing",
		"POST {api}/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches: repo+workflow",
		"GET {api}/orgs/{org}: read:org",
		"PATCH {api}/orgs/{org}: admin:org",
		"GET {api}/orgs/{org}/packages: read:packages+profile", // two schemes, both needed
		"GET {api}/meta: nothing",
		"POST {api}/login: nothing",
	}
	if diff := cmp.Diff(want, described(e)); diff != "" {
		t.Error(diff)
	}
	if len(e.Notes) > 0 {
		t.Errorf("a schema's remote reference matters to nobody: %v", e.Notes)
	}
}

func TestOpenAPIForms(t *testing.T) {
	for _, c := range []struct {
		name, text, baseURL string
		want, notes         []string
	}{
		{
			name: "no word of security is no statement",
			text: "openapi: 3.0.0\npaths: {/a: {get: {}}}",
			want: []string{"GET {api}/a: silent"},
		},
		{
			name: "an operation's own list stands for the document's, an empty one too",
			text: "openapi: 3.1.0\nsecurity: [{k: [x]}]\npaths: {/a: {get: {}, post: {security: []}, put: {security: [{k: [y]}]}}}",
			want: []string{"GET {api}/a: x", "POST {api}/a: nothing", "PUT {api}/a: y"},
		},
		{
			name: "a scheme that carries scopes elsewhere needs none here",
			text: "openapi: 3.1.0\npaths: {/a: {get: {security: [{k: []}, {k: [x]}]}}}",
			want: []string{"GET {api}/a: nothing | x"},
		},
		{
			name:    "the server's path is above the base's URL",
			text:    "openapi: 3.1.0\nservers: [{url: 'https://a.example/v{n}', variables: {n: {default: '1'}}}]\npaths: {/a: {get: {}}}",
			baseURL: "https://a.example",
			want:    []string{"GET {api}/v1/a: silent"},
		},
		{
			name:    "or is that of the base",
			text:    "openapi: 3.1.0\nservers: [{url: /v1}]\npaths: {/a: {get: {}}, /b: {servers: [{url: /v1/deep}], get: {}}}",
			baseURL: "https://a.example/v1",
			want:    []string{"GET {api}/a: silent", "GET {api}/deep/b: silent"},
		},
		{
			name:  "a word that is no scope",
			text:  "openapi: 3.1.0\npaths:\n  /a:\n    get: {security: [{k: ['a b', 'é']}]}",
			want:  []string{"GET {api}/a: a+b"},
			notes: []string{`doc.yaml:4: "é" is not a scope: a scope may not contain "é" (RFC 6749 §3.3)`},
		},
		{
			name:  "a path that no manifest can name",
			text:  "openapi: 3.1.0\npaths:\n  /a b:\n    get: {}\n  /c:\n    get: {}",
			want:  []string{"GET {api}/c: silent"},
			notes: []string{`doc.yaml:4: left out: "GET {api}/a b": a path has no spaces and no unprintable characters`},
		},
		{
			name:  "a remote path is not fetched",
			text:  "openapi: 3.1.0\npaths:\n  /a:\n    $ref: https://evil.example/a.yaml#/a\n  /b: {get: {}}",
			want:  []string{"GET {api}/b: silent"},
			notes: []string{"doc.yaml:4: what /a needs is not known: https://evil.example/a.yaml#/a is elsewhere, and only fetched with --allow-remote-refs"},
		},
		{
			name:  "nor is a file beside it",
			text:  "openapi: 3.1.0\npaths:\n  /a: {$ref: ../../etc/passwd}\n  /b: {get: {}}",
			want:  []string{"GET {api}/b: silent"},
			notes: []string{"doc.yaml:3: what /a needs is not known: ../../etc/passwd is in another document, which is not read"},
		},
		{
			name: "a path that leads back to itself spoils no other",
			text: "openapi: 3.1.0\npaths:\n  /a: {$ref: '#/components/pathItems/a'}\n  /b: {get: {}}\n  /c: {$ref: '#/paths/~1b'}\n  /d: {$ref: '#/nowhere'}\ncomponents:\n  pathItems:\n    a: {$ref: '#/components/pathItems/b'}\n    b: {$ref: '#/components/pathItems/a'}",
			want: []string{"GET {api}/b: silent", "GET {api}/c: silent"},
			notes: []string{
				"doc.yaml:3: what /a needs is not known: #/components/pathItems/a leads back to itself",
				"doc.yaml:6: what /d needs is not known: #/nowhere is not there",
			},
		},
		{
			name:  "an operation that is a reference",
			text:  "openapi: 3.1.0\nsecurity: [{k: [x]}]\nx-y: {get: {security: [{k: [y]}]}}\npaths:\n  /a:\n    get: {$ref: 'resources/a.yml'}\n    post: {}\n  /b: {get: {$ref: '#/paths/~1a/post'}}",
			want:  []string{"POST {api}/a: x", "GET {api}/b: x"},
			notes: []string{"doc.yaml:6: what GET /a needs is not known: resources/a.yml is in another document, which is not read"},
		},
		{
			name: "aliases and merge keys",
			text: "openapi: 3.1.0\nx-word: &word s\nx-list: &list [*word]\nx-item: &item {get: {security: [{k: *list}]}}\npaths: {/a: *item, /b: {<<: *item, put: {}}}",
			want: []string{"GET {api}/a: s", "GET {api}/b: s", "PUT {api}/b: silent"},
		},
		{
			name: "a security without a value says nothing, a scheme without one needs no scope",
			text: "openapi: 3.1.0\nsecurity: [{k: [doc]}]\npaths:\n  /a:\n    get:\n      security:\n    put:\n      security:\n      - k:",
			want: []string{"GET {api}/a: doc", "PUT {api}/a: nothing"},
		},
		{
			name:  "words of which none is a scope",
			text:  "openapi: 3.1.0\npaths:\n  /a: {get: {security: [{k: [é]}]}}",
			want:  []string{"GET {api}/a: silent"},
			notes: []string{`doc.yaml:3: "é" is not a scope: a scope may not contain "é" (RFC 6749 §3.3)`},
		},
		{
			name:  "an operation is found by its line in JSON",
			text:  "\ufeff\r\n{\"openapi\": \"3.1.0\", \"paths\": {\n\"\\/\u0061b\":\n{\"x\": \"}\\\"\\\\\",\n\"get\": {\"security\":\n[{\"k\": [\"é\"]}]}}}}",
			want:  []string{"GET {api}/ab: silent"},
			notes: []string{`doc.yaml:6: "é" is not a scope: a scope may not contain "é" (RFC 6749 §3.3)`},
		},
		{
			name: "what nobody looks at may be odd",
			text: "openapi: 3.1.0\npaths: {/a: {get: {responses: {a: 1, a: 2}}}}\ncomponents: {schemas: {b: &b [*b], b: {$ref: '#/nowhere'}}}",
			want: []string{"GET {api}/a: silent"},
		},
		{
			name: "a merge key that leads back adds nothing",
			text: "openapi: 3.1.0\npaths: &p {<<: [*p, {/b: &b {get: {}, <<: *b}}], /a: {get: {}}}",
			want: []string{"GET {api}/a: silent", "GET {api}/b: silent"},
		},
		{name: "no paths", text: "openapi: 3.1.0\ninfo: {title: t}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := evidence.OpenAPI{Server: serverAt(c.baseURL)}.Read("doc.yaml", strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, described(e)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(append([]string{}, c.notes...), notes(e)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Only a caller who gives a way to fetch gets remote documents, and each through it.
func TestOpenAPIRemote(t *testing.T) {
	const text = "openapi: 3.1.0\npaths:\n  /a:\n    $ref: https://other.example/shared.yaml#/a\n"
	var asked []string
	o := evidence.OpenAPI{Fetch: func(url string) ([]byte, error) {
		asked = append(asked, url)
		return []byte("a:\n  get:\n    security: [{k: [far:read]}]\n"), nil
	}}
	e, err := o.Read("doc.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GET {api}/a: far:read"}, described(e)); diff != "" {
		t.Errorf("%s\n%v", diff, notes(e))
	}
	if diff := cmp.Diff([]string{"https://other.example/shared.yaml"}, asked); diff != "" {
		t.Error(diff)
	}

	down := errors.New("no such host")
	o.Fetch = func(string) ([]byte, error) { return nil, down }
	if _, err = o.Read("doc.yaml", strings.NewReader(text)); !errors.Is(err, down) || !strings.Contains(err.Error(), "https://other.example/shared.yaml") {
		t.Errorf("a failed fetch: %v", err)
	}
}

func TestOpenAPIBroken(t *testing.T) {
	for _, c := range []struct {
		name, text string
		kind       evidence.Kind
		line       int
		says       string
	}{
		{"empty", "", evidence.Syntax, 0, "empty"},
		{"no document", "just words", evidence.Syntax, 0, "not an OpenAPI document"},
		{"broken YAML", "openapi: 3.1.0\npaths:\n  /a: {get: {}\n  /b: {}\n", evidence.Syntax, 0, "not an OpenAPI document"},
		{"broken JSON", `{"openapi": "3.1.0", "paths": {"/a": }}`, evidence.Syntax, 0, "not an OpenAPI document"},
		{"no key", "info: {title: x}\npaths: {}\n", evidence.Syntax, 0, "it has no openapi: 3.x"},
		{"a version to come", "openapi: 4.0.0\npaths: {}\n", evidence.Version, 0, "only 3.x"},
		{"a scope without a list", "openapi: 3.1.0\npaths:\n  /a:\n    get: {security: [{k: 'a:read'}]}\n", evidence.Syntax, 4, "security is a list"},
		{"a scheme without scopes", "openapi: 3.1.0\npaths:\n  /a:\n    get: {security: [k]}\n", evidence.Syntax, 4, "security is a list"},
		{"a word", "openapi: 3.1.0\nsecurity: k\npaths: {}\n", evidence.Syntax, 2, "security is a list"},
		{"no list", "openapi: 3.1.0\nsecurity: [{k: ['b']}]\npaths:\n  /a:\n    get: {security: {k: ['a:read']}}\n", evidence.Syntax, 5, "security is a list"},
		{"a scope that is none", "openapi: 3.1.0\nsecurity: [{k:\n  ['']}]\npaths: {}\n", evidence.Syntax, 3, "security is a list"},
		{"Swagger", `{"swagger": "2.0", "paths": {}}`, evidence.Version, 0, "version 2 (Swagger)"},
	} {
		_, err := evidence.OpenAPI{}.Read("doc.yaml", strings.NewReader(c.text))
		var e *evidence.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Error(), c.says) || e.File != "doc.yaml" || c.line > 0 && e.Line != c.line {
			t.Errorf("%s: %#v %v", c.name, err, err)
		}
	}
}

// The library's own sentences are for those who program with it, and it quotes values.
func TestOpenAPIBrokenInOurWords(t *testing.T) {
	const noKey = "doc.yaml: not an OpenAPI document: it has no openapi: 3.x at its top"
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "doc.yaml: not an OpenAPI document: it is empty"},
		{"a comment", "# nothing", noKey},
		{"words", "just words, and " + secret, noKey},
		{"a list", "- a\n- b", noKey},
		{"null", "null", noKey},
		{"the key elsewhere", "info: {openapi: 3.1.0}", noKey},
		{"no version", "openapi: ''", noKey},
		{"broken YAML", "openapi: 3.1.0\npaths:\n  /a: {get: {}\n  /b: {}\n", "doc.yaml:3: not an OpenAPI document: not YAML: did not find expected ',' or '}'"},
		{"broken JSON", "{\"openapi\": \"3.1.0\",\n \"paths\": {\"/a\": }}", "doc.yaml:2: not an OpenAPI document: not JSON: invalid character '}' looking for beginning of value"},
		{"JSON that breaks off", "{\"openapi\": \"3.1.0\",\n \"paths\": {\"/a\": 1}\n", "doc.yaml:3: not an OpenAPI document: not JSON: unexpected end of JSON input"},
		{"a key twice", "openapi: 3.1.0\npaths: {}\npaths: {}\n", "doc.yaml:3: a key that is there already"},
		{"a path twice in JSON", "{\"openapi\": \"3.1.0\",\n \"paths\": {\"/a\": {},\n \"/a\": {}}}", "doc.yaml:3: a key that is there already"},
		{"an alias of nothing", "openapi: 3.1.0\npaths:\n  /a: *b\n", "doc.yaml:3: not an OpenAPI document: not YAML: unknown anchor 'b' referenced"},
		{"a tab", "openapi: 3.1.0\npaths:\n\t/a: {}\n", "doc.yaml:3: not an OpenAPI document: not YAML: a tab indents this line; YAML allows only spaces there"},
		{"YAML that breaks off", "openapi: 3.1.0\npaths:\n  /a: {get: {summary: \"b\n", "doc.yaml:3: not an OpenAPI document: not YAML: found unexpected end of stream"},
		{"Latin-1 in JSON", "{\"openapi\": \"3.1.0\", \"info\": \"caf\xe9\"}", "doc.yaml: not an OpenAPI document: not JSON: it is not in UTF-8"},
		{"Latin-1", "openapi: 3.1.0\ninfo: caf\xe9\n", "doc.yaml: not an OpenAPI document: not YAML: incomplete UTF-8 octet sequence"},
		{"a page", "<!DOCTYPE html>\n<title>Sign in: here</title>\n", "doc.yaml: not an OpenAPI document: it is HTML or XML"},
		{"version 2", "openapi: 2.0", "doc.yaml: not an OpenAPI 3 document; one of version 2 (Swagger) has to be converted"},
		{"version 4", "paths: {}\nopenapi: 4.0.0", `doc.yaml:2: OpenAPI "4.0.0" is not supported, only 3.x`},
		{"a HAR file", har, "doc.yaml: this is a HAR file, not an OpenAPI document; it is read with --traffic"},
		{"half a HAR file", har[:len(har)/2], "doc.yaml: this is a HAR file, not an OpenAPI document; it is read with --traffic"},
		{"tools", `{"a": {"required_scopes": []}}`, "doc.yaml: this is a file of MCP tools, not an OpenAPI document; it is read with --mcp-tools"},
		{"a recording", `{"base":"api","method":"GET","path":"/a","status":200}` + "\n{}\n", "doc.yaml: this is a recording of ambit run, not an OpenAPI document; it is read with --traffic"},
	} {
		_, err := evidence.OpenAPI{}.Read("doc.yaml", strings.NewReader(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if strings.Contains(fmt.Sprintf("%#v", err), "s3cr3t") {
			t.Errorf("%s: the error holds a secret: %#v", c.name, err)
		}
	}
}
