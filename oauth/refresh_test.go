package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

var testKey = store.Key{Issuer: "https://auth.example.com", ClientID: testClient, Manifest: "tool"}

// expired is a stored credential at its end, whose refresh token the server knows.
func expired(t *testing.T, s *authServer, backend store.Store) *credential.Credential {
	t.Helper()
	s.refresh = "refresh-0"
	c := storetest.FullCredential()
	c.Access, c.Refresh, c.ClientID = credential.NewSecret("acc_0"), credential.NewSecret(s.refresh), testClient
	c.ObtainedAt, c.ExpiresAt = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	c.Source, c.Lost, c.Renewal = "", scopes.Set{}, credential.Renewal{}
	save(t, backend, c)
	return c
}

func save(t *testing.T, store store.Store, c *credential.Credential) {
	t.Helper()
	if err := store.Save(t.Context(), testKey, c); err != nil {
		t.Fatal(err)
	}
}

func newRenewer(t *testing.T, s *authServer, store store.Store) *oauth.Renewer {
	return &oauth.Renewer{
		Store: store, Key: testKey, LockDir: filepath.Join(t.TempDir(), "locks"), Provider: issuingProvider(),
		Server: func(context.Context) (*metadata.AuthorizationServer, error) { return s.metadata(), nil },
	}
}

func TestValidSendsNothingWhileItLives(t *testing.T) {
	server, store := newAuthServer(t), &store.Memory{}
	renewer := newRenewer(t, server, store)
	for name, c := range map[string]struct {
		age, left, minTTL time.Duration
	}{
		"an hour left":             {0, time.Hour, 5 * time.Minute},
		"just living":              {time.Hour, time.Minute, 0},
		"nobody said when it ends": {0, 0, 5 * time.Minute},
	} {
		stored := expired(t, server, store)
		stored.ObtainedAt, stored.ExpiresAt = time.Now().Add(-c.age), time.Now().Add(c.left)
		if c.left == 0 {
			stored.ExpiresAt = time.Time{}
		}
		save(t, store, stored)
		got, err := renewer.Valid(t.Context(), c.minTTL)
		if err != nil || got.Access.Reveal() != "acc_0" || len(server.sent()) != 0 {
			t.Errorf("%s: %v, %v, requests %v", name, got, err, server.sent())
		}
	}
}

func TestRefresh(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	before := expired(t, server, backend)
	renewer := newRenewer(t, server, backend)
	got, err := renewer.Valid(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := *before // everything that the response is silent about stays
	want.Access, want.Refresh, want.Prefix = credential.NewSecret("acc_1"), credential.NewSecret("refresh-1"), "acc_***"
	want.ExpiresAt, want.ObtainedAt = got.ExpiresAt, got.ObtainedAt
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	if left := time.Until(got.ExpiresAt); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it lives for %s", left)
	}
	stored := storetest.Load(t, backend, testKey)
	if !stored.Access.Equal(got.Access) || !stored.Refresh.Equal(got.Refresh) {
		t.Error("what was returned is not what is stored")
	}
	if again, err := renewer.Valid(t.Context(), time.Minute); err != nil || !again.Access.Equal(got.Access) {
		t.Errorf("%v, %v", again, err)
	}
	if diff := cmp.Diff([]string{"POST /token"}, server.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestRefreshTellsWhatItLeavesOut(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	server.answer = map[string]any{"expires_in": []any{"soon"}}
	renewer := newRenewer(t, server, backend)
	var told []string
	renewer.Note = func(sentence string) { told = append(told, sentence) }
	if _, err := renewer.Valid(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"in the token response expires_in is an array, not a number, and is left out"}, told); diff != "" {
		t.Error(diff)
	}
}

func TestRefreshKeepsATokenThatDoesNotRotate(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	server.answer = map[string]any{"refresh_token": nil}
	if _, err := newRenewer(t, server, backend).Valid(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got := storetest.Load(t, backend, testKey).Refresh.Reveal(); got != "refresh-0" {
		t.Errorf("the refresh token is %q", got)
	}
}

func TestGrantShrinksAtRefresh(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend) // holds b:read a:write
	server.answer = map[string]any{"scope": "b:read", "scoped_teams": []any{2}, "scoped_orgs": []any{}}
	got, err := newRenewer(t, server, backend).Valid(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Scopes.String() != "b:read" || got.Lost.String() != "a:write" || got.KnownBy != scopes.TokenResponse {
		t.Errorf("holds %q, lost %q, by %s", got.Scopes, got.Lost, got.KnownBy)
	}
	if diff := cmp.Diff([]string{"2"}, got.ReachOf("project")); diff != "" || len(got.ReachOf("organization")) != 0 {
		t.Errorf("reach: %v", got.Reach)
	}
	if stored := storetest.Load(t, backend, testKey); stored.Scopes.String() != "b:read" {
		t.Errorf("stored: %q", stored.Scopes)
	}
}

func TestForce(t *testing.T) {
	server, store := newAuthServer(t), &store.Memory{}
	c := expired(t, server, store)
	c.ExpiresAt = time.Now().Add(time.Hour) // it should live, and was refused
	save(t, store, c)
	renewer := newRenewer(t, server, store)
	first, err := renewer.Force(t.Context(), c.Access)
	if err != nil || first.Access.Reveal() != "acc_1" {
		t.Fatalf("%v, %v", first, err)
	}
	second, err := renewer.Force(t.Context(), c.Access) // someone else has renewed that one
	if err != nil || second.Access.Reveal() != "acc_1" || len(server.sent()) != 1 {
		t.Errorf("%v, %v, requests %v", second, err, server.sent())
	}
	second.Refresh = credential.Secret{} // theirs is good, even if it is the last
	save(t, store, second)
	if third, err := renewer.Force(t.Context(), c.Access); err != nil || third.Access.Reveal() != "acc_1" {
		t.Errorf("%v, %v", third, err)
	}
}

func TestRefreshRefused(t *testing.T) {
	for name, c := range map[string]struct {
		tokens http.HandlerFunc
		lost   bool
	}{
		"invalid_grant":       {text(400, "application/json", `{"error":"invalid_grant","error_description":"`+"revoked"+`"}`), true},
		"invalid_client":      {text(401, "application/json", `{"error":"invalid_client"}`), false},
		"a server in trouble": {text(503, "text/html", storetest.Marked), false},
		"HTML":                {text(200, "text/html", storetest.Marked), false},
		"another token type":  {text(200, "application/json", `{"access_token":"`+storetest.Marked+`","token_type":"mac"}`), false},
	} {
		for _, living := range []bool{false, true} {
			server, backend := newAuthServer(t), &store.Memory{}
			stored := expired(t, server, backend)
			if living {
				stored.ExpiresAt = time.Now().Add(time.Minute)
				save(t, backend, stored)
			}
			server.tokens = c.tokens
			got, err := newRenewer(t, server, backend).Valid(t.Context(), 5*time.Minute)
			if _, lost := errors.AsType[*credential.SessionLostError](err); lost != c.lost {
				t.Errorf("%s: %v", name, err)
			}
			_, refused := errors.AsType[*oauth.ResponseError](err)
			_, trouble := errors.AsType[*guard.Error](err)
			if refused == trouble || trouble != (name == "a server in trouble") || storetest.Leaks(err.Error()) {
				t.Errorf("%s: %v", name, err)
			}
			if (got != nil) != living || living && got.Access.Reveal() != "acc_0" {
				t.Errorf("%s: living %v: got %v", name, living, got)
			}
			if kept := !storetest.Load(t, backend, testKey).Refresh.Empty(); kept == c.lost {
				t.Errorf("%s: is the refresh token kept? %v", name, kept)
			}
		}
	}
}

func TestNoRefreshToken(t *testing.T) {
	server, store := newAuthServer(t), &store.Memory{}
	c := expired(t, server, store)
	c.Refresh = credential.Secret{}
	save(t, store, c)
	got, err := newRenewer(t, server, store).Valid(t.Context(), 0)
	if _, lost := errors.AsType[*credential.SessionLostError](err); !lost || got != nil || len(server.sent()) != 0 {
		t.Errorf("%v, %v, requests %v", got, err, server.sent())
	}
}

func TestNothingStored(t *testing.T) {
	renewer := newRenewer(t, newAuthServer(t), &store.Memory{})
	if _, err := renewer.Valid(t.Context(), 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Valid: %v", err)
	}
	if _, err := renewer.Force(t.Context(), credential.NewSecret("x")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Force: %v", err)
	}
}

// A failing store has room for so many more swaps, and then its disk is full, or says why not.
type failing struct {
	store.Store
	swaps int
	mends int   // after so many that failed it works again; 0: never
	full  error // nil is a full disk
	probe error
}

func (f *failing) Probe(context.Context, store.Key) error { return f.probe }

func (f *failing) Swap(ctx context.Context, key store.Key, lease *store.Lease, old, next *credential.Credential) error {
	if f.swaps--; f.swaps < 0 && (f.mends == 0 || -f.swaps <= f.mends) {
		if f.full != nil {
			return f.full
		}
		return syscall.ENOSPC
	}
	return f.Store.Swap(ctx, key, lease, old, next)
}

func TestRenewedButNotSaved(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	got, err := newRenewer(t, server, &failing{Store: backend, swaps: 1}).Valid(t.Context(), 0)
	if !errors.Is(err, oauth.ErrNotSaved) || got == nil || got.Access.Reveal() != "acc_1" {
		t.Errorf("%v, %v", got, err)
	}
}

// A store that fails once when the refresh token is spent is tried again: what came is kept.
func TestRenewedAndSavedAtLast(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	got, err := newRenewer(t, server, &failing{Store: backend, swaps: 1, mends: 1, full: errors.New("no answer")}).Valid(t.Context(), 0)
	if err != nil || got.Access.Reveal() != "acc_1" {
		t.Errorf("%v, %v", got, err)
	}
	if again, err := newRenewer(t, server, backend).Valid(t.Context(), 0); err != nil || again.Access.Reveal() != "acc_1" {
		t.Errorf("stored: %v, %v", again, err)
	}
}

// Where no place is sure for what comes, the refresh token is not spent; the access token is used
// while it lives.
func TestNoPlace(t *testing.T) {
	for name, c := range map[string]*failing{
		"a probe that fails":     {probe: syscall.EROFS},
		"a full disk":            {probe: syscall.ENOSPC},
		"a quota":                {probe: syscall.EDQUOT},
		"a note that is refused": {swaps: 0},
		"a note beyond a quota":  {swaps: 0, full: syscall.EDQUOT},
		"a locked keyring":       {probe: &store.NoKeyringError{Err: errors.New("locked"), Silent: true}},
		"a store too small":      {probe: &store.NotKeptError{Store: "it", Problem: "has no room"}},
	} {
		for _, living := range []bool{false, true} {
			server, backend := newAuthServer(t), &store.Memory{}
			stored := expired(t, server, backend)
			if living {
				stored.ExpiresAt = time.Now().Add(time.Minute)
				save(t, backend, stored)
			}
			c.Store = backend
			got, err := newRenewer(t, server, c).Valid(t.Context(), time.Hour)
			if !errors.Is(err, oauth.ErrNoPlace) || (got != nil) != living || len(server.sent()) != 0 {
				t.Errorf("%s: %v, %v, requests %v", name, got, err, server.sent())
			}
			if kept := storetest.Load(t, backend, testKey); !kept.SameSecrets(stored) {
				t.Errorf("%s: the refresh token is gone", name)
			}
			if got, err = newRenewer(t, server, backend).Valid(t.Context(), 0); err != nil || got == nil {
				t.Errorf("%s: afterwards: %v, %v", name, got, err)
			}
		}
	}
}

// What a refusal taught is known to whoever comes next, without another request, for as long as
// nothing else is to be expected.
func TestRefusalsAreRemembered(t *testing.T) {
	after := func(value string, refusal http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", value); refusal(w, r) }
	}
	code := func(status int, code string) http.HandlerFunc {
		return text(status, "application/json", `{"error":"`+code+`","error_description":"so it is"}`)
	}
	const over, denied, later = "over", "denied", "later"
	for name, c := range map[string]struct {
		tokens http.HandlerFunc
		what   string
		quiet  time.Duration // for which nobody asks again
	}{
		"invalid_grant":               {code(400, "invalid_grant"), over, 365 * 24 * time.Hour},
		"invalid_grant, 401":          {code(401, "invalid_grant"), over, 365 * 24 * time.Hour},
		"invalid_grant, 200":          {code(200, "invalid_grant"), over, 365 * 24 * time.Hour},
		"invalid_client":              {code(401, "invalid_client"), denied, 10 * time.Minute},
		"unauthorized_client":         {code(400, "unauthorized_client"), denied, 10 * time.Minute},
		"invalid_request":             {code(400, "invalid_request"), denied, 10 * time.Minute},
		"a code of its own":           {code(400, "bad_refresh_token"), denied, 10 * time.Minute},
		"a plain 400":                 {text(400, "text/html", "<h1>no"), denied, 10 * time.Minute},
		"a plain 401":                 {text(401, "application/json", `{}`), denied, 10 * time.Minute},
		"a 403 of somebody":           {text(403, "text/html", "<h1>blocked"), later, 0},
		"a 404":                       {text(404, "text/html", "<h1>gone"), denied, 10 * time.Minute},
		"a 405":                       {text(405, "application/json", `{"message":"no"}`), denied, 10 * time.Minute},
		"a 410":                       {text(410, "text/plain", "gone"), denied, 10 * time.Minute},
		"a 500":                       {text(500, "text/html", "<h1>trouble"), later, 0},
		"a 500 with invalid_grant":    {code(500, "invalid_grant"), later, 0},
		"server_error":                {code(400, "server_error"), later, 0},
		"no token":                    {text(200, "application/json", `{}`), later, 0},
		"a 429":                       {text(429, "text/plain", ""), later, 10 * time.Second},
		"a 429 until later":           {after("30", text(429, "text/plain", "")), later, 30 * time.Second},
		"a 503 until later":           {after("30", text(503, "text/plain", "")), later, 30 * time.Second},
		"temporarily unavailable":     {after("30", code(503, "temporarily_unavailable")), later, 30 * time.Second},
		"temporarily, and with a 400": {after("30", code(400, "temporarily_unavailable")), later, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			server, backend := newAuthServer(t), &store.Memory{}
			stored := expired(t, server, backend)
			server.tokens = c.tokens
			now := time.Now()
			renewer := newRenewer(t, server, backend)
			renewer.Now = func() time.Time { return now }
			_, first := renewer.Valid(t.Context(), 0)
			got := later
			if _, ok := errors.AsType[*credential.SessionLostError](first); ok {
				got = over
			} else if _, ok := errors.AsType[*credential.RenewalDeniedError](first); ok {
				got = denied
			}
			if got != c.what {
				t.Fatalf("%s: %v", got, first)
			}
			renewer.Store = backend // as another process has it
			if now = now.Add(c.quiet - time.Second); c.quiet > 0 {
				_, again := renewer.Valid(t.Context(), 0)
				if len(server.sent()) != 1 {
					t.Errorf("requests %v", server.sent())
				}
				if again == nil || fmt.Sprintf("%T", again) != fmt.Sprintf("%T", first) || c.what != later && !strings.HasPrefix(again.Error(), first.Error()) {
					t.Errorf("first %v, then %v", first, again)
				}
				if standing := oauth.Standing(storetest.Load(t, backend, testKey), now); standing == nil {
					t.Error("the record says nothing")
				}
			}
			now = now.Add(3 * time.Second)
			if _, err := renewer.Valid(t.Context(), 0); len(server.sent()) != 2 && c.what != over {
				t.Errorf("asked no more: %v", err)
			}
			server.tokens = nil // it is well again, and takes the token that nobody has spent
			now = now.Add(2 * time.Hour)
			fresh, err := renewer.Valid(t.Context(), 0)
			if (err == nil) == (c.what == over) {
				t.Errorf("afterwards: %v", err)
			}
			if err == nil && (fresh.Renewal != credential.Renewal{} || fresh.SameSecrets(stored)) {
				t.Errorf("afterwards: %+v", fresh.Renewal)
			}
		})
	}
}

// A clock that was wrong when a refusal was written keeps nobody waiting.
func TestRefusalOfTheFuture(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	c := expired(t, server, backend)
	c.Renewal.Failed = &credential.RenewalFailure{At: time.Now().Add(24 * time.Hour), Until: time.Now().Add(25 * time.Hour), Kind: string(guard.KindRateLimited), Status: 429}
	save(t, backend, c)
	if _, err := newRenewer(t, server, backend).Valid(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

// While a refresh is under way somebody who takes no lock stores another record: a synchronized
// home, a copy that is restored, an older program.
func TestReplacedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		refused bool
		age     time.Duration // of the other record, against ours
		lives   bool
		want    string // the access token that is used and stored
	}{
		"refused, and there is a new login":     {true, time.Minute, true, "acc_theirs"},
		"refused, and there is an older one":    {true, -time.Minute, true, "acc_theirs"},
		"refused, and the other one is run out": {true, time.Minute, false, "acc_1"},
		"renewed, and there is a new login":     {false, time.Minute, true, "acc_theirs"},
		"renewed, and an old copy was restored": {false, -time.Minute, true, "acc_1"},
		"renewed, and the new one is run out":   {false, time.Minute, false, "acc_1"},
	} {
		t.Run(name, func(t *testing.T) {
			server, backend := newAuthServer(t), &store.Memory{}
			old := expired(t, server, backend)
			theirs := *old
			theirs.Access, theirs.Refresh = credential.NewSecret("acc_theirs"), credential.NewSecret("refresh-0")
			if c.refused {
				old.Refresh = credential.NewSecret("refresh-of-before")
				save(t, backend, old)
			}
			theirs.ObtainedAt = old.ObtainedAt.Add(c.age)
			if c.lives {
				theirs.ExpiresAt = time.Now().Add(time.Hour)
			}
			asked := 0
			server.onRequest = func(string, string) {
				if asked++; asked == 1 {
					save(t, backend, &theirs)
				}
			}
			if c.refused {
				server.tokens = func(w http.ResponseWriter, r *http.Request) {
					if asked == 1 {
						reply(w, 400, map[string]any{"error": "invalid_grant"})
						return
					}
					server.token(w, r)
				}
			}
			got, err := newRenewer(t, server, backend).Valid(t.Context(), 0)
			if err != nil || got.Access.Reveal() != c.want {
				t.Errorf("%v, %v", got, err)
			}
			if kept := storetest.Load(t, backend, testKey); kept.Access.Reveal() != c.want || kept.Refresh.Empty() {
				t.Errorf("kept: %q", kept.Access.Reveal())
			}
		})
	}
}

// Why a session is over is told as far as this machine knows.
func TestWhyItIsOver(t *testing.T) {
	const lost = "what came of a renewal at "
	for name, c := range map[string]struct {
		lost    http.HandlerFunc // the response that came; nil: one that was good
		renewed time.Duration    // ago
		want    string
	}{
		"a response was lost": {func(w http.ResponseWriter, _ *http.Request) {
			hijacked, _, _ := w.(http.Hijacker).Hijack()
			hijacked.Close()
		}, time.Hour, lost},
		"a page came":       {text(200, "text/html", "<h1>welcome"), time.Hour, lost},
		"nothing came":      {text(200, "application/json", ""), time.Hour, lost},
		"no token came":     {text(200, "application/json", `{}`), time.Hour, lost},
		"another type came": {text(200, "application/json", `{"access_token":"a","token_type":"mac"}`), time.Hour, lost},
		"it was in trouble": {text(500, "text/html", "<h1>trouble"), time.Hour, "it was revoked, or a copy"},
		"a long time":       {nil, 40 * 24 * time.Hour, "it was not renewed here for 40 days: it may have ended for that, or a copy of the store was used elsewhere"},
		"a short time":      {nil, time.Hour, "it was revoked, or a copy of the store was used elsewhere"},
	} {
		server, backend := newAuthServer(t), &store.Memory{}
		old := expired(t, server, backend)
		old.ObtainedAt = time.Now().Add(-c.renewed)
		save(t, backend, old)
		renewer := newRenewer(t, server, backend)
		if c.lost != nil {
			cut := make(chan struct{})
			server.tokens = func(w http.ResponseWriter, r *http.Request) {
				defer close(cut)
				server.token(httptest.NewRecorder(), r) // the token is spent
				c.lost(w, r)
			}
			_, err := renewer.Valid(t.Context(), 0)
			if err == nil || storetest.Load(t, backend, testKey).Renewal.LostAt.IsZero() == (c.want == lost) {
				t.Errorf("%s: %v", name, err)
			}
			<-cut
			server.tokens = nil
		} else {
			server.refresh = "another"
		}
		for range 2 { // from the server, and from the record
			_, err := renewer.Valid(t.Context(), 0)
			if _, over := errors.AsType[*credential.SessionLostError](err); !over || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A process that is ended while it waits leaves word of that: the refresh token may be spent.
func TestEndedInTheMiddle(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	ctx, end := context.WithCancelCause(t.Context())
	cut := make(chan struct{})
	server.tokens = func(_ http.ResponseWriter, r *http.Request) {
		defer close(cut)
		_ = r.ParseForm()                                                            // the body is read, so that the end of the connection is seen
		end(signals.Ended{Signal: os.Interrupt, At: time.Now().Add(-signals.Grace)}) // and the grace is over
		<-r.Context().Done()
	}
	if _, err := newRenewer(t, server, backend).Valid(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	left := storetest.Load(t, backend, testKey).Renewal
	if left.LostAt.IsZero() || left.Failed == nil || left.Failed.Words != "the process that asked was ended before a response came" || left.Failed.Final {
		t.Errorf("left: %+v", left)
	}
	<-cut
	server.tokens = nil // the request was lost, not the response
	if fresh, err := newRenewer(t, server, backend).Valid(t.Context(), 0); err != nil || fresh.Renewal != (credential.Renewal{}) {
		t.Errorf("%v, %v", fresh, err)
	}
}

// A renewal that failed is the result of all who waited for it.
func TestFailureForAll(t *testing.T) {
	for name, c := range map[string]struct {
		tokens http.HandlerFunc
		most   int // requests
	}{
		"a cut connection": {func(w http.ResponseWriter, _ *http.Request) {
			hijacked, _, _ := w.(http.Hijacker).Hijack()
			hijacked.Close()
		}, 1},
		"a 500": {text(500, "text/plain", ""), 1},
		"a 429": {text(429, "text/plain", ""), 1},
	} {
		t.Run(name, func(t *testing.T) {
			server, directory := newAuthServer(t), t.TempDir()
			everyone := make(chan struct{})
			server.tokens = func(w http.ResponseWriter, r *http.Request) { <-everyone; c.tokens(w, r) }
			backend := store.File{Dir: filepath.Join(directory, "store")}
			expired(t, server, backend)
			var loaded, done sync.WaitGroup
			loaded.Add(goroutines)
			for range goroutines {
				done.Go(func() {
					renewer := processRenewer(directory, server.URL)
					renewer.Store = announcing{renewer.Store, new(sync.Once), loaded.Done}
					if _, err := renewer.Valid(t.Context(), time.Minute); err == nil {
						t.Error("there is no token, and no error")
					}
				})
			}
			loaded.Wait()
			close(everyone)
			done.Wait()
			if n := len(server.sent()); n > c.most {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestLockFolder(t *testing.T) {
	server, backend := newAuthServer(t), store.File{Dir: filepath.Join(t.TempDir(), "store")}
	expired(t, server, backend)
	renewer := newRenewer(t, server, backend)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "below")
	for directory, begin := range map[string]string{
		"":    "the credential cannot be locked for renewal: no directory is set for the lock",
		below: fmt.Sprintf("the credential cannot be locked for renewal: the lock file %q: ", filepath.Join(below, testKey.ID()+".lock")),
	} {
		renewer.LockDir = directory
		_, err := renewer.Valid(t.Context(), 0)
		if _, ok := errors.AsType[*store.LockError](err); !ok || !strings.HasPrefix(err.Error(), begin) || len(server.sent()) != 0 {
			t.Errorf("LockDir %q: %v, requests %v, want %s", directory, err, server.sent(), begin)
		}
	}
}

// A refresh that is under way when the person gives up still ends, and is stored: its
// refresh token may be spent.
func TestCancelDoesNotLoseTheSession(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	ctx, cancel := context.WithCancel(t.Context())
	server.onRequest = func(string, string) { cancel() }
	if _, err := newRenewer(t, server, backend).Valid(ctx, 0); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	server.mu.Lock()
	want := server.refresh
	server.mu.Unlock()
	if got := storetest.Load(t, backend, testKey).Refresh.Reveal(); got != want || got == "refresh-0" {
		t.Errorf("stored is %q, the server knows %q", got, want)
	}
}
