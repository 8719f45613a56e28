package ambit_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A manifest in a cloned directory may name a port of this machine at which another user listens. An
// API key goes there as little as a stored login does, wherever the key comes from and whatever the
// port is named for, until the user has said yes.
func TestKeyOnThisMachine(t *testing.T) {
	var came atomic.Int32
	collector := newServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			came.Add(1)
		}
	}))
	host := strings.TrimPrefix(collector, "http://")
	const key = "phx_0123456789abcdef"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	open := func(t *testing.T, provider string, change func(*ambit.Options)) *ambit.Session {
		t.Helper()
		m, err := manifest.Decode("theirs/scopes.yaml", []byte(`{version: 1, name: theirs, provider: `+provider+`, scopes: [{scope: "user:read", level: required, why: b, used_by: ["GET {api}/x"]}]}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		yes := []string{"oauth.posthog.com", "us.posthog.com", "gateway.us.posthog.com", "mcp.posthog.com", "eu.posthog.com", "gateway.eu.posthog.com"} // to what is no port of this machine
		o := ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + home, "AMBIT_API_KEY=" + key}, TrustHosts: yes}
		if change != nil {
			change(&o)
		}
		s, err := ambit.New(m, o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	uses := map[string]func(s *ambit.Session) error{
		"Find": func(s *ambit.Session) error {
			h, err := s.Find(t.Context())
			if err == nil {
				err = h.Inspect(t.Context())
			}
			return err
		},
		"Client": func(s *ambit.Session) error {
			client, err := s.Client(t.Context())
			if err == nil {
				_, err = client.Get(client.URL("{api}/x"))
			}
			return err
		},
	}
	handed := func(o *ambit.Options) {
		o.Env = o.Env[:1]
		o.Key = apikey.Sources{File: file}
	}
	for name, provider := range map[string]string{
		"an API":     `{use: posthog, servers: {us: {issuer: "https://us.posthog.com", api: "` + collector + `"}}, default_server: us}`,
		"a gateway":  `{use: posthog, servers: {us: {issuer: "https://us.posthog.com", api: "https://us.posthog.com", gateway: "` + collector + `/v1"}}, default_server: us}`,
		"an issuer":  `{servers: {own: {issuer: "` + collector + `", api: "` + collector + `"}}, default_server: own}`,
		"inspection": `{use: posthog, credentials: [{kind: key, label: a key, inspect: {url: "` + collector + `/key", scopes: scopes}}]}`,
		"asked too":  `{use: posthog, servers: {us: {issuer: "https://us.posthog.com", api: "https://us.posthog.com"}, eu: {issuer: "https://eu.posthog.com", api: "` + collector + `", ask_on_401: true}}, default_server: us}`,
	} {
		for source, change := range map[string]func(*ambit.Options){"a variable": nil, "a file": handed} {
			for use, do := range uses {
				err := do(open(t, provider, change))
				if e, ok := errors.AsType[*ambit.UntrustedHostError](err); !ok || len(e.Hosts) != 1 || e.Hosts[0] != host || came.Load() != 0 {
					t.Errorf("%s, from %s, for %s: %v; %d requests with the key came", use, source, name, err, came.Load())
				}
			}
		}
		if _, err := open(t, provider, handed).Login(t.Context(), nil); came.Load() != 0 {
			t.Errorf("Login, for %s: %v; the key came", name, err)
		}
	}
	own := `{servers: {own: {issuer: "` + collector + `", api: "` + collector + `"}}, default_server: own}`
	for _, step := range []struct {
		yes    string
		change func(*ambit.Options)
	}{
		{"the server on the command line", func(o *ambit.Options) { o.Server = collector }},
		{"a person", func(o *ambit.Options) { o.UI.Ask = func(context.Context, string) (bool, error) { return true, nil } }},
		{"what the person said before", nil},
	} {
		before := came.Load()
		if err := uses["Client"](open(t, own, step.change)); err != nil || came.Load() == before {
			t.Errorf("%s: %v, %d requests", step.yes, err, came.Load()-before)
		}
	}
}

// What ambit's own file says of a server on this machine is not a manifest's word, and choosing it is.
func TestKeyForTheBuiltInServerOfThisMachine(t *testing.T) {
	for _, tt := range []struct {
		chosen, named string
		trusted       bool
	}{
		{"", "", true}, {"us", "", true}, {"", "dev", true}, {"dev", "", false},
	} {
		text := `{version: 1, name: theirs, provider: posthog, scopes: [{scope: "user:read", level: required}]`
		if tt.chosen != "" {
			text += ", server: " + tt.chosen
		}
		m, err := manifest.Decode("scopes.yaml", []byte(text+"}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ambit.New(m, ambit.Options{Server: tt.named, Env: []string{"HOME=" + t.TempDir(), "AMBIT_API_KEY=phx_0123456789abcdef"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Find(t.Context())
		if _, refused := errors.AsType[*ambit.UntrustedHostError](err); refused == tt.trusted {
			t.Errorf("chosen %q, named %q: %v", tt.chosen, tt.named, err)
		}
	}
}

// What is known of one service says nothing of another: no file sends a key of the one to the other,
// though both are built in. Anybody can have a page at some of them that shows what was sent.
func TestKeyOfAnotherService(t *testing.T) {
	home := t.TempDir()
	for about, theirs := range map[string]string{
		"an API of another":      `{use: github, servers: {s: {issuer: "https://github.com/login/oauth", api: "https://slack.com/api"}}}`,
		"begun with the other":   `{use: slack, servers: {s: {issuer: "https://github.com/login/oauth", api: "https://slack.com/api"}}}`,
		"a file of its own":      `{servers: {s: {issuer: "https://github.com/login/oauth", api: "https://slack.com/api"}}, credentials: [{kind: key, label: a key, env: [GITHUB_TOKEN]}]}`,
		"a variable of another":  `{use: slack, credentials: [{kind: key, label: a key, env: [GITHUB_TOKEN]}]}`,
		"asked too":              `{use: github, servers: {s: {issuer: "https://github.com/login/oauth", api: "https://api.github.com"}, o: {issuer: "https://slack.com", api: "https://slack.com/api", ask_on_401: true}}}`,
		"asked about at another": `{use: github, credentials: [{kind: key, label: a key, env: [GITHUB_TOKEN], inspect: {url: "https://slack.com/api/auth.test", scopes: scopes}}]}`,
	} {
		m, err := manifest.Decode("theirs/scopes.yaml", []byte(`{version: 1, name: theirs, provider: `+theirs+`, scopes: [{scope: repo, level: required, why: b, used_by: ["GET {api}/x"]}]}`), nil)
		if err != nil {
			t.Fatal(about, err)
		}
		s, err := ambit.New(m, ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + home, "GITHUB_TOKEN=ghp_made_up"}, HTTP: &http.Client{Transport: nowhere{t}}})
		if err != nil {
			t.Fatal(about, err)
		}
		h, err := s.Find(t.Context())
		if err == nil {
			err = h.Inspect(t.Context())
		}
		untrusted, ok := errors.AsType[*ambit.UntrustedHostError](err)
		if !errors.Is(err, ambit.ErrNoCredential) && (!ok || !slices.Contains(untrusted.Hosts, "slack.com")) {
			t.Errorf("%s: %v, want no key found, or a question about slack.com", about, err)
		}
	}
}

// nowhere is a network on which no request may be seen.
type nowhere struct{ t *testing.T }

func (n nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("a request to %s", r.URL.Host)
	return nil, errors.New("nowhere")
}
