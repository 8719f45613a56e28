package ambit

import (
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/store"
)

// A server that asks for time after a login failed gets it from whoever comes next, but no more than an hour.
func TestWaitAfterALogin(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for asked, want := range map[time.Duration]time.Duration{0: 0, time.Minute: time.Minute, 30 * 24 * time.Hour: time.Hour} {
		dir, key := t.TempDir(), store.Key{Issuer: "https://id.example"}
		busy := &guard.Error{Kind: guard.KindRateLimited, Host: "id.example", Status: 429}
		if asked > 0 {
			busy.RetryAfter, busy.RetryAt = asked, now.Add(asked)
		}
		outcome{At: now}.leave(dir, key, busy)
		for after, waits := range map[time.Duration]bool{want - time.Second: want > 0, want + time.Second: false} {
			if err := readOutcome(dir, key, time.Time{}, now.Add(after), false); (err != nil) != waits {
				t.Errorf("asked for %s, after %s: %v", asked, after, err)
			}
		}
	}
}
