package ambit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// terminal stands in for [ambit.Terminal]: a person who says yes, and whose browser goes where
// it is led.
func terminal() ambit.UI {
	return ambit.UI{Open: visit, Ask: func(context.Context, string) (bool, error) { return true, nil }}
}

// visit follows the login as a browser would, where the consent gives itself.
func visit(ctx context.Context, _, authorizationURL string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, authorizationURL, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// aSandbox starts servers on this machine and stands in a directory with their manifest, with
// a home of its own and a file for a keyring; what it returns puts all of it back.
func aSandbox(grant string) (end func()) {
	dir, err := os.MkdirTemp("", "ambit-test-")
	if err != nil {
		panic(err)
	}
	box, err := sandbox.Start(context.Background(), sandbox.Options{Grant: grant, Manifest: ambit.ExampleManifest, Dir: dir})
	if err != nil {
		panic(err)
	}
	here, _ := os.Getwd()
	restore := []func(){func() { _ = os.Chdir(here) }}
	for name, value := range map[string]string{
		"HOME": dir, "XDG_STATE_HOME": filepath.Join(dir, "state"), "XDG_CONFIG_HOME": filepath.Join(dir, "config"), "XDG_CACHE_HOME": filepath.Join(dir, "cache"),
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(dir, "no-bus"), // nobody's own keyring is touched
	} {
		before, was := os.LookupEnv(name)
		restore = append(restore, func() {
			if was {
				_ = os.Setenv(name, before)
			} else {
				_ = os.Unsetenv(name)
			}
		})
		_ = os.Setenv(name, value)
	}
	if err := os.Chdir(filepath.Dir(box.Ready().Manifest)); err != nil {
		panic(err)
	}
	return func() {
		for _, undo := range restore {
			undo()
		}
		_ = box.Close()
		_ = os.RemoveAll(dir)
	}
}

// world is a sandbox for a test, with a store in memory.
type world struct {
	box   *sandbox.Sandbox
	ready sandbox.Ready
	home  string
	store store.Memory
}

func newWorld(t *testing.T, o sandbox.Options) *world {
	t.Helper()
	o.Manifest, o.Dir = ambit.ExampleManifest, t.TempDir()
	box, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	return &world{box: box, ready: box.Ready(), home: t.TempDir()}
}

func (w *world) open(t *testing.T, change func(*ambit.Options)) *ambit.Session {
	t.Helper()
	m, err := ambit.Load(w.ready.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	o := ambit.Options{UI: terminal(), Store: &w.store, Env: []string{"HOME=" + w.home}}
	if change != nil {
		change(&o)
	}
	s, err := ambit.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whoever is refused is told which declared scope is missing, in what Go programs pass around.
func TestClientSaysWhichScopeIsMissing(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "user:read project:read llm_gateway:read"})
	s := w.open(t, nil)
	h, err := s.Login(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	missing, ok := errors.AsType[*ambit.MissingError](h.Check(scopes.Recommended))
	if !ok || len(missing.Needs) < 2 || h.Check(scopes.Required) != nil {
		t.Errorf("the grant lacks recommended scopes alone: %v", missing)
	}
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(client.URL("{api}/api/users/@me/"))
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	_, err = client.Post(client.URL("{api}/api/projects/1/query/"), "application/json", strings.NewReader("{}"))
	refused, ok := errors.AsType[*ambit.RefusedError](err)
	if !ok || refused.Verdict.Cause != diagnosis.CauseMissingScope || strings.Join(refused.Missing(), " ") != "query:read" {
		t.Errorf("refused: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), h.Credential.Access.Reveal()) {
		t.Error("the token stands in the error")
	}
}

// A client logs in where nobody has, or where a login is over, if someone is there; and only then.
func TestClientLogsInWhereItHasTo(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all", Misbehave: []string{"no-refresh"}})
	var later time.Duration
	visits := 0
	options := func(someone bool) func(*ambit.Options) {
		return func(o *ambit.Options) {
			o.Now = func() time.Time { return time.Now().Add(later) }
			o.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
				visits++
				return visit(ctx, startURL, authorizationURL)
			}
			if !someone {
				o.UI = ambit.UI{}
			}
		}
	}
	for _, step := range []struct {
		what    string
		later   time.Duration
		someone bool
		lost    bool // the error is that of a login that is over
		visits  int  // so far
	}{
		{what: "nobody is logged in, or there"},
		{what: "nobody is logged in", someone: true, visits: 1},
		{what: "someone is logged in", someone: true, visits: 1},
		{what: "the login is over, nobody is there", later: 24 * time.Hour, lost: true, visits: 1},
		{what: "the login is over", later: 24 * time.Hour, someone: true, visits: 2},
	} {
		later = step.later
		_, err := w.open(t, options(step.someone)).Client(t.Context())
		_, lost := errors.AsType[*credential.SessionLostError](err)
		none := errors.Is(err, ambit.ErrNoCredential)
		if (err == nil) != step.someone || lost != step.lost || none != (!step.someone && !step.lost) || visits != step.visits {
			t.Errorf("%s: %d visits to the browser, %v", step.what, visits, err)
		}
	}
}

// A program writes a URL as its manifest does, for the server that its credential is good for.
func TestClientURL(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	s := w.open(t, func(o *ambit.Options) { o.Env = append(o.Env, credential.KeyVariable+"="+w.ready.Keys.Full) })
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	api, _ := client.Server.Base("api")
	for template, want := range map[string]string{
		"{api}/api/users/@me/": api + "/api/users/@me/", "{api}": api, "https://other.example/x": "https://other.example/x",
		"{nothing}/x": "{nothing}/x", "{api}.evil.example/x": "{api}.evil.example/x",
	} {
		if got := client.URL(template); got != want {
			t.Errorf("%s is %s", template, got)
		}
	}
	if _, err := client.Get(client.URL("{nothing}/x")); err == nil {
		t.Error("a base that is not there was requested")
	}
}

// The credential goes to the provider's bases, and nowhere else.
func TestClientSendsTheCredentialToBasesAlone(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	s := w.open(t, nil)
	if _, err := s.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Authorization") })
	other := newServer(t, mux)
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(other + "/elsewhere"); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "" {
		t.Error("another server was sent the credential")
	}
}

// A path that leads out of a base, however it is escaped, is none of the base's: the credential
// does not go with it.
func TestClientKeepsTheCredentialBelowTheBase(t *testing.T) {
	var mu sync.Mutex
	sent := make(map[string]bool)
	server := newServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent[r.RequestURI] = r.Header.Get("Authorization") != ""
	}))
	text := `{version: 1, name: below, provider: {servers: {main: {issuer: "` + server + `", api: "` + server + `/v1"}}, default_server: main},
		scopes: [{scope: a, level: required, why: b, used_by: ["GET {api}/x"]}]}`
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + t.TempDir(), "AMBIT_API_KEY=key_0123456789"}, TrustHosts: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/v1/x": true, "/v1/%40me": true, "/v1/../secret": false, "/v1/%2e%2e/secret": false, "/v1/..%2fsecret": false, "/v1/%252e%252e/secret": false, "/v10/x": false,
	} {
		if _, err := client.Get(server + path); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if got, seen := sent[path]; !seen || got != want {
			t.Errorf("%s: seen %t, with the credential %t", path, seen, got)
		}
		mu.Unlock()
	}
}

// What a key holds is asked at the first refusal: what is no refusal is not called one.
func TestClientAsksWhatAKeyHolds(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	for key, missing := range map[string]string{w.ready.Keys.Full: "", w.ready.Keys.ReadOnly: "dashboard:write"} {
		s := w.open(t, func(o *ambit.Options) { o.Env = append(o.Env, "AMBIT_API_KEY="+key) })
		client, err := s.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Get(client.URL("{api}/api/users/nobody/"))
		if err != nil || response.StatusCode != http.StatusNotFound {
			t.Errorf("what is not there: %v, %v", response, err)
		}
		_, err = client.Post(client.URL("{api}/api/projects/1/dashboards/"), "application/json", strings.NewReader("{}"))
		refused, _ := errors.AsType[*ambit.RefusedError](err)
		switch {
		case missing == "" && err != nil:
			t.Errorf("the full key: %v", err)
		case missing != "" && (refused == nil || strings.Join(refused.Missing(), " ") != missing):
			t.Errorf("a key that only reads: %v", err)
		}
	}
}

// A response whose status is no refusal is one where it names a scope that lacks; any other
// is the caller's, as it came.
func TestClientReadsOtherStatuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/key" {
			_, _ = io.WriteString(w, `{"scopes": ["b"]}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, map[string]string{"/named": `{"required_scopes": ["b", "c:read"]}`, "/held": `{"required_scopes": ["b"]}`, "/other": strings.Repeat("x", 100_000)}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	text := `{version: 1, name: other, provider: {servers: {main: {issuer: "` + server.URL + `", api: "` + server.URL + `"}}, default_server: main,
		credentials: [{kind: key, label: a key, inspect: {url: "{api}/key", scopes: scopes}}]}, scopes: [{scope: b, level: required, why: b, used_by: ["GET {api}/other"]}]}`
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
	response, err := client.Get(server.URL + "/other")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || len(body) != 100_000 {
		t.Errorf("the body has %d bytes, %v", len(body), err)
	}
	_, err = client.Get(server.URL + "/named")
	if refused, ok := errors.AsType[*ambit.RefusedError](err); !ok || strings.Join(refused.Missing(), " ") != "c:read" || refused.Verdict.Confidence != diagnosis.ConfidenceProved {
		t.Errorf("a scope is named: %v", err)
	}
}

// The zero value of everything is told, and nothing panics.
func TestOpenNothing(t *testing.T) {
	if _, err := ambit.New(nil, ambit.Options{}); err == nil {
		t.Error("a session without a manifest")
	}
}

// A caller asks an error what to do next.
func TestErrorsAnswerQuestions(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	if _, err := w.open(t, nil).Find(t.Context()); !errors.Is(err, ambit.ErrNoCredential) {
		t.Errorf("without a login: %v", err)
	}
	nobody := w.open(t, func(o *ambit.Options) { o.UI = ambit.UI{} })
	if _, err := nobody.Login(t.Context(), nil); !errors.Is(err, ambit.ErrNobody) {
		t.Errorf("without a person: %v", err)
	}
	key := w.open(t, func(o *ambit.Options) { o.Env = append(o.Env, credential.KeyVariable+"="+w.ready.Keys.Expired) })
	h, err := key.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*ambit.UnknownCredentialError](h.Inspect(t.Context())); !ok {
		t.Error("a key that nobody knows is not told as such")
	}
	m, _ := ambit.Load(w.ready.Manifest)
	if _, err := ambit.New(m, ambit.Options{Server: "mars"}); !strings.Contains(err.Error(), `"mars"`) {
		t.Errorf("an unknown server: %v", err)
	}
	if _, err := ambit.Load(filepath.Join(t.TempDir(), "scopes.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
}

// A file of a repository leads no credential to a host that the user did not confirm.
func TestForeignHostGetsNothing(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	file := filepath.Join(t.TempDir(), "scopes.yaml")
	text := "version: 1\nname: theirs\nprovider: {use: posthog, servers: {us: {issuer: https://evil.example, api: https://evil.example}}}\nscopes: [{scope: a, level: required}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := ambit.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{Env: []string{"HOME=" + w.home, "POSTHOG_PERSONAL_API_KEY=" + w.ready.Keys.Full}})
	if err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]func() error{
		"Find":   func() error { _, err := s.Find(t.Context()); return err },
		"Client": func() error { _, err := s.Client(t.Context()); return err },
		"Token":  func() error { _, err := s.TokenSource(t.Context()).Token(); return err },
		"Login":  func() error { _, err := s.Login(t.Context(), nil); return err },
	} {
		if e, ok := errors.AsType[*ambit.UntrustedHostError](use()); !ok || len(e.Hosts) != 1 || e.Hosts[0] != "evil.example" {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// A token that expired is renewed once for all who ask at the same time.
func TestTokenSourceRenews(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	s := w.open(t, nil)
	h, err := s.Login(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	late := w.open(t, func(o *ambit.Options) {
		o.Now = func() time.Time { return h.Credential.ExpiresAt.Add(-time.Second) }
	})
	tokens := late.TokenSource(t.Context())
	first, err := tokens.Token()
	if err != nil || first.AccessToken == h.Credential.Access.Reveal() {
		t.Fatalf("not renewed: %v", err)
	}
	out, err := s.Logout(t.Context())
	if err != nil || !out.Removed || !out.Revoked {
		t.Errorf("logout: %+v, %v", out, err)
	}
	if _, err := tokens.Token(); !errors.Is(err, ambit.ErrNoCredential) {
		t.Errorf("after the logout: %v", err)
	}
}

func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
