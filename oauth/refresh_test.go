package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
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
	c.Source, c.Lost = "", scopes.Set{}
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
		Store: store, Key: testKey, LockDir: filepath.Join(t.TempDir(), "locks"), KindOf: testKind,
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

// unwritable is a store whose disk is full.
type unwritable struct{ store.Store }

func (unwritable) Save(context.Context, store.Key, *credential.Credential) error {
	return errors.New("no space left")
}

func TestRenewedButNotSaved(t *testing.T) {
	server, store := newAuthServer(t), &store.Memory{}
	expired(t, server, store)
	got, err := newRenewer(t, server, unwritable{store}).Valid(t.Context(), 0)
	if !errors.Is(err, oauth.ErrNotSaved) || got == nil || got.Access.Reveal() != "acc_1" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestLockFolder(t *testing.T) {
	server, backend := newAuthServer(t), &store.Memory{}
	expired(t, server, backend)
	renewer := newRenewer(t, server, backend)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{"", filepath.Join(file, "below")} {
		renewer.LockDir = directory
		_, err := renewer.Valid(t.Context(), 0)
		if _, ok := errors.AsType[*store.LockError](err); !ok || len(server.sent()) != 0 {
			t.Errorf("LockDir %q: %v, requests %v", directory, err, server.sent())
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
