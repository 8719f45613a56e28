package sandbox

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// verifyRS256 checks the signature of a token and returns its claims.
func verifyRS256(t *testing.T, raw string, public json.RawMessage) map[string]any {
	t.Helper()
	claims, err := claimsRS256(t, raw, public)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// claimsRS256 fails where the signature is not that of the public key.
func claimsRS256(t *testing.T, raw string, public json.RawMessage) (map[string]any, error) {
	t.Helper()
	var key jose.JSONWebKey
	if err := json.Unmarshal(public, &key); err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	err = token.Claims(key.Key, &claims)
	return claims, err
}
