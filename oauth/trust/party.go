package trust

import (
	"github.com/ambit-auth/ambit/internal/guard"
	"golang.org/x/net/publicsuffix"
)

// SameParty reports whether two hosts, in the form of [provider.HostOf], belong to one party:
// they lie below one domain that somebody can register. On this machine each port is a party of
// its own, and so is each address.
func SameParty(a, b string) bool {
	if a == b {
		return a != ""
	}
	if guard.IsLoopback(a) || guard.IsLoopback(b) {
		return false
	}
	ours, err := publicsuffix.EffectiveTLDPlusOne(guard.WithoutPort(a))
	if err != nil {
		return false
	}
	theirs, err := publicsuffix.EffectiveTLDPlusOne(guard.WithoutPort(b))
	return err == nil && ours == theirs
}
