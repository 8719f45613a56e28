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
		opened  int32
	}{
		"no":           {false, false, 0},
		"no, with iss": {false, true, 0},
		"yes":          {true, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var codes, opened atomic.Int32
			var origin string
			origin = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":%v}`,
						origin, honest.ready.Issuer+"/authorize", origin+"/token", tt.promise)
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
				Paste:     func() <-chan string { ended := make(chan string); close(ended); return ended },
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
			if !strings.Contains(asked, page.Host) || is && (elsewhere.Consent != page.Host || !strings.Contains(err.Error(), page.Host)) {
				t.Errorf("asked %q; %v", asked, err)
			}
		})
	}
}
