// Package storetest has credentials for tests, and looks for traces of them.
package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// Marked stands in the secrets of tests: wherever it is seen, a secret leaked.
const Marked = "MARKED-s3cr3t-value"

// Leaks reports whether out shows the secret, as text or as bytes in any notation.
func Leaks(out string) bool {
	lower := strings.ToLower(out)
	var decimal []string
	for _, b := range []byte(Marked) {
		decimal = append(decimal, fmt.Sprint(b))
	}
	for _, shape := range []string{
		Marked, fmt.Sprintf("%x", Marked), fmt.Sprintf("% x", Marked), strings.Join(decimal, " "),
	} {
		if strings.Contains(lower, strings.ToLower(shape)) {
			return true
		}
	}
	return false
}

// FullCredential has something in each field.
func FullCredential() *credential.Credential {
	return &credential.Credential{
		Access: credential.NewSecret("access-" + Marked), Refresh: credential.NewSecret("refresh-" + Marked),
		Grant: scopes.Grant{
			Kind: scopes.AccessToken, Prefix: "acc***", Source: "a login", ExpiresAt: time.Unix(1900000000, 0).UTC(),
			KnownBy: scopes.TokenResponse, Server: "eu", Scopes: scopes.NewSet("b:read", "a:write"),
			Reach: []scopes.Reach{{Of: "project", IDs: []string{"1", "2"}}, {Of: "organization", IDs: []string{"o"}}},
		},
		Account: "ann@example.com", Subject: "7", TokenType: "Bearer", Issuer: "https://auth.example.com", ClientID: "client", Resources: []string{"https://mcp.example.com/mcp"},
		ObtainedAt: time.Unix(1800000000, 0).UTC(), Asked: scopes.NewSet("b:read", "a:write", "c"),
		Hosts: []string{"api.example.com", "gateway.example.com:8443"},
		Lost:  scopes.NewSet("c:read"),
		Renewal: credential.Renewal{LostAt: time.UnixMicro(1800000000123456).UTC(), RejectedAt: time.Unix(1800000100, 0).UTC(), Failed: &credential.RenewalFailure{
			At: time.UnixMicro(1800000001456789).UTC(), Until: time.UnixMicro(1800000031456789).UTC(), Final: true,
			Kind: "rate_limited", Host: "auth.example.com", Status: 429, Code: "slow", Words: "not now",
		}},
	}
}

// Load loads what has to be there.
func Load(t testing.TB, backend store.Store, key store.Key) *credential.Credential {
	t.Helper()
	c, err := backend.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
