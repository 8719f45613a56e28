package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A server that repeats the secret which it was sent gets it into no error, and into nothing that is kept.
func TestRepeatedSecrets(t *testing.T) {
	said := text(400, "application/json", `{"error":"invalid_grant","error_description":"`+storetest.Marked+` is unknown","error_uri":"https://as.example/?t=`+storetest.Marked+`"}`)
	c := &credential.Credential{Access: credential.NewSecret(storetest.Marked), Refresh: credential.NewSecret(storetest.Marked)}
	expect := func(what string, err error) {
		t.Helper()
		refused, ok := errors.AsType[*oauth.ResponseError](err)
		_, silent := errors.AsType[*oauth.UnansweredError](err)
		if !ok && !silent || storetest.Leaks(err.Error()) || ok && (refused.Description != "*** is unknown" || refused.URI != "https://as.example/?t=***") {
			t.Errorf("%s: %v, %+v", what, err, refused)
		}
	}
	expect("revocation", revoking(t, said).Revoke(t.Context(), c))

	server, backend := newAuthServer(t), &store.Memory{}
	stored := expired(t, server, backend)
	stored.Refresh = c.Refresh
	save(t, backend, stored)
	server.tokens = said
	_, err := newRenewer(t, server, backend).Valid(t.Context(), 5*time.Minute)
	expect("renewal", err)

	said = text(400, "application/json", `{"error":"denied","error_description":"key_`+storetest.Marked+` is unknown"}`)
	way := provider.Inspection{URL: "{api}/me", Scopes: at("scopes"), Account: at("login")}
	_, err = asking(t, said, nil, way).Inspect(t.Context(), bare("key_"+storetest.Marked))
	expect("inspection", err)

	known := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"scopes":["a","key_`+storetest.Marked+`"],"login":"key_`+storetest.Marked+`"}`)
	}
	got, err := asking(t, known, nil, way).Inspect(t.Context(), bare("key_"+storetest.Marked))
	if err != nil {
		t.Fatal(err)
	}
	if got.Account != "key_***" || got.Scopes.String() != "a key_***" {
		t.Errorf("the account %q, the scopes %q", got.Account, got.Scopes)
	}
}
