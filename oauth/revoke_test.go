package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/google/go-cmp/cmp"
)

func revoking(t *testing.T, handler http.HandlerFunc) *oauth.Revocation {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &oauth.Revocation{Server: &metadata.AuthorizationServer{RevocationEndpoint: server.URL + "/revoke"}}
}

func TestRevoke(t *testing.T) {
	var sent []url.Values
	revocation := revoking(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v %v", r.Method, r.Header, err)
		}
		sent = append(sent, form) // an unknown token gets 200 too (RFC 7009 §2.2)
	})
	c := &credential.Credential{Access: credential.NewSecret("acc"), Refresh: credential.NewSecret("ref"), ClientID: testClient}
	if err := revocation.Revoke(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []url.Values{ // the refresh token first: it ends the session
		{"token": {"ref"}, "token_type_hint": {"refresh_token"}, "client_id": {testClient}},
		{"token": {"acc"}, "token_type_hint": {"access_token"}, "client_id": {testClient}},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	sent = nil
	if err := revocation.Revoke(t.Context(), &credential.Credential{Access: credential.NewSecret("acc")}); err != nil || len(sent) != 1 || sent[0].Has("client_id") {
		t.Errorf("without a refresh token: %v, %v", sent, err)
	}
}

func TestRevokeFails(t *testing.T) {
	c := &credential.Credential{Access: credential.NewSecret(storetest.Marked), Refresh: credential.NewSecret(storetest.Marked)}
	requests := 0
	refusing := revoking(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		text(400, "application/json", `{"error":"invalid_client","error_description":"who\u001bare you"}`)(w, r)
	})
	err := refusing.Revoke(t.Context(), c)
	refusal, ok := errors.AsType[*oauth.ResponseError](err)
	if !ok || refusal.Endpoint != oauth.RevocationEndpoint || refusal.Code != "invalid_client" || refusal.Description != `who\x1bare you` || refusal.Status != 400 || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
	if requests != 2 {
		t.Errorf("the first failure kept the access token from being revoked: %d requests", requests)
	}
	err = revoking(t, text(503, "", "")).Revoke(t.Context(), c)
	if trouble, ok := errors.AsType[*guard.Error](err); !ok || trouble.Status != 503 || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
	err = (&oauth.Revocation{Server: &metadata.AuthorizationServer{}}).Revoke(t.Context(), c)
	if !errors.Is(err, oauth.ErrNoRevocation) {
		t.Errorf("err = %v", err)
	}
	err = (&oauth.Revocation{Server: &metadata.AuthorizationServer{RevocationEndpoint: "https://thief.example.com/"}}).Revoke(t.Context(), c)
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
}
