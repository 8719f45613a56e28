package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// An mcpServer is the MCP server of every region: JSON-RPC over streamable HTTP, of both
// eras. It leaves out of its catalogue each tool that the token's scopes do not allow,
// without a word.
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
	mux.Handle(path, m.wrap(sharedServer, partMCP, http.HandlerFunc(m.serve)))
	return mux
}

// serve lets only those through whose credential is known.
func (m *mcpServer) serve(w http.ResponseWriter, r *http.Request) {
	b, ok := m.store.bearer(bearerToken(r), "")
	listens := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), eventStream)
	switch legacy := !m.misbehaves(kindModernMCP) && r.Header.Get(versionHeader) != modernVersion; {
	case r.Method != http.MethodPost && (!legacy || !listens && r.Method != http.MethodDelete):
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !ok:
		m.shape.MCP.Refused.write(w, nil, m.origin+resourcePath+m.shape.MCPPath)
	case r.Method == http.MethodPost:
		m.post(w, r, b)
	default:
		m.session(w, r)
	}
}

const (
	sessionHeader = "Mcp-Session-Id"
	versionHeader = "MCP-Protocol-Version"
	eventStream   = "text/event-stream"
)

func (m *mcpServer) post(w http.ResponseWriter, r *http.Request, b bearer) {
	var req rpcRequest
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&req) != nil {
		m.write(w, r, rpcError(http.StatusBadRequest, nil, rpcParseError, "not one JSON-RPC request"))
		return
	}
	modern := req.Params.Meta.Version != "" || r.Header.Get(versionHeader) >= modernVersion
	wrong, refused := m.wrongHead(r, req, modern)
	switch scopes := m.stepUp(req, b); {
	case req.Version != "2.0" || req.Method == "":
		m.write(w, r, rpcError(http.StatusBadRequest, req.ID, rpcInvalidRequest, "not a JSON-RPC 2.0 request"))
	case refused:
		m.write(w, r, wrong)
	case scopes != "":
		m.shape.MCP.Insufficient.write(w, map[string]string{"scope": scopes}, m.origin+resourcePath+m.shape.MCPPath)
	case req.ID == nil: // a notification: nothing is answered
		w.WriteHeader(http.StatusAccepted)
	case modern && req.Method == "subscriptions/listen":
		m.subscription(w, r, req)
	case modern:
		m.write(w, r, m.answerModern(req, b))
	default:
		if req.Method == "initialize" {
			w.Header().Set(sessionHeader, m.sessions.begin())
		}
		m.write(w, r, m.answerLegacy(req, b))
	}
}

// wrongHead is the answer to a request whose version or header fields will not do.
func (m *mcpServer) wrongHead(r *http.Request, req rpcRequest, modern bool) (rpcAnswer, bool) {
	version, body := r.Header.Get(versionHeader), req.Params.Meta.Version
	bad := func(code int, text string) (rpcAnswer, bool) {
		return rpcError(http.StatusBadRequest, req.ID, code, text), true
	}
	switch {
	case !modern && m.misbehaves(kindModernMCP):
		return unsupported(req, req.Params.ProtocolVersion, []string{modernVersion}), true
	case !modern && version != "" && !slices.Contains(legacyVersions(), version), modern && m.misbehaves(kindLegacyMCP):
		return bad(rpcServerError, "Bad Request: Unsupported protocol version (supported versions: "+strings.Join(legacyVersions(), ", ")+")")
	case !modern:
		if id := r.Header.Get(sessionHeader); id != "" && req.Method != "initialize" && m.sessions.context(id) == nil {
			return rpcError(http.StatusNotFound, req.ID, rpcServerError, "Session not found"), true
		}
		return rpcAnswer{}, false
	case body == "" && req.ID != nil:
		return bad(rpcInvalidParams, "_meta lacks io.modelcontextprotocol/protocolVersion")
	case body != "" && body != version:
		return bad(rpcHeaderMismatch, "the header "+versionHeader+" differs from the body")
	case version != modernVersion:
		return unsupported(req, version, []string{modernVersion}), true
	case r.Header.Get("Mcp-Method") != req.Method:
		return bad(rpcHeaderMismatch, "the header Mcp-Method differs from the body")
	case req.ID != nil && req.Params.Meta.Capabilities == nil:
		return bad(rpcInvalidParams, "_meta lacks io.modelcontextprotocol/clientCapabilities")
	}
	if name, is := req.named(); is && decodedName(r.Header.Get("Mcp-Name")) != name {
		return bad(rpcHeaderMismatch, "the header Mcp-Name differs from the body")
	}
	return rpcAnswer{}, false
}

// decodedName is a name that no header field can carry as it is: =?base64?…?=, in this
// very spelling.
func decodedName(value string) string {
	inner, prefixed := strings.CutPrefix(value, "=?base64?")
	inner, ended := strings.CutSuffix(inner, "?=")
	if text, err := base64.StdEncoding.DecodeString(inner); prefixed && ended && err == nil {
		return string(text)
	}
	return value
}

// write answers, as an event stream where the server is one that does so.
func (m *mcpServer) write(w http.ResponseWriter, r *http.Request, a rpcAnswer) {
	if a.status == http.StatusOK && m.misbehaves(kindEventStream) {
		startEvents(w)
		text, _ := json.Marshal(a.body) // what was decoded from JSON, and strings, encodes
		sendEvent(w, r, "message", text)
		return
	}
	writeJSON(w, a.status, a.body)
}

// session ends a session, or opens the stream on which its server speaks unasked.
func (m *mcpServer) session(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(sessionHeader)
	ctx := m.sessions.context(id)
	switch {
	case id == "":
		m.write(w, r, rpcError(http.StatusBadRequest, nil, rpcServerError, "Bad Request: "+sessionHeader+" is required"))
	case ctx == nil:
		m.write(w, r, rpcError(http.StatusNotFound, nil, rpcServerError, "Session not found"))
	case r.Method == http.MethodDelete:
		m.sessions.end(id)
		w.WriteHeader(http.StatusNoContent)
	default:
		startEvents(w)
		m.tellChanges(w, r, ctx, m.sessions.change(), nil)
	}
}

// subscription acknowledges what will be told, and tells it until the client goes.
func (m *mcpServer) subscription(w http.ResponseWriter, r *http.Request, req rpcRequest) {
	changed := m.sessions.change() // before anything is promised
	startEvents(w)
	meta := map[string]any{"io.modelcontextprotocol/subscriptionId": req.ID}
	sendNotification(w, r, "notifications/subscriptions/acknowledged", map[string]any{
		"notifications": map[string]any{"toolsListChanged": req.Params.Notifications.ToolsListChanged}, "_meta": meta,
	})
	if req.Params.Notifications.ToolsListChanged {
		m.tellChanges(w, r, r.Context(), changed, map[string]any{"_meta": meta})
		return
	}
	text, _ := json.Marshal(rpcResult(req.ID, map[string]any{"resultType": "complete", "_meta": meta}).body)
	sendEvent(w, r, "message", text)
}

// tellChanges tells each change of the catalogue until ctx ends or the client goes; changed
// is the next one.
func (m *mcpServer) tellChanges(w http.ResponseWriter, r *http.Request, ctx context.Context, changed <-chan struct{}, params map[string]any) {
	_, _ = w.Write([]byte(": open\n\n")) // a comment, so that the client sees the stream
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case <-changed:
			changed = m.sessions.change()
			sendNotification(w, r, "notifications/tools/list_changed", params)
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}

func sendNotification(w http.ResponseWriter, r *http.Request, method string, params map[string]any) {
	message := map[string]any{"jsonrpc": "2.0", "method": method}
	if params != nil {
		message["params"] = params
	}
	text, _ := json.Marshal(message) // what was decoded from JSON, and strings, encodes
	sendEvent(w, r, "message", text)
}

// mcpSessions are those of the legacy era, and who waits for a change of the catalogue.
type mcpSessions struct {
	mu      sync.Mutex
	open    map[string]mcpSession
	changed chan struct{} // closed at the next change
}

type mcpSession struct {
	ctx context.Context
	end context.CancelFunc
}

func newMCPSessions() *mcpSessions {
	return &mcpSessions{open: map[string]mcpSession{}, changed: make(chan struct{})}
}

func (s *mcpSessions) begin() (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = random("")
	ctx, end := context.WithCancel(context.Background())
	s.open[id] = mcpSession{ctx, end}
	return id
}

// context lives as long as the session; nil where there is none of that id.
func (s *mcpSessions) context(id string) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id].ctx
}

func (s *mcpSessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session, ok := s.open[id]; ok {
		session.end()
		delete(s.open, id)
	}
}

// change is closed once the catalogue has changed.
func (s *mcpSessions) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *mcpSessions) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
