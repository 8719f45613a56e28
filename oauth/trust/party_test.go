package trust_test

import (
	"testing"

	"github.com/ambit-auth/ambit/oauth/trust"
)

func TestSameParty(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"api.example.com", "www.example.com", true},
		{"example.com", "example.com:8443", true},
		{"example.com", "example.org", false},
		{"one.co.uk", "two.co.uk", false},
		{"one.github.io", "two.github.io", false},
		{"example.com.evil.net", "example.com", false},
		{"127.0.0.1:1", "127.0.0.1:1", true},
		{"127.0.0.1:1", "127.0.0.1:2", false},
		{"localhost:1", "127.0.0.1:1", false},
		{"localhost:1", "example.com", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "198.51.100.1", false},
		{"192.0.2.1", "198.51.2.1", false},
		{"[2001:db8::1]:1", "[2001:db8::1]:2", false},
		{"com", "com", true},
		{"a.internal", "b.internal", false},
		{"", "", false},
	} {
		if got := trust.SameParty(c.a, c.b); got != c.want {
			t.Errorf("SameParty(%q, %q) = %v", c.a, c.b, got)
		}
	}
}
