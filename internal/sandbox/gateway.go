package sandbox

import (
	"encoding/json"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A gateway is the LLM gateway of a region: it speaks the languages of the shape, enough
// of each for its clients, and asks no model.
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
	wrongMethod := func(w http.ResponseWriter, _ *http.Request) { g.shape.Gateway.WrongMethod.write(w, nil, "") }
	// Agents look whether someone is there before they show a credential.
	handle("HEAD "+base, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	handle("HEAD "+base+"/{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, l := range g.shape.Models.Lists {
		handle("GET "+base+l.Path, g.guarded(g.models(l)))
	}
	acted := map[string][]language{} // those whose last segment is {model}:action share a pattern
	for _, l := range g.shape.Models.Languages {
		if prefix, _, found := strings.Cut(l.Path, "{model}"); found {
			acted[prefix] = append(acted[prefix], l)
			continue
		}
		handle("POST "+base+l.Path, g.guarded(func(w http.ResponseWriter, r *http.Request) { g.speak(w, r, l, "", false) }))
		handle(base+l.Path, wrongMethod)
	}
	for prefix, languages := range acted {
		handle("POST "+base+prefix+"{call}", g.guarded(g.action(prefix, languages)))
		handle(base+prefix+"{call}", wrongMethod)
	}
	handle("/", g.notFound)
	return mux
}

func (g *gateway) notFound(w http.ResponseWriter, _ *http.Request) {
	g.shape.Gateway.NotFound.write(w, nil, "")
}

// keyHeaders are where clients put a key of their own sort. A key decides over a bearer
// token beside it: so a leftover key shadows a login.
func keyHeaders() []string { return []string{"X-Api-Key", "X-Goog-Api-Key"} }

// guarded lets only those through who may use the gateway. It tells nobody why not.
func (g *gateway) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		credential := bearerToken(r)
		for _, name := range slices.Backward(keyHeaders()) {
			if key := r.Header.Get(name); key != "" {
				credential = key
			}
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

// models lists the models of the shape.
func (g *gateway) models(l modelList) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		names := g.shape.Models.Models
		each := make([]any, 0, len(names))
		for _, id := range names {
			each = append(each, fill(l.Each, map[string]any{"id": id, "path": "models/" + id}))
		}
		writeJSON(w, http.StatusOK, fill(l.Whole, map[string]any{"models": each, "first": names[0], "last": names[len(names)-1]}))
	}
}

// action finds the language whose path ends with the action that the request names.
func (g *gateway) action(prefix string, languages []language) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		model, action, _ := strings.Cut(r.PathValue("call"), ":")
		pattern := prefix + "{model}:" + action
		for _, l := range languages {
			if pattern == l.Path || pattern == l.Stream {
				g.speak(w, r, l, model, pattern == l.Stream)
				return
			}
		}
		g.notFound(w, r)
	}
}

// bytesPerToken is a usual guess; nobody is billed by it.
const bytesPerToken = 4

// speak answers in a language. Model and stream are what the path says; the body can say
// them too.
func (g *gateway) speak(w http.ResponseWriter, r *http.Request, l language, model string, stream bool) {
	var asked struct {
		Model  string
		Stream bool
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessages))
	if err == nil {
		err = json.Unmarshal(text, &asked)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, fill(l.Error, map[string]any{"text": "the body is not a request that this endpoint knows"}))
		return
	}
	if model == "" {
		model = asked.Model
	}
	pieces := g.pieces(r)
	input, output := len(text)/bytesPerToken, len(pieces)
	words := map[string]any{
		"model": model, "text": strings.Join(pieces, ""), "input": input, "output": output, "total": input + output,
		"message": "msg_" + random("")[:24], "response": "resp_" + random("")[:24], "chat": "chatcmpl-" + random("")[:24], "now": g.now().Unix(),
	}
	switch {
	case l.Piece.Data == nil || !stream && !asked.Stream:
		writeJSON(w, http.StatusOK, fill(l.Whole, words))
	case stream && r.URL.Query().Get("alt") != "sse":
		g.array(w, r, l.events(r, words, pieces))
	default:
		g.events(w, r, l.events(r, words, pieces), l.Last)
	}
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

// events are those of a reply in the order of the language: its name, and its data as
// JSON. ?pause=10ms waits before each piece.
func (l language) events(r *http.Request, words map[string]any, pieces []string) iter.Seq2[string, []byte] {
	wait, _ := time.ParseDuration(r.URL.Query().Get("pause"))
	return func(yield func(string, []byte) bool) {
		words, order := maps.Clone(words), 0
		next := func(e modelEvent) bool {
			words["order"] = order
			order++
			text, _ := json.Marshal(fill(e.Data, words)) // what YAML and these words hold encodes
			return yield(e.Event, text)
		}
		for _, e := range l.Begin {
			if !next(e) {
				return
			}
		}
		for _, piece := range pieces {
			if wait > 0 {
				pause(r, wait)
			}
			if words["piece"] = piece; !next(l.Piece) {
				return
			}
		}
		for _, e := range l.End {
			if !next(e) {
				return
			}
		}
	}
}

// events sends server-sent events, each on its way before the next is made; last is what
// the stream says at its end, "" for nothing.
func (g *gateway) events(w http.ResponseWriter, r *http.Request, events iter.Seq2[string, []byte], last string) {
	startEvents(w)
	for name, data := range events {
		if !sendEvent(w, r, name, data) {
			return
		}
	}
	if last != "" {
		sendEvent(w, r, "", []byte(last))
	}
}

func startEvents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
}

// sendEvent sends one event, and reports whether the client is still there.
func sendEvent(w http.ResponseWriter, r *http.Request, name string, data []byte) bool {
	if name != "" {
		name = "event: " + name + "\n"
	}
	_, err := w.Write([]byte(name + "data: " + string(data) + "\n\n"))
	return err == nil && http.NewResponseController(w).Flush() == nil && r.Context().Err() == nil
}

// array sends the data of events as one JSON array, each on its way before the next is made.
func (g *gateway) array(w http.ResponseWriter, r *http.Request, events iter.Seq2[string, []byte]) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	before := "["
	for _, data := range events {
		if _, err := w.Write([]byte(before + string(data))); err != nil || http.NewResponseController(w).Flush() != nil || r.Context().Err() != nil {
			return
		}
		before = ",\r\n"
	}
	_, _ = w.Write([]byte("]")) // the client may have gone
}
