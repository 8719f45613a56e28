package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A keeper is an authorization server that rotates refresh tokens, ends a session of which it
// sees one twice, and knows at any time which tokens are alive: whatever it has given out has
// to be in the store, or revoked.
type keeper struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	hold     map[string]*gate  // by the moment, one of those that arrive names
	arrived  map[string]int    // requests, by the moment
	codes    map[string]string // that are not spent, with their scopes
	sessions map[string]*session
	spent    map[string]*session // by refresh tokens
	reused   int
	ahead    time.Duration               // of the clock here, of that of the server
	clients  []string                    // that are registered
	deny     bool                        // whatever consent is asked for
	iss      string                      // as which its authorization responses name it; "" where they do not
	tokens   map[string]http.HandlerFunc // in place of what the token endpoint says, by the moment; nil: itself
}

// The clients of a provider file: one that logs people in, and one that gets tokens for itself.
const (
	theClient = "client: {id: {main: tool}}"
	ownClient = "client: {id: tool, secret: {variable: TOOL_SECRET}, token_endpoint_auth_method: client_secret_basic, grant: client_credentials}"
)

// A session is what one consent led to.
type session struct {
	refresh, access string // the ones that are good; "" once revoked
	scope           string
}

// A gate holds the requests of a moment until it is opened.
type gate struct {
	came chan struct{}
	open chan struct{}
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{t: t, hold: map[string]*gate{}, arrived: map[string]int{}, codes: map[string]string{}, sessions: map[string]*session{}, spent: map[string]*session{}, tokens: map[string]http.HandlerFunc{}}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// wait makes a gate for the next request of a moment.
func (k *keeper) wait(moment string) *gate {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hold[moment] = &gate{make(chan struct{}), make(chan struct{})}
	return k.hold[moment]
}

// arrive notes a request, and holds it where someone waits for its moment.
func (k *keeper) arrive(moment string) {
	k.mu.Lock()
	k.arrived[moment]++
	g := k.hold[moment]
	delete(k.hold, moment)
	k.mu.Unlock()
	if g != nil {
		close(g.came)
		<-g.open
	}
}

// refuse says whether whatever consent is asked for is denied.
func (k *keeper) refuse(deny bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deny = deny
}

// named lets its authorization responses name it so.
func (k *keeper) named(iss string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.iss = iss
}

func (k *keeper) denies() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.deny
}

// answer is what the token endpoint says to a renewal from now on; nil: itself.
func (k *keeper) answer(tokens http.HandlerFunc) { k.answerAt("renewal", tokens) }

// answerAt is answer for the requests of any moment.
func (k *keeper) answerAt(moment string, tokens http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens[moment] = tokens
}

func (k *keeper) answers(moment string) http.HandlerFunc {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tokens[moment]
}

func (k *keeper) count(moment string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.arrived[moment]
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().Add(-k.ahead).UTC().Format(http.TimeFormat))
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		reply(w, 200, map[string]any{
			"issuer": k.URL, "authorization_endpoint": k.URL + "/authorize", "token_endpoint": k.URL + "/token",
			"revocation_endpoint": k.URL + "/revoke", "registration_endpoint": k.URL + "/register", "device_authorization_endpoint": k.URL + "/device",
			"pushed_authorization_request_endpoint": k.URL + "/push",
			"response_types_supported":              []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
			"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
			"token_endpoint_auth_methods_supported": []string{"none"}, "scopes_supported": []string{"a:read"},
		})
	case "/register":
		k.arrive("registration")
		id := "registered_" + rand.Text()
		k.mu.Lock()
		k.clients = append(k.clients, id)
		k.mu.Unlock()
		reply(w, 201, map[string]any{"client_id": id})
	case "/authorize":
		k.arrive("consent")
		back, _ := url.Parse(r.FormValue("redirect_uri"))
		code := rand.Text()
		k.mu.Lock()
		k.codes[code] = r.FormValue("scope")
		iss := k.iss
		k.mu.Unlock()
		response := url.Values{"code": {code}, "state": {r.FormValue("state")}}
		if k.denies() {
			response = url.Values{"error": {"access_denied"}, "state": {r.FormValue("state")}}
		}
		if iss != "" {
			response.Set("iss", iss)
		}
		back.RawQuery = response.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
	case "/push":
		k.arrive("push")
		reply(w, 201, map[string]any{"request_uri": "urn:" + rand.Text(), "expires_in": 60})
	case "/device":
		k.arrive("device")
		code := rand.Text()
		k.mu.Lock()
		k.codes[code] = r.FormValue("scope")
		k.mu.Unlock()
		reply(w, 200, map[string]any{"device_code": code, "user_code": "AB-CD", "verification_uri": k.URL + "/enter", "expires_in": 600, "interval": 1})
	case "/token":
		_ = r.ParseForm()
		moment := map[string]string{"authorization_code": "exchange", "refresh_token": "renewal", "client_credentials": "own"}[r.FormValue("grant_type")]
		moment = cmp.Or(moment, "poll")
		k.arrive(moment)
		if answer := k.answers(moment); answer != nil {
			answer(w, r)
			return
		}
		k.token(w, r)
	case "/api/x", "/api/y":
		k.call(w, r)
	case "/revoke":
		_ = r.ParseForm()
		k.arrive("revocation")
		k.revoke(r.FormValue("token"))
	default:
		http.NotFound(w, r)
	}
}

func (k *keeper) token(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var s *session
	if code := cmp.Or(r.FormValue("code"), r.FormValue("device_code")); k.codes[code] != "" {
		s = &session{scope: k.codes[code]}
		delete(k.codes, code)
	}
	if refresh := r.FormValue("refresh_token"); refresh != "" {
		s = k.sessions[refresh]
		if old := k.spent[refresh]; old != nil {
			k.reused++
			delete(k.sessions, old.refresh)
			*old = session{}
		}
		delete(k.sessions, refresh)
		k.spent[refresh] = s
	}
	if r.FormValue("grant_type") == "client_credentials" {
		own := &session{access: "acc_" + rand.Text()}
		k.sessions[own.access] = own
		reply(w, 200, map[string]any{"access_token": own.access, "token_type": "Bearer", "expires_in": 3600, "scope": "a:read"})
		return
	}
	if s == nil {
		reply(w, 400, map[string]any{"error": "invalid_grant"})
		return
	}
	s.refresh, s.access = "ref_"+rand.Text(), "acc_"+rand.Text()
	k.sessions[s.refresh] = s
	response := map[string]any{"access_token": s.access, "refresh_token": s.refresh, "token_type": "Bearer", "expires_in": 3600, "scope": s.scope}
	if k.ahead != 0 { // and the end is told by that clock
		delete(response, "expires_in")
		response["expires_at"] = time.Now().Add(time.Hour - k.ahead).Unix()
	}
	reply(w, 200, response)
}

func (k *keeper) revoke(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for refresh, s := range k.sessions {
		if refresh == token || s.access == token {
			delete(k.sessions, refresh)
		}
	}
}

// call is a request with an access token.
func (k *keeper) call(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sessions {
		if r.Header.Get("Authorization") != "Bearer "+s.access {
			continue
		}
		if r.URL.Path == "/api/y" && !slices.Contains(strings.Fields(s.scope), "a:write") {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="a:write"`)
			reply(w, 403, map[string]any{"error": "insufficient_scope"})
			return
		}
		reply(w, 200, map[string]any{})
		return
	}
	reply(w, 401, map[string]any{"error": "invalid_token"})
}

// registered are the clients that were registered since the last call.
func (k *keeper) registered() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.clients = nil }()
	return k.clients
}

// forget makes the server refuse every access token that it has given out.
func (k *keeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sessions {
		s.access = "none"
	}
}

// alive are the refresh tokens that are good, and the access tokens without one.
func (k *keeper) alive() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.sessions))
}

func reply(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}

// A keepingHome is the home of one user of a keeper.
type keepingHome struct {
	t   *testing.T
	dir string
	env []string
}

// home is a new home with a manifest for this server; one with a client id, or one that has to
// register.
func (k *keeper) home(clientID string) *keepingHome {
	k.t.Helper()
	if clientID == "" {
		return k.homeOf("")
	}
	return k.homeOf("client: {id: {main: " + clientID + "}}")
}

// homeOf is one whose provider file says this of the client.
func (k *keeper) homeOf(client string) *keepingHome {
	k.t.Helper()
	h := &keepingHome{t: k.t, dir: k.t.TempDir()}
	manifest := filepath.Join(h.dir, "scopes.yaml")
	h.write("provider.yaml", fmt.Sprintf(`servers:
  main: {issuer: %q, api: %q}
default_server: main
%s
credentials:
  - {prefix: acc_, kind: oauth_access, label: an access token}
`, k.URL, k.URL+"/api", client))
	h.write("scopes.yaml", `version: 1
name: tool
provider: ./provider.yaml
scopes:
  - {scope: "a:read", level: required, why: to read, used_by: ["GET {api}/x"]}
`)
	h.env = []string{"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + manifest, "NO_COLOR=1"}
	return h
}

func (h *keepingHome) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// ambit is a command line in this home.
func (h *keepingHome) ambit(args ...string) *exec.Cmd {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	c := exec.CommandContext(h.t.Context(), self)
	c.Args = append([]string{"ambit"}, args...)
	c.Env = h.env
	return c
}

// login logs in, and does not go on without.
func (h *keepingHome) login() {
	h.t.Helper()
	if out, err := h.ambit("login", "--browser", visitCommand(h.t)).CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
}

// records are the paths of what is stored.
func (h *keepingHome) records() []string {
	found, _ := filepath.Glob(filepath.Join(h.dir, ".local/state/ambit/credentials/*.json"))
	return found
}

// record is that of the stored login, as a map; nil where none is.
func (h *keepingHome) record() map[string]any {
	h.t.Helper()
	logins, _ := h.stored()
	if len(logins) == 0 {
		return nil
	}
	return logins[0]
}

// stored is what is stored: logins, and the clients that are kept beside them.
func (h *keepingHome) stored() (logins, clients []map[string]any) {
	h.t.Helper()
	for _, path := range h.records() {
		data, err := os.ReadFile(path)
		if err != nil {
			h.t.Fatal(err)
		}
		var record map[string]any
		if err := json.Unmarshal(data, &record); err != nil {
			h.t.Fatal(err)
		}
		if record["kind"] == "client_registration" {
			clients = append(clients, record)
			continue
		}
		logins = append(logins, record)
	}
	return logins, clients
}

// clients are the ids of the clients that are kept.
func (h *keepingHome) clients() (ids []string) {
	_, kept := h.stored()
	for _, record := range kept {
		ids = append(ids, fmt.Sprint(record["client"]))
	}
	return ids
}

// edit changes members of the stored record.
func (h *keepingHome) edit(members map[string]any) {
	h.t.Helper()
	record := h.record()
	maps.Copy(record, members)
	data, err := json.Marshal(record)
	if err == nil {
		err = os.WriteFile(h.records()[0], data, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// kept are the refresh tokens in the store, and the access tokens without one.
func (h *keepingHome) kept() (tokens []string) {
	logins, _ := h.stored()
	for _, record := range logins {
		refresh, _ := record["refresh"].(string)
		access, _ := record["access"].(string)
		if token := cmp.Or(refresh, access); token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
