package evidence_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func seen(e audit.Evidence) []string {
	var lines []string
	for _, o := range e.Traffic {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d x%d %s:%d %s", o.Operation, o.Status, o.Count, o.Where.File, o.Where.Line, strings.Join(append(slices.Clone(o.Scopes), o.Named...), " "))))
	}
	return lines
}

func posthog(t testing.TB) *provider.Provider {
	t.Helper()
	p, err := provider.Builtin("posthog")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRecords(t *testing.T) {
	const text = `{"time":"2026-11-23T10:00:00Z","base":"api","method":"GET","path":"/api/users/@me/","status":200,"scopes":["user:read"]}
{"time":"2026-11-23T10:00:01Z","base":"api","method":"GET","path":"/api/users/@me/?secret=phx_abcdef","status":200,"scopes":["user:read"]}

{"base":"api","method":"POST","path":"/api/projects/{id}/query/","status":403,"scopes":["query:read"]}
{"base":"api","method":"GET","path":"/hooks/phx_verysecret/x","status":404}
{"base":"api","method":"BREW","path":"/coffee","status":418}
{"base":"api","method":"GET","pa`
	e, err := evidence.Traffic{Provider: posthog(t)}.Read("run.jsonl", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET {api}/api/users/@me/ 200 x2 run.jsonl:1 user:read",
		"POST {api}/api/projects/{id}/query/ 403 x1 run.jsonl:4 query:read",
		"GET {api}/hooks/{secret}/x 404 x1 run.jsonl:5",
	}
	if diff := cmp.Diff(want, seen(e)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"run.jsonl:7: the last line is incomplete, and is left out", "run.jsonl: left out: 1 call with a method or a path that a manifest cannot name"}, notes(e)); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"words\n{}", `{"base":"api","method":"GET","path":"/","status":"200"}`, `{"method":"GET","path":"/","status":200}`, "[]"} {
		_, err := evidence.Traffic{}.Read("run.jsonl", strings.NewReader(text))
		var broken *evidence.Error
		if !errors.As(err, &broken) || broken.Line != 1 || broken.Kind != evidence.Syntax {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A file that is no recording is told as what it is; one of nothing is one, with a note.
func TestTrafficOfAnotherForm(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\n \"openapi\": \"3.1.0\"\n}", "t: this is an OpenAPI document, not recorded calls; it is read with --openapi"},
		{"openapi: 3.1.0\n", "t: this is an OpenAPI document, not recorded calls; it is read with --openapi"},
		{`{"a": {"required_scopes": []}}`, "t: this is a file of MCP tools, not recorded calls; it is read with --mcp-tools"},
		{"GET /a\n", "t:1: not a recorded call: an object with base, method, path, status and scopes"},
	} {
		if _, err := (evidence.Traffic{}).Read("t", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	for _, text := range []string{"", "\n\n", `{"log": {"entries": []}}`, `{"log": {}}`, `{"log": {"entries": [{"request": {"method": "OPTIONS", "url": "https://us.posthog.com/"}, "response": {"status": 204}}]}}`} {
		e, err := evidence.Traffic{Provider: posthog(t)}.Read("t", strings.NewReader(text))
		if diff := cmp.Diff([]string{"t: holds no call"}, notes(e)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

// secret stands wherever a browser's recording can hold one.
const secret = "phx_s3cr3tS3cr3tS3cr3t"

const har = `{
 "log": {
  "version": "1.2", "creator": {"name": "browser ` + secret + `"}, "pages": [{"title": "` + secret + `"}], "comment": "x",
  "entries": [
   {"startedDateTime": "2026-11-23T10:00:00Z", "request": {"method": "GET", "url": "https://user:` + secret + `@us.posthog.com/api/users/@me/?token=` + secret + `#` + secret + `",
     "headers": [{"name": "Authorization", "value": "Bearer ` + secret + `"}], "cookies": [{"name": "s", "value": "` + secret + `"}], "postData": {"text": "` + secret + `"}},
    "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "` + secret + `"}], "content": {"text": "` + secret + `"}}},
   {"request": {"method": "POST", "url": "https://eu.posthog.com/api/projects/2/dashboards/"},
    "response": {"status": 403, "headers": [], "content": {"text": "{\"detail\":\"API key missing required scope 'dashboard:write'\",\"key\":\"` + secret + `\"}"}}},
   {"request": {"method": "POST", "url": "https://eu.posthog.com/api/projects/2/dashboards/"},
    "response": {"status": 403, "headers": [], "content": {"encoding": "base64", "text": "QVBJIGtleSBtaXNzaW5nIHJlcXVpcmVkIHNjb3BlICdub3RlYm9vazp3cml0ZSc="}}},
   {"request": {"method": "GET", "url": "https://us.posthog.com/api/` + secret + `/x"}, "response": {"status": 200}},
   {"request": {"method": "POST", "url": "https://mcp.posthog.com/mcp"},
    "response": {"status": 403, "headers": [{"name": "www-authenticate", "value": "Bearer scope=\"insight:write\""}], "content": {}}},
   {"request": {"method": "POST", "url": "https://gateway.us.posthog.com/wizard/v1/messages"}, "response": {"status": 401, "content": {"text": "{\"detail\":\"Authentication required\"}"}}},
   {"request": {"method": "OPTIONS", "url": "https://us.posthog.com/api/users/@me/"}, "response": {"status": 204}},
   {"request": {"method": "GET", "url": "https://us.posthog.com/reset/AbCdE-s3cr3t-xYzQw/for;sid=s3cr3t/you@s3cr3t.example/"}, "response": {"status": 200}},
   {"request": {"method": "GET", "url": "https://us.posthog.com.evil.example/api/users/@me/"}, "response": {"status": 200}},
   {"request": {"method": "GET", "url": "https://elsewhere.example/` + secret + `"}, "response": {"status": 200}},
   {"request": {"method": "GET", "url": "https://us.posthog.com/api/never"}, "response": {"status": 0}}
  ]
 }
}
`

func TestHAR(t *testing.T) {
	tr := evidence.Traffic{Provider: posthog(t)}
	e, err := tr.Read("session.har", strings.NewReader(har))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET {api}/api/users/@me/ 200 x1 session.har:7",
		"POST {api}/api/projects/{id}/dashboards/ 403 x1 session.har:9 dashboard:write",
		"POST {api}/api/projects/{id}/dashboards/ 403 x1 session.har:11 notebook:write",
		"GET {api}/api/{secret}/x 200 x1 session.har:12",
		"POST {mcp} 403 x1 session.har:14 insight:write",
		"POST {gateway}/v1/messages 401 x1 session.har:15",
		"GET {api}/reset/{id}/{id}/{id}/ 200 x1 session.har:17",
	}
	if diff := cmp.Diff(want, seen(e)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"session.har: left out: 2 calls to hosts that are not the provider's"}, notes(e)); diff != "" {
		t.Error(diff)
	}
	if all := fmt.Sprintf("%#v", e); strings.Contains(all, "s3cr3t") {
		t.Errorf("the secret survived: %s", all)
	}
}

// Whatever stands in a path that names a thing or could be a secret is gone before anybody
// sees it, however it was recorded.
func TestRecordedPathsAreFolded(t *testing.T) {
	for path, want := range map[string]string{
		"/api/projects/12345/dashboards/":                   "/api/projects/{id}/dashboards/",
		"/api/users/someone@example.com/":                   "/api/users/{id}/",
		"/api/reset/sk-ant-REDACTED-abcdef/":                "/api/reset/{id}/",
		"/api/reset/eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x/": "/api/reset/{id}/",
		"/api/files/a%2Fb%2Fc":                              "/api/files/{id}",
		"/api/users/x;jsessionid=0A1B2C/":                   "/api/users/{id}/",
		"/api/keys/%70hx_short/x":                           "/api/keys/{secret}/x",
		"/api/users/%40me/?token=abc":                       "/api/users/@me/",
		"/api/projects/{id}/feature_flags/":                 "/api/projects/{id}/feature_flags/",
	} {
		line, err := json.Marshal(map[string]any{"base": "api", "method": "GET", "path": path, "status": 200})
		if err != nil {
			t.Fatal(err)
		}
		recording := `{"log": {"entries": [{"request": {"method": "GET", "url": "https://us.posthog.com` + path + `"}, "response": {"status": 200}}]}}`
		for _, text := range []string{string(line), recording} {
			e, err := evidence.Traffic{Provider: posthog(t)}.Read("t", strings.NewReader(text))
			if err != nil || len(e.Traffic) != 1 {
				t.Fatal(path, err, seen(e))
			}
			if got := e.Traffic[0].Operation.Path; got != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
		}
	}
}

// A call is one of the base on which its URL stands: the innermost, on the same host and port.
func TestRecordedURLsHaveABase(t *testing.T) {
	for url, want := range map[string]string{
		"https://US.posthog.com:443/api/users/": "GET {api}/api/users/ 200 x1 t:1",
		"https://us.posthog.com:8443/api/":      "",
		"http://us.posthog.com/api/":            "",
		"https://us.posthog.com/api/../x":       "",
		"https://us.posthog.com/api/%2e%2e/x":   "",
		"://":                                   "",
	} {
		recording := `{"log": {"entries": [{"request": {"method": "GET", "url": "` + url + `"}, "response": {"status": 200}}]}}`
		e, err := evidence.Traffic{Provider: posthog(t)}.Read("t", strings.NewReader(recording))
		if got := strings.Join(seen(e), "; "); err != nil || got != want || (want == "") != (len(notes(e)) == 1) {
			t.Errorf("%s: %q, %q, %v", url, got, notes(e), err)
		}
	}
}

// Files that were joined, or written by a careless tool, are read all the same.
func TestHAROddities(t *testing.T) {
	entry := `{"request": {"method": "GET", "url": "https://us.posthog.com/api/%s/"}, "response": {"status": %s, "headers": [{"name": "X", "value": 7}], "content": {"text": {}}}}`
	one := `{"log": {"entries": [` + fmt.Sprintf(entry, "one", "200.0") + `]}}`
	two := `{"version": 1, "log": {"entries": [` + fmt.Sprintf(entry, "two", "403") + `, ` + fmt.Sprintf(entry, "none", "0") + `]}}`
	e, err := evidence.Traffic{Provider: posthog(t)}.Read("t", strings.NewReader(one+"\n"+two+"\n"))
	if diff := cmp.Diff([]string{"GET {api}/api/one/ 200 x1 t:1", "GET {api}/api/two/ 403 x1 t:2"}, seen(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, more := range []string{"trailing", `{"version": 1}`, `{"log": {"entries": [`, `]`} {
		e, err := evidence.Traffic{Provider: posthog(t)}.Read("t", strings.NewReader(one+"\n"+more))
		if bad, ok := errors.AsType[*evidence.Error](err); !ok || bad.Line != 2 || len(e.Traffic) > 0 {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// A call of an operation that is known is that operation, whatever its path would be folded
// to, and no value of a variable goes on.
func TestKnownOperations(t *testing.T) {
	var uses []scopes.Operation
	for _, text := range []string{"GET {api}/pet/{petId}", "GET {api}/pet/x7KpQ9", "POST {api}/exports_2024/{id}/run", "tool:pet"} {
		u, err := scopes.ParseOperation(text)
		if err != nil {
			t.Fatal(err)
		}
		uses = append(uses, u)
	}
	tr := evidence.Traffic{Provider: posthog(t), Known: scopes.NewOperations(uses)}
	for call, want := range map[string]string{
		"GET /pet/x7KpQ9":               "/pet/x7KpQ9",
		"GET /pet/%78%37KpQ9":           "/pet/x7KpQ9",
		"GET /pet/s3cr3t-token-of-mine": "/pet/{petId}",
		"POST /exports_2024/9/run":      "/exports_2024/{id}/run",
		"PUT /pet/x7KpQ9":               "/pet/{id}",
		"GET /pet/{id}":                 "/pet/{id}",
	} {
		method, path, _ := strings.Cut(call, " ")
		line := fmt.Sprintf(`{"base": "api", "method": %q, "path": %q, "status": 200}`, method, path)
		e, err := tr.Read("t", strings.NewReader(line))
		if err != nil || len(e.Traffic) != 1 || e.Traffic[0].Operation.Path != want {
			t.Errorf("%s: %v %v, want %s", call, err, seen(e), want)
		}
	}
}

// However a recording is broken, its error quotes nothing of it.
func TestHARBroken(t *testing.T) {
	for _, broken := range []string{
		har[:len(har)/2],
		har[:len(har)-8],
		strings.Replace(har, `"status": 200`, `"status": "`+secret+`"`, 1),
		strings.Replace(har, `"method": "GET"`, `"method": {"`+secret+`": 1}`, 1),
		strings.Replace(har, `"entries": [`, `"entries": "`+secret+`", "x": [`, 1),
		`{"log": "` + secret + `"}`,
		`{"log": {"entries": [` + secret + `]}}`,
	} {
		e, err := evidence.Traffic{Provider: posthog(t)}.Read("session.har", strings.NewReader(broken))
		var bad *evidence.Error
		if !errors.As(err, &bad) || bad.Line == 0 || len(e.Traffic) > 0 {
			t.Errorf("%v, %v", err, seen(e))
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(fmt.Sprintf("%v %#v", err, err), "s3cr3t") {
				t.Errorf("the error holds the secret: %#v", err)
			}
		}
	}
}

// endless is a source without an end: of a limit nobody may read past.
type endless struct {
	begin string
	fill  byte
	read  int64
}

func (s *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = s.fill
	}
	if s.read == 0 {
		copy(p, s.begin)
	}
	s.read += int64(len(p))
	return len(p), nil
}

func TestTooLarge(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin string
		fill  byte
		limit int64
		read  func(io.Reader) (audit.Evidence, error)
	}{
		{"OpenAPI", "openapi: 3.1.0\n", '#', evidence.MaxOpenAPI, func(r io.Reader) (audit.Evidence, error) { return evidence.OpenAPI{}.Read("big", r) }},
		{"tools", "{", ' ', evidence.MaxTools, func(r io.Reader) (audit.Evidence, error) { return evidence.Tools{}.Read("big", r) }},
		{"calls", "# ", '\n', evidence.MaxCalls, func(r io.Reader) (audit.Evidence, error) { return evidence.Calls{}.Read("big", r) }},
		{"a HAR's text", `{"log": {"creator": "`, 'x', 4 << 20, func(r io.Reader) (audit.Evidence, error) { return evidence.Traffic{}.ReadLimited("big", r, 4<<20) }},
		{"a line", "{", 'x', 4 << 20, func(r io.Reader) (audit.Evidence, error) { return evidence.Traffic{}.Read("big", r) }},
		{"blank lines", "", '\n', 4 << 20, func(r io.Reader) (audit.Evidence, error) { return evidence.Traffic{}.ReadLimited("big", r, 4<<20) }},
		{"HAR", `{"log": {"entries": [`, ' ', 4 << 20, func(r io.Reader) (audit.Evidence, error) { return evidence.Traffic{}.ReadLimited("big", r, 4<<20) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := &endless{begin: c.begin, fill: c.fill}
			_, err := c.read(source)
			var e *evidence.Error
			if !errors.As(err, &e) || e.Kind != evidence.TooLarge {
				t.Errorf("%v", err)
			}
			if source.read > c.limit+c.limit/2+(1<<20) {
				t.Errorf("read %d bytes, the limit is %d", source.read, c.limit)
			}
		})
	}
}
