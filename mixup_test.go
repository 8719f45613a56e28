package ambit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A server whose metadata names the page of another one gets no code that was given there, unless
// a person says that both belong together; iss changes nothing, for what is pasted has none.
func TestMixUp(t *testing.T) {
	honest := newWorld(t, sandbox.Options{Grant: "all"})
	for name, tt := range map[string]struct {
		yes     bool
		promise bool
		mirror  bool // the page is its own, and the token endpoint another's
		opened  int32
	}{
		"no":              {false, false, false, 0},
		"no, with iss":    {false, true, false, 0},
		"yes":             {true, false, false, 1},
		"its own page":    {false, false, true, 0},
		"its page, a yes": {true, false, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var codes, opened atomic.Int32
			var origin string
			origin = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					w.Header().Set("Content-Type", "application/json")
					page, token := honest.ready.Issuer, origin
					if tt.mirror {
						page, token = token, page
					}
					fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":%v}`,
						origin, page+"/authorize", token+"/token", tt.promise)
					return
				}
				codes.Add(1)
				w.WriteHeader(http.StatusBadRequest)
			}))
			m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: x\nprovider: {servers: {here: {issuer: '"+origin+"', api: '"+origin+"'}}, client: {id: known}}\nscopes: [{scope: 'a:read', level: required, why: x}]\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			asked := ""
			s, err := ambit.New(m, ambit.Options{Store: &honest.store, Env: []string{"HOME=" + t.TempDir()}, UI: ambit.UI{
				Open:      func(context.Context, string, string) error { opened.Add(1); return errors.New("no browser") },
				Ask:       func(_ context.Context, question string) (bool, error) { asked = question; return tt.yes, nil },
				PasteOnly: true,
				Paste:     func() (<-chan string, func()) { ended := make(chan string); close(ended); return ended, func() {} },
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Login(t.Context(), nil)
			elsewhere, is := errors.AsType[*ambit.ConsentElsewhereError](err)
			if is == tt.yes || opened.Load() != tt.opened || codes.Load() > 0 {
				t.Errorf("%v; %d pages opened, %d codes sent", err, opened.Load(), codes.Load())
			}
			page, _ := url.Parse(honest.ready.Issuer)
			if !strings.Contains(asked, page.Host) || is && !tt.mirror && elsewhere.Consent != page.Host || is && (elsewhere.Other() == elsewhere.Consent || !strings.Contains(err.Error(), page.Host)) {
				t.Errorf("asked %q; %v", asked, err)
			}
		})
	}
}

// A provider file that leads from the page of one server to the token endpoint of another gets no
// code either, whoever the issuer is; nor does one whose endpoint is on a host that nobody confirmed.
func TestMixUpByFile(t *testing.T) {
	honest := newWorld(t, sandbox.Options{Grant: "all"})
	page, _ := url.Parse(honest.ready.Issuer)
	var codes atomic.Int32
	origin := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		codes.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	token := strings.TrimPrefix(origin, "http://")
	for name, tt := range map[string]struct {
		endpoints string
		token     string // where the code would go; "" where nobody is asked that
	}{
		"a token endpoint over the metadata":     {"token_endpoint: '" + origin + "/token'", token},
		"both endpoints, and no metadata":        {"metadata: none, authorization_endpoint: '" + honest.ready.Issuer + "/oauth/authorize/', token_endpoint: '" + origin + "/token'", token},
		"a page over the metadata":               {"authorization_endpoint: '" + origin + "/authorize'", page.Host},
		"a host that nobody confirmed":           {"token_endpoint: 'https://thief.example/token'", ""},
		"for revocation, and nobody confirmed":   {"revocation_endpoint: 'https://thief.example/revoke'", ""},
		"a page on a host nobody ever confirmed": {"authorization_endpoint: 'https://thief.example/authorize'", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: x\nprovider: {servers: {here: {issuer: '"+honest.ready.Issuer+"', "+tt.endpoints+"}}, client: {id: known, pkce: S256}}\nscopes: [{scope: 'user:read', level: required, why: x}]\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ambit.New(m, ambit.Options{Store: &honest.store, Env: []string{"HOME=" + t.TempDir()}, UI: ambit.UI{
				Open: func(context.Context, string, string) error {
					t.Error("a page was opened")
					return errors.New("no browser")
				},
				Ask: func(context.Context, string) (bool, error) { return false, nil },
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Login(t.Context(), nil)
			elsewhere, is := errors.AsType[*ambit.ConsentElsewhereError](err)
			untrusted, no := errors.AsType[*ambit.UntrustedHostError](err)
			switch {
			case tt.token != "" && (!is || elsewhere.Token != tt.token || !strings.Contains(err.Error(), "scopes.yaml sends you to")):
				t.Errorf("%v", err)
			case tt.token == "" && (!no || untrusted.Hosts[0] != "thief.example"):
				t.Errorf("%v", err)
			}
		})
	}
	if codes.Load() > 0 {
		t.Errorf("%d requests at the other server", codes.Load())
	}
}
