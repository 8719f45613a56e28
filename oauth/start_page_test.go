package oauth_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// The address of the start page stands in a browser's arguments. It serves one browser, as often as that
// likes; whoever is second gets nothing, the person hears of it, and the login goes on.
func TestStartPageIsForOneBrowser(t *testing.T) {
	server, person, other := newAuthServer(t), newPerson(t), newPerson(t)
	person.client.Jar, _ = cookiejar.New(nil)
	login := newLogin(server, person)
	told := make(chan struct{}, 10)
	login.UI.Tell = func(format string, args ...any) { person.tell(format, args...); told <- struct{}{} }
	login.UI.Start = func(authorizationURL string) http.Handler { return text(200, "text/plain", authorizationURL) }
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		ask := func(as *http.Client, method string, header http.Header) page {
			t.Helper()
			req, err := http.NewRequestWithContext(ctx, method, startURL, nil)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(req.Header, header)
			response, err := as.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return page{status: response.StatusCode, header: response.Header, body: string(body)}
		}
		// Neither spends the visit.
		if seen := ask(other.client, http.MethodGet, http.Header{"Sec-Purpose": {"prefetch"}}); seen.status != http.StatusServiceUnavailable {
			t.Errorf("ahead of a visit: %d", seen.status)
		}
		if seen := ask(other.client, http.MethodHead, nil); seen.status != http.StatusMethodNotAllowed {
			t.Errorf("HEAD: %d", seen.status)
		}
		for range 3 {
			seen := ask(person.client, http.MethodGet, nil)
			if seen.status != 200 || seen.body != authorizationURL {
				t.Errorf("the person: %d %q", seen.status, seen.body)
			}
			for _, cookie := range seen.header.Values("Set-Cookie") {
				if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Path=/") || strings.Contains(cookie, "Path=/;") {
					t.Errorf("the cookie: %s", cookie)
				}
			}
			for _, header := range []http.Header{nil, {"Cookie": {"ambit="}}, {"Cookie": {"ambit=x"}}} {
				if seen := ask(other.client, http.MethodGet, header); seen.status != http.StatusGone || strings.Contains(seen.body, "state=") || len(seen.header.Values("Set-Cookie")) > 0 {
					t.Errorf("the second: %+v", seen)
				}
			}
		}
		<-told
		return person.open(ctx, "", authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(person.told) != 1 || !strings.Contains(person.told[0], "the start page is shown to one browser") {
		t.Errorf("told: %q", person.told)
	}
}
