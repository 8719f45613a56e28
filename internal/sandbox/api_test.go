package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The wordings are those of the live service.
func TestRefusalsWordForWord(t *testing.T) {
	s := start(t, Options{})
	api, keys := s.Ready().API, s.Ready().MoreKeys
	denied := func(detail string) string {
		return `{"type":"authentication_error","code":"permission_denied","detail":"` + detail + `","attr":null}`
	}
	for name, tt := range map[string]struct {
		method, path, credential string
		status                   int
		body                     string
	}{
		"missing scope": {
			"POST", "/api/projects/1/dashboards/", s.Ready().Keys.ReadOnly, 403, denied("API key missing required scope 'dashboard:write'"),
		},
		"the second of two scopes": {
			"POST", "/api/projects/1/replay_scanners/", s.Ready().Keys.ReadOnly, 403, denied("API key missing required scope 'replay_scanner:write'"),
		},
		"unsupported action": {
			"GET", "/api/personal_api_keys/", keys["star"], 403, denied("This action does not support Personal API Key access"),
		},
		"other project": {
			"GET", "/api/projects/1/", keys["scoped_project"], 403, denied("API key does not have access to the requested project: ID 1."),
		},
		"not project-based": {
			"GET", "/api/organizations/", keys["scoped_project"], 403, denied("API keys with scoped projects are only supported on project-based endpoints."),
		},
		"organization forbids keys": {
			"GET", "/api/projects/3/", s.Ready().Keys.Full, 403,
			denied("Organization 'Locked Ltd.' does not allow using personal API keys. Contact an admin to enable personal API keys for this organization."),
		},
		"no editor access": {
			"PATCH", "/api/projects/1/dashboards/403/", s.Ready().Keys.Full, 403, denied("You do not have editor access to this resource."),
		},
		"other organization": {
			"GET", "/api/projects/1/", keys["scoped_organization"], 403,
			denied("API key does not have access to the requested organization: ID 0190a5b2-0000-7000-8000-00000000000a."),
		},
		"paid feature": {
			"POST", "/api/projects/1/batch_exports/", s.Ready().Keys.Full, 402,
			`{"type":"server_error","code":"payment_required","detail":"This feature is part of a paid plan. Upgrade to use it.","attr":null}`,
		},
		"no such project": {
			"GET", "/api/projects/9/", s.Ready().Keys.Full, 404, `{"type":"invalid_request","code":"not_found","detail":"Not found.","attr":null}`,
		},
		"no such path": {
			"GET", "/api/nothing/", s.Ready().Keys.Full, 404, `{"type":"invalid_request","code":"not_found","detail":"Not found.","attr":null}`,
		},
		"wrong method": {
			"DELETE", "/api/users/@me/", s.Ready().Keys.Full, 405, `{"type":"invalid_request","code":"method_not_allowed","detail":"Method not allowed.","attr":null}`,
		},
	} {
		if a := send(t, tt.method, api+tt.path, tt.credential, nil); a.Status != tt.status || a.Body != tt.body {
			t.Errorf("%s: %d %s\nwant %d %s", name, a.Status, a.Body, tt.status, tt.body)
		}
	}
}

func TestCredentialsThatAreNone(t *testing.T) {
	s := start(t, Options{})
	r := s.Ready()
	for name, credential := range map[string]string{
		"none": "", "unknown": "phx_nobody", "expired": r.Keys.Expired, "other region": r.Keys.OtherRegion, "project key": r.MoreKeys["project"],
	} {
		want := "authentication_failed"
		if credential == "" {
			want = "not_authenticated"
		}
		for _, path := range []string{"/api/users/@me/", "/api/personal_api_keys/@current/", "/api/projects/1/"} {
			a := send(t, "GET", r.API+path, credential, nil)
			got := a.json(t)
			if a.Status != 401 || got["type"] != "authentication_error" || got["code"] != want || got["attr"] != nil {
				t.Errorf("%s at %s: %d %s", name, path, a.Status, a.Body)
			}
			if h := a.Header.Get("WWW-Authenticate"); h != `Bearer resource_metadata="`+r.API+`/.well-known/oauth-protected-resource"` {
				t.Errorf("%s: WWW-Authenticate %q", name, h)
			}
		}
	}
	if a := send(t, "GET", r.Regions["eu"].API+"/api/users/@me/", r.Keys.OtherRegion, nil); a.Status != 200 {
		t.Errorf("the other region's key at home: %d %s", a.Status, a.Body)
	}
}

func TestSelfInspection(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	r := s.Ready()
	ask := func(credential string) answer {
		return send(t, "GET", r.API+"/api/personal_api_keys/@current/", credential, nil)
	}
	got := ask(r.MoreKeys["star"]).json(t)
	if mask := got["mask_value"].(string); !strings.HasPrefix(mask, "phx_...") || len(mask) > 12 {
		t.Errorf("mask %q", mask)
	}
	delete(got, "mask_value")
	delete(got, "id")
	want := map[string]any{
		"label": "unrestricted", "created_at": "2026-01-05T09:00:00Z", "last_used_at": nil, "user_id": 7.0,
		"scopes": []any{"*"}, "scoped_teams": []any{}, "scoped_organizations": []any{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := ask(r.MoreKeys["scoped_project"]).json(t); !cmp.Equal(got["scoped_teams"], []any{2.0}) {
		t.Errorf("teams %v", got["scoped_teams"])
	}
	holds := func(credential, scope string) bool {
		for _, held := range ask(credential).json(t)["scopes"].([]any) {
			if held == scope {
				return true
			}
		}
		return false
	}
	for _, tt := range []struct {
		key, scope string
		want       bool
	}{
		{r.Keys.Full, "llm_gateway:read", true},
		{r.Keys.Full, "wizard_session:write", true},
		{r.Keys.Full, "openid", false},
		{r.Keys.Full, "internal_run:read", false},
		{r.Keys.NoGateway, "llm_gateway:read", false},
		{r.Keys.NoGateway, "insight:write", true},
		{r.Keys.ReadOnly, "insight:read", true},
		{r.Keys.ReadOnly, "insight:write", false},
	} {
		if holds(tt.key, tt.scope) != tt.want {
			t.Errorf("key %s… holds %s: %t", tt.key[:4], tt.scope, !tt.want)
		}
	}
	token := newLogin(t, s).tokens("user:read")["access_token"].(string)
	if a := ask(token); a.Status != 401 {
		t.Errorf("an access token is no key: %d %s", a.Status, a.Body)
	}
}

func TestWriteCoversReadAndAllCoversAllButInternal(t *testing.T) {
	s := &shape{Implies: implication{":read", ":write", "*"}, groups: map[string][]string{"internal": {"in:read"}}}
	for _, tt := range []struct {
		held, need string
		want       bool
	}{
		{"a:write", "a:read", true},
		{"a:read", "a:write", false},
		{"a:read", "a:read", true},
		{"b:write", "a:read", false},
		{"*", "a:write", true},
		{"*", "in:read", false},
		{"in:read", "in:read", true},
		{"", "a:read", false},
	} {
		if got := s.covers([]string{tt.held}, tt.need); got != tt.want {
			t.Errorf("%q covers %q: %t", tt.held, tt.need, got)
		}
	}
}

func TestExampleBodies(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	key := s.Ready().Keys.Full
	me := send(t, "GET", s.Ready().API+"/api/users/@me/", key, nil).json(t)
	if me["email"] != "sandy@example.com" || me["organization"].(map[string]any)["is_ai_data_processing_approved"] != true {
		t.Errorf("me: %v", me)
	}
	project := send(t, "GET", s.Ready().API+"/api/projects/2/", key, nil).json(t)
	if project["id"] != 2.0 || project["name"] != "Second project" || project["api_token"] != s.Ready().MoreKeys["project"] {
		t.Errorf("project: %v", project)
	}
	if a := send(t, "POST", s.Ready().API+"/api/projects/@current/insights/", key, map[string]any{}); a.Status != http.StatusCreated {
		t.Errorf("create: %d %s", a.Status, a.Body)
	}
	// A login bound to one project still reads who it is and whose.
	l := newLogin(t, s)
	code := l.callback(l.get(l.request("user:read organization:read project:read", url.Values{"required_access_level": {"project"}}))).Get("code")
	token := l.exchange(code).json(t)["access_token"].(string)
	for path, want := range map[string]int{"/api/users/@me/": 200, "/api/organizations/@current/": 200, "/api/projects/1/": 200, "/api/projects/2/": 403} {
		if a := send(t, "GET", s.Ready().API+path, token, nil); a.Status != want {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}
