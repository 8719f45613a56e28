package agent

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/scopes"
)

// maxCall bounds how much of a call of an MCP tool is kept to find its name, in bytes; most
// have less than 4 KiB.
const maxCall = 256 << 10

// An mcpCall finds out which MCP tool a request calls: by its header field Mcp-Name (MCP
// 2026-07-28), else by its body, whose beginning is kept as it passes.
type mcpCall struct {
	io.ReadCloser
	named string // by the header

	mu    sync.Mutex
	first []byte
}

// listenForTool is nil for a request that is not one of MCP: its clients say that they take
// an event stream as well as JSON, or which revision they speak.
func listenForTool(r *http.Request) *mcpCall {
	accepts := strings.Join(r.Header.Values("Accept"), ",")
	mcp := strings.Contains(accepts, "text/event-stream") && strings.Contains(accepts, "application/json") || r.Header.Get("Mcp-Protocol-Version") != ""
	if r.Method != http.MethodPost || !mcp || r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	c := &mcpCall{ReadCloser: r.Body}
	if r.Header.Get("Mcp-Method") == callsTool {
		c.named = decodedName(r.Header.Get("Mcp-Name"))
	}
	r.Body = c
	return c
}

const callsTool = "tools/call"

// Read keeps the beginning of what passes.
func (c *mcpCall) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.named == "" {
		c.mu.Lock()
		c.first = append(c.first, p[:min(n, maxCall-len(c.first))]...)
		c.mu.Unlock()
	}
	return n, err
}

// tool is the name of the tool; "" where the request calls none, or one that no manifest
// could name.
func (c *mcpCall) tool() string {
	if c == nil {
		return ""
	}
	name := c.named
	if name == "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		var call struct {
			Method string
			Params struct{ Name string }
		}
		if json.Unmarshal(c.first, &call) != nil || call.Method != callsTool {
			return ""
		}
		name = call.Params.Name
	}
	op, err := scopes.ParseOperation("tool:" + name)
	if err != nil {
		return ""
	}
	return op.Tool
}

// decodedName is the name in a header field: =?base64?…?= where no field can carry it as it is.
func decodedName(value string) string {
	inner, prefixed := strings.CutPrefix(value, "=?base64?")
	inner, ended := strings.CutSuffix(inner, "?=")
	if text, err := base64.StdEncoding.DecodeString(inner); prefixed && ended && err == nil {
		return string(text)
	}
	return value
}
