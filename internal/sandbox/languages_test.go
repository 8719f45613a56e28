package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sendWith makes a request whose credential stands in a field of that name.
func sendWith(t *testing.T, method, address, field, credential, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(field, credential)
	return do(t, http.DefaultClient, req)
}

// at finds a value in JSON by its path.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v
}

// spoken are the calls by which real clients ask a model: where they send their
// credential, where they find the text of a whole answer and of a piece, and what a
// stream is made of.
func spoken() map[string]struct {
	path, stream, field, scheme string
	text, piece                 []any
	events                      []string
	last                        string
} {
	return map[string]struct {
		path, stream, field, scheme string
		text, piece                 []any
		events                      []string
		last                        string
	}{
		"messages": {
			path: "/v1/messages", field: "X-Api-Key", text: []any{"content", 0, "text"}, piece: []any{"delta", "text"},
			events: []string{
				"message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
				"content_block_stop", "message_delta", "message_stop",
			},
		},
		"responses": {
			path: "/v1/responses", field: "Authorization", scheme: "Bearer ", text: []any{"output", 0, "content", 0, "text"}, piece: []any{"delta"},
			events: []string{
				"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
				"response.output_text.delta", "response.output_text.delta", "response.output_text.done", "response.content_part.done",
				"response.output_item.done", "response.completed",
			},
		},
		"chat": {
			path: "/v1/chat/completions", field: "Authorization", scheme: "bearer ", text: []any{"choices", 0, "message", "content"},
			piece: []any{"choices", 0, "delta", "content"}, events: []string{"", "", "", ""}, last: "[DONE]",
		},
		"gemini": {
			path: "/v1beta/models/m:generateContent", stream: "/v1beta/models/m:streamGenerateContent?alt=sse&", field: "X-Goog-Api-Key",
			text: []any{"candidates", 0, "content", "parts", 0, "text"}, piece: []any{"candidates", 0, "content", "parts", 0, "text"}, events: []string{"", "", ""},
		},
	}
}

func TestGatewaySpeaksToEachClient(t *testing.T) {
	s := start(t, Options{})
	full := s.Ready().Keys.Full
	for name, c := range spoken() {
		t.Run(name, func(t *testing.T) {
			base := s.Ready().Gateway
			got := sendWith(t, "POST", base+c.path+"?events=2", c.field, c.scheme+full, `{"model":"m"}`)
			if got.Status != 200 || at(got.json(t), c.text...) != "event 1 event 2 " {
				t.Errorf("whole: %d %s", got.Status, got.Body)
			}
			address := base + c.path + "?"
			if c.stream != "" {
				address = base + c.stream
			}
			a := sendWith(t, "POST", address+"events=2", c.field, c.scheme+full, `{"model":"m","stream":true}`)
			text, names, last := readStream(t, a, c.piece)
			if text != "event 1 event 2 " || last != c.last {
				t.Errorf("stream: %q, at its end %q", text, last)
			}
			if diff := cmp.Diff(c.events, names); diff != "" {
				t.Error(diff)
			}
			if got := sendWith(t, "GET", base+c.path, c.field, c.scheme+full, ""); got.Status != 405 {
				t.Errorf("GET: %d", got.Status)
			}
			if got := sendWith(t, "POST", base+c.path, c.field, c.scheme+full, `[]`); got.Status != 400 || !strings.Contains(got.Body, "error") {
				t.Errorf("no request: %d %s", got.Status, got.Body)
			}
			for _, key := range []string{s.Ready().Keys.NoGateway, s.Ready().Keys.Expired} {
				for _, address := range []string{base + c.path, address} {
					if got := sendWith(t, "POST", address, c.field, c.scheme+key, `{"model":"m"}`); got.Status != 401 {
						t.Errorf("%s with a bad key: %d", address, got.Status)
					}
				}
			}
		})
	}
}

// readStream joins the text of a stream's pieces, and names its events in order.
func readStream(t *testing.T, a answer, piece []any) (text string, names []string, last string) {
	t.Helper()
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%d %s %s", a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	for i, event := range strings.Split(strings.TrimSuffix(a.Body, "\n\n"), "\n\n") {
		name := ""
		if rest, named := strings.CutPrefix(event, "event: "); named {
			name, event, _ = strings.Cut(rest, "\n")
		}
		event = strings.TrimPrefix(event, "data: ")
		var data map[string]any
		if json.Unmarshal([]byte(event), &data) != nil {
			last = event
			continue
		}
		names = append(names, name)
		if name != "" && data["type"] != name {
			t.Errorf("event %s is of type %v", name, data["type"])
		}
		if n, numbered := data["sequence_number"]; numbered && n != float64(i) {
			t.Errorf("event %d has the number %v", i, n)
		}
		if strings.Contains(name, "delta") && name != "message_delta" || name == "" {
			part, _ := found(data, piece).(string)
			text += part
		}
	}
	return text, names, last
}

// found is as at, nil where the path leads nowhere.
func found(v any, path []any) (value any) {
	defer func() { _ = recover() }()
	return at(v, path...)
}

// Without alt=sse the stream is an array.
func TestGatewayStreamsAnArray(t *testing.T) {
	s := start(t, Options{})
	a := sendWith(t, "POST", s.Ready().Gateway+"/v1beta/models/m:streamGenerateContent?events=2", "X-Goog-Api-Key", s.Ready().Keys.Full, `{}`)
	var list []map[string]any
	if err := json.Unmarshal([]byte(a.Body), &list); err != nil || len(list) != 3 || list[0]["modelVersion"] != "m" ||
		at(list[1], "candidates", 0, "content", "parts", 0, "text") != "event 2 " {
		t.Errorf("%v: %s", err, a.Body)
	}
	if a := sendWith(t, "POST", s.Ready().Gateway+"/v1beta/models/m:dream", "X-Goog-Api-Key", s.Ready().Keys.Full, `{}`); a.Status != 404 {
		t.Errorf("an action that nobody knows: %d", a.Status)
	}
}

func TestGatewayListsModels(t *testing.T) {
	s := start(t, Options{})
	got := send(t, "GET", s.Ready().Gateway+"/v1/models", s.Ready().Keys.Full, nil).json(t)
	if at(got, "data", 0, "id") != "sandbox-large" || at(got, "data", 1, "type") != "model" || got["first_id"] != "sandbox-large" {
		t.Errorf("%v", got)
	}
	got = sendWith(t, "GET", s.Ready().Gateway+"/v1beta/models", "X-Goog-Api-Key", s.Ready().Keys.Full, "").json(t)
	if at(got, "models", 0, "name") != "models/sandbox-large" {
		t.Errorf("%v", got)
	}
	if a := send(t, "GET", s.Ready().Gateway+"/v1/models", s.Ready().Keys.NoGateway, nil); a.Status != 401 {
		t.Errorf("without the scope: %d", a.Status)
	}
}
