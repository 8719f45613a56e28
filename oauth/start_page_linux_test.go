package oauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
)

// Another user of this machine, who read the arguments of the browser, gets no page, spends no visit,
// and ends no login with an account of theirs; a paste of the same would.
func TestAnotherUserOfThisMachine(t *testing.T) {
	server, person, other := newAuthServer(t), newPerson(t), newPerson(t)
	other.client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: testkit.DialAs(t, testkit.Nobody)}
	login := newLogin(server, person)
	told := make(chan struct{}, 10)
	login.UI.Tell = func(format string, args ...any) { person.tell(format, args...); told <- struct{}{} }
	login.UI.Paste = make(chan string)
	login.UI.Start = func(authorizationURL string) http.Handler { return text(200, "text/plain", authorizationURL) }
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		back, err := other.wayBack(ctx, authorizationURL) // with a code of their own
		if err != nil {
			return err
		}
		for _, target := range []string{startURL, back.String(), back.String(), "http://" + back.Host + "/"} {
			if err := other.visit(ctx, target); err != nil {
				return err
			}
			if seen := other.last(); seen.status != http.StatusForbidden || strings.Contains(seen.body, "state=") || len(server.sent()) > 0 {
				t.Errorf("%s: %+v", target, seen)
			}
		}
		<-told
		<-told
		if err := person.visit(ctx, startURL); err != nil || person.last().body != authorizationURL {
			t.Errorf("the person: %+v, %v", person.last(), err)
		}
		return person.open(ctx, "", authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	const who = "another user of this machine (user id 65534)"
	if said := strings.Join(person.told, "\n"); len(person.told) != 2 || !strings.Contains(said, "the start page was asked for by "+who) || !strings.Contains(said, "a response came from "+who+"; if it is this login's, paste its URL here") {
		t.Errorf("told: %q", person.told)
	}
}
