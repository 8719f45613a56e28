package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUnknownKindsAreNamedWithTheKnownOnes(t *testing.T) {
	for word, known := range map[string]string{"explode": "html-200", "500@kitchen": "500@gateway", "more@api": "more (without a part)"} {
		_, err := Start(t.Context(), Options{Misbehave: []string{word}})
		var unknown *UnknownKindError
		if !errors.As(err, &unknown) || unknown.Kind != word || !slices.Contains(unknown.Known, known) || !strings.Contains(err.Error(), known) {
			t.Errorf("%s: %v", word, err)
		}
	}
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range Kinds() {
		name, _, ok := strings.Cut(line, " - ")
		if !strings.Contains(string(page), "\n//\t"+name+" ") {
			t.Errorf("the package's page does not tell of %s", name)
		}
		if _, err := parseMisbehaviors([]string{name}); !ok || err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestReject(t *testing.T) {
	s := start(t, Options{Grant: "all", Misbehave: []string{"reject"}})
	l := newLogin(t, s)
	back := l.callback(l.get(l.request("user:read billing:write made:up", nil)))
	if back.Get("error") != "invalid_scope" || !strings.HasSuffix(back.Get("error_description"), ": billing:write made:up") {
		t.Errorf("callback %v", back)
	}
	if got := l.tokens("user:read")["scope"]; got != "user:read" {
		t.Errorf("within the ceiling: %v", got)
	}
}

func TestTokenAnswersThatMislead(t *testing.T) {
	for kind, want := range map[string]any{"no-scope": nil, "empty-scope": "", "more": "user:read action:write billing:read"} {
		s := start(t, Options{Grant: "all", Misbehave: []string{kind}})
		l := newLogin(t, s)
		got := l.tokens("user:read")
		if scope, there := got["scope"]; scope != want || there == (kind == "no-scope") {
			t.Errorf("%s: scope %v", kind, got["scope"])
		}
		held := map[string]string{"no-scope": "user:read", "empty-scope": "", "more": "user:read action:write billing:read"}[kind]
		token := got["access_token"].(string)
		if now := send(t, "POST", l.issuer+"/oauth/introspect/", token, url.Values{"token": {token}}).json(t); now["scope"] != held {
			t.Errorf("%s: the token holds %v", kind, now["scope"])
		}
	}
}

func TestWrongIss(t *testing.T) {
	s := start(t, Options{Grant: "all", Misbehave: []string{"wrong-iss"}})
	l := newLogin(t, s)
	if back := l.callback(l.get(l.request("user:read", nil))); back.Get("iss") != "https://issuer.invalid" || back.Get("code") == "" {
		t.Errorf("callback %v", back)
	}
}

func TestShortLivedAndNoRefresh(t *testing.T) {
	now := newClock()
	s := start(t, Options{Grant: "all", Misbehave: []string{"short-lived"}, Now: now.read})
	l := newLogin(t, s)
	got := l.tokens("user:read")
	if got["expires_in"] != 1.0 {
		t.Errorf("expires_in %v", got["expires_in"])
	}
	if again := l.refresh(got["refresh_token"].(string), nil).json(t); again["expires_in"] != 3600.0 {
		t.Errorf("refreshed: expires_in %v", again["expires_in"])
	}
	if err := s.Misbehave("no-refresh"); err != nil {
		t.Fatal(err)
	}
	if got := l.tokens("user:read"); got["refresh_token"] != nil {
		t.Error("a refresh token all the same")
	}
}

func TestUnknownClient(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	got := l.tokens("user:read")
	if err := s.Misbehave("unknown-client"); err != nil {
		t.Fatal(err)
	}
	if a := l.refresh(got["refresh_token"].(string), nil); a.Status != 401 || a.json(t)["error"] != "invalid_client" {
		t.Errorf("a renewal is answered %d %s", a.Status, a.Body)
	}
}

func TestMetadataThatMisleads(t *testing.T) {
	s := start(t, Options{})
	address := s.Ready().Issuer + "/.well-known/oauth-authorization-server"
	document := func(kind string) map[string]any {
		t.Helper()
		if err := s.Misbehave(kind); err != nil {
			t.Fatal(err)
		}
		return send(t, "GET", address, "", nil).json(t)
	}
	if list, there := document("no-list")["scopes_supported"]; there {
		t.Errorf("no-list: %v", list)
	}
	if list, _ := document("empty-list")["scopes_supported"].([]any); list == nil || len(list) != 0 {
		t.Errorf("empty-list: %v", list)
	}
	if got := document("wrong-issuer")["issuer"]; got != "https://issuer.invalid" {
		t.Errorf("wrong-issuer: %v", got)
	}
	if err := s.Misbehave("foreign-scopes"); err != nil {
		t.Fatal(err)
	}
	mcp := strings.TrimSuffix(s.Ready().MCP, "/mcp") + "/.well-known/oauth-protected-resource/mcp"
	if list := send(t, "GET", mcp, "", nil).json(t)["scopes_supported"].([]any); !slices.Contains(list, any("introspection")) {
		t.Error("foreign-scopes: not in the MCP server's list")
	}
	if list := send(t, "GET", address, "", nil).json(t)["scopes_supported"].([]any); slices.Contains(list, any("introspection")) {
		t.Error("foreign-scopes: in the authorization server's list too")
	}
}

func TestFaults(t *testing.T) {
	for kind, want := range map[string]struct {
		status int
		text   string
	}{
		"html-200@api": {200, "<!doctype html>"}, "no-metadata@api": {404, "<!doctype html>"}, "500@api": {500, "server_error"},
		"bad-json@api": {200, `"scopes":{"all":true}`}, "garbage@api": {200, "\x00"}, "429-long@api": {429, ""},
	} {
		s := start(t, Options{Misbehave: []string{kind}})
		a := send(t, "GET", s.Ready().API+"/api/users/@me/", s.Ready().Keys.Full, nil)
		if a.Status != want.status || !strings.Contains(a.Body, want.text) {
			t.Errorf("%s: %d %s", kind, a.Status, a.Body)
		}
		if kind == "429-long@api" && a.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
		}
		if a := send(t, "GET", s.Ready().Issuer+"/.well-known/openid-configuration", "", nil); a.json(t)["issuer"] != s.Ready().Issuer {
			t.Errorf("%s strikes the metadata too", kind)
		}
	}
}

func TestTooManyComesOnceForEachPart(t *testing.T) {
	s := start(t, Options{Misbehave: []string{"429"}})
	inspect := s.Ready().API + "/api/personal_api_keys/@current/"
	for _, want := range []int{429, 200, 200} {
		if a := send(t, "GET", inspect, s.Ready().Keys.Full, nil); a.Status != want || want == 429 && a.Header.Get("Retry-After") != "1" {
			t.Errorf("inspection: %d, want %d", a.Status, want)
		}
	}
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", s.Ready().Keys.Full, nil); a.Status != 429 {
		t.Errorf("the other part: %d", a.Status)
	}
}

func TestAnswersThatNeverComeWhole(t *testing.T) {
	s := start(t, Options{Misbehave: []string{"close@api", "cut@inspect", "cut@gateway", "cut@metadata"}})
	r := s.Ready()
	whole := func(method, address, body string) (int, string, error) {
		req, _ := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+r.Keys.Full)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text), err
	}
	if status, _, err := whole("GET", r.API+"/api/users/@me/", ""); err == nil {
		t.Errorf("close: %d", status)
	}
	for _, address := range []string{r.API + "/api/personal_api_keys/@current/", r.Issuer + "/.well-known/openid-configuration"} {
		if status, text, err := whole("GET", address, ""); status != 200 || text == "" || err == nil {
			t.Errorf("cut %s: %d %q %v", address, status, text, err)
		}
	}
	status, text, err := whole("POST", r.Gateway+"/v1/messages", `{"stream":true}`)
	if kinds, _ := eventKinds(text); status != 200 || err == nil || !slices.Contains(kinds, "message_start") || slices.Contains(kinds, "message_stop") {
		t.Errorf("cut stream: %d %q %v", status, text, err)
	}
}

// eventKinds reads what kinds of event came, in a stream that may be cut.
func eventKinds(text string) (kinds []string, rest string) {
	for line := range strings.Lines(text) {
		if kind, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "event: "); ok {
			kinds = append(kinds, kind)
		}
		rest = line
	}
	return kinds, rest
}

func TestTimeoutHangsUntilTheClientGoes(t *testing.T) {
	gone := make(chan Request, 1)
	s := start(t, Options{Misbehave: []string{"timeout@token"}, Log: func(r Request) { gone <- r }})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", s.Ready().Issuer+"/oauth/token/", strings.NewReader("grant_type=x"))
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("an answer: %d", resp.StatusCode)
	}
	if r := <-gone; r.Status != 0 || r.Part != "token" {
		t.Errorf("recorded %+v", r)
	}
}

func TestSlowStillAnswers(t *testing.T) {
	s := start(t, Options{Misbehave: []string{"slow@api"}})
	began := time.Now()
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", s.Ready().Keys.Full, nil); a.Status != 200 || time.Since(began) < slowness {
		t.Errorf("%d after %v", a.Status, time.Since(began))
	}
}
