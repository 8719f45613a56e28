package oauth_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"go.yaml.in/yaml/v3"
)

// A shape is what a real service responds, and what is to be read from it with a provider file that says how.
type shape struct {
	Of    string
	What  string // token or inspect
	File  string // the provider file, without its servers
	Asked string // the scopes that were requested

	Headers map[string]string
	Body    string

	Scopes  string
	KnownBy scopes.KnownBy `yaml:"known_by"` // "" where the response says it
	Kind    scopes.Kind    // "" for whatever it is
	Refresh string
	Life    int // in seconds
	Expires int64
	Account string
}

// TestShapesOfServices reads the responses of some thirty services.
func TestShapesOfServices(t *testing.T) {
	text, err := os.ReadFile("testdata/shapes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var shapes []shape
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&shapes); err != nil {
		t.Fatal(err)
	}
	read := map[string]func(*testing.T, shape, *provider.Provider) *credential.Credential{"token": renewed, "inspect": inspected}
	known := map[string]scopes.KnownBy{"token": scopes.TokenResponse, "inspect": scopes.SelfInspection}
	for _, s := range shapes {
		t.Run(s.Of, func(t *testing.T) {
			p, err := provider.Decode("p.yaml", []byte("servers: {s: {issuer: https://id.example, api: https://api.example}}\n"+s.File))
			if err != nil {
				t.Fatal(err)
			}
			got := read[s.What](t, s, p)
			if s.KnownBy == "" {
				s.KnownBy = known[s.What]
			}
			if want := scopes.NewSet(strings.Fields(s.Scopes)...); !slices.Equal(got.Scopes.Slice(), want.Slice()) || got.KnownBy != s.KnownBy {
				t.Errorf("it holds %v, known by %s; want %v, by %s", got.Scopes.Slice(), got.KnownBy, want.Slice(), s.KnownBy)
			}
			if got.Account != s.Account || s.Kind != "" && got.Kind != s.Kind || got.Refresh.Reveal() != s.Refresh {
				t.Errorf("account %q, kind %q, refresh token %q", got.Account, got.Kind, got.Refresh.Reveal())
			}
			if s.Life != 0 {
				s.Expires = inspectedAt.Add(time.Duration(s.Life) * time.Second).Unix()
			}
			if got.ExpiresAt.IsZero() != (s.Expires == 0) || s.Expires != 0 && got.ExpiresAt.Unix() != s.Expires {
				t.Errorf("it ends at %s", got.ExpiresAt)
			}
		})
	}
	if len(shapes) < 55 {
		t.Errorf("%d shapes", len(shapes))
	}
}

// RoundTrip gives every request the response of the shape.
func (s shape) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range s.Headers {
		header.Set(name, value)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(s.Body)), Request: r}, nil
}

// renewed is a credential of the token response.
func renewed(t *testing.T, s shape, p *provider.Provider) *credential.Credential {
	t.Helper()
	asked, memory := scopes.NewSet(strings.Fields(s.Asked)...), &store.Memory{}
	before := &credential.Credential{
		Access: credential.NewSecret("before"), Refresh: credential.NewSecret("kept"), ClientID: testClient, Asked: asked, ObtainedAt: inspectedAt.Add(-time.Hour),
		Grant: scopes.Grant{Server: "s", Scopes: asked, KnownBy: scopes.Assumed, ExpiresAt: inspectedAt.Add(-time.Minute)},
	}
	save(t, memory, before)
	renewer := &oauth.Renewer{
		Store: memory, Key: testKey, LockDir: t.TempDir(), Provider: p, HTTP: &http.Client{Transport: s}, Now: func() time.Time { return inspectedAt },
		Server: func(context.Context) (*metadata.AuthorizationServer, error) {
			return &metadata.AuthorizationServer{Issuer: testKey.Issuer, TokenEndpoint: "https://id.example/token"}, nil
		},
	}
	got, err := renewer.Valid(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if s.Refresh == "" && got.Refresh.Reveal() == "kept" { // the response has none
		got.Refresh = credential.Secret{}
	}
	return got
}

// inspected is a key of which the response tells what it holds.
func inspected(t *testing.T, s shape, p *provider.Provider) *credential.Credential {
	t.Helper()
	inspector := &oauth.Inspector{Provider: p, Server: p.Servers[0], HTTP: &http.Client{Transport: s}, Now: func() time.Time { return inspectedAt }}
	got, err := inspector.Inspect(t.Context(), &credential.Credential{Access: credential.NewSecret(testAPIKey), Grant: scopes.Grant{Server: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
