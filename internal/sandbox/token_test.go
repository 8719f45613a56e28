package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoginGrantsAndNamesTheRegion(t *testing.T) {
	s := start(t, Options{Grant: "all", Region: "eu"})
	l := newLogin(t, s)
	back := l.callback(l.get(l.request("user:read llm_gateway:read billing:write query:read", url.Values{"required_access_level": {"project"}, "team_id": {"2"}})))
	if back.Get("state") != "st" || back.Has("iss") {
		t.Errorf("callback %v", back)
	}
	a := l.exchange(back.Get("code"))
	got := a.json(t)
	if !strings.HasPrefix(got["access_token"].(string), "pha_") || !strings.HasPrefix(got["refresh_token"].(string), "phr_") {
		t.Errorf("prefixes: %v", got)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", a.Header.Get("Cache-Control"))
	}
	delete(got, "access_token")
	delete(got, "refresh_token")
	want := map[string]any{
		"token_type": "Bearer", "expires_in": 3600.0, "scope": "user:read llm_gateway:read query:read", // billing:write clamped without a word
		"scoped_teams": []any{2.0}, "scoped_organizations": []any{}, "posthog_region": "eu", "posthog_base_url": s.Ready().Regions["eu"].Issuer,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTokenOfARegionIsUnknownInTheOther(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	issued := l.tokens("user:read")
	token, refresh := issued["access_token"].(string), issued["refresh_token"].(string)
	ask := func(issuer string) answer {
		return send(t, "POST", issuer+"/oauth/introspect/", token, map[string]string{"token": token})
	}
	us, eu := s.Ready().Regions["us"], s.Ready().Regions["eu"]
	for _, issuer := range []string{s.Ready().Issuer, us.Issuer} {
		got := ask(issuer).json(t)
		if got["active"] != true || got["scope"] != "user:read" || got["client_id"] != l.clientID || got["exp"] == nil {
			t.Errorf("%s: %v", issuer, got)
		}
	}
	if a := ask(eu.Issuer); a.Status != 401 || a.json(t)["code"] != "authentication_failed" {
		t.Errorf("other region: %d %s", a.Status, a.Body)
	}
	if a := send(t, "GET", us.API+"/api/users/@me/", token, nil); a.Status != 200 {
		t.Errorf("own region: %d %s", a.Status, a.Body)
	}
	if a := send(t, "GET", eu.API+"/api/users/@me/", token, nil); a.Status != 401 {
		t.Errorf("other region's API: %d %s", a.Status, a.Body)
	}
	l.issuer, l.clientID = eu.Issuer, "bx2C5sZRN03TkdjraCcetvQFPGH6N2Y9vRLkcKEy"
	if a := l.refresh(refresh, nil); a.Status != 400 || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh in the other region: %d %s", a.Status, a.Body)
	}
}

func TestRegionalLoginAndItsClient(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	l.issuer, l.clientID = s.Ready().Regions["eu"].Issuer, "bx2C5sZRN03TkdjraCcetvQFPGH6N2Y9vRLkcKEy"
	got := l.tokens("user:read")
	if got["posthog_region"] != nil {
		t.Errorf("a region's own server names no region: %v", got)
	}
	if a := send(t, "GET", s.Ready().Regions["eu"].API+"/api/users/@me/", got["access_token"].(string), nil); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	l.clientID = newLogin(t, s).clientID
	if a := l.refresh(got["refresh_token"].(string), nil); a.Status != 401 || a.json(t)["error"] != "invalid_client" {
		t.Errorf("refresh as the other region's client: %d %s", a.Status, a.Body)
	}
}

func TestIntrospectionTakesFormAndJSONAndOnlyItsOwnToken(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	token := l.tokens("user:read")["access_token"].(string)
	at := s.Ready().Issuer + "/oauth/introspect/"
	for name, tt := range map[string]struct {
		credential string
		body       any
		status     int
	}{
		"form":             {token, url.Values{"token": {token}}, 200},
		"json":             {token, map[string]string{"token": token}, 200},
		"no bearer":        {"", url.Values{"token": {token}}, 401},
		"unknown bearer":   {"pha_nobody", url.Values{"token": {token}}, 401},
		"a key":            {s.Ready().Keys.Full, url.Values{"token": {s.Ready().Keys.Full}}, 401},
		"no token":         {token, url.Values{}, 400},
		"another's token":  {token, url.Values{"token": {"pha_other"}}, 403},
		"JSON of no shape": {token, []int{1}, 400},
	} {
		if a := send(t, "POST", at, tt.credential, tt.body); a.Status != tt.status {
			t.Errorf("%s: %d %s, want %d", name, a.Status, a.Body, tt.status)
		}
	}
}

func TestCodeWorksOnceAndReuseEndsTheGrant(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	code := l.callback(l.get(l.request("user:read", nil))).Get("code")
	token := l.exchange(code).json(t)["access_token"].(string)
	for range 2 { // the library's second answer is another word, which is put right
		if a := l.exchange(code); a.Status != 400 || a.json(t)["error"] != "invalid_grant" {
			t.Errorf("code again: %d %s", a.Status, a.Body)
		}
	}
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", token, nil); a.Status != 401 {
		t.Errorf("token of a code used twice: %d", a.Status)
	}
}

func TestCodeIsBoundToVerifierRedirectAndTime(t *testing.T) {
	now := newClock()
	s := start(t, Options{Grant: "all", Now: now.read})
	for name, spoil := range map[string]func(*login){
		"verifier": func(l *login) { l.verifier = strings.Repeat("w", 43) },
		"redirect": func(l *login) { l.redirect += "/" },
		"client":   func(l *login) { l.clientID = s.Ready().Clients["partner"] },
		"time":     func(*login) { now.add(5 * time.Minute) },
	} {
		l := newLogin(t, s)
		code := l.callback(l.get(l.request("user:read", nil))).Get("code")
		spoil(l)
		if a := l.exchange(code); a.Status != 400 || a.json(t)["error"] != "invalid_grant" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	l := newLogin(t, s)
	code := l.callback(l.get(l.request("user:read", nil))).Get("code")
	now.add(4 * time.Minute)
	if a := l.exchange(code); a.Status != 200 {
		t.Errorf("within five minutes: %d %s", a.Status, a.Body)
	}
}

func TestRefreshRotatesAndReuseKillsTheFamily(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	first := l.tokens("user:read query:read")
	second := l.refresh(first["refresh_token"].(string), nil).json(t)
	if second["scope"] != "user:read query:read" || second["refresh_token"] == first["refresh_token"] || second["posthog_region"] != "us" {
		t.Errorf("refreshed: %v", second)
	}
	me := func(answered map[string]any) int {
		return send(t, "GET", s.Ready().API+"/api/users/@me/", answered["access_token"].(string), nil).Status
	}
	if me(first) != 200 || me(second) != 200 {
		t.Error("both access tokens are good before the reuse")
	}
	if a := l.refresh(first["refresh_token"].(string), nil); a.Status != 400 || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("reuse: %d %s", a.Status, a.Body)
	}
	if a := l.refresh(second["refresh_token"].(string), nil); a.Status != 400 {
		t.Errorf("the family lives on: %d %s", a.Status, a.Body)
	}
	if me(first) != 401 || me(second) != 401 {
		t.Error("access tokens of a killed family are still good")
	}
}

func TestTwoRefreshesAtOnceHaveOneWinner(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	for range 10 { // a race shows itself now and then
		token := l.tokens("user:read")["refresh_token"].(string)
		var group sync.WaitGroup
		statuses := make(chan int, 8)
		for range cap(statuses) {
			group.Go(func() { statuses <- l.refresh(token, nil).Status })
		}
		group.Wait()
		close(statuses)
		won := 0
		for status := range statuses {
			if status == http.StatusOK {
				won++
			}
		}
		if won != 1 {
			t.Fatalf("%d refreshes with one token succeeded", won)
		}
	}
}

// The library reads a grant, changes it and saves it: a second request in between would
// win as well.
func TestTheLibraryAnswersOneRequestAtATime(t *testing.T) {
	s := start(t, Options{})
	var inside, most atomic.Int32
	s.servers["cloud"].library = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), inside.Add(1)))
		for range 10_000 { // long enough for the others to come in, if they can
			runtime.Gosched()
		}
		inside.Add(-1)
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { send(t, "POST", s.Ready().Issuer+"/oauth/token/", "", url.Values{}) })
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d requests were inside at once", most.Load())
	}
}

func TestRefreshNeverWidens(t *testing.T) {
	s := start(t, Options{Grant: "user:read"})
	l := newLogin(t, s)
	token := l.tokens("user:read query:read")["refresh_token"].(string)
	if a := l.refresh(token, url.Values{"scope": {"user:read query:read"}}); a.Status != 400 || a.json(t)["error"] != "invalid_scope" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	empty := start(t, Options{Grant: "all", Misbehave: []string{"empty-scope"}})
	l = newLogin(t, empty)
	token = l.tokens("user:read")["refresh_token"].(string)
	if got := l.refresh(token, url.Values{"scope": {"query:read"}}).json(t); got["scope"] != "" {
		t.Errorf("nothing was granted, yet a refresh gave %v", got["scope"])
	}
}

func TestShrinkReachesTokensRefreshesAndKeys(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	got := l.tokens("user:read query:read llm_gateway:read")
	s.Shrink("llm_gateway:read", "query:read")
	token := got["access_token"].(string)
	if now := send(t, "POST", s.Ready().Issuer+"/oauth/introspect/", token, url.Values{"token": {token}}).json(t); now["scope"] != "user:read" {
		t.Errorf("the token still holds %v", now["scope"])
	}
	if again := l.refresh(got["refresh_token"].(string), nil).json(t); again["scope"] != "user:read" {
		t.Errorf("a refresh gave %v", again["scope"])
	}
	if a := send(t, "POST", s.Ready().API+"/api/projects/1/query/", s.Ready().Keys.ReadOnly, nil); a.Status != 403 {
		t.Errorf("a key still reads: %d", a.Status)
	}
	if fresh := l.tokens("user:read query:read"); fresh["scope"] != "user:read" {
		t.Errorf("a new login gave %v", fresh["scope"])
	}
}

func TestExpireAllLeavesRefreshTokens(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	got := l.tokens("user:read")
	s.ExpireAll()
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", got["access_token"].(string), nil); a.Status != 401 {
		t.Errorf("expired: %d", a.Status)
	}
	again := l.refresh(got["refresh_token"].(string), nil).json(t)
	if a := send(t, "GET", s.Ready().API+"/api/users/@me/", again["access_token"].(string), nil); a.Status != 200 {
		t.Errorf("refreshed: %d %s", a.Status, a.Body)
	}
}

func TestAccessTokensEndByTheClock(t *testing.T) {
	now := newClock()
	s := start(t, Options{Grant: "all", Now: now.read})
	l := newLogin(t, s)
	got := l.tokens("user:read openid")
	me := func() int {
		return send(t, "GET", s.Ready().API+"/api/users/@me/", got["access_token"].(string), nil).Status
	}
	now.add(59 * time.Minute)
	if me() != 200 {
		t.Error("ended too early")
	}
	if a := send(t, "GET", s.Ready().Issuer+"/oauth/userinfo/", got["access_token"].(string), nil); a.Status != 200 {
		t.Errorf("userinfo: %d %s", a.Status, a.Body)
	}
	now.add(2 * time.Minute)
	if me() != 401 {
		t.Error("lives on")
	}
	if a := l.refresh(got["refresh_token"].(string), nil); a.Status != 200 {
		t.Errorf("refresh after the end: %d %s", a.Status, a.Body)
	}
	now.add(31 * 24 * time.Hour)
	if a := l.refresh(got["refresh_token"].(string), nil); a.Status != 400 {
		t.Errorf("refresh after a month: %d %s", a.Status, a.Body)
	}
}

func TestRevocationKillsTheFamily(t *testing.T) {
	for _, which := range []string{"access_token", "refresh_token"} {
		s := start(t, Options{Grant: "all"})
		l := newLogin(t, s)
		got := l.tokens("user:read")
		a := send(t, "POST", l.issuer+"/oauth/revoke/", "", url.Values{"token": {got[which].(string)}, "client_id": {l.clientID}})
		if a.Status != 200 {
			t.Errorf("%s: %d %s", which, a.Status, a.Body)
		}
		if a := send(t, "GET", s.Ready().API+"/api/users/@me/", got["access_token"].(string), nil); a.Status != 401 {
			t.Errorf("%s revoked, and the access token is answered %d", which, a.Status)
		}
		if a := l.refresh(got["refresh_token"].(string), nil); a.Status != 400 {
			t.Errorf("%s revoked, and a refresh is answered %d", which, a.Status)
		}
	}
	s := start(t, Options{})
	l := newLogin(t, s)
	if a := send(t, "POST", l.issuer+"/oauth/revoke/", "", url.Values{"token": {"pha_unknown"}, "client_id": {l.clientID}}); a.Status != 200 {
		t.Errorf("an unknown token is no error (RFC 7009 §2.2): %d %s", a.Status, a.Body)
	}
}

func TestIDTokenIsSignedWithThePublishedKey(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	l := newLogin(t, s)
	if l.tokens("user:read")["id_token"] != nil {
		t.Error("an ID token that nobody asked for")
	}
	raw, _ := l.tokens("openid email user:read")["id_token"].(string)
	var keys struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(send(t, "GET", l.issuer+"/.well-known/jwks.json", "", nil).Body), &keys); err != nil || len(keys.Keys) != 1 {
		t.Fatalf("keys: %v %v", keys, err)
	}
	if err := s.Misbehave("bad-id-token"); err != nil {
		t.Fatal(err)
	}
	bad, _ := l.tokens("openid email user:read")["id_token"].(string)
	if _, err := claimsRS256(t, bad, keys.Keys[0]); err == nil {
		t.Errorf("bad-id-token: the signature of %q fits", bad)
	}
	claims := verifyRS256(t, raw, keys.Keys[0])
	if claims["iss"] != l.issuer || claims["aud"] != l.clientID || claims["email"] != "sandy@example.com" || claims["sub"] == nil {
		t.Errorf("claims %v", claims)
	}
	if strings.Contains(string(keys.Keys[0]), `"d":`) {
		t.Error("the private key is published")
	}
}
