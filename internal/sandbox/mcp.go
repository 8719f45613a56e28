package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Error codes of JSON-RPC 2.0 §5.1, and those that MCP 2026-07-28 adds.
const (
	rpcParseError     = -32700
	rpcInvalidRequest = -32600
	rpcNoMethod       = -32601
	rpcInvalidParams  = -32602

	rpcServerError        = -32000
	rpcHeaderMismatch     = -32020
	rpcUnsupportedVersion = -32022
)

// modernVersion is the revision since which there are no sessions; legacyVersions are
// those before it that this transport is of, the newest first.
const modernVersion = "2026-07-28"

func legacyVersions() []string { return []string{"2025-11-25", "2025-06-18", "2025-03-26"} }

type rpcRequest struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Name            string `json:"name"`
		URI             string `json:"uri"`
		ProtocolVersion string `json:"protocolVersion"`
		Notifications   struct {
			ToolsListChanged bool `json:"toolsListChanged"`
		} `json:"notifications"`
		Meta struct {
			Version      string          `json:"io.modelcontextprotocol/protocolVersion"`
			Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
		} `json:"_meta"`
	} `json:"params"`
}

// named is what the request is about, as Mcp-Name says it.
func (r rpcRequest) named() (name string, is bool) {
	switch r.Method {
	case "tools/call", "prompts/get":
		return r.Params.Name, true
	case "resources/read":
		return r.Params.URI, true
	}
	return "", false
}

// An rpcAnswer is the answer to one request, and the status that it comes with.
type rpcAnswer struct {
	status int
	body   map[string]any
}

func rpcResult(id json.RawMessage, result map[string]any) rpcAnswer {
	return rpcAnswer{http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": id, "result": result}}
}

func rpcError(status int, id json.RawMessage, code int, text string) rpcAnswer {
	return rpcAnswer{status, map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": text}}}
}

// unsupported names the versions that would do.
func unsupported(req rpcRequest, asked string, supported []string) rpcAnswer {
	a := rpcError(http.StatusBadRequest, req.ID, rpcUnsupportedVersion, "Unsupported protocol version")
	a.body["error"].(map[string]any)["data"] = map[string]any{"supported": supported, "requested": asked}
	return a
}

// answerLegacy answers as up to 2025-11-25.
func (m *mcpServer) answerLegacy(req rpcRequest, b bearer) rpcAnswer {
	switch req.Method {
	case "initialize":
		version := req.Params.ProtocolVersion
		if !slices.Contains(legacyVersions(), version) {
			version = legacyVersions()[0]
		}
		return rpcResult(req.ID, map[string]any{
			"protocolVersion": version, "capabilities": mcpCapabilities(), "serverInfo": m.info(),
		})
	case "ping":
		return rpcResult(req.ID, map[string]any{})
	}
	return m.answer(req, b)
}

// answerModern answers as since 2026-07-28: a result says of which type it is, a list how
// long it holds, and a method that nobody knows is a 404.
func (m *mcpServer) answerModern(req rpcRequest, b bearer) rpcAnswer {
	var a rpcAnswer
	if req.Method == "server/discover" {
		a = rpcResult(req.ID, map[string]any{"supportedVersions": []string{modernVersion}, "capabilities": mcpCapabilities()})
	} else if a = m.answer(req, b); a.body["error"] != nil {
		if a.body["error"].(map[string]any)["code"] == rpcNoMethod {
			a.status = http.StatusNotFound
		}
		return a
	}
	result := a.body["result"].(map[string]any)
	result["resultType"] = "complete"
	result["_meta"] = map[string]any{"io.modelcontextprotocol/serverInfo": m.info()}
	if req.Method != "tools/call" { // the catalogue is that of one credential
		result["ttlMs"], result["cacheScope"] = 0, "private"
	}
	return a
}

// answer is what both eras have in common.
func (m *mcpServer) answer(req rpcRequest, b bearer) rpcAnswer {
	switch req.Method {
	case "tools/list":
		return rpcResult(req.ID, map[string]any{"tools": m.catalogue(b)})
	case "tools/call":
		t, ok := m.shape.Tools[req.Params.Name]
		if !ok || m.shape.lacking(b.scopes, t.RequiredScopes) != "" {
			return rpcError(http.StatusOK, req.ID, rpcInvalidParams, "Unknown tool: "+req.Params.Name)
		}
		return rpcResult(req.ID, map[string]any{
			"content": []any{map[string]any{"type": "text", "text": t.Title + ": done in the sandbox."}}, "isError": false,
		})
	}
	return rpcError(http.StatusOK, req.ID, rpcNoMethod, "Method not found")
}

func mcpCapabilities() map[string]any {
	return map[string]any{"tools": map[string]any{"listChanged": true}}
}

func (m *mcpServer) info() map[string]any {
	return map[string]any{"name": m.shape.MCP.Name, "version": m.shape.MCP.Version}
}

// catalogue lists the tools that the bearer may call, by name; every one where the server
// asks for more scopes in mid-session.
func (m *mcpServer) catalogue(b bearer) []any {
	tools, all := []any{}, m.misbehaves(kindStepUp)
	for _, name := range slices.Sorted(maps.Keys(m.shape.Tools)) {
		if t := m.shape.Tools[name]; all || m.shape.lacking(b.scopes, t.RequiredScopes) == "" {
			tools = append(tools, map[string]any{
				"name": name, "title": t.Title, "description": t.Title, "annotations": t.Annotations,
				"inputSchema": map[string]any{"type": "object"},
			})
		}
	}
	return tools
}

// stepUp is the scopes, separated by spaces, that the bearer lacks for a tools/call; ""
// where there are none, or where the server hides such tools.
func (m *mcpServer) stepUp(req rpcRequest, b bearer) string {
	if req.Method != "tools/call" || !m.misbehaves(kindStepUp) {
		return ""
	}
	lacking := slices.DeleteFunc(slices.Clone(m.shape.Tools[req.Params.Name].RequiredScopes), func(scope string) bool {
		return m.shape.lacking(b.scopes, []string{scope}) == ""
	})
	return strings.Join(lacking, " ")
}
