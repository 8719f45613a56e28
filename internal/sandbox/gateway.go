package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A gateway is the LLM gateway of a region: it speaks enough of the Anthropic Messages
// API for its clients, and asks no model.
type gateway struct {
	*Sandbox
	region string
}

// maxMessages bounds a request to the gateway; an agent's are under 1 MiB.
const maxMessages = 64 << 20

func (g *gateway) handler() http.Handler {
	base := g.shape.GatewayPath
	mux := http.NewServeMux()
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, g.wrap(g.region, partGateway, h)) }
	// Agents look whether someone is there before they show a credential.
	handle("HEAD "+base, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	handle("HEAD "+base+"/{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	handle("POST "+base+"/v1/messages", g.guarded(g.messages))
	handle("POST "+base+"/v1/messages/count_tokens", g.guarded(g.countTokens))
	handle("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, base+"/v1/messages") && r.Method != http.MethodPost {
			g.shape.Gateway.WrongMethod.write(w, nil, "")
			return
		}
		g.shape.Gateway.NotFound.write(w, nil, "")
	})
	return mux
}

// guarded lets only those through who may use the gateway. It tells nobody why not.
func (g *gateway) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// With two credentials the key decides: so a leftover key shadows a login.
		credential := r.Header.Get("X-Api-Key")
		if credential == "" {
			credential = bearerToken(r)
		}
		b, ok := g.store.bearer(credential, g.region)
		switch {
		case !ok || g.shape.lacking(b.scopes, g.shape.Gateway.Scopes) != "":
			g.shape.Gateway.Refused.write(w, nil, "")
		case b.noProduct:
			g.shape.Gateway.NoProduct.write(w, nil, "")
		default:
			next(w, r)
		}
	}
}

type messagesRequest struct {
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
}

// readMessages reads a request; not ok was answered already.
func readMessages(w http.ResponseWriter, r *http.Request) (req messagesRequest, size int, ok bool) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessages))
	if err == nil {
		err = json.Unmarshal(text, &req)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{
			"type": "error", "error": map[string]any{"type": "invalid_request_error", "message": "the body is not a messages request"},
		})
		return req, 0, false
	}
	return req, len(text), true
}

// bytesPerToken is a usual guess; nobody is billed by it.
const bytesPerToken = 4

func (g *gateway) countTokens(w http.ResponseWriter, r *http.Request) {
	if _, size, ok := readMessages(w, r); ok {
		writeJSON(w, http.StatusOK, map[string]any{"input_tokens": size / bytesPerToken})
	}
}

func (g *gateway) messages(w http.ResponseWriter, r *http.Request) {
	req, size, ok := readMessages(w, r)
	if !ok {
		return
	}
	pieces := g.pieces(r)
	if req.Stream {
		g.stream(w, r, req.Model, size/bytesPerToken, pieces)
		return
	}
	m := message(req.Model, size/bytesPerToken)
	m["content"] = []any{map[string]any{"type": "text", "text": strings.Join(pieces, "")}}
	m["stop_reason"] = "end_turn"
	m["usage"] = usage(size/bytesPerToken, len(pieces))
	writeJSON(w, http.StatusOK, m)
}

// maxPieces bounds what ?events= can ask for.
const maxPieces = 100_000

// pieces is the reply, a word each; ?events=N asks for that many in place of it.
func (g *gateway) pieces(r *http.Request) []string {
	if n, err := strconv.Atoi(r.URL.Query().Get("events")); err == nil && n > 0 {
		pieces := make([]string, min(n, maxPieces))
		for i := range pieces {
			pieces[i] = "event " + strconv.Itoa(i+1) + " "
		}
		return pieces
	}
	return strings.SplitAfter(g.shape.Gateway.Reply, " ")
}

func message(model string, input int) map[string]any {
	return map[string]any{
		"id": "msg_" + random("")[:24], "type": "message", "role": "assistant", "model": model, "content": []any{},
		"stop_reason": nil, "stop_sequence": nil, "usage": usage(input, 1),
	}
}

func usage(input, output int) map[string]any {
	return map[string]any{
		"input_tokens": input, "output_tokens": output, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
	}
}

// stream sends the reply as server-sent events in the order of the Messages API, each
// on its way before the next is made. ?pause=10ms waits between them.
func (g *gateway) stream(w http.ResponseWriter, r *http.Request, model string, input int, pieces []string) {
	wait, _ := time.ParseDuration(r.URL.Query().Get("pause"))
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	control := http.NewResponseController(w)
	send := func(kind string, members map[string]any) bool {
		members["type"] = kind
		text, _ := json.Marshal(members) // strings and numbers encode
		_, err := w.Write([]byte("event: " + kind + "\ndata: " + string(text) + "\n\n"))
		return err == nil && control.Flush() == nil && r.Context().Err() == nil
	}
	ok := send("message_start", map[string]any{"message": message(model, input)}) &&
		send("content_block_start", map[string]any{"index": 0, "content_block": map[string]any{"type": "text", "text": ""}}) &&
		send("ping", map[string]any{})
	for _, piece := range pieces {
		if wait > 0 {
			pause(r, wait)
		}
		if !ok {
			return
		}
		ok = send("content_block_delta", map[string]any{"index": 0, "delta": map[string]any{"type": "text_delta", "text": piece}})
	}
	_ = ok && send("content_block_stop", map[string]any{"index": 0}) &&
		send("message_delta", map[string]any{
			"delta": map[string]any{"stop_reason": "end_turn", "stop_sequence": nil}, "usage": map[string]any{"output_tokens": len(pieces)},
		}) &&
		send("message_stop", map[string]any{})
}
