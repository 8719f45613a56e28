package main

import (
	"strings"
	"testing"
	"time"
)

// TestTokenByAClockThatIsOff asks for tokens that live for some time on a machine whose clock is off,
// at a server that tells the end by its own: one that lives as long is not renewed, and that none
// lives for longer is said.
func TestTokenByAClockThatIsOff(t *testing.T) {
	for way, ahead := range map[string]time.Duration{"ahead of": 3 * time.Hour, "behind": -3 * time.Hour} {
		t.Run(way, func(t *testing.T) {
			k := newKeeper(t)
			k.ahead = ahead
			h := k.home("tool")
			h.login()
			clock := " " + way + " that of 127.0.0.1:" // by three hours, give or take the second that Date leaves out
			token := func(renewals int, notes []string, args ...string) {
				t.Helper()
				out, err := h.ambit(append([]string{"token"}, args...)...).CombinedOutput()
				if err != nil || !strings.Contains(string(out), "acc_") || strings.Count(string(out), "note: ") != len(notes) || k.count("renewal") != renewals {
					t.Errorf("%v: %v, %d renewals\n%s", args, err, k.count("renewal"), out)
				}
				for _, note := range notes {
					if !strings.Contains(string(out), note) {
						t.Errorf("%v: %q is not said\n%s", args, note, out)
					}
				}
			}
			token(0, nil)
			token(0, nil, "--min-ttl", "58m")
			token(1, []string{clock, "note: the server gives no token that lives for 2h0m0s: this one is good for "}, "--min-ttl", "2h")
			token(1, nil, "--min-ttl", "58m")
			h.edit(map[string]any{"exp": 1577836800})
			token(2, []string{clock})
			token(2, nil, "--min-ttl", "58m")
		})
	}
}
