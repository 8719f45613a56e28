package sandbox

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGatewayTellsNobodyWhyNot(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	r := s.Ready()
	login := newLogin(t, s)
	without := login.tokens("user:read")["access_token"].(string)
	for name, credential := range map[string]string{
		"none": "", "unknown": "phx_nobody", "expired": r.Keys.Expired, "other region": r.Keys.OtherRegion, "no gateway scope": r.Keys.NoGateway,
		"project key": r.MoreKeys["project"], "project secret": r.MoreKeys["project_secret"], "token without the scope": without,
	} {
		for _, path := range []string{"/v1/messages", "/v1/messages?beta=true", "/v1/messages/count_tokens"} {
			a := send(t, "POST", r.Gateway+path, credential, map[string]any{"model": "m"})
			if a.Status != 401 || a.Body != `{"detail":"Authentication required"}` || a.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s at %s: %d %q %v", name, path, a.Status, a.Body, a.Header)
			}
		}
	}
	a := send(t, "POST", r.Gateway+"/v1/messages", r.MoreKeys["no_product"], map[string]any{"model": "m"})
	problem, _ := a.json(t)["detail"].(map[string]any)["error"].(map[string]any)
	if a.Status != 403 || problem["code"] != "product_access_denied" || problem["type"] != "permission_error" {
		t.Errorf("not for this product: %d %s", a.Status, a.Body)
	}
}

func TestGatewayAnswers(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	r := s.Ready()
	if a := send(t, "HEAD", r.Gateway, "", nil); a.Status != 200 {
		t.Errorf("HEAD: %d", a.Status)
	}
	token := newLogin(t, s).tokens("llm_gateway:read")["access_token"].(string)
	for name, credential := range map[string]string{"key": r.Keys.Full, "read-only key": r.Keys.ReadOnly, "star": r.MoreKeys["star"], "token": token} {
		got := send(t, "POST", r.Gateway+"/v1/messages", credential, map[string]any{"model": "claude-x", "messages": []any{}}).json(t)
		content, _ := got["content"].([]any)
		if got["type"] != "message" || got["model"] != "claude-x" || got["stop_reason"] != "end_turn" || len(content) != 1 ||
			!strings.HasPrefix(content[0].(map[string]any)["text"].(string), "Hello from the sandbox") {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := send(t, "POST", r.Gateway+"/v1/messages/count_tokens", r.Keys.Full, map[string]any{"model": "m"}).json(t); got["input_tokens"] == nil {
		t.Errorf("count: %v", got)
	}
	if a := send(t, "POST", r.Gateway+"/v1/messages", r.Keys.Full, []int{}); a.Status != 400 || a.json(t)["type"] != "error" {
		t.Errorf("no request: %d %s", a.Status, a.Body)
	}
}

func TestGatewayLetsTheKeyDecideOverTheBearer(t *testing.T) {
	s := start(t, Options{})
	for _, tt := range []struct {
		bearer, key string
		want        int
	}{
		{"", s.Ready().Keys.Full, 200}, {s.Ready().Keys.Full, "sk-leftover", 401}, {"nobody", s.Ready().Keys.Full, 200},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.Ready().Gateway+"/v1/messages", strings.NewReader(`{"model":"m"}`))
		req.Header.Set("X-Api-Key", tt.key)
		if tt.bearer != "" {
			req.Header.Set("Authorization", "Bearer "+tt.bearer)
		}
		if a := do(t, http.DefaultClient, req); a.Status != tt.want {
			t.Errorf("bearer %q and key: %d, want %d", tt.bearer, a.Status, tt.want)
		}
	}
}

// events reads a stream: kind and data of each event.
func events(t *testing.T, text string) (kinds []string, data []map[string]any) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kinds = append(kinds, kind)
		} else if raw, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var d map[string]any
			if err := json.Unmarshal([]byte(raw), &d); err != nil {
				t.Fatalf("%v in %q", err, raw)
			}
			data = append(data, d)
		}
	}
	return kinds, data
}

func TestGatewayStreamsInOrder(t *testing.T) {
	s := start(t, Options{})
	a := send(t, "POST", s.Ready().Gateway+"/v1/messages?beta=true&events=3&pause=1ms", s.Ready().Keys.Full, map[string]any{"model": "claude-x", "stream": true})
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		t.Errorf("content type %q", a.Header.Get("Content-Type"))
	}
	got, data := events(t, a.Body)
	delta := "content_block_delta"
	want := []string{"message_start", "content_block_start", "ping", delta, delta, delta, "content_block_stop", "message_delta", "message_stop"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	text := ""
	for i, d := range data {
		if d["type"] != got[i] {
			t.Errorf("event %s says type %v", got[i], d["type"])
		}
		if inner, ok := d["delta"].(map[string]any); ok && got[i] == delta {
			text += inner["text"].(string)
		}
	}
	if text != "event 1 event 2 event 3 " || data[0]["message"].(map[string]any)["model"] != "claude-x" {
		t.Errorf("text %q, start %v", text, data[0])
	}
}

// Each event is on its way before the next is made: the first one is read while the
// stream waits for hours.
func TestGatewayStreamIsNotHeldBack(t *testing.T) {
	s := start(t, Options{})
	req, _ := http.NewRequestWithContext(t.Context(), "POST", s.Ready().Gateway+"/v1/messages?pause=5h", strings.NewReader(`{"stream":true}`))
	req.Header.Set("X-Api-Key", s.Ready().Keys.Full)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || line != "event: message_start\n" {
		t.Errorf("%q, %v", line, err)
	}
}
