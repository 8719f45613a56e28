package agent_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
)

// What a response's header points to below one of the bases is reached through the proxy; a
// redirect that leads elsewhere passes as it came, and its host is told once. HERE is the proxy's
// URL of the base, ROOT the path of that URL, ORIGIN the server's.
func TestLinksLeadToTheProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		status             int
		field, value, want string
		note               string
	}{
		"relative":                   {308, "Location", "x/", "x/", ""},
		"only a query":               {303, "Location", "?page=2", "?page=2", ""},
		"a rooted path":              {308, "Location", "/wizard/x/?a=%2F#b", "ROOT/gateway/x/?a=%2F#b", ""},
		"a URL":                      {301, "Location", "ORIGIN/wizard/x%2Fy/?a=b", "HERE/gateway/x%2Fy/?a=b", ""},
		"without a scheme":           {302, "Location", "//HOST/wizard", "HERE/gateway", ""},
		"of another base":            {307, "Location", "ORIGIN/mcp/", "HERE/mcp/", ""},
		"what was made":              {201, "Location", "/wizard/x/7", "ROOT/gateway/x/7", ""},
		"the content":                {200, "Content-Location", "ORIGIN/wizard/x.json", "HERE/gateway/x.json", ""},
		"links":                      {200, "Link", `<ORIGIN/wizard/x?page=2>; rel="next"; title="a <b> \" c", </wizard/x>; rel=first, <https://docs.example/>; rel=help, <y>`, `<HERE/gateway/x?page=2>; rel="next"; title="a <b> \" c", <ROOT/gateway/x>; rel=first, <https://docs.example/>; rel=help, <y>`, ""},
		"a link without an end":      {200, "Link", "<ORIGIN/wizard/x", "<ORIGIN/wizard/x", ""},
		"the document of a resource": {403, "WWW-Authenticate", `Bearer realm="a", resource_metadata="ORIGIN/wizard/.well-known/x"`, `Bearer realm="a", resource_metadata="HERE/gateway/.well-known/x"`, ""},
		"another one's":              {403, "WWW-Authenticate", `Bearer resource_metadata="https://a.example/x"`, `Bearer resource_metadata="https://a.example/x"`, ""},
		"elsewhere":                  {302, "Location", "https://login.example/?next=a", "https://login.example/?next=a", "login.example"},
		"out of the base":            {302, "Location", "../../../login", "../../../login", "/login, which is on its own host, and not below a base: whoever follows reaches ambit instead, and gets a 404"},
		"a page of its host":         {302, "Location", "/login?next=secret", "/login?next=secret", "/login, which is on its own host"},
		"a URL of its host":          {302, "Location", "ORIGIN/login", "ORIGIN/login", "/login, which is on its own host, and not below a base: whoever follows goes there without the credential"},
		"to another scheme":          {302, "Location", "https://HOST/wizard/x", "https://HOST/wizard/x", "127.0.0.1"},
		"what was made elsewhere":    {201, "Location", "https://files.example/7", "https://files.example/7", ""},
		"another field":              {200, "X-Location", "ORIGIN/wizard/x", "ORIGIN/wizard/x", ""},
	} {
		var origin string
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(tt.field, strings.NewReplacer("ORIGIN", origin, "HOST", strings.TrimPrefix(origin, "http://")).Replace(tt.value))
			w.WriteHeader(tt.status)
		})
		origin = s.URL
		l := lend(t, origin, &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Server.Bases = c.Server.Bases[1:] })
		l.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for range 2 {
			got := l.send("GET", "gateway", "/v1/x", "", bearer)
			here := strings.TrimSuffix(l.url("gateway"), "/gateway")
			root := here[strings.LastIndexByte(here, '/'):]
			want := strings.NewReplacer("HERE", here, "ROOT", root, "ORIGIN", origin, "HOST", strings.TrimPrefix(origin, "http://")).Replace(tt.want)
			if got.header.Get(tt.field) != want || got.status != tt.status {
				t.Errorf("%s: %d %q, want %q", name, got.status, got.header.Get(tt.field), want)
			}
		}
		if notes := l.notes(); (tt.note == "") != (len(notes) == 0) || len(notes) > 1 || !strings.Contains(strings.Join(notes, ""), tt.note) {
			t.Errorf("%s: noted %q", name, notes)
		}
	}
}

// Who comes to an address of the proxy that is not below a base reads where the bases are; it is told
// once, and no secret with it; of a child that has no other requests it is told at its end.
func TestStrayedRequest(t *testing.T) {
	origin, _ := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	address := strings.Split(l.url("gateway"), "/")[2]
	for i, at := range []string{"http://" + address + "/a", "http://" + address + "/login?x=" + l.Terms().Lease, strings.TrimSuffix(l.url("gateway"), "gateway") + "nowhere"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", at, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := l.do(req)
		if got.status != 404 || !strings.Contains(got.body, "ambit serves no base at this address; those that it serves are in AMBIT_API_URL, AMBIT_GATEWAY_URL") {
			t.Errorf("%+v", got)
		}
		if i == 0 {
			l.send("POST", "gateway", "/v1/messages", "x", bearer)
		}
	}
	if notes := l.notes(); len(notes) != 1 || notes[0] != "a request for /login came to ambit, which is not below one of the bases, and got a 404" {
		t.Errorf("%q", notes)
	}
}

// A child that follows a redirect stays in the proxy, by the name under which it calls it.
func TestRedirectsAreFollowedThroughTheProxy(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/") {
			http.Redirect(w, r, "http://"+r.Host+r.URL.Path+"/", http.StatusPermanentRedirect)
			return
		}
		if r.Header.Get("Authorization") != "Bearer phx_real" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, nil)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(l.url("gateway"), "127.0.0.1", host, 1)+"/v1/messages", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
		if got := l.do(req); got.status != 200 {
			t.Errorf("by %s: %+v", host, got)
		}
	}
}

// A redirect to a page to log in at is not a call that worked: the next 401 is no news, and the
// credential is not renewed once more.
func TestRedirectIsNoSuccess(t *testing.T) {
	for status, renewals := range map[int]int{http.StatusFound: 1, http.StatusOK: 2} {
		s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != "/wizard/v1/page":
				w.WriteHeader(http.StatusUnauthorized)
			case status == http.StatusFound:
				http.Redirect(w, r, "https://login.example/", status)
			}
		})
		src := &source{current: token("pha_1", everything...)}
		src.next = append(src.next, token("pha_2", everything...), token("pha_3", everything...), token("pha_4", everything...))
		l := lend(t, s.URL, src, nil)
		l.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, path := range []string{"/v1/messages", "/v1/page", "/v1/messages"} {
			l.send("POST", "gateway", path, "x", bearer)
		}
		if src.renewals() != renewals {
			t.Errorf("after %d: renewed %d times, want %d", status, src.renewals(), renewals)
		}
	}
}
