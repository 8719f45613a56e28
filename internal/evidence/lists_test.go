package evidence_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func TestTools(t *testing.T) {
	for _, c := range []struct {
		name, text  string
		want, notes []string
		err         string
	}{
		{
			name: "by name", text: "{\n \"a\": {\"title\": \"Does A\", \"required_scopes\": [\"x:read\", \"y:read\", \"x:read\"]},\n \"b\": {\"required_scopes\": []}\n}",
			want: []string{"tool:a: x:read+y:read", "tool:b: nothing"},
		},
		{name: "as a list", text: `[{"name": "a", "required_scopes": ["x"]}]`, want: []string{"tool:a: x"}},
		{name: "as an answer", text: `{"tools": [{"name": "a", "required_scopes": ["x"]}], "nextCursor": "n"}`, want: []string{"tool:a: x"}},
		{name: "as a JSON-RPC answer", text: `{"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "a", "required_scopes": ["x"]}]}}`, want: []string{"tool:a: x"}},
		{name: "tools and result can be names", text: `{"tools": {"required_scopes": ["x"]}, "result": {"required_scopes": ["y"]}}`, want: []string{"tool:tools: x", "tool:result: y"}},
		{name: "log and openapi can be names", text: `{"log": {"title": "all \"entries\"", "required_scopes": ["x"]}, "openapi": {"required_scopes": ["y"]}}`, want: []string{"tool:log: x", "tool:openapi: y"}},
		{name: "no scopes named", text: "{\n\"a\": {}}", want: []string{"tool:a: silent"}, notes: []string{"tools.json:2: tool a names no scopes"}},
		{
			name: "named twice", text: "{\"a\": {\"required_scopes\": [\"x\"]},\n\"a\": {\"required_scopes\": [\"y\"]}}",
			want: []string{"tool:a: x", "tool:a: y"}, notes: []string{"tools.json:2: tool a also stands on line 1: both count"},
		},
		{name: "nothing", text: "{}", notes: []string{"tools.json: names no tool that can be used"}},
		{name: "empty", text: "", err: "tools.json:1: not JSON: unexpected end of JSON input"},
		{name: "broken", text: "{\n\"a\": {}\n\"b\"}", err: "tools.json:3: not JSON: invalid character '\"' after object key:value pair"},
		{name: "a word", text: `"a"`, err: "tools.json:1: tools are an object or a list"},
		{name: "no object", text: "{\n\"a\": 1}", err: `tools.json:2: tool "a" is not an object`},
		{name: "a name that is no text", text: `[{"name": ["a"]}]`, err: `tools.json:1: tool "": name and title are text`},
		{name: "no list", text: `{"a": {"required_scopes": [["x"]]}}`, err: `tools.json:1: tool "a": required_scopes: expected a word, a list of words, or an object whose keys are words`},
		{name: "no scope", text: `{"a": {"required_scopes": ["x y"]}}`, err: `tools.json:1: tool "a": required_scopes: "x y" is not a scope: a scope may not contain " " (RFC 6749 §3.3)`},
		{name: "no name", text: `[{"required_scopes": ["x"]}]`, notes: []string{`tools.json:1: "" cannot name a tool, and is left out`, "tools.json: names no tool that can be used"}},
		{
			name: "a name for the terminal", text: "{\"a\\u001b[2J\": {}, \"b\": {\"required_scopes\": [\"x\"]}}", want: []string{"tool:b: x"},
			notes: []string{`tools.json:1: "a\x1b[2J" cannot name a tool, and is left out`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := evidence.Tools{}.Read("tools.json", strings.NewReader(c.text))
			if c.err != "" {
				var typed *evidence.Error
				if !errors.As(err, &typed) || err.Error() != c.err {
					t.Fatalf("got %v, want %s", err, c.err)
				}
				return
			}
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

func TestToolsSample(t *testing.T) {
	e, err := evidence.Tools{}.Read("mcp-tools-sample.json", open(t, "mcp-tools-sample.json"))
	if err != nil || len(e.Notes) > 0 {
		t.Fatal(err, notes(e))
	}
	first := e.Requirements[0]
	if len(e.Requirements) < 50 || first.Operation.Tool != "annotation-create" || first.Title != "Create annotation" || first.Where.Line != 2 || first.AnyOf[0][0] != "annotation:write" {
		t.Errorf("%d tools, the first is %+v", len(e.Requirements), first)
	}
}

func TestCalls(t *testing.T) {
	e, err := evidence.Calls{}.Read("calls.txt", strings.NewReader("\ufeff# what it does\r\n\nGET \t /api/users/@me/\r\npost {gateway}/v1/messages\ntool:insight-*"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range e.Calls {
		got = append(got, c.Where.String()+" "+c.Operation.String())
	}
	if diff := cmp.Diff([]string{"calls.txt:3 GET {api}/api/users/@me/", "calls.txt:4 POST {gateway}/v1/messages", "calls.txt:5 tool:insight-*"}, got); diff != "" {
		t.Error(diff)
	}
	if e, err := (evidence.Calls{}).Read("calls.txt", strings.NewReader("# none\n")); err != nil || e.Calls == nil {
		t.Errorf("a list of nothing is a list: %v, %v", e.Calls, err)
	}
	_, err = evidence.Calls{Base: "b"}.Read("calls.txt", strings.NewReader("get /ok\nfetch /a\nGET a\nGET /a b\nGET /a?b=c\n"))
	want := `calls.txt:2: unknown method "FETCH" (allowed: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS)
calls.txt:3: "GET a" is neither METHOD /path nor tool:NAME
calls.txt:4: "GET /a b" is neither METHOD /path nor tool:NAME
calls.txt:5: "GET /a?…": a path has no query`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	// A recording that was given as a list is not quoted.
	_, err = evidence.Calls{}.Read("t.har", strings.NewReader(har))
	if err == nil || !strings.Contains(err.Error(), "--traffic") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v", err)
	}
}

// A call can be a URL: what people see of their program's calls.
func TestCallsByURL(t *testing.T) {
	c := evidence.Calls{Server: provider.Server{Issuer: "https://id.example", Bases: []provider.Base{{Name: "www", URL: "https://www.example"}, {Name: "drive", URL: "https://www.example/drive/v3"}}}}
	e, err := c.Read("calls.txt", strings.NewReader("get https://WWW.example/drive/v3/files/{id}\nPOST https://www.example/upload\nGET https://www.example"))
	var got []string
	for _, c := range e.Calls {
		got = append(got, c.Operation.String())
	}
	if diff := cmp.Diff([]string{"GET {drive}/files/{id}", "POST {www}/upload", "GET {www}/"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	_, err = c.Read("calls.txt", strings.NewReader("GET https://me:hush@other.example/a\nGET https://www.example/a?key=hush\nGET ://x\nGET https:///a\nGET ftp://www.example/a\nGET https://www.example/../a"))
	want := `calls.txt:1: "https://other.example/a" stands on no base of the provider
calls.txt:2: "https://www.example/a": a path has no query
calls.txt:3: "://x" stands on no base of the provider
calls.txt:4: "https:///a" stands on no base of the provider
calls.txt:5: "ftp://www.example/a" stands on no base of the provider
calls.txt:6: "https://www.example/../a" stands on no base of the provider`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// What stands in two documents is needed as each says, and a note tells.
func TestOperationInTwoDocuments(t *testing.T) {
	var all audit.Evidence
	for _, d := range []struct{ file, scope string }{{"one.yaml", "a:read"}, {"two.yaml", "b:read"}, {"three.yaml", "a:read"}} {
		e, err := evidence.OpenAPI{}.Read(d.file, strings.NewReader("openapi: 3.1.0\npaths: {/a: {get: {security: [{k: ['"+d.scope+"']}]}}}"))
		if err != nil {
			t.Fatal(err)
		}
		all.Merge(e)
	}
	if diff := cmp.Diff([]string{"GET {api}/a: a:read", "GET {api}/a: b:read", "GET {api}/a: a:read"}, described(all)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"two.yaml:2: GET {api}/a is also in one.yaml:2, with other scopes: both count"}, notes(all)); diff != "" {
		t.Error(diff)
	}
}

// Another kind of file is told as what it is, with the flag that reads it.
func TestToolsAreNoRecording(t *testing.T) {
	const wanted = ", not a file of MCP tools; it is read with "
	for _, c := range []struct{ text, want string }{
		{har, "t: this is a HAR file" + wanted + "--traffic"},
		{har[:len(har)/2], "t: this is a HAR file" + wanted + "--traffic"},
		{`{"log": {"entries": []}}`, "t: this is a HAR file" + wanted + "--traffic"},
		{`{"base":"api","method":"GET","path":"/a","status":200}` + "\n{}", "t: this is a recording of ambit run" + wanted + "--traffic"},
		{`{"openapi": "3.1.0", "paths": {}}`, "t: this is an OpenAPI document" + wanted + "--openapi"},
		{`{"paths": {}, "swagger": "2.0"}`, "t: this is an OpenAPI document" + wanted + "--openapi"},
		{"info: {}\nopenapi: 3.1.0\n", "t: this is an OpenAPI document" + wanted + "--openapi"},
	} {
		if _, err := (evidence.Tools{}).Read("t", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	// A tool can be called so.
	e, err := evidence.Tools{}.Read("t", strings.NewReader(`{"log": {"required_scopes": ["x"], "inputSchema": {"entries": {}}}, "openapi": {"required_scopes": []}}`))
	if diff := cmp.Diff([]string{"tool:log: x", "tool:openapi: nothing"}, described(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// Of a wrong line little is quoted, and never what may be a token.
func TestCallsQuoteLittle(t *testing.T) {
	const long = "abcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct{ text, want string }{
		{"GET https://a.example/b?token=" + secret, `t:1: "https://a.example/b": a path has no query`},
		{"GET https://" + secret + "@a.example/b", `t:1: "https://a.example/b" stands on no base of the provider`},
		{"curl -H 'Cookie: abcdefghijklmnopqrstuvwx; " + secret, `t:1: "curl -H 'Cookie: abcdefghijklmnopqrstuvw…" is neither METHOD /path nor tool:NAME`},
		{long + long + secret + " /a", `t:1: "` + long + `abcdefghijklmn…" is neither METHOD /path nor tool:NAME`},
		{"GET /a#access_token=" + secret, `t:1: "GET /a#…": a path has no query and no fragment`},
		{"GET /" + long + "/{" + long + secret, `t:1: "GET /` + long + `/{abcdefg…": a segment of the path holds at most one {param}`},
		{"tool:" + long + long + secret + "\x01", `t:1: "tool:` + long + `abcdefghi…" names no tool: write tool:NAME`},
		{"\xff\xfe{\x00", "t:1: this is not a list of METHOD /path: it is not text in UTF-8"},
	} {
		_, err := evidence.Calls{}.Read("t", strings.NewReader(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(fmt.Sprintf("%#v", err), "s3cr3t") {
				t.Errorf("the error holds the secret: %#v", err)
			}
		}
	}
}
