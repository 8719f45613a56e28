package ambit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A swap answers some paths itself, and leaves the others to the server.
type swap map[string]string

func (s swap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := s[r.URL.Path]
	if !ok {
		return http.DefaultTransport.RoundTrip(r)
	}
	status := http.StatusOK
	if strings.Contains(body, `"error"`) {
		status = http.StatusBadRequest
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: -1}, nil
}

// Which way a login goes: by a code where that was asked for, or where no page can be shown and the
// server gives one; by the browser everywhere else, and where the server gives this client no code.
func TestDeviceOrBrowser(t *testing.T) {
	const path, elsewhere = "/device_authorization", `{"device_code":"d","user_code":"u","verification_uri":"https://evil.example/"}`
	for name, tt := range map[string]struct {
		kinds          []string
		asked          bool
		remote         string
		swap           swap
		codes, pages   int32
		noted, problem string
	}{
		"a desktop":                      {kinds: []string{"device"}, pages: 1},
		"a desktop, asked for":           {kinds: []string{"device"}, asked: true, codes: 1},
		"remote":                         {kinds: []string{"device"}, remote: "SSH", codes: 1},
		"remote, not offered":            {remote: "SSH", pages: 1},
		"asked for, not offered":         {asked: true, problem: "offers no login"},
		"remote, none for this client":   {kinds: []string{"device"}, remote: "SSH", swap: swap{path: `{"error":"unauthorized_client"}`}, pages: 1, noted: "this login goes by a browser"},
		"remote, of no use":              {kinds: []string{"device"}, remote: "SSH", swap: swap{path: `[]`}, pages: 1, noted: "this login goes by a browser"},
		"asked for, none for the client": {kinds: []string{"device"}, asked: true, swap: swap{path: `{"error":"unauthorized_client"}`}, problem: "unauthorized_client"},
		"remote, a page elsewhere":       {kinds: []string{"device"}, remote: "SSH", swap: swap{path: elsewhere}, pages: 1, noted: "sends you to evil.example to enter a code"},
		"asked for, a page elsewhere":    {kinds: []string{"device"}, asked: true, swap: swap{path: elsewhere}, problem: "sends you to evil.example to enter a code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Grant: "all", Misbehave: tt.kinds})
			var codes, pages atomic.Int32
			noted := ""
			s := w.open(t, func(o *ambit.Options) {
				o.Device, o.HTTP = tt.asked, &http.Client{Transport: tt.swap}
				o.UI = ambit.UI{
					Remote: tt.remote,
					Note:   func(sentence string) { noted += sentence + "\n" },
					Open: func(ctx context.Context, start, authorization string) error {
						pages.Add(1)
						return visit(ctx, start, authorization)
					},
					Code: func(ctx context.Context, code oauth.DeviceCode) {
						codes.Add(1)
						<-ctx.Done()
					},
				}
			})
			h, err := s.Login(t.Context(), nil)
			if (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Fatalf("%v, want %q", err, tt.problem)
			}
			if codes.Load() != tt.codes || pages.Load() != tt.pages || !strings.Contains(noted, tt.noted) {
				t.Errorf("%d codes, %d pages; noted %q", codes.Load(), pages.Load(), noted)
			}
			if _, is := errors.AsType[*ambit.NoDeviceError](err); is != (name == "asked for, not offered") {
				t.Errorf("the error is %T", err)
			}
			if err == nil {
				if found, err := s.Find(t.Context()); err != nil || found.Credential.Access.Reveal() != h.Credential.Access.Reveal() {
					t.Errorf("what was kept: %v", err)
				}
			}
		})
	}
}

// A host at which a code is asked for has to be trusted, and is for no login that goes by itself.
func TestDeviceEndpointElsewhere(t *testing.T) {
	for _, asked := range []bool{true, false} {
		var origin string
		origin = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/.well-known/") {
				t.Errorf("a request to %s", r.URL.Path)
			}
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"device_authorization_endpoint":"https://evil.example/code","code_challenge_methods_supported":["S256"]}`,
				origin, origin+"/authorize", origin+"/token")
		}))
		m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: x\nprovider: {servers: {here: {issuer: '"+origin+"', api: '"+origin+"'}}, client: {id: known}}\nscopes: [{scope: 'a:read', level: required, why: x}]\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		opened := false
		s, err := ambit.New(m, ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + t.TempDir()}, Device: asked, UI: ambit.UI{
			Remote: "SSH",
			Code:   func(context.Context, oauth.DeviceCode) { t.Error("a code was shown") },
			Open:   func(context.Context, string, string) error { opened = true; return errors.New("no browser") },
			Paste:  func() (<-chan string, func()) { ended := make(chan string); close(ended); return ended, func() {} }, PasteOnly: true,
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Login(t.Context(), nil)
		if untrusted, ok := errors.AsType[*ambit.UntrustedHostError](err); ok != asked || ok && untrusted.Hosts[0] != "evil.example" || opened == asked {
			t.Errorf("asked for: %t: %v; a browser was opened: %t", asked, err, opened)
		}
	}
}
