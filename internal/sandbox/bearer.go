package sandbox

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A bearer is who a request comes from: the owner of a key or of an access token.
type bearer struct {
	kind          string // of key; "" for an access token
	key           *key
	application   string // of an access token
	issued        time.Time
	expires       time.Time
	region        string
	person        person
	scopes        []string
	teams         []int
	organizations []string
	noProduct     bool
}

// bearer finds who holds that credential, as seen from a region ("" sees all). An
// unknown, expired or revoked one, and one of another region, are all alike: not ok.
func (s *store) bearer(credential, region string) (b bearer, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[credential]; k != nil {
		return s.keyBearer(k, region)
	}
	t := s.tokens[credential]
	if t == nil || !s.now().Before(t.until) {
		return bearer{}, false
	}
	b = s.tokenBearer(t)
	if s.grants[t.GrantID].RevokedAt != 0 || region != "" && region != b.region {
		return bearer{}, false
	}
	return b, true
}

// issued is the bearer of a token that was just issued, dead or alive by now.
func (s *store) issued(token string) bearer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[token]; t != nil {
		return s.tokenBearer(t)
	}
	return bearer{}
}

func (s *store) tokenBearer(t *tokenRecord) bearer {
	decided := consentOf(s.grants[t.GrantID].Store)
	return bearer{
		application: decided.Application, issued: t.issued, expires: t.until, region: decided.Region, person: decided.Person,
		scopes: s.effective(t.Scopes, decided.Application), teams: decided.Teams, organizations: decided.Organizations,
	}
}

func (s *store) keyBearer(k *key, region string) (bearer, bool) {
	if k.kind.Unusable || k.shape.Expired || region != "" && region != k.region {
		return bearer{}, false
	}
	held := k.scopes
	if !k.unrestricted {
		held = without(held, s.removed)
	}
	return bearer{
		kind: k.shape.Kind, key: k, region: k.region, person: s.shape.Persons[0], scopes: held, teams: k.shape.Teams, organizations: k.shape.Organizations, noProduct: k.shape.NoProduct,
	}, true
}

// bearerToken reads the Authorization header (RFC 6750 §2.1); "" where there is none.
func bearerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// A key is an API key, as it stands in the store.
type key struct {
	name, value  string
	shape        keyShape
	kind         keyKind
	scopes       []string
	region       string
	id           string
	unrestricted bool
}

// randomLength is how many letters follow a prefix: about 250 bits.
const randomLength = 43

// random draws letters and digits after a prefix. 256 is no multiple of 62, so some
// letters are likelier than others: no harm in what opens nothing.
func random(prefix string) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := make([]byte, randomLength)
	_, _ = rand.Read(text) // never fails (its documentation)
	for i, b := range text {
		text[i] = letters[int(b)%len(letters)]
	}
	return prefix + string(text)
}

// makeKeys draws the keys of the shape; home is the region in which they are known.
func makeKeys(s *shape, home string) map[string]*key {
	away := s.Regions[(slices.Index(s.Regions, home)+1)%len(s.Regions)]
	keys := make(map[string]*key)
	for _, name := range slices.Sorted(maps.Keys(s.Keys)) {
		k := &key{name: name, shape: s.Keys[name], kind: s.KeyKinds[s.Keys[name].Kind], region: home}
		if k.shape.Elsewhere {
			k.region = away
		}
		k.value, k.id = random(k.kind.Prefix), random("")[:12]
		k.scopes = s.scopesOf(k.shape)
		k.unrestricted = contains(k.scopes, s.Implies.All)
		keys[k.value] = k
	}
	return keys
}

// mask is how the service shows a key to its owner.
func (k *key) mask() string { return k.kind.Prefix + "..." + k.value[len(k.value)-4:] }
