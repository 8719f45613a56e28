package ambit_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// me is a call that every login may make.
const me = "/api/users/@me/"

// A wire is the transport of a client: it notes what is sent, and may answer in the server's
// place.
type wire struct {
	mu     sync.Mutex
	sent   []*http.Request
	answer func(*http.Request) *http.Response // nil, or nil from it: the server answers
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, r)
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		if response := answer(r); response != nil {
			return response, nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wire) replies(answer func(*http.Request) *http.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// forget forgets what was sent so far.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = nil
}

// times is how often a path was asked for so far.
func (w *wire) times(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.Collect(func(yield func(int) bool) {
		for i, r := range w.sent {
			if strings.HasSuffix(r.URL.Path, path) && !yield(i) {
				return
			}
		}
	}))
}

func status(r *http.Request, code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// loggedIn is a client of a login that holds everything, and its wire.
func loggedIn(t *testing.T, now func() time.Time) (w *world, client *ambit.Client, line *wire, api string) {
	t.Helper()
	w, line = newWorld(t, sandbox.Options{Grant: "all"}), &wire{}
	s := w.open(t, func(o *ambit.Options) { o.HTTP, o.Now = &http.Client{Transport: line}, now })
	voice := s.Provider().Voice()
	voice.Refusals = append([]provider.Refusal{{Sign: provider.Sign{Statuses: []int{200}, At: provider.Path{{Name: "error"}}, Is: []string{"ended"}}, Means: provider.MeaningRejected}}, voice.Refusals...)
	*s.Provider() = *s.Provider().WithVoice(voice)
	h, err := s.Login(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if client, err = s.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	api, _ = h.Server.Base("api")
	line.forget()
	return w, client, line, api
}

func refusal(t *testing.T, response *http.Response, err error) diagnosis.Verdict {
	t.Helper()
	refused, ok := errors.AsType[*ambit.RefusedError](err)
	if !ok {
		t.Fatalf("not refused: %v, %v", response, err)
	}
	return refused.Verdict
}

// A token that is revoked before its time, and cannot be renewed, is sent once for each request.
func TestClientWhoseRenewalFailsSendsOnce(t *testing.T) {
	w, client, line, api := loggedIn(t, nil)
	w.box.ExpireAll()
	if err := w.box.Misbehave("500@token"); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		response, err := client.Get(api + me)
		if v := refusal(t, response, err); v.Cause != diagnosis.CauseRenewalFailed || v.Status != http.StatusUnauthorized {
			t.Errorf("%s: %s", v.Cause, v.Message)
		}
		if got := line.times(me); got != n+1 {
			t.Errorf("request %d went out %d times", n+1, got)
		}
	}
	if err := w.box.Misbehave(); err != nil { // the trouble is over: the next request has a token again
		t.Fatal(err)
	}
	if response, err := client.Get(api + me); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("after the trouble: %v, %v", response, err)
	}
}

// Where the token comes to its end while it is renewed in vain, the refusal is told all the same.
func TestClientWhoseTokenEndsMeanwhile(t *testing.T) {
	var late atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	w, client, line, api := loggedIn(t, now)
	w.box.ExpireAll()
	line.replies(func(r *http.Request) *http.Response {
		if !strings.HasSuffix(r.URL.Path, "/token/") {
			return nil
		}
		late.Store(int64(1000 * time.Hour))
		return status(r, http.StatusBadGateway, "")
	})
	response, err := client.Get(api + me)
	if v := refusal(t, response, err); v.Status != http.StatusUnauthorized || v.Cause != diagnosis.CauseRenewalFailed || late.Load() == 0 {
		t.Errorf("%d %s: %s", v.Status, v.Cause, v.Message)
	}
	if got := line.times(me); got != 1 {
		t.Errorf("sent %d times", got)
	}
}

// A call of a tool is known by its name, and a refusal is read whatever it comes as.
func TestClientCallsATool(t *testing.T) {
	w, line := newWorld(t, sandbox.Options{Grant: "user:read project:read llm_gateway:read"}), &wire{}
	s := w.open(t, func(o *ambit.Options) { o.HTTP = &http.Client{Transport: line} })
	if _, err := s.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := func() diagnosis.Verdict {
		t.Helper()
		response, err := client.Post(w.box.Ready().MCP, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"insight-create"}}`))
		return refusal(t, response, err)
	}
	if v := call(); v.Tool != "insight-create" || !slices.Equal(v.Missing, []string{"insight:write"}) {
		t.Errorf("%+v", v)
	}
	line.replies(func(r *http.Request) *http.Response {
		if r.URL.Path != me {
			return nil
		}
		response := status(r, http.StatusForbidden, "event: error\ndata: {\"error\":\"insufficient_scope\",\"scope\":\"insight:write\"}\n\n")
		response.Header.Set("Content-Type", "text/event-stream")
		return response
	})
	response, err := client.Get(w.box.Ready().API + me)
	if v := refusal(t, response, err); !slices.Equal(v.Missing, []string{"insight:write"}) {
		t.Errorf("%+v", v)
	}
}

// A renewal that does not help is not tried again for the token that it gave, until that worked.
func TestClientRenewsOnlyOnce(t *testing.T) {
	t.Run("401", func(t *testing.T) { testClientRenewsOnlyOnce(t, http.StatusUnauthorized, "") })
	t.Run("200", func(t *testing.T) { testClientRenewsOnlyOnce(t, http.StatusOK, `{"error": "ended"}`) })
}

func testClientRenewsOnlyOnce(t *testing.T, code int, body string) {
	_, client, line, api := loggedIn(t, nil)
	line.replies(func(r *http.Request) *http.Response {
		if r.URL.Path == me {
			response := status(r, code, body)
			response.Header.Set("Content-Type", "application/json")
			return response
		}
		return nil
	})
	logins := line.times("/token/")
	for _, want := range []int{2, 3, 4} {
		response, err := client.Get(api + me)
		refusal(t, response, err)
		if got := line.times(me); got != want {
			t.Errorf("sent %d times, want %d", got, want)
		}
	}
	if got := line.times("/token/") - logins; got != 1 {
		t.Errorf("renewed %d times", got)
	}
}

// Many requests are refused at once, and asked about: one renewal serves them all.
func TestClientRenewsOnceForAll(t *testing.T) {
	w, client, line, api := loggedIn(t, nil)
	w.box.ExpireAll()
	before := line.times("/token/")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			response, err := client.Get(api + me)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("%v, %v", response, err)
				return
			}
			_ = response.Body.Close()
		})
	}
	all.Wait()
	if got := line.times("/token/") - before; got != 1 {
		t.Errorf("renewed %d times", got)
	}
}

// A request whose body cannot be had again is not repeated: the login is renewed, and the error
// says to send it again.
func TestClientRenewsForTheNextRequest(t *testing.T) {
	w, client, _, api := loggedIn(t, nil)
	w.box.ExpireAll()
	stream := func() io.Reader { return io.MultiReader(strings.NewReader("{}")) }
	response, err := client.Post(api+"/api/projects/1/query/", "application/json", stream())
	v := refusal(t, response, err)
	if v.Cause != diagnosis.CauseRejected || len(v.Next) != 1 || v.Next[0].Text != "repeat the request" {
		t.Errorf("%s: %q", v.Message, v.Next)
	}
	if response, err = client.Post(api+"/api/projects/1/query/", "application/json", stream()); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("sent again: %v, %v", response, err)
	}
}

// Of a key that nobody can ask about, nobody knows what it lacks: a refusal that does not say is
// not blamed on a scope, and what is not found is not called refused. The proxy says the same.
func TestClientOfAKeyThatNobodyKnows(t *testing.T) {
	line := &wire{}
	line.replies(func(r *http.Request) *http.Response {
		code := http.StatusForbidden
		if r.URL.Path == "/gone" {
			code = http.StatusNotFound
		}
		return status(r, code, "{}")
	})
	m, err := manifest.Decode("scopes.yaml", []byte(`{version: 1, name: mute, provider: {servers: {main: {issuer: "http://127.0.0.1:1", api: "http://127.0.0.1:1"}}, default_server: main},
		scopes: [{scope: a, level: required, why: b, used_by: ["GET {api}/x", "GET {api}/gone"]}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{
		HTTP: &http.Client{Transport: line}, Store: &store.Memory{}, Env: []string{"HOME=" + t.TempDir(), "AMBIT_API_KEY=key_0123456789"}, TrustHosts: []string{"127.0.0.1:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get("http://127.0.0.1:1/x")
	v := refusal(t, response, err)
	possible := strings.Join(v.Possible, "\n")
	if v.Cause != diagnosis.CauseUnknown || len(v.Missing) > 0 || !strings.Contains(possible, "a is missing; no server said what the credential holds") {
		t.Errorf("%s\n%s", v.Message, possible)
	}
	if response, err = client.Get("http://127.0.0.1:1/gone"); err != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("not found: %v, %v", response, err)
	}
}

// A service that refuses with a status of success: what its provider file knows as an error is one to
// the caller, and everything else has all of its body.
func TestClientReadsErrorsOfSuccess(t *testing.T) {
	const fine, data = `{"ok": true, "items": [1]}`, `{"items": [{"ok": false, "error": "missing_scope", "needed": "c:read"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, map[string]string{
			"/key": `{"scopes": ["b", "c:read"]}`, "/fine": fine, "/data": data,
			"/lacks": `{"ok": false, "error": "missing_scope", "needed": "c:read", "provided": "b"}`, "/kind": `{"ok": false, "error": "not_allowed"}`,
		}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	text := `{version: 1, name: other, provider: {servers: {main: {issuer: "` + server.URL + `", api: "` + server.URL + `"}},
		credentials: [{kind: key, label: a key, inspect: {url: "{api}/key", scopes: scopes}}],
		errors: [{status: 200, at: error, is: missing_scope, needs: needed, holds: provided, means: missing_scope},
			{status: 200, at: error, is: not_allowed, means: not_a_scope_problem, advice: use another key, link: "https://keys.example"}]}, scopes: [{scope: b, level: required, why: b}]}`
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + t.TempDir(), "AMBIT_API_KEY=key_0123456789"}, TrustHosts: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/fine": fine, "/data": data} {
		response, err := client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != want {
			t.Errorf("%s: %q, %v", path, body, err)
		}
	}
	response, err := client.Get(server.URL + "/lacks")
	if v := refusal(t, response, err); v.Cause != diagnosis.CauseMissingScope || v.Confidence != diagnosis.ConfidenceProved || !slices.Equal(v.Missing, []string{"c:read"}) {
		t.Errorf("%s %s %q", v.Cause, v.Confidence, v.Missing)
	}
	response, err = client.Get(server.URL + "/kind")
	if v := refusal(t, response, err); v.Cause != diagnosis.CauseNotAScopeProblem || len(v.Next) != 1 || v.Next[0].URL != "https://keys.example" {
		t.Errorf("%s %q", v.Cause, v.Next)
	}
}
