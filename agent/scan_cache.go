package agent

import (
	"slices"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
)

// scanAgain is the least time between two scans: an agent can be refused a thousand
// times a second.
const scanAgain = time.Second

// A scanCache holds what is in the way of the lent credential: by the last scan, and by
// what requests carried beside the lease.
type scanCache struct {
	mu        sync.Mutex
	scanned   []profile.Conflict
	scannedAt time.Time
	dropped   []profile.Conflict
}

// refresh scans again, where the last scan is old.
func (s *scanCache) refresh(scan func() []profile.Conflict, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if scan == nil || !s.scannedAt.IsZero() && now.Sub(s.scannedAt) < scanAgain {
		return
	}
	s.scannedAt, s.scanned = now, scan()
}

// list is all that is in the way.
func (s *scanCache) list() []profile.Conflict {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.scanned, s.dropped)
}

// addDropped notes what came beside the lease, if it is new.
func (s *scanCache) addDropped(c profile.Conflict) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.dropped, func(known profile.Conflict) bool { return slices.Equal(known.Keys, c.Keys) }) {
		return false
	}
	s.dropped = append(s.dropped, c)
	return true
}

// rescan looks for conflicts as they are now.
func (p *Proxy) rescan() { p.conflicts.refresh(p.cfg.Rescan, p.cfg.Now()) }
