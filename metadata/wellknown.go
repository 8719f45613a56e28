package metadata

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
)

const (
	oauthWellKnown    = "/.well-known/oauth-authorization-server" // RFC 8414 §7.3
	openIDWellKnown   = "/.well-known/openid-configuration"       // OpenID Connect Discovery 1.0 §4
	resourceWellKnown = "/.well-known/oauth-protected-resource"   // RFC 9728 §8.2
)

// parseIssuer checks an issuer that the caller asks for.
func parseIssuer(issuer string) (*url.URL, error) {
	u, err := parseIssuerURL(issuer)
	if err != nil {
		return nil, &guard.Error{Kind: guard.KindUsage, URL: guard.ShownURL(issuer), Err: err}
	}
	return u, nil
}

// parseIssuerURL also keeps the rest of RFC 8414 §2 on issuers. Its error is to be put into
// a sentence.
func parseIssuerURL(issuer string) (*url.URL, error) {
	u, err := guard.ParseEndpoint(issuer)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) {
		err = errors.New("has a query, which an issuer may not have (RFC 8414 §2)")
	}
	return u, err
}

// issuerCandidates lists the URLs at which the document of an issuer may be. For an issuer
// without a path two of the three are the same.
func issuerCandidates(issuer *url.URL) []string {
	path := strings.TrimSuffix(issuer.EscapedPath(), "/") // RFC 8414 §3.1
	base := origin(issuer)
	return slices.Compact([]string{
		base + oauthWellKnown + path,
		base + path + openIDWellKnown,
		base + openIDWellKnown + path, // RFC 8414 §5
	})
}

// resourceCandidates lists the URLs at which the document of a resource may be: with the
// well-known path before path and query, of which only a slash that is the whole path is taken
// away (RFC 9728 §3.1), and that of the host, where servers with one resource have it.
func resourceCandidates(resource *url.URL) []string {
	bare := origin(resource) + resourceWellKnown
	candidate := bare
	if path := resource.EscapedPath(); path != "/" {
		candidate += path
	}
	if resource.RawQuery != "" {
		candidate += "?" + resource.RawQuery
	}
	return slices.Compact([]string{candidate, bare})
}

func origin(u *url.URL) string {
	return u.Scheme + "://" + u.Host
}

// hostOf is for messages: empty if raw cannot be parsed.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
