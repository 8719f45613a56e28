package oauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// clocks are those of machines.
var clocks = map[string]struct {
	ahead time.Duration // of that of the server
	told  string
}{
	"right":             {0, ""},
	"within the leeway": {50 * time.Second, ""},
	"ahead":             {10 * time.Minute, "the clock of this machine is 10m0s ahead of that of 127.0.0.1:"},
	"behind":            {-3 * time.Hour, "the clock of this machine is 3h0m0s behind that of 127.0.0.1:"},
}

// A machine whose clock is off logs in and renews as any other, and is told.
func TestClockThatIsOff(t *testing.T) {
	key := newKey(t)
	for name, c := range clocks {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.date = testNow.Add(-c.ahead)
			server.idToken = func(nonce, access string) string {
				return signedToken(t, key, map[string]any{
					"iss": server.URL, "aud": testClient, "sub": "someone", "nonce": nonce, "at_hash": halfHash(access),
					"iat": server.date.Unix(), "exp": server.date.Add(time.Minute).Unix(),
				})
			}
			server.others["/keys"] = text(200, "application/json", keySet(t, key))
			server.answer = map[string]any{"expires_in": nil, "expires_at": server.date.Add(time.Hour).Unix()}
			login := newLogin(server, person)
			login.Scopes = scopes.NewSet("openid", "a:read")
			login.Server.JWKSURI = server.URL + "/keys"
			var told []string
			login.UI.Tell = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
			got, err := login.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if lives := got.ExpiresAt.Sub(testNow).Abs(); lives > time.Hour+time.Minute || lives < time.Hour-time.Minute {
				t.Errorf("it lives for %s by the clock here", lives)
			}
			if all := strings.Join(told, "\n"); !strings.Contains(all, c.told) || c.told == "" && strings.Contains(all, "clock") {
				t.Errorf("told: %q", all)
			}
		})
	}
}

// What a renewal brings lives as long by a clock that is off: it is not renewed before, and is
// where it is to live longer.
func TestRenewalByAClockThatIsOff(t *testing.T) {
	for name, c := range clocks {
		for _, lifetime := range []string{"expires_in", "expires_at"} {
			t.Run(name+", "+lifetime, func(t *testing.T) {
				server, backend := newAuthServer(t), &store.Memory{}
				expired(t, server, backend)
				now := time.Now().Truncate(time.Second)
				server.date = now.Add(-c.ahead)
				if lifetime == "expires_at" {
					server.answer = map[string]any{"expires_in": nil, "expires_at": server.date.Add(time.Hour).Unix()}
				}
				renewer := newRenewer(t, server, backend)
				var told []string
				renewer.Now, renewer.Note = func() time.Time { return now }, func(sentence string) { told = append(told, sentence) }
				renew := func(minTTL time.Duration, requests int) {
					t.Helper()
					got, err := renewer.Valid(t.Context(), minTTL)
					if err != nil || len(server.sent()) != requests {
						t.Fatalf("for %s: %v, %d requests", minTTL, err, len(server.sent()))
					}
					if lives := got.ExpiresAt.Sub(now); lives > time.Hour+time.Minute || lives < time.Hour-time.Minute {
						t.Errorf("for %s: it lives for %s by the clock here", minTTL, lives)
					}
				}
				renew(0, 1)
				if all := strings.Join(told, "\n"); !strings.Contains(all, c.told) || c.told == "" && strings.Contains(all, "clock") {
					t.Errorf("told: %q", all)
				}
				renew(0, 1)
				renew(58*time.Minute, 1)
				renew(2*time.Hour, 2)
				now = now.Add(61*time.Minute + time.Second)
				server.date = now.Add(-c.ahead)
				if lifetime == "expires_at" {
					server.answer["expires_at"] = server.date.Add(time.Hour).Unix()
				}
				renew(0, 3)
			})
		}
	}
}

// An end of a token that is reckoned in this process is one of the clock on the wall: the other
// clock of a machine stands still while that sleeps.
func TestExpiryIsOnTheWall(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	got, err := newRenewer(t, server, backend).Valid(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]time.Time{"ExpiresAt": got.ExpiresAt, "ObtainedAt": got.ObtainedAt} {
		if strings.Contains(at.String(), "m=") {
			t.Errorf("%s is %s", name, at)
		}
	}
}
