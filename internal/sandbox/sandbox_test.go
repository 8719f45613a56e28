package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadyIsTheLineOfTheContract(t *testing.T) {
	s := start(t, Options{Manifest: rootManifest(t)})
	text, err := json.Marshal(s.Ready())
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatal(err)
	}
	if line["schema"] != "ambit.sandbox/v1" || line["ok"] != true {
		t.Errorf("line %s", text)
	}
	for _, name := range []string{"issuer", "api", "gateway", "mcp", "manifest", "provider"} {
		if value, _ := line[name].(string); value == "" {
			t.Errorf("no %s", name)
		}
	}
	keys, _ := line["keys"].(map[string]any)
	for _, name := range []string{"full", "no_gateway", "read_only", "expired", "other_region"} {
		if value, _ := keys[name].(string); !strings.HasPrefix(value, "phx_") || len(value) < 40 {
			t.Errorf("key %s: %q", name, value)
		}
	}
	if len(keys) != 5 || strings.Contains(string(text), "\n") {
		t.Errorf("keys %v", keys)
	}
	if line["gateway"] != s.Ready().Regions["us"].Gateway || !strings.HasSuffix(line["gateway"].(string), "/wizard") {
		t.Errorf("gateway %v", line["gateway"])
	}
}

func TestKeysAreDrawnAnew(t *testing.T) {
	first, second := start(t, Options{}), start(t, Options{})
	if first.Ready().Keys.Full == second.Ready().Keys.Full {
		t.Error("two sandboxes share a key")
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for name, o := range map[string]Options{
		"every address": {Listen: "0.0.0.0:0"}, "no host": {Listen: ":0"}, "another host": {Listen: "192.0.2.1:0"}, "no port": {Listen: "127.0.0.1"},
		"region": {Region: "mars"}, "grant": {Grant: "user:read typo:read"}, "manifest": {Manifest: []byte("- a list")},
	} {
		if s, err := Start(t.Context(), o); err == nil {
			_ = s.Close()
			t.Errorf("%s: started", name)
		}
	}
}

func TestListenTakesTheFirstServersAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if _, err := Start(t.Context(), Options{Listen: address}); err == nil {
		t.Error("started on a taken port")
	}
	_ = l.Close()
	s := start(t, Options{Listen: address})
	if s.Ready().Issuer != "http://"+address {
		t.Errorf("issuer %s", s.Ready().Issuer)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	given := t.TempDir()
	kept := filepath.Join(given, "mine.txt")
	if err := os.WriteFile(kept, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", given} {
		s, err := Start(t.Context(), Options{Manifest: rootManifest(t), Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		r := s.Ready()
		for _, path := range []string{r.Manifest, r.Provider} {
			if info, err := os.Stat(path); err != nil || !filepath.IsAbs(path) || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v", path, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("again: %v", err)
		}
		for _, path := range []string{r.Manifest, r.Provider} {
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%s is still there", path)
			}
		}
		if _, err := os.Stat(filepath.Dir(r.Provider)); (err == nil) != (dir == given) {
			t.Errorf("directory %s: %v", filepath.Dir(r.Provider), err)
		}
		if _, err := net.DialTimeout("tcp", strings.TrimPrefix(r.Issuer, "http://"), time.Second); err == nil {
			t.Error("it still listens")
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error("a file of the caller is gone")
	}
}

func TestStartNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "scopes.yaml")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Manifest: rootManifest(t), Dir: dir}); err == nil {
		t.Error("started over a file")
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file now holds %.20q…", text)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// A client that hangs, and one that never says anything, do not hold Close up.
func TestCloseWaitsForHandlersAndNotForClients(t *testing.T) {
	s, err := Start(t.Context(), Options{Misbehave: []string{"timeout@api"}})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(origin string) net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(origin, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial(s.Ready().Issuer) // says nothing
	hanging := dial(s.Ready().API)
	lines := bufio.NewReader(hanging)
	// The server says 100 once a handler reads the body: then the request is inside.
	io.WriteString(hanging, "POST /api/users/@me/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	io.WriteString(hanging, "x")
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > shutdownTimeout/2 {
		t.Errorf("close took %v", took)
	}
	if rest, _ := io.ReadAll(lines); strings.Contains(string(rest), "HTTP/1.1 2") {
		t.Errorf("the hanging request was answered: %q", rest)
	}
}

func TestRequestsAreRecordedBeforeTheyAreAnswered(t *testing.T) {
	var mu sync.Mutex
	var logged []Request
	s := start(t, Options{Grant: "all", Log: func(r Request) {
		mu.Lock()
		defer mu.Unlock()
		logged = append(logged, r)
	}})
	l := newLogin(t, s)
	l.tokens("user:read")
	send(t, "GET", s.Ready().API+"/api/users/@me/?secret=1", s.Ready().Keys.Full, nil)
	send(t, "HEAD", s.Ready().Gateway, "", nil)
	var got []string
	for _, r := range s.Requests() {
		got = append(got, strings.Join([]string{r.Server, r.Part, r.Method, r.Path, decimal(r.Status)}, " "))
	}
	want := []string{
		"cloud authorize GET /oauth/authorize/ 303", "cloud token POST /oauth/token/ 200", "us api GET /api/users/@me/ 200", "us gateway HEAD /wizard 200",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(s.Requests(), logged); diff != "" {
		t.Error(diff)
	}
}

func TestControlEndpoints(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	control := s.Ready().Control
	token := newLogin(t, s).tokens("user:read query:read")["access_token"].(string)
	post := func(path string, body any) answer { return send(t, "POST", control+path, "", body) }
	if a := post("/shrink", map[string]any{"scopes": []string{"query:read"}}); a.Status != 200 || a.json(t)["ok"] != true {
		t.Errorf("shrink: %d %s", a.Status, a.Body)
	}
	if a := send(t, "POST", s.Ready().API+"/api/projects/1/query/", token, nil); a.Status != 403 {
		t.Errorf("after shrink: %d", a.Status)
	}
	post("/expire", nil)
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", token, nil); a.Status != 401 {
		t.Errorf("after expire: %d", a.Status)
	}
	post("/misbehave", map[string]any{"kinds": []string{"500@metadata"}})
	if a := send(t, "GET", s.Ready().Issuer+"/.well-known/openid-configuration", "", nil); a.Status != 500 {
		t.Errorf("after misbehave: %d", a.Status)
	}
	if a := post("/misbehave", map[string]any{"kinds": []string{"explode"}}); a.Status != 400 || !strings.Contains(a.Body, "html-200") {
		t.Errorf("unknown kind: %d %s", a.Status, a.Body)
	}
	post("/misbehave", nil)
	post("/advertise", map[string]any{"remove": []string{"user:read"}})
	if list := send(t, "GET", s.Ready().Issuer+"/.well-known/openid-configuration", "", nil).json(t)["scopes_supported"].([]any); slices.Contains(list, any("user:read")) {
		t.Error("after advertise: still listed")
	}
	var got struct{ Requests []Request }
	if err := json.Unmarshal([]byte(send(t, "GET", control+"/requests", "", nil).Body), &got); err != nil || len(got.Requests) != len(s.Requests()) || len(got.Requests) < 5 {
		t.Errorf("requests: %v, %d", err, len(got.Requests))
	}
	if ready := send(t, "GET", control+"/ready", "", nil).json(t); ready["issuer"] != s.Ready().Issuer {
		t.Errorf("ready: %v", ready)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", control+"/expire", nil)
	req.Header.Set("Origin", "https://example.com")
	if a := do(t, http.DefaultClient, req); a.Status != 403 {
		t.Errorf("from a page of another site: %d", a.Status)
	}
}

func TestManySandboxesAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			s, err := Start(context.Background(), Options{Grant: "all", Manifest: rootManifest(t)})
			if err != nil {
				t.Error(err)
				return
			}
			newLogin(t, s).tokens("user:read")
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(context.Background(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
