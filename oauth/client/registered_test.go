package client_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const (
	issuer = "https://id.example"
	uri    = "http://127.0.0.1:8123/callback"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func registered() *client.Registered {
	return &client.Registered{
		Client: client.Client{ID: "app", Secret: credential.NewSecret(storetest.Marked), Method: provider.AuthBasic, ByServer: true},
		Issuer: issuer, RedirectURIs: []string{"http://127.0.0.1/callback", uri}, Scopes: scopes.NewSet("a", "b"), ExpiresAt: now.Add(time.Hour),
	}
}

// A registration is used again only for what it was made for.
func TestServes(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*client.Registered)
		uri    string
		asked  scopes.Set
		want   bool
	}{
		"the same":                   {func(*client.Registered) {}, uri, scopes.NewSet("a", "b"), true},
		"fewer scopes":               {func(*client.Registered) {}, uri, scopes.NewSet("a"), true},
		"another scope":              {func(*client.Registered) {}, uri, scopes.NewSet("a", "c"), false},
		"no scope was said":          {func(r *client.Registered) { r.Scopes = scopes.Set{} }, uri, scopes.NewSet("c"), true},
		"another port":               {func(*client.Registered) {}, "http://127.0.0.1:8124/callback", scopes.NewSet("a"), false},
		"a device":                   {func(r *client.Registered) { r.Device = true }, "", scopes.NewSet("a"), true},
		"a device, not registered":   {func(*client.Registered) {}, "", scopes.NewSet("a"), false},
		"its secret has expired":     {func(r *client.Registered) { r.ExpiresAt = now }, uri, scopes.NewSet("a"), false},
		"its secret does not expire": {func(r *client.Registered) { r.ExpiresAt = time.Time{} }, uri, scopes.NewSet("a"), true},
		"an end without a secret":    {func(r *client.Registered) { r.Secret, r.ExpiresAt = credential.Secret{}, now }, uri, scopes.NewSet("a"), true},
	} {
		r := registered()
		tt.change(r)
		if got := r.Serves(tt.uri, tt.asked, now); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if port := registered().Port(); port != 8123 {
		t.Errorf("the port is %d", port)
	}
	if port := (&client.Registered{RedirectURIs: []string{"http://127.0.0.1/callback"}}).Port(); port != 0 {
		t.Errorf("without one, the port is %d", port)
	}
}

// A store keeps a registration whole, for its own issuer, and takes it for nothing else.
func TestRegistrationInStore(t *testing.T) {
	kept := &store.Memory{}
	key := store.RegistrationKey(issuer, "tool")
	for name, r := range map[string]*client.Registered{"with a secret": registered(), "public": {Client: client.Client{ID: "app", Method: provider.AuthNone, ByServer: true}, Issuer: issuer}} {
		record, err := r.Credential(now)
		if err != nil || storetest.Leaks(fmt.Sprintf("%+v", record)) {
			t.Fatalf("%v, %+v", err, record)
		}
		if err := kept.Save(t.Context(), key, record); err != nil {
			t.Fatal(err)
		}
		got, err := store.LoadRegistration(t.Context(), kept, key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got, err := client.FromCredential(record, "https://other.example"); err == nil {
			t.Errorf("%s: another server's is %+v", name, got)
		}
	}
	if _, err := store.LoadRegistration(t.Context(), kept, store.RegistrationKey(issuer, "other")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another program's: %v", err)
	}
	login := storetest.FullCredential()
	login.Issuer = issuer
	if err := kept.Save(t.Context(), key, login); err != nil {
		t.Fatal(err)
	}
	_, err := store.LoadRegistration(t.Context(), kept, key)
	if _, corrupt := errors.AsType[*store.CorruptError](err); !corrupt || storetest.Leaks(err.Error()) {
		t.Errorf("a login in its place: %v", err)
	}
}
