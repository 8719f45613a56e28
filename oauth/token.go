package oauth

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// maxLifetime bounds expires_in: what is said to live longer lives that long. It
// keeps a hostile value out of date arithmetic.
const maxLifetime = 10 * 365 * 24 * time.Hour

// readToken makes a credential of a token response (RFC 6749 §5.1). Where the response
// is silent (on scope, §5.1 and §6, or the provider's own members) it holds what before
// holds: for a login what was asked, for a renewal what was had.
func readToken(endpoint string, token *oauth2.Token, before credential.Credential, kindOf func(string) provider.CredentialKind, now time.Time) (*credential.Credential, error) {
	switch {
	case !strings.EqualFold(token.TokenType, "Bearer"): // RFC 6749 §7.1: not understood, not used
		return nil, &TokenError{Host: provider.HostOf(endpoint), Problem: "its token_type is not Bearer"}
	case !credential.IsSendable(token.AccessToken), !credential.IsSendable(token.RefreshToken):
		return nil, &TokenError{Host: provider.HostOf(endpoint), Problem: "a token in it is too long, or has characters that no token has (RFC 6749 appendix A)"}
	}
	c := before
	c.Access, c.Kind, c.TokenType = credential.NewSecret(token.AccessToken), scopes.OAuthToken, "Bearer"
	c.ObtainedAt, c.ExpiresAt = now, expiry(token.Extra("expires_in"), now)
	if token.RefreshToken != "" {
		c.Refresh = credential.NewSecret(token.RefreshToken)
	}
	if granted, said := scopes.ReadList(token.Extra("scope")); said {
		c.Scopes, c.KnownBy = granted, scopes.TokenResponse
	}
	if kindOf != nil {
		learn(&c, token, kindOf(token.AccessToken))
	}
	return &c, nil
}

// learn takes what only the provider's file knows how to read.
func learn(c *credential.Credential, token *oauth2.Token, kind provider.CredentialKind) {
	c.Prefix = shown(c.Access, kind)
	if list, ok := token.Extra(kind.Inspect.Teams).([]any); ok {
		c.Teams = words(list)
	}
	if list, ok := token.Extra(kind.Inspect.Organizations).([]any); ok {
		c.Organizations = words(list)
	}
}

// shown is the masked prefix; "" where the provider knows none for it.
func shown(credential credential.Secret, kind provider.CredentialKind) string {
	if kind.Prefix == "" {
		return ""
	}
	return credential.Mask(kind.Prefix)
}

// expiry reads expires_in, in seconds from now. What is no positive number tells
// nothing, and the token is then tried until the server refuses it.
func expiry(expiresIn any, now time.Time) time.Time {
	var seconds float64
	switch value := expiresIn.(type) {
	case float64:
		seconds = value
	case int64: // a form-encoded response
		seconds = float64(value)
	case string:
		seconds, _ = strconv.ParseFloat(value, 64) // 0 for what is no number
	}
	if !(seconds > 0) { // NaN too
		return time.Time{}
	}
	lifetime := time.Duration(math.Min(seconds, maxLifetime.Seconds())) * time.Second
	return now.Add(lifetime)
}

// words reads a JSON list of strings and numbers, as identifiers come in both.
func words(list []any) []string {
	var out []string
	for _, element := range list {
		switch value := element.(type) {
		case string:
			out = append(out, plain(value))
		case float64:
			out = append(out, strconv.FormatFloat(value, 'f', -1, 64))
		case json.Number:
			out = append(out, plain(value.String()))
		}
	}
	return out
}
