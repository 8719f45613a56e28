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

// A scanCache holds what is in the way of the lent credential, by the last scan.
type scanCache struct {
	mu        sync.Mutex
	scanned   []profile.Conflict
	scannedAt time.Time
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

// list is what the last scan found.
func (s *scanCache) list() []profile.Conflict {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scanned)
}

// rescan looks for conflicts as they are now.
func (p *Proxy) rescan() { p.conflicts.refresh(p.cfg.Rescan, p.cfg.Now()) }
