package metadata

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
)

// Client reads documents. Its zero value is safe: Go's default HTTP client under
// the guard, no cache on disk, the real clock. It is safe for concurrent use as long
// as its fields are left alone, and several processes may share a cache directory.
type Client struct {
	// HTTP is the client to send with, as [guard.NewClient] makes it; nil means Go's
	// default. The guard (redirects, time, size) is put on a copy of it.
	HTTP *http.Client
	// CacheDir is the directory of the cache, made with mode 0700 if it is not there.
	// "" means no cache on disk.
	CacheDir string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Timeout bounds one call. 0, or more than FetchTimeout, means FetchTimeout.
	Timeout time.Duration
	// Wait is how a short Retry-After is waited out; see [guard.Requester].
	Wait func(ctx context.Context, d time.Duration) error
}

// The kinds of lookup, in cache files.
const (
	lookupServer   = "authorization_server"
	lookupResource = "protected_resource"
)

// AuthorizationServer reads the document of issuer (RFC 8414, else OpenID
// discovery). The error is an [Error].
func (c *Client) AuthorizationServer(ctx context.Context, issuer string) (*AuthorizationServer, error) {
	return c.AuthorizationServerWith(ctx, issuer, Given{})
}

// AuthorizationServerWith is AuthorizationServer for a server of which something is known besides.
func (c *Client) AuthorizationServerWith(ctx context.Context, issuer string, given Given) (*AuthorizationServer, error) {
	u, err := parseIssuer(issuer)
	if err != nil {
		return nil, err
	}
	if given.Alone {
		return given.server(issuer)
	}
	as, source, err := fetch(ctx, c, serverLookup(u, issuer), func(document *guard.Object) (*AuthorizationServer, error) {
		return readAuthorizationServer(document, issuer, given)
	})
	if trouble, ok := errors.AsType[*guard.Error](err); ok && trouble.Kind == guard.KindNotFound && given.standsIn() {
		return given.server(issuer)
	}
	if err != nil {
		return nil, err
	}
	source.Warnings, source.Remarks = slices.Concat(source.Warnings, as.Source.Warnings), as.Source.Remarks
	as.from(source)
	return as, nil
}

func serverLookup(u *url.URL, issuer string) *lookup {
	return &lookup{kind: lookupServer, subject: issuer, candidates: issuerCandidates(u)}
}

// CachedAuthorizationServer is the document of issuer as it was last read, however old
// it is; nil where the cache holds none, and what is given cannot stand in for it. No server is asked.
func (c *Client) CachedAuthorizationServer(issuer string, given Given) *AuthorizationServer {
	u, err := parseIssuer(issuer)
	if err != nil {
		return nil
	}
	cached := recall(c, serverLookup(u, issuer), func(document *guard.Object) (*AuthorizationServer, error) {
		return readAuthorizationServer(document, issuer, given)
	})
	if cached == nil || given.Alone {
		if !given.standsIn() {
			return nil
		}
		as, err := given.server(issuer)
		if err != nil {
			return nil
		}
		return as
	}
	as := cached.value
	as.from(Source{URL: cached.entry.URL, From: FromCache, Age: cached.entry.age(c.now()), Warnings: as.Source.Warnings, Remarks: as.Source.Remarks})
	return as
}

// ProtectedResource reads the document of resource, the URL of an API: where the challenge of
// the resource says that it is (RFC 9728 §5.1), else at the URL that §3.1 derives from it, else at
// that of its host. A place without a document of use is passed over. The error is an [Error].
func (c *Client) ProtectedResource(ctx context.Context, resource string) (*ProtectedResource, error) {
	u, err := guard.ParseURL(resource)
	if err != nil {
		return nil, err
	}
	return c.resource(ctx, resource, c.resourceLookup(u, resource))
}

func (c *Client) resourceLookup(u *url.URL, resource string) *lookup {
	return &lookup{
		kind: lookupResource, subject: resource, candidates: resourceCandidates(u),
		announced: func(ctx context.Context) string { return c.announced(ctx, u) },
	}
}

// CachedProtectedResource is the document of resource as it was last read, however old it is; nil
// where the cache holds none. No server is asked.
func (c *Client) CachedProtectedResource(resource string) *ProtectedResource {
	u, err := guard.ParseURL(resource)
	if err != nil {
		return nil
	}
	cached := recall(c, c.resourceLookup(u, resource), func(document *guard.Object) (*ProtectedResource, error) {
		return readProtectedResource(document, resource)
	})
	if cached == nil {
		return nil
	}
	pr := cached.value
	pr.Source = Source{URL: cached.entry.URL, From: FromCache, Age: cached.entry.age(c.now()), Warnings: pr.Source.Warnings}
	return pr
}

func (c *Client) resource(ctx context.Context, resource string, l *lookup) (*ProtectedResource, error) {
	pr, source, err := fetch(ctx, c, l, func(document *guard.Object) (*ProtectedResource, error) {
		return readProtectedResource(document, resource)
	})
	if err != nil {
		return nil, err
	}
	source.Warnings = slices.Concat(source.Warnings, pr.Source.Warnings)
	pr.Source = source
	return pr, nil
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Client) timeout() time.Duration {
	if c.Timeout <= 0 || c.Timeout > guard.FetchTimeout {
		return guard.FetchTimeout
	}
	return c.Timeout
}
