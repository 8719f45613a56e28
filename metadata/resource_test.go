package metadata_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
)

func TestRealResourceDocument(t *testing.T) {
	const real = "https://us.posthog.com"
	pr, err := metadata.ParseProtectedResource(testdata(t, "oauth-protected-resource.json"), real)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{real}, pr.AuthorizationServers); diff != "" {
		t.Error(diff)
	}
	if pr.ScopesSupported.State != scopes.Listed || pr.ScopesSupported.Scopes.Len() < 100 {
		t.Errorf("scopes %s, %d of them", pr.ScopesSupported.State, pr.ScopesSupported.Scopes.Len())
	}
	if pr.Source.Warnings != nil {
		t.Errorf("warnings %q", pr.Source.Warnings)
	}
}

// A bad URL among the servers is told, and the others count.
func TestOptionalResourceFieldsAreLeftOut(t *testing.T) {
	const api, good = "https://api.example/mcp", "https://a.example"
	for name, test := range map[string]struct {
		field   string
		given   any
		warning string
		servers []string
	}{
		"http server":       {"authorization_servers", []string{good, "http://b.example"}, "authorization_servers[1] \"http://b.example\" is plain http", []string{good}},
		"local server":      {"authorization_servers", []string{"http://localhost:9"}, "authorization_servers[0] \"http://localhost:9\" names an address of this machine", nil},
		"server with query": {"authorization_servers", []string{"https://a.example?x", good}, "has a query", []string{good}},
		"servers an object": {"authorization_servers", fields{}, "is an object, not an array", nil},
		"servers a string":  {"authorization_servers", good, "", []string{good}},
	} {
		t.Run(name, func(t *testing.T) {
			pr, err := metadata.ParseProtectedResource(fields{"resource": api, test.field: test.given}.json(t), api)
			if err != nil {
				t.Fatal(err)
			}
			if test.warning != "" {
				wantWarning(t, pr.Source, test.warning, "left out")
			}
			if diff := cmp.Diff(test.servers, pr.AuthorizationServers); diff != "" {
				t.Errorf("%+v: %s", pr, diff)
			}
		})
	}
}

func TestBadResourceDocuments(t *testing.T) {
	const api = "https://api.example/mcp"
	tests := map[string]struct {
		doc   fields
		field string
		words string
	}{
		"another resource": {fields{"resource": "https://api.example/m"}, "resource", `resource is "https://api.example/m", but "https://api.example/mcp" was asked`},
		"what is below it": {fields{"resource": "https://api.example/mcp/x"}, "resource", `but "https://api.example/mcp" was asked`},
		"another host's":   {fields{"resource": "https://api.exampl"}, "resource", `but "https://api.example/mcp" was asked`},
		"no URL":           {fields{"resource": "https:"}, "resource", `but "https://api.example/mcp" was asked`},
		"none":             {fields{}, "resource", "resource is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := metadata.ParseProtectedResource(test.doc.json(t), api)
			if e := wantError(t, err, guard.KindInvalid, test.words); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
}

// One document can be of a whole host, or of what has several resources.
func TestDocumentOfWhatIsAbove(t *testing.T) {
	for says, warns := range map[string]bool{"https://api.example": true, "https://api.example/": true, "https://api.example/a": true, "https://api.example/a/mcp/": true, "https://api.example/a/mcp": false} {
		pr, err := metadata.ParseProtectedResource(fields{"resource": says}.json(t), "https://api.example/a/mcp")
		if err != nil || pr.Resource != says || (len(pr.Source.Warnings) > 0) != warns {
			t.Errorf("%s: %+v, %v", says, pr, err)
		}
	}
}

// The document is sought where the resource says, then below the well-known path, then at the
// host; what is no document of the resource is passed over.
func TestResourcePlaces(t *testing.T) {
	const inserted, elsewhere = resourcePath + "/mcp", "/documents/1"
	for name, tt := range map[string]struct {
		challenge string // HERE stands for the server
		at        map[string]fields
		status    map[string]int
		requested []string
		found     string
	}{
		"the challenge's":       {`Basic realm="x", Bearer error="invalid_token", resource_metadata="HERE/documents/1"`, map[string]fields{elsewhere: {"resource": "HERE/mcp"}}, nil, []string{elsewhere}, elsewhere},
		"inserted":              {"Bearer", map[string]fields{inserted: {"resource": "HERE/mcp"}}, nil, []string{inserted}, inserted},
		"the host's":            {"", map[string]fields{resourcePath: {"resource": "HERE/mcp"}}, nil, []string{inserted, resourcePath}, resourcePath},
		"the host's own":        {"", map[string]fields{resourcePath: {"resource": "HERE"}}, nil, []string{inserted, resourcePath}, resourcePath},
		"a challenge in vain":   {`Bearer resource_metadata="HERE/documents/1"`, map[string]fields{inserted: {"resource": "HERE/mcp"}}, nil, []string{elsewhere, inserted}, inserted},
		"another's document":    {`Bearer resource_metadata="HERE/documents/1"`, map[string]fields{elsewhere: {"resource": "HERE/other"}, inserted: {}, resourcePath: {"resource": "HERE/mcp"}}, nil, []string{elsewhere, inserted, resourcePath}, resourcePath},
		"a place in trouble":    {"", map[string]fields{resourcePath: {"resource": "HERE/mcp"}}, map[string]int{inserted: 500}, []string{inserted, resourcePath}, resourcePath},
		"the same place twice":  {`Bearer resource_metadata="HERE` + inserted + `"`, map[string]fields{inserted: {"resource": "HERE/mcp"}}, nil, []string{inserted}, inserted},
		"no URL in a challenge": {`Bearer resource_metadata="file:///etc/passwd"`, map[string]fields{inserted: {"resource": "HERE/mcp"}}, nil, []string{inserted}, inserted},
		"nowhere":               {`Bearer resource_metadata="HERE/documents/1"`, nil, nil, []string{elsewhere, inserted, resourcePath}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on("/mcp", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", strings.ReplaceAll(tt.challenge, "HERE", s.URL))
				w.WriteHeader(http.StatusUnauthorized)
			})
			for path, document := range tt.at {
				if says, ok := document["resource"].(string); ok {
					document["resource"] = strings.ReplaceAll(says, "HERE", s.URL)
				}
				s.on(path, sends(document.json(t)))
			}
			for path, status := range tt.status {
				s.on(path, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			}
			c := metadata.Client{CacheDir: t.TempDir()}
			pr, err := c.ProtectedResource(context.Background(), s.URL+"/mcp")
			if (err == nil) != (tt.found != "") || err == nil && pr.Source.URL != s.URL+tt.found {
				t.Errorf("%+v, %v", pr, err)
			}
			want := []string{"GET /mcp"}
			for _, path := range tt.requested {
				want = append(want, "GET "+path)
			}
			if diff := cmp.Diff(want, s.requests()); diff != "" {
				t.Error(diff)
			}
			if again, err := c.ProtectedResource(context.Background(), s.URL+"/mcp"); tt.found != "" && (err != nil || again.Source.From != metadata.FromCache || s.requests() != nil) {
				t.Errorf("a second time: %+v, %v", again, err)
			}
		})
	}
}

// While the place of the document is in trouble, what was read there holds.
func TestResourcePlaceInTrouble(t *testing.T) {
	s, clock := newServer(t), newClock()
	s.on(resourcePath+"/mcp", sends(fields{"resource": s.URL + "/mcp"}.json(t)))
	c := metadata.Client{Now: clock.Now, CacheDir: t.TempDir()}
	if _, err := c.ProtectedResource(context.Background(), s.URL+"/mcp"); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	s.on(resourcePath+"/mcp", answers(500))
	if pr, err := c.ProtectedResource(context.Background(), s.URL+"/mcp"); err != nil || !pr.Source.Stale {
		t.Errorf("%+v, %v", pr, err)
	}
}

// A resource that answers with a stream is not read to its end.
func TestResourceThatStreams(t *testing.T) {
	s := newServer(t)
	s.on("/mcp", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+s.URL+`/here"`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s.on("/here", sends(fields{"resource": s.URL + "/mcp"}.json(t)))
	c := metadata.Client{}
	if _, err := c.ProtectedResource(context.Background(), s.URL+"/mcp"); err != nil {
		t.Error(err)
	}
}

func TestResourcePlace(t *testing.T) {
	for path, place := range map[string]string{
		"":           resourcePath,
		"/":          resourcePath,
		"/mcp":       resourcePath + "/mcp",
		"/mcp/":      resourcePath + "/mcp/", // RFC 9728 §3.1 takes away only the slash after the host
		"/a%2Fb":     resourcePath + "/a%2Fb",
		"/mcp?x=1&y": resourcePath + "/mcp?x=1&y",
	} {
		s := newServer(t)
		c := metadata.Client{}
		_, err := c.ProtectedResource(context.Background(), s.URL+path)
		wantError(t, err, guard.KindNotFound)
		asked := path
		if asked == "" {
			asked = "/"
		}
		want := []string{"GET " + asked, "GET " + place}
		if place != resourcePath {
			want = append(want, "GET "+resourcePath)
		}
		if diff := cmp.Diff(want, s.requests()); diff != "" {
			t.Errorf("%q: %s", path, diff)
		}
	}
}

// The resource and its issuer are one URL at some providers: each keeps its own file.
func TestCacheKeepsResourceAndServerApart(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, sends(serverFields(s.URL).json(t)))
	s.on(resourcePath, sends(fields{"resource": s.URL}.json(t)))
	c := metadata.Client{CacheDir: t.TempDir()}
	for range 2 {
		if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
			t.Fatal(err)
		}
		if pr, err := c.ProtectedResource(context.Background(), s.URL); err != nil || pr.ScopesSupported.Scopes.Len() != 0 {
			t.Fatal(pr, err)
		}
	}
	if diff := cmp.Diff([]string{"GET " + oauthPath, "GET /", "GET " + resourcePath}, s.requests()); diff != "" {
		t.Error(diff)
	}
}
