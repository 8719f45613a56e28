package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Error codes of JSON-RPC 2.0 §5.1.
const (
	rpcParseError     = -32700
	rpcInvalidRequest = -32600
	rpcNoMethod       = -32601
	rpcInvalidParams  = -32602
)

type rpcRequest struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Name            string `json:"name"`
		ProtocolVersion string `json:"protocolVersion"`
	} `json:"params"`
}

// An mcpServer is the MCP server of every region: JSON-RPC over HTTP POST, an answer
// for each request. It leaves out of its catalogue each tool that the token's scopes
// do not allow, without a word.
type mcpServer struct {
	*Sandbox
	origin, issuer string
}

func (m *mcpServer) handler() http.Handler {
	mux := http.NewServeMux()
	path := m.shape.MCPPath
	document := m.resourceDocument(m.origin+path, m.issuer, m.shape.ForeignScopes)
	// RFC 9728 §3.1 puts the resource's path after the well-known one.
	mux.Handle("GET "+resourcePath+path, m.wrap(sharedServer, partMetadata, document))
	mux.Handle("GET "+resourcePath, m.wrap(sharedServer, partMetadata, document))
	mux.Handle("POST "+path, m.wrap(sharedServer, partMCP, http.HandlerFunc(m.post)))
	mux.Handle(path, m.wrap(sharedServer, partMCP, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost) // there is no stream to open, and no session to end
		w.WriteHeader(http.StatusMethodNotAllowed)
	})))
	return mux
}

func (m *mcpServer) post(w http.ResponseWriter, r *http.Request) {
	b, ok := m.store.bearer(bearerToken(r), "")
	if !ok {
		m.shape.MCP.Refused.write(w, nil, m.origin+resourcePath+m.shape.MCPPath)
		return
	}
	var req rpcRequest
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&req) != nil {
		writeJSON(w, http.StatusBadRequest, rpcError(nil, rpcParseError, "not one JSON-RPC request"))
		return
	}
	if req.Version != "2.0" || req.Method == "" {
		writeJSON(w, http.StatusBadRequest, rpcError(req.ID, rpcInvalidRequest, "not a JSON-RPC 2.0 request"))
		return
	}
	if req.ID == nil { // a notification: nothing is answered
		w.WriteHeader(http.StatusAccepted)
		return
	}
	writeJSON(w, http.StatusOK, m.answer(req, b))
}

func (m *mcpServer) answer(req rpcRequest, b bearer) map[string]any {
	switch req.Method {
	case "initialize":
		version := req.Params.ProtocolVersion
		if version == "" {
			version = m.shape.MCP.Protocol
		}
		return rpcResult(req.ID, map[string]any{
			"protocolVersion": version, "capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo": map[string]any{"name": m.shape.MCP.Name, "version": m.shape.MCP.Version},
		})
	case "ping":
		return rpcResult(req.ID, map[string]any{})
	case "tools/list":
		return rpcResult(req.ID, map[string]any{"tools": m.catalogue(b)})
	case "tools/call":
		t, ok := m.shape.Tools[req.Params.Name]
		if !ok || m.shape.lacking(b.scopes, t.RequiredScopes) != "" {
			return rpcError(req.ID, rpcInvalidParams, "Unknown tool: "+req.Params.Name)
		}
		return rpcResult(req.ID, map[string]any{
			"content": []any{map[string]any{"type": "text", "text": t.Title + ": done in the sandbox."}}, "isError": false,
		})
	}
	return rpcError(req.ID, rpcNoMethod, "Method not found")
}

// catalogue lists the tools that the bearer may call, by name.
func (m *mcpServer) catalogue(b bearer) []any {
	tools := []any{}
	for _, name := range slices.Sorted(maps.Keys(m.shape.Tools)) {
		if t := m.shape.Tools[name]; m.shape.lacking(b.scopes, t.RequiredScopes) == "" {
			tools = append(tools, map[string]any{
				"name": name, "title": t.Title, "description": t.Title, "annotations": t.Annotations,
				"inputSchema": map[string]any{"type": "object"},
			})
		}
	}
	return tools
}

func rpcResult(id json.RawMessage, result any) map[string]any {
	return map[string]any{"jsonrpc": "2.0", "id": id, "result": result}
}

func rpcError(id json.RawMessage, code int, text string) map[string]any {
	return map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": text}}
}
