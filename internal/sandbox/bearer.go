package sandbox

import (
	"net/http"
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
		application: decided.Application, issued: t.issued, expires: t.until, region: decided.Region,
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
		kind: k.shape.Kind, key: k, region: k.region, scopes: held, teams: k.shape.Teams, organizations: k.shape.Organizations, noProduct: k.shape.NoProduct,
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
