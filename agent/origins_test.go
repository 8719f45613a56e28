package agent_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/profile"
)

// A program that drops the path of a URL has a port for each base. The lease is all that
// opens it, and a page of some site cannot mean it.
func TestOrigins(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Authorization"))
	})
	amp, err := profile.Decode("amp.yaml", []byte("label: Amp\ncommands: [amp]\norigins: true\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Agent = amp })
	seen := map[string]bool{}
	for _, b := range l.Terms().Bases {
		u, err := url.Parse(b.URL)
		if err != nil || u.Path != "" || seen[u.Host] {
			t.Fatalf("%s is reached at %s: not an origin of its own", b.Name, b.URL)
		}
		seen[u.Host] = true
	}
	for want, path := range map[string][2]string{
		"GET /wizard/v1/m%2Fx Bearer phx_real": {"gateway", "/v1/m%2Fx"}, "GET /api/users/ Bearer phx_real": {"api", "/api/users/"},
		"GET /mcp/ Bearer phx_real": {"mcp", "/"}, // what stands below the base is the program's
	} {
		if got := l.send("GET", path[0], path[1], "", bearer); got.status != 200 || got.body != want {
			t.Errorf("%v: %d %q, want %q", path, got.status, got.body, want)
		}
	}
	for name, tt := range map[string]struct {
		path   string
		fields []string
		status int
	}{
		"without the lease":  {"/v1/x", nil, 401},
		"another credential": {"/v1/x", []string{"Authorization: Bearer sk-other"}, 401},
		"another host":       {"/v1/x", []string{bearer, "Host: evil.example"}, 421},
		"out of the base":    {"/../x", []string{bearer}, 400},
	} {
		if got := l.send("GET", "gateway", tt.path, "", tt.fields...); got.status != tt.status || strings.Contains(got.body, "phx_real") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	at := l.url("gateway")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.http.Get(at); err == nil {
		t.Error("the port is open after the end")
	}
}
