package metadata_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/google/go-cmp/cmp"
)

// What is given takes the place of what the document says, stands in for a document that is not
// there, and for no other trouble; the cache knows only the document.
func TestGiven(t *testing.T) {
	both := map[string]any{"authorization_endpoint": "https://id.example/a", "token_endpoint": "https://id.example/t?p=1"}
	for name, tt := range map[string]struct {
		status int
		given  metadata.Given
		token  string // "" for an error
		from   string
	}{
		"nothing given":                {http.StatusOK, metadata.Given{}, "own", metadata.FromNetwork},
		"over the document":            {http.StatusOK, metadata.Given{Members: both}, "https://id.example/t?p=1", metadata.FromNetwork},
		"no document":                  {http.StatusNotFound, metadata.Given{Members: both}, "https://id.example/t?p=1", metadata.FromFile},
		"no document, and no token":    {http.StatusNotFound, metadata.Given{Members: map[string]any{"authorization_endpoint": "https://id.example/a"}}, "", ""},
		"trouble is not the same":      {http.StatusInternalServerError, metadata.Given{Members: both}, "", ""},
		"nobody is asked":              {http.StatusInternalServerError, metadata.Given{Members: both, Alone: true}, "https://id.example/t?p=1", metadata.FromFile},
		"one endpoint of no use":       {http.StatusNotFound, metadata.Given{Members: map[string]any{"token_endpoint": "http://id.example/t"}}, "", ""},
		"a token endpoint is enough":   {http.StatusNotFound, metadata.Given{Members: map[string]any{"token_endpoint": "https://id.example/t"}}, "https://id.example/t", metadata.FromFile},
		"on this machine, as a person": {http.StatusNotFound, metadata.Given{Members: map[string]any{"token_endpoint": "http://127.0.0.1:8/t"}}, "http://127.0.0.1:8/t", metadata.FromFile},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			var origin string
			served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(`{"issuer":"` + origin + `","authorization_endpoint":"` + origin + `/a","token_endpoint":"` + origin + `/own","response_types_supported":["code"]}`))
			}))
			defer served.Close()
			origin = served.URL
			c := &metadata.Client{CacheDir: t.TempDir()}
			as, err := c.AuthorizationServerWith(t.Context(), origin, tt.given)
			if tt.token == "own" {
				tt.token = origin + "/own"
			}
			if tt.token == "" {
				if _, ok := errors.AsType[*guard.Error](err); !ok {
					t.Fatalf("%+v, %v", as, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if as.TokenEndpoint != tt.token || as.Source.From != tt.from || as.Issuer != origin || len(as.Source.Warnings) > 0 || (asked == 0) != tt.given.Alone {
				t.Errorf("%+v; asked %d times", as, asked)
			}
			again := c.CachedAuthorizationServer(origin, tt.given)
			if again == nil || again.TokenEndpoint != tt.token {
				t.Errorf("the cache: %+v", again)
			}
			if kept := c.CachedAuthorizationServer(origin, metadata.Given{}); tt.status == http.StatusOK && kept.TokenEndpoint != origin+"/own" {
				t.Errorf("without what was given, the cache has %s", kept.TokenEndpoint)
			}
		})
	}
	if diff := cmp.Diff([]string{"authorization_endpoint", "token_endpoint"}, givenAlone(t, both).Source.Given); diff != "" {
		t.Error(diff)
	}
}

func givenAlone(t *testing.T, members map[string]any) *metadata.AuthorizationServer {
	t.Helper()
	as, err := new(metadata.Client).AuthorizationServerWith(t.Context(), "https://id.example", metadata.Given{Members: members, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	return as
}
