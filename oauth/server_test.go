package oauth_test

import (
	std "cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const testClient = "test-client"

// An authServer is a strict authorization server: what no RFC allows a client to send
// fails the test. Everyone consents at once. Its fields are set before it is used.
type authServer struct {
	t *testing.T
	*httptest.Server

	iss       string                            // iss of the authorization response; "" for none
	client    client.Client                     // the only client; the zero value is a public one
	pushed    map[string]url.Values             // requests by reference; not nil: the server requires that they are pushed
	anyClient bool                              // /authorize takes any client
	refusal   url.Values                        // the authorization response, in place of a code
	refuse    func(scope string) url.Values     // the same, by what is asked
	answer    map[string]any                    // more members of the token response, or nil to take one away
	tokens    http.HandlerFunc                  // in place of the token endpoint
	idToken   func(nonce, access string) string // id_token of the response
	others    map[string]http.HandlerFunc       // more paths
	date      time.Time                         // of its clock; zero: it does not say
	onRequest func(method, path string)         // told of each request to anything but /authorize

	mu       sync.Mutex
	codes    map[string]url.Values // the authorization request that each code answers
	refresh  string                // the only refresh token that is good
	used     map[string]bool       // refresh tokens that are spent
	dead     bool                  // the family was killed by reuse
	issued   int
	revoked  []string // tokens, in the order in which they came
	requests []string // all but /authorize, which is the browser's
	asked    []url.Values
}

func newAuthServer(t *testing.T) *authServer {
	s := &authServer{t: t, codes: map[string]url.Values{}, used: map[string]bool{}, others: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *authServer) metadata() *metadata.AuthorizationServer {
	return &metadata.AuthorizationServer{
		Issuer:                            s.URL,
		AuthorizationEndpoint:             s.URL + "/authorize",
		TokenEndpoint:                     s.URL + "/token",
		RevocationEndpoint:                s.URL + "/revoke",
		TokenEndpointAuthMethodsSupported: []string{"client_secret_basic", "none"},
		CodeChallengeMethodsSupported:     []string{"S256"},
		ResponseTypesSupported:            []string{"code"},
		GrantTypesSupported:               []string{"authorization_code", "refresh_token"},
	}
}

func (s *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Date"] = nil
	if !s.date.IsZero() {
		w.Header().Set("Date", s.date.UTC().Format(http.TimeFormat))
	}
	if r.URL.Path == "/authorize" {
		s.authorize(w, r)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if s.onRequest != nil {
		s.onRequest(r.Method, r.URL.Path)
	}
	switch other := s.others[r.URL.Path]; {
	case other != nil:
		other(w, r)
	case r.URL.Path == "/revoke":
		s.mu.Lock()
		s.revoked = append(s.revoked, r.PostFormValue("token"))
		s.mu.Unlock()
	case r.URL.Path != "/token":
		s.t.Errorf("a request that nobody expected: %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	case s.tokens != nil:
		s.tokens(w, r)
	default:
		s.token(w, r)
	}
}

// sent lists the client's own requests so far.
func (s *authServer) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// lastAsked is the latest authorization request.
func (s *authServer) lastAsked() url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

// authorize checks RFC 6749 §4.1.1 and RFC 7636 §4.3, and answers by redirect.
func (s *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if pushed, ok := s.pushed[q.Get("request_uri")]; ok {
		if len(q) != 2 || q.Get("client_id") != pushed.Get("client_id") {
			s.t.Errorf("beside the reference to a pushed request: %v", q)
		}
		q = pushed
	} else if s.pushed != nil {
		s.t.Errorf("the request was not pushed: %v", q)
	}
	for name, values := range q {
		if len(values) != 1 && name != "resource" {
			s.t.Errorf("%s stands %d times in the authorization request", name, len(values))
		}
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": std.Or(s.client.ID, testClient), "code_challenge_method": "S256"} {
		if got := q.Get(name); got != want && !(s.anyClient && name == "client_id") {
			s.t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 43 {
		s.t.Errorf("challenge %q, state %q", q.Get("code_challenge"), q.Get("state"))
	}
	if q.Has("code_verifier") {
		s.t.Error("the verifier is in the browser's URL")
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	code := fmt.Sprintf("authorization-code-%d", len(s.asked))
	s.codes[code] = q
	s.mu.Unlock()
	response := s.refusal
	if s.refuse != nil {
		response = s.refuse(q.Get("scope"))
	}
	back := url.Values{"code": {code}}
	if response != nil {
		back = maps.Clone(response)
	}
	back.Set("state", q.Get("state"))
	if s.iss != "" {
		back.Set("iss", s.iss)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// push takes a pushed authorization request (RFC 9126 §2.1).
func (s *authServer) push(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost || form.Has("request_uri") {
		s.t.Errorf("pushed: %s %v %v", r.Method, form, err)
	}
	said := maps.Clone(form) // the request's client_id stands there whatever the method (RFC 9126 §2.1)
	if s.client.Method == provider.AuthBasic && form.Get("client_id") == s.client.ID {
		said.Del("client_id")
	}
	s.authenticate(r, said)
	if s.refuse != nil {
		if refusal := s.refuse(form.Get("scope")); refusal != nil {
			reply(w, 400, map[string]any{"error": refusal.Get("error"), "error_description": refusal.Get("error_description")})
			return
		}
	}
	form.Del("client_secret")
	reference := fmt.Sprintf("urn:example:%d", len(s.pushed))
	s.pushed[reference] = form
	reply(w, 201, map[string]any{"request_uri": reference, "expires_in": 60})
}

// token checks RFC 6749 §4.1.3 and §6 for a public client.
func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.t.Errorf("token request: %s %s %v", r.Method, r.Header.Get("Content-Type"), err)
	}
	s.authenticate(r, form)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form.Get("grant_type") {
	case "authorization_code":
		s.redeem(w, form)
	case "refresh_token":
		s.rotate(w, form)
	default:
		s.t.Errorf("grant_type = %q", form.Get("grant_type"))
	}
}

// authenticate checks RFC 6749 §2.3.1: the client says who it is in its one way, and in no other.
func (s *authServer) authenticate(r *http.Request, form url.Values) {
	who := s.client
	if who.ID == "" {
		who = client.Public(testClient)
	}
	id, secret, basic := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	got := []any{basic, id, secret, form.Get("client_id"), form.Get("client_secret"), r.URL.RawQuery}
	want := []any{false, "", "", who.ID, "", ""}
	switch who.Method {
	case provider.AuthBasic:
		want = []any{true, who.ID, who.Secret.Reveal(), "", "", ""}
	case provider.AuthPost:
		want[4] = who.Secret.Reveal()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("the client authenticated itself otherwise at %s: %s", r.URL.Path, diff)
	}
}

func (s *authServer) redeem(w http.ResponseWriter, form url.Values) {
	asked, ok := s.codes[form.Get("code")]
	if !ok {
		reply(w, 400, map[string]any{"error": "invalid_grant", "error_description": "no such code"})
		return
	}
	delete(s.codes, form.Get("code")) // once
	digest := sha256.Sum256([]byte(form.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(digest[:]) != asked.Get("code_challenge") {
		s.t.Error("the verifier does not fit the challenge")
	}
	if form.Get("redirect_uri") != asked.Get("redirect_uri") {
		s.t.Errorf("redirect_uri = %q", form.Get("redirect_uri"))
	}
	s.issue(w, asked.Get("scope"), asked.Get("nonce"))
}

// rotate spends a refresh token; one that is spent already kills the family.
func (s *authServer) rotate(w http.ResponseWriter, form url.Values) {
	if form.Has("scope") {
		s.t.Errorf("a refresh asked for scope %q", form.Get("scope"))
	}
	token := form.Get("refresh_token")
	if s.used[token] {
		s.dead = true
	}
	if s.dead || token != s.refresh {
		reply(w, 400, map[string]any{"error": "invalid_grant", "error_description": "the refresh token is spent"})
		return
	}
	s.issue(w, "", "")
}

func (s *authServer) issue(w http.ResponseWriter, scope, nonce string) {
	s.issued++
	s.used[s.refresh] = true
	s.refresh = fmt.Sprintf("refresh-%d", s.issued)
	access := fmt.Sprintf("acc_%d", s.issued)
	response := map[string]any{
		"access_token": access, "refresh_token": s.refresh, "token_type": "bearer", "expires_in": 3600,
	}
	if scope != "" {
		response["scope"] = scope
	}
	if s.idToken != nil {
		response["id_token"] = s.idToken(nonce, access)
	}
	for name, value := range s.answer {
		if response[name] = value; value == nil {
			delete(response, name)
		}
	}
	reply(w, 200, response)
}

func reply(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}

func text(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.Copy(w, strings.NewReader(body))
	}
}
