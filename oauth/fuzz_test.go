package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// Whatever comes back, or is pasted, ends in a code or a refusal that belongs to this request, or
// in a mistake.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{"code=c0ffee&state=right", "error=access_denied&state=right", "state=right", "code=a&code=b", "%zz", "code=x&state=wrong&iss=https%3A%2F%2Fa.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := readResponse(query, &attempt{state: "right"})
		if values, parseErr := parseResponse(query); err == nil && (parseErr != nil || values.Get("state") != "right" || got.code == "" && got.refusal == nil) {
			t.Errorf("%q is taken: %+v", query, got)
		}
	})
}

func FuzzPaste(f *testing.F) {
	for _, seed := range []string{"http://localhost:1/callback?code=c0ffeec0ffeec0ffee&state=right", "Code: c0ffeec0ffeec0ffee", `"c0ffeec0ffeec0ffee".`, "error=access_denied", "https://x?", "«»"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readPaste(text, &attempt{state: "right"})
		if err == nil && got.code == "" && got.refusal == nil {
			t.Errorf("%q is taken: %+v", text, got)
		}
		if err == nil && got.bare && got.refusal == nil && len(got.code) < shortestCode {
			t.Errorf("%q is taken for a code", got.code)
		}
	})
}

// atEndpoint is a response as a server gives it.
func atEndpoint(status int, kind, body string) *guard.Response {
	return &guard.Response{
		Status: status, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body), URL: &url.URL{Scheme: "https", Host: "as.example", Path: "/token"},
	}
}

// replies is a server in one function.
type replies func(*http.Request) *http.Response

func (r replies) RoundTrip(req *http.Request) (*http.Response, error) { return r(req), nil }

// sane fails for an error that would steer a terminal, or is of no kind that a caller knows.
func sane(t *testing.T, err error) {
	t.Helper()
	if strings.IndexFunc(err.Error(), func(r rune) bool { return !strconv.IsPrint(r) }) >= 0 {
		t.Errorf("an error that steers a terminal: %q", err)
	}
}

var fuzzedAt = moment{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}

// Whatever a token endpoint answers, what is taken for a credential can be sent and kept, and lives no
// longer than anything may.
func FuzzTokenResponse(f *testing.F) {
	var real []struct {
		Kind string `json:"content_type"`
		Body string
	}
	text, err := os.ReadFile("testdata/token_responses.json")
	if err = errors.Join(err, json.Unmarshal(text, &real)); err != nil {
		f.Fatal(err)
	}
	for _, r := range real {
		f.Add(http.StatusOK, r.Kind, r.Body)
	}
	f.Add(http.StatusBadRequest, "application/json", `{"error":"invalid_grant","error_description":"spent\u001b[2J"}`)
	f.Add(http.StatusOK, "application/json", `{"access_token":"a","token_type":"bearer","expires_in":1e400,"scope":["a",null,3],"expires_at":"9999-12-31T23:59:59Z"}`)
	f.Add(http.StatusOK, "application/x-www-form-urlencoded", "access_token=a&token_type=bearer&scope=a%2Cb&expires_in=-1")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		base := &http.Client{Transport: replies(func(r *http.Request) *http.Response {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		})}
		request := newTokenRequest("https://as.example/token", base, nil)
		request.requester.Wait = func(context.Context, time.Duration) error { return nil }
		_, err := (&oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: request.endpoint, AuthStyle: oauth2.AuthStyleInParams}}).Exchange(request.within(t.Context()), "code")
		object, err := request.result(err)
		if err != nil {
			sane(t, err)
			return
		}
		asked := scopes.NewSet("a:read", "openid")
		c, err := readToken("https://as.example/token", object, credential.Credential{Asked: asked, Grant: scopes.Grant{Scopes: asked, KnownBy: scopes.Assumed}}, nil, fuzzedAt)
		if err != nil {
			sane(t, err)
			return
		}
		if access := c.Access.Reveal(); access == "" || !credential.IsSendable(access) || !credential.IsVisible(c.Refresh.Reveal()) {
			t.Errorf("%q gives a token that cannot be sent", body)
		}
		if !c.ExpiresAt.IsZero() && c.ExpiresAt.After(fuzzedAt.now.Add(maxLifetime)) && !object.Has("expires_at") {
			t.Errorf("%q lives until %s", body, c.ExpiresAt)
		}
		if again, err := scopes.ParseSet(c.Scopes.String()); err != nil || again.String() != c.Scopes.String() {
			t.Errorf("%q grants %q, which cannot be kept: %v", body, c.Scopes, err)
		}
	})
}

// Whatever a registration endpoint answers, what is taken for a client can authenticate itself.
func FuzzRegistrationResponse(f *testing.F) {
	for _, seed := range []string{
		`{"client_id":"c0ffee","client_id_issued_at":1760000000,"redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none"}`,
		`{"client_id":"c0ffee","client_secret":"s3cret","client_secret_expires_at":0,"token_endpoint_auth_method":"client_secret_basic"}`,
		`{"client_id":"c0ffee","client_secret":"s3cret","client_secret_expires_at":"2030-01-01T00:00:00Z"}`,
		`{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}`, `{"error":"invalid_redirect_uri","error_description":"no"}`, `{"client_id":1}`, "[]", "",
	} {
		f.Add(201, "application/json", seed)
	}
	f.Add(400, "text/html", "<html>no</html>")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		r := &Registration{Server: &metadata.AuthorizationServer{Issuer: "https://as.example"}, Scopes: scopes.NewSet("a:read")}
		got, err := r.read(atEndpoint(status, kind, body), clientMetadata{AuthMethod: provider.AuthNone})
		if err != nil {
			sane(t, err)
			return
		}
		if got.ID == "" || !credential.IsVisible(got.ID) || !credential.IsVisible(got.Secret.Reveal()) || (got.Method == provider.AuthNone) != (got.Secret.Reveal() == "") {
			t.Errorf("%q is taken: %q by %q", body, got.ID, got.Method)
		}
	})
}

// Whatever is said of a credential, it holds nothing that no member names, and only what cannot be read
// leaves the question open.
func FuzzInspectionResponse(f *testing.F) {
	for _, seed := range []string{
		`{"active":true,"scope":"a:read b:read","exp":1760000000}`, `{"active":false}`, `{"active":"true","scope":["a"]}`, `{"scopes":["a:read",null],"expires":"2030-01-01T00:00:00Z","projects":[1,"2"]}`,
		`{"scopes":["a",{}]}`, `{"active":true}`, `{"error":"invalid_token"}`, "{", "",
	} {
		for _, status := range []int{200, 401, 403, 500} {
			f.Add(status, "application/json", `Bearer error="invalid_token"`, seed, status == 200)
		}
	}
	f.Fuzz(func(t *testing.T, status int, kind, challenge, body string, introspection bool) {
		way := provider.Inspection{
			URL: "https://as.example/", Introspection: introspection, Scopes: member("scopes"), Expires: member("expires"), Reach: []provider.ReachMember{{Of: "project", Member: "projects"}},
		}
		response := atEndpoint(status, kind, body)
		response.Header.Set("WWW-Authenticate", challenge)
		inspector := &Inspector{Provider: &provider.Provider{}, Note: func(note string) { sane(t, errors.New(note)) }}
		grant, err := inspector.readInspection(response, way, provider.CredentialKind{Kind: "key"}, scopes.Set{})
		if err != nil {
			sane(t, err)
			if grant.Scopes.Len() > 0 {
				t.Errorf("%q is not taken, and grants %s", body, grant.Scopes)
			}
			return
		}
		if status != http.StatusOK || grant.Scopes.Len() > 0 && !strings.Contains(body, "scopes") {
			t.Errorf("%d %q grants %s", status, body, grant.Scopes)
		}
		if err := readUserinfo(response); err != nil {
			sane(t, err)
		}
	})
}

func member(name string) provider.Place { return provider.Place{Path: provider.Path{{Name: name}}} }
