package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// asBearer sends a credential with each request.
type asBearer string

func (b asBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// The real client of MCP gets on with the server in each era and each form of answer.
func TestMCPServesTheRealClient(t *testing.T) {
	for name, tt := range map[string]struct {
		kinds   []string
		version string
	}{
		"both eras":     {nil, "2026-07-28"},
		"modern alone":  {[]string{"modern-mcp"}, "2026-07-28"},
		"legacy alone":  {[]string{"legacy-mcp"}, "2025-11-25"},
		"event streams": {[]string{"event-stream"}, "2026-07-28"},
		"legacy events": {[]string{"event-stream", "legacy-mcp"}, "2025-11-25"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Misbehave: tt.kinds})
			changed := make(chan struct{}, 1)
			client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
				ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
			})
			session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
				Endpoint: s.Ready().MCP, HTTPClient: &http.Client{Transport: asBearer(s.Ready().Keys.Full)},
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := session.InitializeResult().ProtocolVersion; got != tt.version {
				t.Errorf("they agreed on %s, want %s", got, tt.version)
			}
			before := listTools(t, session)
			if !slices.Contains(before, "insight-create") {
				t.Errorf("tools: %v", before)
			}
			got, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "insight-create"})
			if err != nil || got.IsError || !strings.Contains(got.Content[0].(*mcp.TextContent).Text, "done in the sandbox") {
				t.Errorf("call: %+v, %v", got, err)
			}
			s.Shrink("insight:write")
			select {
			case <-changed:
			case <-t.Context().Done():
			}
			if after := listTools(t, session); slices.Contains(after, "insight-create") {
				t.Errorf("still listed: %v", after)
			}
			if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "insight-create"}); err == nil || !strings.Contains(err.Error(), "Unknown tool") {
				t.Errorf("a hidden tool: %v", err)
			}
			if err := session.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func listTools(t *testing.T, session *mcp.ClientSession) []string {
	t.Helper()
	var names []string
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	return names
}

// modern is a request as of 2026-07-28; change may spoil it.
func modern(t *testing.T, s *Sandbox, method, name string, change func(http.Header, map[string]any)) answer {
	t.Helper()
	params := map[string]any{"_meta": map[string]any{
		"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": map[string]any{},
	}}
	if name != "" {
		params["name"] = name
	}
	h := http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {method}, "Mcp-Name": {name}, "Authorization": {"Bearer " + s.Ready().Keys.Full}}
	if change != nil {
		change(h, params)
	}
	body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.Ready().MCP, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	return do(t, http.DefaultClient, req)
}

func TestMCPModernIsStrict(t *testing.T) {
	s := start(t, Options{})
	set := func(name, value string) func(http.Header, map[string]any) {
		return func(h http.Header, _ map[string]any) { h.Set(name, value) }
	}
	meta := func(key string, value any) func(http.Header, map[string]any) {
		return func(_ http.Header, params map[string]any) {
			params["_meta"].(map[string]any)["io.modelcontextprotocol/"+key] = value
		}
	}
	newer := func(h http.Header, params map[string]any) {
		set("Mcp-Protocol-Version", "2027-01-01")(h, params)
		meta("protocolVersion", "2027-01-01")(h, params)
	}
	for name, tt := range map[string]struct {
		method, tool string
		change       func(http.Header, map[string]any)
		status       int
		code         float64 // 0: a result
	}{
		"well":               {"tools/call", "insight-create", nil, 200, 0},
		"a name in base64":   {"tools/call", "insight-create", set("Mcp-Name", "=?base64?aW5zaWdodC1jcmVhdGU=?="), 200, 0},
		"base64, upper case": {"tools/call", "insight-create", set("Mcp-Name", "=?BASE64?aW5zaWdodC1jcmVhdGU=?="), 400, -32020},
		"another method":     {"tools/list", "", set("Mcp-Method", "tools/call"), 400, -32020},
		"another name":       {"tools/call", "insight-create", set("Mcp-Name", "insight-get"), 400, -32020},
		"another version":    {"tools/list", "", set("Mcp-Protocol-Version", "2025-06-18"), 400, -32020},
		"no version in body": {"tools/list", "", meta("protocolVersion", ""), 400, -32602},
		"no capabilities": {"tools/list", "", func(_ http.Header, p map[string]any) {
			delete(p["_meta"].(map[string]any), "io.modelcontextprotocol/clientCapabilities")
		}, 400, -32602},
		"an unknown version":   {"tools/list", "", newer, 400, -32022},
		"an unknown method":    {"no/such", "", nil, 404, -32601},
		"a method of old":      {"ping", "", nil, 404, -32601},
		"an unknown tool":      {"tools/call", "none", nil, 200, -32602},
		"what there is at all": {"server/discover", "", nil, 200, 0},
	} {
		a := modern(t, s, tt.method, tt.tool, tt.change)
		got := a.json(t)
		problem, _ := got["error"].(map[string]any)
		code, _ := problem["code"].(float64)
		if a.Status != tt.status || code != tt.code || a.Header.Get("Mcp-Session-Id") != "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		if tt.code == 0 && at(got, "result", "resultType") != "complete" {
			t.Errorf("%s: of which type is %s", name, a.Body)
		}
		if tt.code == -32022 && at(problem, "data", "supported", 0) != "2026-07-28" {
			t.Errorf("%s: it names no version: %s", name, a.Body)
		}
	}
	if got := modern(t, s, "tools/list", "", nil).json(t); at(got, "result", "cacheScope") != "private" {
		t.Errorf("what one credential sees is not for all: %v", got["result"])
	}
}

// A session has a stream, and ends with it.
func TestMCPSessions(t *testing.T) {
	s := start(t, Options{})
	full := s.Ready().Keys.Full
	id := rpc(t, s, full, "initialize", map[string]any{"protocolVersion": "2025-06-18"}).Header.Get("Mcp-Session-Id")
	if id == "" {
		t.Fatal("no session")
	}
	in := func(method, session string) *http.Request {
		req, _ := http.NewRequestWithContext(t.Context(), method, s.Ready().MCP, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
		req.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer " + full}, "Mcp-Protocol-Version": {"2025-06-18"}}
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		return req
	}
	stream, err := http.DefaultClient.Do(in("GET", id))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Scan() // it is open
	s.Shrink("insight:write")
	told := false
	for !told && lines.Scan() {
		told = strings.Contains(lines.Text(), `"notifications/tools/list_changed"`)
	}
	if !told {
		t.Error("the change was not told")
	}
	if a := do(t, http.DefaultClient, in("DELETE", id)); a.Status != 204 {
		t.Errorf("DELETE: %d", a.Status)
	}
	for lines.Scan() { // the stream ends with its session, else this hangs
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if a := do(t, http.DefaultClient, in(method, id)); a.Status != 404 {
			t.Errorf("%s in a session that has ended: %d %s", method, a.Status, a.Body)
		}
	}
	if a := do(t, http.DefaultClient, in("GET", "")); a.Status != 400 {
		t.Errorf("a stream of no session: %d", a.Status)
	}
	wrong := in("POST", "")
	wrong.Header.Set("Mcp-Protocol-Version", "2019-01-01")
	if a := do(t, http.DefaultClient, wrong); a.Status != 400 {
		t.Errorf("a version that never was: %d", a.Status)
	}
}

// With step-up every tool is listed, and a call names what it needs, all at once.
func TestMCPStepsUp(t *testing.T) {
	s := start(t, Options{Misbehave: []string{"step-up"}})
	none := s.Ready().MoreKeys["no_scopes"]
	if got := toolNames(t, s, none); len(got) != len(s.shape.Tools) {
		t.Errorf("%d tools of %d", len(got), len(s.shape.Tools))
	}
	a := rpc(t, s, none, "tools/call", map[string]any{"name": "query-funnel-actors"})
	challenge := a.Header.Get("WWW-Authenticate")
	if a.Status != 403 || !strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, `scope="query:read person:read"`) {
		t.Errorf("%d %s", a.Status, challenge)
	}
	if a := rpc(t, s, s.Ready().Keys.Full, "tools/call", map[string]any{"name": "query-funnel-actors"}); a.Status != 200 {
		t.Errorf("with the scopes: %d %s", a.Status, a.Body)
	}
}
