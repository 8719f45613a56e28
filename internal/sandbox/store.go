package sandbox

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// A store holds all that was granted, on every server: what one of them issued is
// known to the others by its region. It hands out and takes in copies only, for the
// library changes what it is given. Safe for concurrent use.
type store struct {
	shape *shape
	now   func() time.Time
	// deviceLife is how many seconds a code for another device lives.
	deviceLife func() int

	mu       sync.Mutex
	sessions map[string]*sessionRecord
	grants   map[string]*grantRecord
	codes    map[string]string // authorization code to grant
	refresh  map[string]string // refresh token to grant; used ones too, so that reuse is noticed
	tokens   map[string]*tokenRecord
	devices  map[string]*deviceRecord // by device code
	keys     map[string]*key          // by value
	removed  []string                 // scopes that nobody holds any more
	extra    []string                 // granted beyond every ceiling

	registered registered
}

// The library reads the machine's clock only, and in whole seconds. So each record
// has its end of life by the sandbox's clock beside what the library wrote.
type (
	sessionRecord struct {
		goidc.AuthnSession
		until time.Time
	}
	grantRecord struct {
		goidc.Grant
		codeUntil, refreshUntil time.Time
	}
	tokenRecord struct {
		goidc.Token
		issued, until time.Time
	}
)

// A consent is what the person decided, kept in a grant's Store.
type consent struct {
	Region        string
	Person        person
	Application   string // its name in the shape, or the client_id of one that was registered
	Teams         []int
	Organizations []string
}

// consentKey is where the consent lies in the library's map.
const consentKey = "consent"

func consentOf(stored map[string]any) consent {
	c, _ := stored[consentKey].(consent)
	return c
}

func newStore(s *shape, now func() time.Time, keys map[string]*key) *store {
	return &store{
		shape: s, now: now, keys: keys,
		sessions: make(map[string]*sessionRecord), grants: make(map[string]*grantRecord),
		codes: make(map[string]string), refresh: make(map[string]string), tokens: make(map[string]*tokenRecord),
		devices:    make(map[string]*deviceRecord),
		registered: registered{clients: make(map[string]*goidc.Client), applied: make(map[string]application)},
	}
}

// after is a time by the sandbox's clock.
func (s *store) after(seconds int) time.Time {
	return s.now().Add(time.Duration(seconds) * time.Second)
}

// forLibrary says of an end of life what the library can compare: long past, or not
// soon.
func (s *store) forLibrary(until time.Time) int {
	if !s.now().Before(until) {
		return 1
	}
	return int(time.Now().Add(time.Hour).Unix())
}

// effective is what of scopes is still within the application's ceiling.
func (s *store) effective(scopes, application string) []string {
	ceiling := slices.Concat(s.application(application).Ceiling, s.extra)
	return without(both(strings.Fields(scopes), ceiling), s.removed)
}

// shrink takes scopes away from every grant, token and key, for good.
func (s *store) shrink(scopes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, scopes...)
}

// gone lists the scopes that were taken away.
func (s *store) gone() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.removed)
}

// expireAll ends the life of every access token; refresh tokens stay.
func (s *store) expireAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if now := s.now(); now.Before(t.until) {
			t.until = now
		}
	}
}
