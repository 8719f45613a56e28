package sandbox

import (
	"context"
	"maps"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// A view is the store as one authorization server sees it: what belongs to another
// region is not there, and an application goes by the client_id it has here. It
// implements the library's managers.
type view struct {
	*store
	server string
	region string // "" sees every region
}

func (v view) sees(c consent) bool { return v.region == "" || v.region == c.Region }

// clientID is the application's name at this server.
func (v view) clientID(c consent) string { return v.application(c.Application).IDs[v.server] }

// SaveSession implements [goidc.AuthManager].
func (v view) SaveSession(_ context.Context, a *goidc.AuthnSession) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a.Status != goidc.StatusPending && a.DeviceCode == "" {
		delete(v.sessions, a.ID) // decided: the page works once
		return nil
	}
	until := v.after(sessionSeconds)
	if a.DeviceCode != "" {
		until = v.after(v.deviceLife())
	}
	if old := v.sessions[a.ID]; old != nil {
		until = old.until
	}
	v.sessions[a.ID] = &sessionRecord{copySession(a), until}
	return nil
}

// Session implements [goidc.AuthManager].
func (v view) Session(_ context.Context, id string) (*goidc.AuthnSession, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.sessions[id]
	if r == nil || r.Status != goidc.StatusPending {
		return nil, goidc.ErrNotFound
	}
	return v.session(r), nil
}

// session hands out a session, with its end by the sandbox's clock.
func (v view) session(r *sessionRecord) *goidc.AuthnSession {
	a := copySession(&r.AuthnSession)
	a.ExpiresAt = v.forLibrary(r.until)
	return &a
}

func copySession(a *goidc.AuthnSession) goidc.AuthnSession {
	c := *a
	c.Store = maps.Clone(a.Store)
	return c
}

// SaveGrant implements [goidc.GrantManager].
func (v view) SaveGrant(_ context.Context, g *goidc.Grant) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.grants[g.ID]
	if r == nil {
		r = &grantRecord{codeUntil: v.after(v.shape.Tokens.CodeSeconds)}
		v.grants[g.ID] = r
		if g.AuthCode != "" {
			v.codes[g.AuthCode] = g.ID
		}
	}
	if g.RefreshToken != "" && g.RefreshToken != r.RefreshToken {
		r.refreshUntil, v.refresh[g.RefreshToken] = v.after(v.shape.Tokens.RefreshSeconds), g.ID
	}
	r.Grant = *g
	r.Store = maps.Clone(g.Store)
	return nil
}

// Grant implements [goidc.GrantManager].
func (v view) Grant(_ context.Context, id string) (*goidc.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grant(id)
}

// grant hands out a grant with the scopes that it has by now: a refresh takes them
// from here, so it narrows to the ceiling of the day and never widens.
func (v view) grant(id string) (*goidc.Grant, error) {
	r := v.grants[id]
	if r == nil || !v.sees(consentOf(r.Store)) {
		return nil, goidc.ErrNotFound
	}
	g, decided := r.Grant, consentOf(r.Store)
	g.Store = maps.Clone(r.Store)
	g.ClientID = v.clientID(decided)
	g.Scopes = strings.Join(v.effective(r.Scopes, decided.Application), " ")
	g.AuthCodeExpiresAt, g.DeviceCodeExpiresAt, g.RefreshTokenExpiresAt = v.forLibrary(r.codeUntil), v.forLibrary(r.codeUntil), v.forLibrary(r.refreshUntil)
	return &g, nil
}

// GrantByAuthCode implements [goidc.AuthManager].
func (v view) GrantByAuthCode(_ context.Context, code string) (*goidc.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grant(v.codes[code])
}

// GrantByRefreshToken implements [goidc.RefreshTokenManager]. A refresh token that was
// rotated away was stolen or lost: whoever shows it again ends the whole family
// (RFC 9700 §4.14.2), which the library does not do.
func (v view) GrantByRefreshToken(_ context.Context, token string) (*goidc.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	g, err := v.grant(v.refresh[token])
	if err != nil {
		return nil, err
	}
	if stored := v.grants[g.ID]; stored.RefreshToken != token {
		stored.RevokedAt = 1 // any time will do: it is only compared with 0
		return nil, goidc.ErrNotFound
	}
	return g, nil
}

// SaveToken implements [goidc.OpaqueTokenManager]. The library saves a token once:
// what it revokes is the grant.
func (v view) SaveToken(_ context.Context, t *goidc.Token) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens[t.ID] = &tokenRecord{*t, v.now(), v.after(t.LifetimeSecs())}
	return nil
}

// Token implements [goidc.OpaqueTokenManager].
func (v view) Token(_ context.Context, id string) (*goidc.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.tokens[id]
	if r == nil {
		return nil, goidc.ErrNotFound
	}
	g, err := v.grant(r.GrantID)
	if err != nil {
		return nil, err
	}
	t := r.Token
	t.ClientID, t.ExpiresAt = g.ClientID, v.forLibrary(r.until)
	t.Scopes = strings.Join(both(strings.Fields(t.Scopes), strings.Fields(g.Scopes)), " ")
	return &t, nil
}
