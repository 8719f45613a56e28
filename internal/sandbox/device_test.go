package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// asksForCode makes the device authorization request.
func (l *login) asksForCode(scopes string) map[string]any {
	l.t.Helper()
	a := send(l.t, "POST", l.issuer+"/device_authorization", "", url.Values{"client_id": {l.clientID}, "scope": {scopes}, "required_access_level": {"project"}})
	if a.Status != http.StatusOK {
		l.t.Fatalf("no code: %d %s", a.Status, a.Body)
	}
	return a.json(l.t)
}

// polls asks for the token, and returns it or the error code.
func (l *login) polls(code map[string]any) (members map[string]any, refused string) {
	l.t.Helper()
	device, _ := code["device_code"].(string)
	a := send(l.t, "POST", l.issuer+"/oauth/token/", "", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device}, "client_id": {l.clientID},
	})
	members = a.json(l.t)
	refused, _ = members["error"].(string)
	if (refused == "") != (a.Status == http.StatusOK) {
		l.t.Errorf("%d %s", a.Status, a.Body)
	}
	return members, refused
}

// The person opens the page, enters the code in small letters without its dash, and unticks a scope.
func TestDevicePage(t *testing.T) {
	now := newClock()
	s := start(t, Options{Misbehave: []string{"device"}, Now: now.read})
	l := newLogin(t, s)
	about := l.get(l.issuer + authorizationServerPath).json(t)
	if about["device_authorization_endpoint"] != l.issuer+"/device_authorization" {
		t.Fatalf("the metadata has %v", about["device_authorization_endpoint"])
	}
	code := l.asksForCode("user:read insight:read query:read")
	user, _ := code["user_code"].(string)
	if code["verification_uri"] != l.issuer+"/device" || code["verification_uri_complete"] != l.issuer+"/device?user_code="+user || code["interval"] != 1.0 || code["expires_in"] != 300.0 {
		t.Errorf("got %v", code)
	}
	if _, refused := l.polls(code); refused != "authorization_pending" {
		t.Errorf("before consent: %q", refused)
	}
	if a := l.get(l.issuer + "/device"); !strings.Contains(a.Body, `name="user_code"`) || strings.Contains(a.Body, "no such code") {
		t.Errorf("the page for the code: %s", a.Body)
	}
	if a := l.get(l.issuer + "/device?user_code=NOPE"); !strings.Contains(a.Body, "no such code") {
		t.Errorf("a wrong code: %s", a.Body)
	}
	f := readForm(t, l.get(l.issuer+"/device?user_code="+strings.ToLower(strings.ReplaceAll(user, "-", ""))))
	f.values["scope"], f.values["decision"] = []string{"insight:read"}, []string{"allow"}
	if a := send(t, "POST", l.issuer+f.action, "", f.values); a.Status != http.StatusForbidden {
		t.Errorf("an answer from elsewhere: %d", a.Status)
	}
	if a := l.post(l.issuer+f.action, f.values); !strings.Contains(a.Body, "logged in") {
		t.Fatalf("after consent: %d %s", a.Status, a.Body)
	}
	now.add(time.Second)
	token, refused := l.polls(code)
	scopes, _ := token["scope"].(string)
	if refused != "" || !strings.Contains(scopes, "insight:read") || strings.Contains(scopes, "query:read") || len(token["scoped_teams"].([]any)) != 1 {
		t.Errorf("granted %v (%s)", token, refused)
	}
	now.add(time.Second)
	if _, refused := l.polls(code); refused != "invalid_grant" {
		t.Errorf("the code once more: %q", refused)
	}
	refresh, _ := token["refresh_token"].(string)
	if a := l.refresh(refresh, nil); a.Status == http.StatusOK {
		t.Error("a code that was used twice does not end the family")
	}
}

// Who polls too quickly is told so, and for good; a code that nobody entered expires; a denial stays one.
func TestDeviceRefusals(t *testing.T) {
	now := newClock()
	s := start(t, Options{Misbehave: []string{"device"}, Now: now.read})
	l := newLogin(t, s)
	code := l.asksForCode("user:read")
	for i, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "authorization_pending"},
		{time.Second, "authorization_pending"},
		{time.Second - 1, "slow_down"},
		{5 * time.Second, "slow_down"},
		{11 * time.Second, "authorization_pending"},
		{300 * time.Second, "expired_token"},
	} {
		now.add(step.after)
		if _, refused := l.polls(code); refused != step.want {
			t.Errorf("%d: %q, want %q", i, refused, step.want)
		}
	}
	code = l.asksForCode("user:read")
	page, _ := code["verification_uri_complete"].(string)
	f := readForm(t, l.get(page))
	f.values.Set("decision", "deny")
	l.post(l.issuer+f.action, f.values)
	if a := l.get(page); !strings.Contains(a.Body, "no such code") {
		t.Errorf("after a denial the page is %s", a.Body)
	}
	if _, refused := l.polls(code); refused != "access_denied" {
		t.Errorf("denied: %q", refused)
	}
}

// Without a click: at the second request for the token. Nothing is offered unless a kind says so.
func TestDeviceKinds(t *testing.T) {
	for _, tt := range []struct {
		kind, grant string
		want        []string
	}{
		{"device", "all", []string{"authorization_pending", ""}},
		{"device", "none", []string{"authorization_pending", "access_denied"}},
		{"device-slow", "all", []string{"slow_down", ""}},
		{"device-short", "", []string{"authorization_pending", "expired_token"}},
	} {
		now := newClock()
		s := start(t, Options{Misbehave: []string{tt.kind}, Grant: tt.grant, Now: now.read})
		l := newLogin(t, s)
		code := l.asksForCode("user:read")
		for _, want := range tt.want {
			if _, refused := l.polls(code); refused != want {
				t.Errorf("%s, %s: %q, want %q", tt.kind, tt.grant, refused, want)
			}
			now.add(6 * time.Second)
		}
	}
	l := newLogin(t, start(t, Options{}))
	if a := send(t, "POST", l.issuer+"/device_authorization", "", url.Values{"client_id": {l.clientID}, "scope": {"user:read"}}); a.Status != http.StatusNotFound {
		t.Errorf("not offered: %d", a.Status)
	}
	if about := l.get(l.issuer + authorizationServerPath).json(t); about["device_authorization_endpoint"] != nil {
		t.Error("it is advertised")
	}
	s := start(t, Options{Misbehave: []string{"device", "reject"}})
	l = newLogin(t, s)
	a := send(t, "POST", l.issuer+"/device_authorization", "", url.Values{"client_id": {l.clientID}, "scope": {"nonsense:read"}})
	if a.json(t)["error"] != "invalid_scope" || !strings.Contains(a.Body, "nonsense:read") {
		t.Errorf("a scope beyond the ceiling: %s", a.Body)
	}
}
