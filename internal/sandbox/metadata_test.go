package sandbox

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The documents are those of the live service, moved to this host, and nothing else.
func TestMetadataIsTheOriginalRehosted(t *testing.T) {
	s := start(t, Options{})
	us := s.Ready().Regions["us"]
	for _, tt := range []struct{ address, file, origin string }{
		{s.Ready().Issuer + "/.well-known/oauth-authorization-server", "oauth-authorization-server.json", s.Ready().Issuer},
		{s.Ready().Issuer + "/.well-known/openid-configuration", "openid-configuration.json", s.Ready().Issuer},
		{us.Issuer + "/.well-known/oauth-authorization-server", "oauth-authorization-server.json", us.Issuer},
		{us.API + "/.well-known/oauth-protected-resource", "oauth-protected-resource.json", us.Issuer},
	} {
		text, err := os.ReadFile("shape/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "https://us.posthog.com", tt.origin)), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, send(t, "GET", tt.address, "", nil).json(t)); diff != "" {
			t.Errorf("%s: %s", tt.address, diff)
		}
	}
	if a := send(t, "GET", s.Ready().Issuer+"/.well-known/oauth-protected-resource", "", nil); a.Status != 404 {
		t.Errorf("an authorization server alone is no resource: %d", a.Status)
	}
}

func TestEveryEndpointOfTheMetadataIsThere(t *testing.T) {
	s := start(t, Options{})
	document := send(t, "GET", s.Ready().Issuer+"/.well-known/openid-configuration", "", nil).json(t)
	checked := 0
	for name, value := range document {
		if address, _ := value.(string); strings.HasSuffix(name, "_endpoint") || name == "jwks_uri" {
			checked++
			method := map[bool]string{true: "GET", false: "POST"}[name == "jwks_uri" || name == "authorization_endpoint"]
			if a := send(t, method, address, "", nil); a.Status == 404 || a.Status == 405 {
				t.Errorf("%s: %d", name, a.Status)
			}
		}
	}
	if checked != 7 {
		t.Errorf("%d endpoints", checked)
	}
}

func TestMetadataIsRevalidated(t *testing.T) {
	s := start(t, Options{})
	address := s.Ready().Issuer + "/.well-known/oauth-authorization-server"
	tag := send(t, "GET", address, "", nil).Header.Get("ETag")
	again := func() answer {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		req.Header.Set("If-None-Match", tag)
		return do(t, http.DefaultClient, req)
	}
	if a := again(); tag == "" || a.Status != 304 || a.Body != "" {
		t.Errorf("tag %q: %d", tag, a.Status)
	}
	s.Advertise([]string{"brand_new:read"}, []string{"insight:write"})
	a := again()
	list := a.json(t)["scopes_supported"].([]any)
	if a.Status != 200 || slices.Contains(list, any("insight:write")) || !slices.Contains(list, any("brand_new:read")) || !slices.Contains(list, any("insight:read")) {
		t.Errorf("after a change: %d %v", a.Status, list)
	}
}
