package agent

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Whatever path a child writes, what goes on to a server with the credential goes to the base's own host,
// and below the base's path; the lease is in nothing that is logged.
func FuzzRoute(f *testing.F) {
	const secret = "S3CRET"
	for _, seed := range []string{
		"/S3CRET/api/api/users/@me/", "/S3CRET/api", "/S3CRET/gateway/v1/messages?x=1", "/S3CRET/api/../gateway/v1", "/S3CRET/gateway/..;/x", "/S3CRET/gateway/%2e%2e/x", "/S3CRET/gateway/..%2f..%2fx",
		"/S3CRET/gateway/%252e%252e/x", "/S3CRET/gateway//evil.example/x", "/S3CRET/api/wizard/v1/x", "/S3CRET/api/wizard%2fv1", "/S3CRET/gateway/ambit-lease-x/a", "/S3CRET", "/other/api/x", "/S3CRET/api/\\..\\x", "/S3CRET/gateway/%00%0d%0a",
		"http://127.0.0.1/S3CRET/gateway/x", "/%53%33CRET/api/x", "/S3CRET/api/%ff/x;a=b",
	} {
		f.Add(seed)
	}
	server := provider.Server{Name: "us", Bases: []provider.Base{
		{Name: "api", URL: "https://us.example"}, {Name: "gateway", URL: "https://us.example/wizard"}, {Name: "odd", URL: "https://odd.example/a%2Fb/"},
	}}
	routes, err := routesTo(server)
	if err != nil {
		f.Fatal(err)
	}
	p := &Proxy{secret: secret, lease: credential.NewSecret("ambit-lease-x"), routes: routes, places: server.Locator()}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			return
		}
		route, rest, ok := p.route(&http.Request{URL: u})
		if !ok {
			return
		}
		x := &exchange{p: p, route: route, rest: rest}
		if !x.locate() {
			return
		}
		if strings.Contains(x.path, p.lease.Reveal()) {
			t.Errorf("%q: the lease is in %q", raw, x.path)
		}
		out := x.route.to(x.rest)
		sent, err := url.Parse(out.String()) // as the server will read it
		if err != nil {
			t.Fatalf("%q goes to %q, which is no URL: %v", raw, out, err)
		}
		if sent.Scheme != "https" || sent.Host != x.route.target.Host || sent.User != nil {
			t.Errorf("%q goes to %s", raw, sent)
		}
		below, within := strings.CutPrefix(sent.EscapedPath(), x.route.prefix)
		if _, inside := scopes.RequestPath(below); !within || !inside || below != "" && below[0] != '/' {
			t.Errorf("%q goes to %s, out of the base %s", raw, sent, x.route.base.Name)
		}
	})
}
