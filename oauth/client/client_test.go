package client_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// RFC 6749 §2.3.1: id and secret are form-encoded before they become a name and a password.
func TestAuthenticate(t *testing.T) {
	secret := credential.NewSecret("p:%+ w")
	for name, tt := range map[string]struct {
		who           client.Client
		authorization string // name:password
		form          url.Values
	}{
		"public":                    {client.Public("a b"), "", url.Values{"client_id": {"a b"}}},
		"no method":                 {client.Client{ID: "a", Secret: secret}, "", url.Values{"client_id": {"a"}}},
		"a secret that is not used": {client.Client{ID: "a", Secret: secret, Method: provider.AuthNone}, "", url.Values{"client_id": {"a"}}},
		"a method without a secret": {client.Client{ID: "a", Method: provider.AuthBasic}, "", url.Values{"client_id": {"a"}}},
		"basic":                     {client.Client{ID: "a b:c", Secret: secret, Method: provider.AuthBasic}, "a+b%3Ac:p%3A%25%2B+w", url.Values{}},
		"post":                      {client.Client{ID: "a b", Secret: secret, Method: provider.AuthPost}, "", url.Values{"client_id": {"a b"}, "client_secret": {"p:%+ w"}}},
		"nobody":                    {client.Client{}, "", url.Values{}},
	} {
		header, form := make(http.Header), make(url.Values)
		tt.who.Authenticate(header, form.Set)
		r := http.Request{Header: header}
		user, password, basic := r.BasicAuth()
		got := ""
		if basic {
			got = user + ":" + password
		}
		if got != tt.authorization {
			t.Errorf("%s: authorization %q, want %q", name, got, tt.authorization)
		}
		if diff := cmp.Diff(tt.form, form); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The first that says so counts: who knows before the server's list, the list before the rule.
func TestMethodFor(t *testing.T) {
	const none, basic, post = provider.AuthNone, provider.AuthBasic, provider.AuthPost
	for _, tt := range []struct {
		listed []string
		known  []provider.AuthMethod
		want   provider.AuthMethod
	}{
		{nil, nil, basic},
		{[]string{"none", "private_key_jwt"}, nil, basic},
		{[]string{"client_secret_post"}, nil, post},
		{[]string{"client_secret_post", "client_secret_basic"}, nil, basic},
		{[]string{"client_secret_basic"}, []provider.AuthMethod{"", post}, post},
		{[]string{"client_secret_basic"}, []provider.AuthMethod{none, post}, none},
	} {
		if got := client.MethodFor(tt.listed, tt.known...); got != tt.want {
			t.Errorf("%q, %q: %s, want %s", tt.listed, tt.known, got, tt.want)
		}
	}
}

func TestClientHidesItsSecret(t *testing.T) {
	who := client.Client{ID: "a", Secret: credential.NewSecret(storetest.Marked), Method: provider.AuthPost}
	if out := fmt.Sprintf("%v %+v %#v", who, who, &who); storetest.Leaks(out) {
		t.Error(out)
	}
}
