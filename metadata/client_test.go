package metadata_test

import (
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
)

// TestCachedAuthorizationServer asks for what was read a year ago: it is there, with its
// age, and no request goes out for it, nor for what was never read.
func TestCachedAuthorizationServer(t *testing.T) {
	c := newCached(t)
	const year = 365 * 24 * time.Hour
	c.advance(year)
	as := c.client.CachedAuthorizationServer(c.URL, metadata.Given{})
	if as == nil || as.Issuer != c.URL || as.Source.From != metadata.FromCache || as.Source.Age != year {
		t.Errorf("%+v", as)
	}
	for _, other := range []string{c.URL + "/other", "no URL", ""} {
		if as := c.client.CachedAuthorizationServer(other, metadata.Given{}); as != nil {
			t.Errorf("%q: %+v", other, as)
		}
	}
	if asked := c.requests(); len(asked) > 0 {
		t.Errorf("it asked %v", asked)
	}
}
