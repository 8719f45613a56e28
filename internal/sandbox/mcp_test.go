package sandbox

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func rpc(t *testing.T, s *Sandbox, credential, method string, params any) answer {
	t.Helper()
	return send(t, "POST", s.Ready().MCP, credential, map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

func toolNames(t *testing.T, s *Sandbox, credential string) []string {
	t.Helper()
	var names []string
	for _, entry := range rpc(t, s, credential, "tools/list", nil).json(t)["result"].(map[string]any)["tools"].([]any) {
		names = append(names, entry.(map[string]any)["name"].(string))
	}
	return names
}

func TestMCPHidesToolsWithoutAWord(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	all := toolNames(t, s, s.Ready().Keys.Full)
	if len(all) != len(s.shape.Tools) || !slices.Equal(all, slices.Sorted(maps.Keys(s.shape.Tools))) {
		t.Errorf("%d tools of %d", len(all), len(s.shape.Tools))
	}
	token := newLogin(t, s).tokens("query:read")["access_token"].(string)
	got := toolNames(t, s, token)
	if !slices.Contains(got, "query-trends") || slices.Contains(got, "insight-create") {
		t.Errorf("with query:read: %v", got)
	}
	if slices.Contains(got, "query-funnel-actors") { // needs person:read too
		t.Error("a tool with one of its two scopes is listed")
	}
	s.Shrink("query:read")
	if got := toolNames(t, s, token); len(got) != 0 {
		t.Errorf("after the scope is gone: %v", got)
	}
}

func TestMCPCalls(t *testing.T) {
	s := start(t, Options{})
	full, read := s.Ready().Keys.Full, s.Ready().Keys.ReadOnly
	call := func(credential, tool string) map[string]any {
		return rpc(t, s, credential, "tools/call", map[string]any{"name": tool, "arguments": map[string]any{}}).json(t)
	}
	if got := call(full, "insight-create"); got["error"] != nil || got["result"].(map[string]any)["isError"] != false {
		t.Errorf("call: %v", got)
	}
	for _, tool := range []string{"insight-create", "no-such-tool"} { // a hidden one is unknown
		if got := call(read, tool); got["error"].(map[string]any)["message"] != "Unknown tool: "+tool {
			t.Errorf("%s: %v", tool, got)
		}
	}
}

func TestMCPSpeaksJSONRPC(t *testing.T) {
	s := start(t, Options{})
	full := s.Ready().Keys.Full
	got := rpc(t, s, full, "initialize", map[string]any{"protocolVersion": "2025-03-26"}).json(t)["result"].(map[string]any)
	if got["protocolVersion"] != "2025-03-26" || got["capabilities"].(map[string]any)["tools"] == nil {
		t.Errorf("initialize: %v", got)
	}
	note := map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"}
	if a := send(t, "POST", s.Ready().MCP, full, note); a.Status != 202 || a.Body != "" {
		t.Errorf("notification: %d %q", a.Status, a.Body)
	}
	if got := rpc(t, s, full, "no/such", nil).json(t); got["error"].(map[string]any)["code"] != -32601.0 {
		t.Errorf("unknown method: %v", got)
	}
	if a := send(t, "POST", s.Ready().MCP, full, []int{1}); a.Status != 400 {
		t.Errorf("no request: %d %s", a.Status, a.Body)
	}
	if a := send(t, "GET", s.Ready().MCP, full, nil); a.Status != 405 {
		t.Errorf("GET: %d", a.Status)
	}
}

func TestMCPRefusesAndPointsToItsDocument(t *testing.T) {
	s := start(t, Options{})
	a := rpc(t, s, s.Ready().Keys.Expired, "tools/list", nil)
	_, at, _ := strings.Cut(a.Header.Get("WWW-Authenticate"), `resource_metadata="`)
	if a.Status != 401 || at == "" {
		t.Fatalf("%d %v", a.Status, a.Header)
	}
	got := send(t, "GET", strings.TrimSuffix(at, `"`), "", nil).json(t)
	if got["resource"] != s.Ready().MCP || got["authorization_servers"].([]any)[0] != s.Ready().Issuer {
		t.Errorf("document %v", got)
	}
	if a := rpc(t, s, s.Ready().Keys.OtherRegion, "tools/list", nil); a.Status != 200 {
		t.Errorf("it serves every region: %d", a.Status)
	}
}
